"""`python -m langrearrange_baselines.study.lift`: what training on did to a policy, over seeds.

All play the same fresh episodes. A difference is paired: each episode's mean over the runs minus
its outcome before. Undo loops are counted by replay.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import torch

from langrearrange.cli.common import make_table, print_json, print_table
from langrearrange.errors import UsageError
from langrearrange.leaderboard.groups import is_stratified, units_of
from langrearrange.leaderboard.replay import Replayed
from langrearrange.leaderboard.score import Result
from langrearrange.leaderboard.statistics import variance_of_mean
from langrearrange.leaderboard.student import t_cdf, t_quantile

from ..command import run_module
from ..compare import PlayArgs

TEMPLATES: Final = ("swap", "place_two")
"""Of two objects: what a policy with a weak memory fails at."""


@dataclass(frozen=True, kw_only=True)
class LiftArgs(PlayArgs):
    """Play a policy, and what became of it in several runs, on the same fresh episodes."""

    before: Path
    """run or checkpoint that the others began from"""
    after: tuple[Path, ...]
    """runs that went on from it"""
    rival: tuple[Path, ...] = ()
    """runs that spent the same budget in another way"""

    def __post_init__(self) -> None:
        PlayArgs.__post_init__(self)
        if len(self.splits) != 1 or not self.after:
            raise UsageError("--after takes at least one run and --splits exactly one split")


class Lift(NamedTuple):
    """A mean over episodes, and its difference to before with 95 % interval and p-value."""

    mean: float
    difference: float
    low: float
    high: float
    p_value: float


def undone(episode: Replayed) -> int:
    """Return how many skills brought back an arrangement that the episode had before.

    An arrangement is where all objects are and what is open, the robot's place aside.
    """
    arrangements = [(s.receptacles, s.open_mask) for s in episode.states]
    seen, count = {arrangements[0]}, 0
    for before, after in pairwise(arrangements):
        count += after != before and after in seen
        seen.add(after)
    return count


MEASURES: Final[dict[str, Callable[[Replayed], float]]] = {
    "success": lambda episode: float(episode.success),
    "undo loops": lambda episode: float(undone(episode)),
}


def difference(
    first: Sequence[Result],
    second: Sequence[Result],
    measure: Callable[[Replayed], float] = MEASURES["success"],
    *,
    splits: Collection[str] = (),
    template: str = "",
) -> Lift:
    """Return the mean of the second runs and how far it is from the first's, paired by episode.

    Args:
        first: scored runs; each episode counts with its mean over them.
        second: others on the same episodes.
        measure: of an episode.
        splits: whose episodes; all if empty.
        template: only its episodes; all if empty.
    """
    chosen = [
        episode
        for episode in first[0].episodes
        if (not splits or episode.split in splits) and template in ("", episode.template)
    ]

    def means(runs: Sequence[Result]) -> Any:
        found = [{episode.id: measure(episode) for episode in run.episodes} for run in runs]
        return np.array([[one[e.id] for e in chosen] for one in found]).mean(axis=0)

    values = means(second)
    changes = values - means(first)
    stratified = all(is_stratified(split) for split in {episode.split for episode in chosen})
    units = units_of(chosen, stratified=stratified)
    variance = variance_of_mean(changes, units, stratified=stratified)
    change, error = float(changes.mean()), float(np.sqrt(variance.value))
    half = t_quantile(0.975, variance.degrees) * error
    p = 2 * (1 - t_cdf(abs(change) / error, variance.degrees)) if error else float(change == 0)
    return Lift(float(values.mean()), change, change - half, change + half, p)


def run(args: LiftArgs) -> None:
    """Play all, print a row per arm and measure."""
    torch.set_num_threads(args.threads)
    before = args.result(args.before, "before")
    arms: dict[str, list[Result]] = {"before": [before]}
    for kind, paths in (("after", args.after), ("rival", args.rival)):
        runs = [args.result(path, f"{kind}_{i}") for i, path in enumerate(paths)]
        if len(runs) > 1:
            arms |= {f"{kind} {i}": [one] for i, one in enumerate(runs)}
        arms |= {kind: runs} if runs else {}
    rows = [
        (f"{name} {template}".strip(), arm, difference([before], runs, measure, template=template))
        for name, measure in MEASURES.items()
        for template in ("", *TEMPLATES)
        for arm, runs in arms.items()
    ]
    if args.json:
        print_json([{"measure": m, "arm": arm, **found._asdict()} for m, arm, found in rows])
        return
    lines = [
        (
            m,
            arm,
            x.mean,
            f"{x.difference:+.3f}",
            f"[{x.low:+.3f}, {x.high:+.3f}]",
            f"{x.p_value:.2g}",
        )
        for m, arm, x in rows
    ]
    columns = ("measure", "arm", "mean", "- before", "95 %", "p")
    seen_by = dict.fromkeys(one.header.agent.seen_by for runs in arms.values() for one in runs)
    title = f"{args.num_episodes} fresh episodes, perception: {'; '.join(seen_by)}"
    print_table(make_table(title, columns, lines, 2))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 ok, 1 failed, 2 wrong usage."""
    return run_module("study.lift", LiftArgs, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
