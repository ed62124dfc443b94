"""Two runs on the same episodes, paired: differences, intervals, Holm, detectable differences."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from statistics import fmean
from typing import Final, Literal

import numpy as np

from langrearrange.errors import ScoreError
from langrearrange.leaderboard.groups import GROUPS, base_split, is_stratified, units_of
from langrearrange.leaderboard.replay import Replayed
from langrearrange.leaderboard.result_json import rounded
from langrearrange.leaderboard.score import Result
from langrearrange.leaderboard.statistics import (
    MeanVariance,
    variance_of_average,
    variance_of_mean,
)
from langrearrange.leaderboard.student import t_cdf, t_quantile

POWER: Final = 0.8
"""Power at which the minimum detectable difference is stated."""
Winner = Literal["", "a", "b"]


@dataclass(frozen=True, slots=True)
class Difference:
    """Run a minus run b on one split or group.

    Attributes:
        name: split, PR, BG or Total.
        measure: success or efficiency.
        mean_a, mean_b: the two means.
        difference: mean_a - mean_b.
        low, high: 95 % interval of the difference, paired and clustered, in [-1, 1].
        p_value: of no difference, two-sided.
        p_holm: adjusted over all splits of this measure; over the groups for groups.
        detectable: smallest true difference that such a test sees in 80 % of the cases.
        winner: only where the interval excludes 0 and p_holm < 0.05.
    """

    name: str
    measure: Literal["success", "efficiency"]
    mean_a: float
    mean_b: float
    difference: float
    low: float
    high: float
    p_value: float
    p_holm: float
    detectable: float
    winner: Winner


@dataclass(frozen=True, slots=True)
class _Paired:
    name: str
    mean_a: float
    mean_b: float
    variance: MeanVariance


def compare(a: Result, b: Result, level: float = 0.95) -> tuple[Difference, ...]:
    """Compare two runs, split by split and group by group, in success and efficiency.

    Args:
        a: a scored run.
        b: another one, on the same episodes and under the same protocol.
        level: coverage of the intervals.

    Returns:
        A row per split and group, for success, then for efficiency.

    Raises:
        ScoreError: other protocol, no split in common, or other episodes in one.

    Source: cluster-robust paired t test (the clusters of design 3.7; strata where templates are
    fixed); Holm 1979 over the splits.
    """
    if (a.header.protocol, a.header.horizon) != (b.header.protocol, b.header.horizon):
        raise ScoreError(
            f"the runs were made under other rules ({a.header.protocol}, {a.header.horizon} "
            f"skills; {b.header.protocol}, {b.header.horizon}); compare runs of one board"
        )
    splits = [split for split in a.splits if split in b.splits]
    if not splits:
        raise ScoreError(
            f"no split was played by both runs: {', '.join(a.splits)}; {', '.join(b.splits)}"
        )
    pairs = {split: _pairs(a, b, split) for split in splits}
    rows: list[Difference] = []
    for measure, value in _MEASURES.items():
        paired = [_paired(split, pairs[split], value) for split in splits]
        by_name = {base_split(pair.name): pair for pair in paired}
        groups = [
            _mean(name, [by_name[split] for split in members])
            for name, members in GROUPS.items()
            if all(split in by_name for split in members)
        ]
        rows += _judge(measure, paired, level)
        rows += _judge(measure, groups, level)
    return tuple(rows)


def holm(p_values: Sequence[float]) -> list[float]:
    """Return Holm's adjusted p-values, in the order given (Holm 1979)."""
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    adjusted, running = [0.0] * len(p_values), 0.0
    for rank, index in enumerate(order):
        running = max(running, min(1.0, (len(p_values) - rank) * p_values[index]))
        adjusted[index] = running
    return adjusted


_MEASURES: Final[dict[Literal["success", "efficiency"], Callable[[Replayed], float]]] = {
    "success": lambda episode: float(episode.success),
    "efficiency": lambda episode: episode.efficiency,
}


def _pairs(a: Result, b: Result, split: str) -> list[tuple[Replayed, Replayed]]:
    first = {e.id: e for e in a.episodes if e.split == split}
    second = {e.id: e for e in b.episodes if e.split == split}
    if first.keys() != second.keys() or a.splits[split].num_missing or b.splits[split].num_missing:
        raise ScoreError(
            f"the runs did not play the same episodes of '{split}' ({len(first)} and "
            f"{len(second)}, {len(first.keys() & second.keys())} in common); evaluate both on all"
        )
    return [(first[episode_id], second[episode_id]) for episode_id in first]


def _paired(
    split: str, pairs: Sequence[tuple[Replayed, Replayed]], value: Callable[[Replayed], float]
) -> _Paired:
    left = np.array([value(x) for x, _ in pairs])
    right = np.array([value(y) for _, y in pairs])
    stratified = is_stratified(split)
    units = units_of((x for x, _ in pairs), stratified=stratified)
    variance = variance_of_mean(left - right, units, stratified=stratified)
    return _Paired(split, float(left.mean()), float(right.mean()), variance)


def _mean(name: str, parts: Sequence[_Paired]) -> _Paired:
    mean_a, mean_b = fmean(part.mean_a for part in parts), fmean(part.mean_b for part in parts)
    return _Paired(name, mean_a, mean_b, variance_of_average([part.variance for part in parts]))


def _judge(
    measure: Literal["success", "efficiency"], paired: Sequence[_Paired], level: float
) -> list[Difference]:
    p_values = [_p_value(pair) for pair in paired]
    rows = []
    for pair, p_value, p_holm in zip(paired, p_values, holm(p_values), strict=True):
        difference = pair.mean_a - pair.mean_b
        quantile = t_quantile((1 + level) / 2, pair.variance.degrees)
        error = math.sqrt(pair.variance.value)
        low = max(-1.0, difference - quantile * error)
        high = min(1.0, difference + quantile * error)
        clear = p_holm < 1 - level  # then the interval excludes 0, too: p_holm >= p_value
        rows.append(
            Difference(
                name=pair.name,
                measure=measure,
                mean_a=pair.mean_a,
                mean_b=pair.mean_b,
                difference=difference,
                low=low,
                high=high,
                p_value=p_value,
                p_holm=p_holm,
                detectable=(quantile + t_quantile(POWER, pair.variance.degrees)) * error,
                winner=("a" if difference > 0 else "b") if clear else "",
            )
        )
    return rows


def _p_value(pair: _Paired) -> float:
    difference, variance = abs(pair.mean_a - pair.mean_b), pair.variance
    if difference == 0:
        return 1.0
    if variance.value == 0:  # every unit differs by the same: a sign test over the units
        return 2.0 ** (1 - variance.num_units)
    return 2 * (1 - t_cdf(difference / math.sqrt(variance.value), variance.degrees))


def as_values(rows: Sequence[Difference]) -> list[dict[str, object]]:
    """Return rows as plain JSON values, floats rounded."""
    return [rounded(asdict(row)) for row in rows]
