"""Intervals for means of episodes that succeed or fail together. Numbers only, no files."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import ScoreError
from langrearrange.leaderboard.student import t_quantile

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Method = Literal["clustered", "stratified", "wilson", "combined"]


@dataclass(frozen=True, slots=True)
class Interval:
    """A mean and how sure we are of it.

    Attributes:
        mean: in [0, 1].
        low, high: ends of the interval, clipped to [0, 1].
        num_episodes: how many values the mean is of.
        num_units: units of chance: clusters, or episodes where these are drawn one by one.
        variance: of the mean; 0 where all values agree.
        degrees: degrees of freedom of the variance.
        method: how the ends were found.
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
    def half_width(self) -> float:
        """Half the interval's length."""
        return (self.high - self.low) / 2


def clustered_mean_ci(values: Floats, cluster: Ints, level: float = 0.95) -> Interval:
    """Mean with a confidence interval that respects clusters.

    Episodes of one cluster (design 3.7) succeed or fail together, so the cluster, not the
    episode, is the unit of chance.

    Args:
        values: shape (num_episodes,), float64, each in [0, 1].
        cluster: shape (num_episodes,), int64, cluster index of each episode.
        level: coverage, in (0, 1).

    Returns:
        Interval, clipped to [0, 1]; Wilson's over the clusters where all values agree.

    Raises:
        ScoreError: fewer than two clusters, or shapes differ.

    Source: cluster-robust variance of a mean, Miller 2024 (arXiv 2411.00640), appendix A, with
    the G / (G - 1) correction and t with G - 1 degrees of freedom.
    """
    _check(values, cluster, level)
    mean = float(values.mean())
    _, codes = np.unique(cluster, return_inverse=True)
    groups = int(codes.max()) + 1
    if groups < 2:
        raise ScoreError(
            f"an interval over clusters needs at least 2 of them; all {len(values)} episodes are "
            "of one cluster. Score more episodes, or pass each episode as its own cluster."
        )
    totals = np.bincount(codes, weights=values - mean, minlength=groups)
    variance = float(groups / (groups - 1) * np.square(totals).sum()) / len(values) ** 2
    if np.ptp(values) == 0:
        low, high = wilson(mean, groups, level)
        return Interval(mean, low, high, len(values), groups, 0.0, groups - 1.0, "wilson")
    return _around(mean, variance, groups - 1.0, len(values), groups, level, "clustered")


def stratified_mean_ci(values: Floats, stratum: Ints, level: float = 0.95) -> Interval:
    """Mean with an interval that generalises to the same strata only.

    For new_scenes and train_eval: their templates are fixed, episodes are drawn within them.

    Args:
        values: shape (num_episodes,), float64, each in [0, 1].
        stratum: shape (num_episodes,), int64, stratum of each episode.
        level: coverage, in (0, 1).

    Returns:
        Interval, clipped to [0, 1]; Wilson's over the episodes where all values agree.

    Raises:
        ScoreError: a stratum holds one episode only, or shapes differ.

    Source: stratified variance of a mean, Cochran, Sampling Techniques, 5.3; degrees of freedom
    by Satterthwaite, 5.4.
    """
    _check(values, stratum, level)
    mean, total = float(values.mean()), len(values)
    if np.ptp(values) == 0:
        low, high = wilson(mean, total, level)
        return Interval(mean, low, high, total, total, 0.0, max(total - 1.0, 1.0), "wilson")
    parts, degrees = [], []
    for name in np.unique(stratum):
        group = values[stratum == name]
        if len(group) < 2:
            raise ScoreError("a stratum of one episode has no variance; score at least two of each")
        parts.append((len(group) / total) ** 2 * float(group.var(ddof=1)) / len(group))
        degrees.append(len(group) - 1.0)
    variance = sum(parts)
    if variance == 0:  # each stratum agrees within itself
        low, high = wilson(mean, total, level)
        return Interval(mean, low, high, total, total, 0.0, total - 1.0, "wilson")
    freedom = _satterthwaite(parts, degrees)
    return _around(mean, variance, freedom, total, total, level, "stratified")


def mean_of_intervals(parts: Sequence[Interval], level: float = 0.95) -> Interval:
    """Unweighted mean of independent means: PR, BG and Total (paper Table 2).

    Args:
        parts: the splits' intervals, at least one.
        level: coverage, in (0, 1).

    Returns:
        Interval of the mean. A part whose values all agree has no variance of its own; the
        half-width of its Wilson interval stands in for it, so that certainty is never claimed.

    Raises:
        ScoreError: no parts.
    """
    if not parts:
        raise ScoreError("a mean over splits needs at least one split")
    count = len(parts)
    mean = sum(part.mean for part in parts) / count
    variances = [_variance_of(part, level) / count**2 for part in parts]
    episodes = sum(part.num_episodes for part in parts)
    units = sum(part.num_units for part in parts)
    freedom = _satterthwaite(variances, [part.degrees for part in parts])
    return _around(mean, sum(variances), freedom, episodes, units, level, "combined")


def wilson(mean: float, count: int, level: float = 0.95) -> tuple[float, float]:
    """Wilson's score interval of a proportion: (low, high).

    Source: Wilson 1927; for values in [0, 1] that are no proportion it is conservative, since
    their variance is at most mean (1 - mean).
    """
    z = NormalDist().inv_cdf((1 + level) / 2)
    centre = (mean + z * z / (2 * count)) / (1 + z * z / count)
    spread = math.sqrt(mean * (1 - mean) / count + z * z / (4 * count * count))
    half = z * spread / (1 + z * z / count)
    low = 0.0 if mean == 0 else max(0.0, centre - half)  # exact where rounding would not be
    return low, 1.0 if mean == 1 else min(1.0, centre + half)


def _variance_of(part: Interval, level: float) -> float:
    if part.method != "wilson":
        return part.variance
    z = NormalDist().inv_cdf((1 + level) / 2)
    return (max(part.high - part.mean, part.mean - part.low) / (2 * z)) ** 2


def _satterthwaite(variances: Sequence[float], degrees: Sequence[float]) -> float:
    total = sum(variances)
    if total == 0:
        return max(degrees)
    return total**2 / sum(v * v / d for v, d in zip(variances, degrees, strict=True) if v > 0)


def _around(
    mean: float, variance: float, degrees: float, episodes: int, units: int, level: float,
    method: Method,
) -> Interval:  # fmt: skip
    half = t_quantile((1 + level) / 2, degrees) * math.sqrt(variance)
    low, high = max(0.0, mean - half), min(1.0, mean + half)
    return Interval(mean, low, high, episodes, units, variance, degrees, method)


def _check(values: Floats, groups: Ints, level: float) -> None:
    if values.ndim != 1 or values.shape != groups.shape or not len(values):
        raise ScoreError(
            f"values have shape {values.shape} and clusters {groups.shape}; both must be "
            "(num_episodes,) with at least one episode"
        )
    if not 0 < level < 1:
        raise ScoreError(f"a confidence level lies in (0, 1), got {level}")
    if not (np.isfinite(values).all() and values.min() >= 0 and values.max() <= 1):
        raise ScoreError("success and efficiency lie in [0, 1]; a value given does not")
