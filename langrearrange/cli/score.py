"""`langrearrange score`: replay traces and print success and efficiency."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from langrearrange.cli import score_tables as tables
from langrearrange.cli.common import Force, Json, ScoringOptions, note, print_table
from langrearrange.errors import ScoreError, UsageError
from langrearrange.paths import refuse_existing

if TYPE_CHECKING:
    from langrearrange.dataset import EpisodeSource
    from langrearrange.leaderboard.score import Result

MOST_REFERENCE_EPISODES = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Args(ScoringOptions):
    """Replay every action of one or more traces and print success and efficiency.

    Results stored in a trace are ignored: each episode is rebuilt and its actions are replayed with
    the rules of the world. Intervals are clustered 95 % confidence intervals; ~ marks those outside
    the range where simulation shows 93-97 % coverage (docs/protocol.md).
    """

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """traces written by `evaluate`"""
    templates: bool = False
    """also a table per template"""
    causes: bool = False
    """also why episodes failed"""
    paper: bool = False
    """also the paper's numbers: Habitat, not comparable"""
    reference: bool = True
    """play `explorer` and `blind_sweep` on the same episodes to stand beside the runs"""
    json: Json = False
    out: Path | None = None
    """also write the runs' JSON to this file"""
    force: Force = False


def run(args: Args) -> int:
    """Print the runs beside each other, a single one in full as well."""
    from langrearrange.leaderboard import report_json
    from langrearrange.leaderboard.preflight import flaws, oddities

    if not args.runs:
        raise UsageError("no runs given; write traces with `langrearrange evaluate` first")
    if args.out is not None:
        refuse_existing(args.out, overwrite=args.force)
    results = [args.score(path) for path in args.runs]
    text = json.dumps([report_json(result) for result in results], indent=1)
    if args.out is not None:
        args.out.parent.mkdir(parents=True, exist_ok=True)
        args.out.write_text(text + "\n", encoding="utf-8")
    if args.json:
        print(text)
        return 0
    if len(results) == 1:
        print_table(tables.one_run(results[0]))
    beside = _reference(results, args.find) if args.reference else []
    if len(results) + len(beside) > 1 or args.paper:
        print_table(tables.board([*results, *beside], paper=args.paper))
    _print_spreads(results)
    for result in results:
        if args.templates:
            print_table(tables.templates(result))
        if args.causes:
            print_table(tables.causes(result))
        for text in (*flaws(result), *oddities(result)):
            note(f"{tables.name_of(result)}: {text}")
    return 0


def _reference(results: Sequence[Result], find: Callable[[str], EpisodeSource]) -> list[Result]:
    """Return the reference rows that are not among the runs, on the first run's episodes."""
    from langrearrange.agents import REFERENCE_AGENTS
    from langrearrange.dataset import EpisodeList
    from langrearrange.leaderboard.reference import reference_results

    first = results[0]
    lacking = set(REFERENCE_AGENTS) - {result.header.agent.name for result in results}
    if not lacking or not first.episodes:
        return []
    if len(first.episodes) > MOST_REFERENCE_EPISODES:
        note(f"more than {MOST_REFERENCE_EPISODES} episodes: the reference rows are not played")
        return []
    sources: dict[str, EpisodeSource] = {}
    for split in first.splits:
        source = find(split)
        played = [source.index_of(e.id) for e in first.episodes if e.split == split]
        if played:
            sources[split] = EpisodeList([source.get(i) for i in sorted(played)], split)
    rows = reference_results(sources, protocol=first.header.protocol, horizon=first.header.horizon)
    return [rows[name] for name in REFERENCE_AGENTS if name in lacking]


def _print_spreads(results: Sequence[Result]) -> None:
    from langrearrange.leaderboard.spread import spread

    groups: dict[str, list[Result]] = defaultdict(list)
    for result in results:
        groups[tables.name_of(result)].append(result)
    for name, runs in groups.items():
        if len(runs) > 1:
            try:
                print_table(tables.spreads(spread(runs), name))
            except ScoreError as error:
                note(f"{name}: {error}")
