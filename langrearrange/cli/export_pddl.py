"""`langrearrange export-pddl`: episodes as PDDL domain and problem files, with their plans."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from langrearrange.cli.common import check_count, note, open_source
from langrearrange.errors import UsageError

if TYPE_CHECKING:
    from langrearrange.dataset import Episode, EpisodeSource


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Write episodes as PDDL: `<id>/domain.pddl`, `problem.pddl` and `plan.txt`, one folder each.

    `adl` keeps the goal as it is (quantifiers, negation); `strips` compiles it away, so that
    pyperplan and pddlgym read it (docs/pddl.md).
    """

    episodes: Annotated[str, tyro.conf.Positional]
    """a split, a data set folder, or the id of one episode"""
    out: Path
    """folder to write"""
    dialect: Literal["adl", "strips"] = "adl"
    """which PDDL"""
    num_episodes: int | None = None
    """at most so many, spread evenly; None for all"""
    force: bool = False
    """write into a folder that exists"""


def run(args: Args) -> int:
    """Export; the number of episodes goes to stderr, the folder to stdout."""
    from langrearrange.progress import progress

    if args.out.exists() and not args.force:
        raise UsageError(f"{args.out} exists; choose another --out or add --force")
    episodes = _episodes(args)
    with progress(f"export {args.dialect}", len(episodes)) as advance:
        for source, position, variant in episodes:
            _write(args.out, source.get(position, variant), args.dialect)
            advance(1, "")
    note(f"{len(episodes)} episodes in {args.dialect}")
    print(args.out)
    return 0


def _episodes(args: Args) -> list[tuple[EpisodeSource, int, int]]:
    """Return (source, position, variant) of each; an episode is built when its turn comes."""
    from langrearrange.dataset import parse_episode_id

    check_count(args.num_episodes)
    if "/" in args.episodes and not Path(args.episodes).exists():
        parsed = parse_episode_id(args.episodes)
        single = open_source(parsed.split)
        return [(single, single.index_of(args.episodes), parsed.variant)]
    source = open_source(args.episodes)
    count = len(source)
    wanted = min(count, args.num_episodes or count)
    return [(source, i * count // wanted, 0) for i in range(wanted)]


def _write(out: Path, episode: Episode, dialect: Literal["adl", "strips"]) -> None:
    from langrearrange.solver.pddl import export, pddl_name, plan_text
    from langrearrange.world import skill_index
    from langrearrange.world.goals import parse_goal

    layout, initial = episode.layout(), episode.initial_state()
    names = [item.id for item in episode.objects]
    goal = parse_goal(episode.goal)
    pair = export(goal, layout, initial, pddl_name(episode.id), dialect, names)
    folder = out / pddl_name(episode.id)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "domain.pddl").write_text(pair.domain)
    (folder / "problem.pddl").write_text(pair.problem)
    plan = [skill_index(skill) for skill in episode.plan]
    (folder / "plan.txt").write_text(plan_text(plan, goal, layout, initial, dialect, names))
