"""Several runs of one agent: their mean and how far they lie apart. No interval over episodes."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass

from langrearrange.errors import ScoreError
from langrearrange.leaderboard.score import Result


@dataclass(frozen=True, slots=True)
class Spread:
    """Runs of one agent on one split or group, with other seeds.

    Attributes:
        name: split, PR, BG or Total.
        success, efficiency: means of the runs' means.
        success_std, efficiency_std: sample standard deviations over the runs (n - 1).
        num_runs: how many.
    """

    name: str
    success: float
    success_std: float
    efficiency: float
    efficiency_std: float
    num_runs: int


def spread(results: Sequence[Result]) -> tuple[Spread, ...]:
    """Summarise runs of one agent.

    Args:
        results: at least two scored runs on the same splits under the same protocol, each with a
            seed of its own.

    Returns:
        A row per split and group.

    Raises:
        ScoreError: fewer than two runs, another agent, protocol or split among them, or two runs
            of one seed, which would count the same run twice.
    """
    if len(results) < 2:
        raise ScoreError(f"a spread needs at least 2 runs, {len(results)} given; use other seeds")
    some, *others = results
    first = some.header
    for result in others:
        header = result.header
        same = (
            (header.agent.name, header.agent.modality, header.protocol, header.horizon)
            == (first.agent.name, first.agent.modality, first.protocol, first.horizon)
        ) and header.datasets == first.datasets  # fmt: skip
        if not same:
            raise ScoreError(
                f"the runs of '{first.agent.name}' and '{header.agent.name}' differ in agent, "
                "rules or episodes; give runs that differ in their seed alone"
            )
    seeds = [result.header.seed for result in results]
    if len(set(seeds)) < len(seeds):
        raise ScoreError(f"seeds {seeds} are not all different; each run counts once")
    names = [*some.splits, *some.groups]
    return tuple(_row(name, results) for name in names)


def _row(name: str, results: Sequence[Result]) -> Spread:
    scores = [result.splits.get(name) or result.groups[name] for result in results]
    success = [score.success.mean for score in scores]
    efficiency = [score.efficiency.mean for score in scores]
    return Spread(
        name=name,
        success=statistics.fmean(success),
        success_std=statistics.stdev(success),
        efficiency=statistics.fmean(efficiency),
        efficiency_std=statistics.stdev(efficiency),
        num_runs=len(results),
    )
