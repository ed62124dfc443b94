"""Intervals for means of episodes that succeed or fail together. Numbers only, no files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import ScoreError
from langrearrange.leaderboard.student import t_quantile

Floats = NDArray[np.float64]
Units = Sequence[str] | NDArray[np.integer[Any]]
_NEGLIGIBLE: Final = 1e-20
"""A variance below this is a rounding error: that of a million episodes is larger, or 0."""
Method = Literal["clustered", "stratified", "agreeing", "combined"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and how sure we are of it.

    Attributes:
        mean: in [0, 1].
        low, high: ends of the interval, in [0, 1].
        num_episodes: how many values the mean is of.
        num_units: units of chance: clusters, or episodes where these are drawn one by one.
        variance: of the mean; 0 where all values agree.
        degrees: degrees of freedom of the variance.
        method: where the variance comes from; `agreeing`: all values are the same, so that the
            number of units alone says how sure we are.
    """

    mean: float
    low: float
    high: float
    num_episodes: int
    num_units: int
    variance: float
    degrees: float
    method: Method

    @property
    def intra_cluster(self) -> float:
        """Estimated correlation within clusters, in [0, 1]; 1 if undetermined."""
        size = self.num_episodes / self.num_units
        alone = self.mean * (1 - self.mean) / self.num_episodes
        if size <= 1 or alone == 0:
            return 0.0 if size <= 1 else 1.0
        return min(1.0, max(0.0, (self.variance / alone - 1) / (size - 1)))

    @property
    def checked(self) -> bool:
        """Whether simulation shows 93-97 % coverage here: mean 0.2-0.8, correlation <= 0.3."""
        return 0.2 <= self.mean <= 0.8 and self.intra_cluster <= 0.3


class MeanVariance(NamedTuple):
    """How far the mean of a sample may lie from the mean of what was sampled.

    Attributes:
        value: variance of the mean; 0 where all values agree, or all within their stratum.
        degrees: degrees of freedom of the variance.
        num_units: units of chance: clusters, or episodes where these are drawn one by one.
        method: how it was estimated; `agreeing` where it is 0.
    """

    value: float
    degrees: float
    num_units: int
    method: Method


def variance_of_mean(values: Floats, units: Units, *, stratified: bool = False) -> MeanVariance:
    """Return the variance of a mean over episodes, or over differences between paired episodes.

    Where there is a single cluster, or a stratum with one episode, variation between the units
    cannot be told from variation within: each episode is then a cluster of its own.

    Args:
        values: shape (num_episodes,), float64.
        units: shape (num_episodes,), cluster of each episode, or its stratum.
        stratified: units are fixed strata, within which episodes were drawn: the mean generalises
            to these strata only. Else they are clusters, a sample of all clusters.

    Source: clusters: Miller 2024 (arXiv 2411.00640), appendix A, with the G / (G - 1) correction
    and G - 1 degrees of freedom. Strata: Cochran, Sampling Techniques, 5.3, with Satterthwaite's
    degrees of freedom, 5.4. Not one variance pooled over the strata with n - H degrees: that is
    too small where small strata vary more than large ones.
    """
    total = len(values)
    _, codes, sizes = np.unique(units, return_inverse=True, return_counts=True)
    method: Method = "stratified" if stratified and sizes.min() >= 2 else "clustered"
    if method == "stratified":
        groups = [values[codes == number] for number in range(len(sizes))]
        parts = [(len(g) / total) ** 2 * float(g.var(ddof=1)) / len(g) for g in groups]
        value, num_units = sum(parts), total
        degrees = _satterthwaite(parts, [len(group) - 1.0 for group in groups])
    else:
        if stratified or len(sizes) < 2:
            codes, sizes = np.arange(total), np.ones(total, np.int64)
        num_units, degrees = len(sizes), max(len(sizes) - 1.0, 1.0)
        sums = np.bincount(codes, weights=values - values.mean())
        value = num_units / degrees * float(np.square(sums).sum()) / total**2
    if value < _NEGLIGIBLE:
        return MeanVariance(0.0, max(num_units - 1.0, 1.0), num_units, "agreeing")
    return MeanVariance(value, degrees, num_units, method)


def variance_of_average(parts: Sequence[MeanVariance]) -> MeanVariance:
    """Return the variance of the unweighted mean of independent means, at least one."""
    shares = [part.value / len(parts) ** 2 for part in parts]
    degrees = _satterthwaite(shares, [part.degrees for part in parts])
    return MeanVariance(sum(shares), degrees, sum(part.num_units for part in parts), "combined")


