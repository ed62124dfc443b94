"""`langrearrange score`: replay traces and print what they are worth."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import tyro

from langrearrange.cli.common import make_table, print_table, sources_of

if TYPE_CHECKING:
    from langrearrange.leaderboard.score import Result
    from langrearrange.leaderboard.statistics import Interval


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Replay every action of one or more traces and print success and efficiency.

    What a trace says of itself is ignored: each episode is rebuilt, its actions are played again
    with the world's own rules, and only that counts. Intervals are 95 % and clustered.
    """

    runs: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """traces written by `evaluate`"""
    episodes: tuple[str, ...] = ()
    """folders of data sets that are no published split"""
    templates: bool = False
    """also a table per template"""
    json: bool = False
    """print JSON instead of tables"""


def run(args: Args) -> int:
    """Print one table for several runs, or the splits of a single one."""
    from langrearrange.errors import UsageError
    from langrearrange.leaderboard.score import score_trace

    if not args.runs:
        raise UsageError("no runs given; write traces with `langrearrange evaluate` first")
    find = sources_of(args.episodes)
    results = [score_trace(path, find) for path in args.runs]
    if args.json:
        print(json.dumps([as_json(result) for result in results], indent=1))
        return 0
    if len(results) > 1:
        print_table(_board(results))
    for result in results if len(results) == 1 else []:
        print_table(_splits(result))
    if args.templates:
        for result in results:
            print_table(_templates(result))
    for result in results:
        _warn(result)
    return 0


def as_json(result: Result) -> dict[str, Any]:
    """Return a run's scores as plain values; episodes and their actions stay in the trace."""
    from langrearrange.leaderboard import report_json

    return report_json(result)


def _interval(interval: Interval) -> str:
    return f"{interval.mean:.3f} [{interval.low:.2f}, {interval.high:.2f}]"


def _board(results: list[Result]) -> Any:
    splits = list(dict.fromkeys(split for result in results for split in result.splits))
    groups = [g for g in ("PR", "BG", "Total") if all(g in r.groups for r in results)]
    columns = ["agent", "sees", *splits, *groups, "efficiency", "regret", "invalid"]
    table = make_table("success per split, 95 % clustered interval", columns, left=2)
    for result in results:
        cells = [_interval(result.splits[s].success) if s in result.splits else "-" for s in splits]
        cells += [_interval(result.groups[g].success) for g in groups]
        shown = [result.splits[s] for s in splits if s in result.splits]
        efficiency = sum(s.efficiency.mean for s in shown) / len(shown)
        regrets = [s.regret for s in shown if s.regret is not None]
        invalid = sum(s.invalid_rate for s in shown) / len(shown)
        cells.append(f"{efficiency:.3f}")
        cells.append(f"{sum(regrets) / len(regrets):.2f}" if regrets else "-")
        cells.append(f"{invalid:.2f}")
        table.add_row(_name(result), result.header.agent.modality, *cells)
    return table


def _name(result: Result) -> str:
    agent = result.header.agent
    return f"{agent.name} (privileged)" if agent.privileged else agent.name


def _splits(result: Result) -> Any:
    columns = [
        "split",
        "episodes",
        "success",
        "efficiency",
        "regret",
        "invalid",
        "subgoals",
        "return",
    ]
    table = make_table(f"{_name(result)}, sees {result.header.agent.modality}", columns)
    for split, scores in result.splits.items():
        table.add_row(
            split,
            str(scores.num_episodes),
            _interval(scores.success),
            _interval(scores.efficiency),
            "-" if scores.regret is None else f"{scores.regret:.2f}",
            f"{scores.invalid_rate:.2f}",
            f"{scores.subgoals:.2f}",
            f"{scores.reward:.2f}",
        )
    for name, group in result.groups.items():
        table.add_row(
            name, "", _interval(group.success), _interval(group.efficiency), "", "", "", ""
        )
    return table


def _templates(result: Result) -> Any:
    columns = ["template", "split", "episodes", "success", "efficiency"]
    table = make_table(f"{_name(result)}, per template", columns, left=2)
    for row in result.templates:
        numbers = (str(row.num_episodes), f"{row.success:.3f}", f"{row.efficiency:.3f}")
        table.add_row(row.template, row.split, *numbers)
    return table


def _warn(result: Result) -> None:
    from langrearrange.cli.common import note

    name = _name(result)
    if result.partial:
        note(f"{name}: only a part of {', '.join(result.partial)} was played; never ranked")
    if result.num_missing:
        note(f"{name}: {result.num_missing} episodes are missing and count as failed")
    if result.false_claims:
        note(f"{name}: {len(result.false_claims)} episodes were declared successful and are not")