def mean_ci(
    values: Floats, units: Units, *, stratified: bool = False, level: float = 0.95
) -> Interval:
    """Return the mean of episodes with a confidence interval that respects clusters or strata.

    Args:
        values: shape (num_episodes,), float64, each in [0, 1].
        units: shape (num_episodes,), cluster or stratum of each episode.
        stratified: whether they are strata; see `variance_of_mean`.
        level: coverage, in (0, 1).

    Returns:
        Wilson's interval with the number of independent episodes that would have this variance,
        and t with its degrees of freedom; where all values agree, with the number of units. One
        episode tells nothing: [0, 1].

    Raises:
        ScoreError: values outside [0, 1], none, or shapes that differ.

    Source: Korn and Graubard 1998. Simulated coverage is 93-97 % instead of the 90-96 % of
    mean +- t s for means 0.2-0.8, and no interval is wider.
    """
    _check(values, units, level)
    variance = variance_of_mean(values, units, stratified=stratified)
    mean, quantile = float(values.mean()), t_quantile((1 + level) / 2, variance.degrees)
    count = mean * (1 - mean) / variance.value if variance.value else variance.num_units
    ends = wilson(mean, count, quantile) if len(values) > 1 else (0.0, 1.0)
    return _interval(mean, ends, len(values), variance)


def mean_of_intervals(parts: Sequence[Interval], level: float = 0.95) -> Interval:
    """Unweighted mean of independent means: PR, BG and Total (paper Table 2).

    Args:
        parts: the splits' intervals, at least one.
        level: coverage, in (0, 1).

    Returns:
        Interval of the mean, mean +- t s. A part whose values all agree has no variance of its
        own; the width of its interval stands in for it, so that certainty is never claimed.

    Raises:
        ScoreError: no parts.
    """
    if not parts:
        raise ScoreError("a mean over splits needs at least one split")
    mean = sum(part.mean for part in parts) / len(parts)
    variance = variance_of_average(
        [
            MeanVariance(_variance_of(part, level), part.degrees, part.num_units, part.method)
            for part in parts
        ]
    )
    quantile = t_quantile((1 + level) / 2, variance.degrees)
    if all(part.mean == parts[0].mean in (0.0, 1.0) for part in parts):
        ends = wilson(mean, variance.num_units, quantile)
        variance = variance._replace(value=0.0, method="agreeing")
    else:
        half = quantile * math.sqrt(variance.value)
        ends = max(0.0, mean - half), min(1.0, mean + half)
    return _interval(mean, ends, sum(part.num_episodes for part in parts), variance)


def wilson(mean: float, count: float, quantile: float) -> tuple[float, float]:
    """Wilson's interval of a proportion: (low, high).

    Args:
        mean: of the values, in [0, 1].
        count: of independent values, need not be whole.
        quantile: of the normal or t distribution, 1.96 for 95 %.

    Source: Wilson 1927; for values in [0, 1] that are no proportion it is conservative where
    `count` is their number, since their variance is at most mean (1 - mean).
    """
    square = quantile * quantile
    centre = (mean + square / (2 * count)) / (1 + square / count)
    spread = math.sqrt(mean * (1 - mean) / count + square / (4 * count * count))
    half = quantile * spread / (1 + square / count)
    low = 0.0 if mean == 0 else max(0.0, centre - half)  # exact where rounding would not be
    return low, 1.0 if mean == 1 else min(1.0, centre + half)


def _variance_of(part: Interval, level: float) -> float:
    if part.variance > 0:
        return part.variance
    quantile = t_quantile((1 + level) / 2, part.degrees)
    return (max(part.high - part.mean, part.mean - part.low) / (2 * quantile)) ** 2


def _satterthwaite(variances: Sequence[float], degrees: Sequence[float]) -> float:
    total = sum(variances)
    if total == 0:
        return max(degrees)
    return total**2 / sum(v * v / d for v, d in zip(variances, degrees, strict=True) if v > 0)


def _interval(
    mean: float, ends: tuple[float, float], num_episodes: int, variance: MeanVariance
) -> Interval:
    return Interval(
        mean, *ends, num_episodes, variance.num_units, variance.value, variance.degrees,
        variance.method,
    )  # fmt: skip


def _check(values: Floats, units: Units, level: float) -> None:
    if values.ndim != 1 or values.shape != np.shape(units) or not len(values):
        raise ScoreError(
            f"values have shape {values.shape} and units {np.shape(units)}; both must be "
            "(num_episodes,) with at least one episode"
        )
    if not 0 < level < 1:
        raise ScoreError(f"the confidence level must be in (0, 1), got {level}")
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise ScoreError("success and efficiency must be in [0, 1]")
