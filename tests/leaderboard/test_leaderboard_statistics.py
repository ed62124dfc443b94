"""Intervals: exact on cases worked by hand, refused where none can be formed, and covering."""

from __future__ import annotations

import math
from collections.abc import Sequence
from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.errors import ScoreError
from langrearrange.leaderboard import (
    mean_ci,
    mean_of_intervals,
    variance_of_mean,
    wilson,
)
from langrearrange.leaderboard.student import t_cdf, t_quantile


@pytest.mark.parametrize(
    ("probability", "degrees", "value"),
    [  # printed tables of Student's t
        (0.975, 1, 12.7062),
        (0.975, 4, 2.7764),
        (0.975, 9, 2.2622),
        (0.95, 30, 1.6973),
        (0.995, 120, 2.6174),
        (0.5, 7, 0.0),
        (0.025, 4, -2.7764),
    ],
)
def test_t_quantiles_are_those_of_the_tables(
    probability: float, degrees: int, value: float
) -> None:
    assert t_quantile(probability, degrees) == pytest.approx(value, abs=1e-4)


@given(st.floats(0.001, 0.999), st.floats(1, 1e4))
def test_quantile_inverts_the_distribution(probability: float, degrees: float) -> None:
    assert t_cdf(t_quantile(probability, degrees), degrees) == pytest.approx(probability, abs=1e-9)


@pytest.mark.parametrize("probability", [-0.5, 0.0, 1.0, 1.5])
def test_a_quantile_needs_a_probability_inside_0_1(probability: float) -> None:
    with pytest.raises(ValueError, match=r"needs a probability in \(0, 1\)"):
        t_quantile(probability, 5)
    with pytest.raises(ValueError, match="degrees of freedom must be positive"):
        t_cdf(probability, 0)


def test_wilson_is_the_textbook_interval() -> None:
    low, high = wilson(0.0, 100, 1.95996)
    assert low == 0
    assert high == pytest.approx(0.03699, abs=1e-5)
    assert wilson(0.42, 100, 1.95996) == pytest.approx((0.3281, 0.5180), abs=1e-3)


def test_clustered_interval_of_two_clusters_by_hand() -> None:
    interval = mean_ci(np.array([1.0, 1.0, 1.0, 0.0]), np.array([0, 0, 1, 1]))
    # residual sums: +0.5, -0.5; variance 2/1 * 0.5 / 16 = 0.0625; t with 1 degree: 12.706
    assert interval.mean == 0.75
    assert math.sqrt(interval.variance) == pytest.approx(0.25)
    # as many independent episodes as have this variance: 0.75 * 0.25 / 0.0625 = 3
    assert (interval.low, interval.high) == pytest.approx(wilson(0.75, 3.0, 12.7062), abs=1e-6)
    assert interval.num_units == 2


def test_clusters_of_one_give_the_plain_standard_error() -> None:
    values = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    interval = mean_ci(values, np.arange(5))
    assert interval.variance == pytest.approx(values.var(ddof=1) / 5)


def test_agreeing_outcomes_get_wilson_over_clusters_not_certainty() -> None:
    interval = mean_ci(np.ones(100), np.repeat(np.arange(10), 10))
    assert interval.method == "agreeing"
    assert interval.high == 1.0
    assert interval.low == pytest.approx(wilson(1.0, 10, t_quantile(0.975, 9))[0])


def test_copies_of_an_episode_make_nothing_surer() -> None:
    values, cluster = np.array([1.0, 0.0, 1.0, 0.0]), np.arange(4)
    once = mean_ci(values, cluster)
    tenfold = mean_ci(np.repeat(values, 10), np.repeat(cluster, 10))
    assert (tenfold.low, tenfold.high) == pytest.approx((once.low, once.high))


def test_strata_take_out_what_differs_between_them() -> None:
    values = np.array([1.0, 1, 1, 0, 0, 0, 0, 1] * 5)
    stratum = np.array([0, 0, 0, 0, 1, 1, 1, 1] * 5)
    parts = [values[stratum == s].var(ddof=1) / 20 / 4 for s in (0, 1)]
    assert mean_ci(values, stratum, stratified=True).variance == pytest.approx(sum(parts))


def test_strata_of_two_sizes_by_hand() -> None:
    # a: 1 0, s^2 = 1/2; b: 1 1 1 0, s^2 = 1/4. (2/6)^2 / 4 + (4/6)^2 / 16 = 1/36 + 1/36 = 1/18;
    # degrees (1/18)^2 / ((1/36)^2 / 1 + (1/36)^2 / 3) = 3
    found = variance_of_mean(np.array([1.0, 0, 1, 1, 1, 0]), [*"aabbbb"], stratified=True)
    assert found.value == pytest.approx(1 / 18)
    assert found.degrees == pytest.approx(3.0)
    assert (found.num_units, found.method) == (6, "stratified")


def slow_variance(
    values: Sequence[float], units: Sequence[object], stratified: bool
) -> tuple[Fraction, Fraction]:
    """Variance of a mean and its degrees of freedom, from the definitions, exactly."""
    groups: dict[object, list[Fraction]] = {}
    for value, unit in zip(values, units, strict=True):
        groups.setdefault(unit, []).append(Fraction(value))
    total, mean = len(values), Fraction(sum(map(Fraction, values))) / len(values)
    if (stratified and min(map(len, groups.values())) < 2) or (len(groups) < 2 and not stratified):
        if total == 1:
            return Fraction(0), Fraction(1)
        return slow_variance(values, range(total), False)
    if not stratified:
        sums = [sum(group) - mean * len(group) for group in groups.values()]
        count = len(groups)
        square = sum((x * x for x in sums), Fraction(0))
        return Fraction(count, count - 1) * square / total**2, Fraction(count - 1)
    parts = []
    for group in groups.values():
        middle = sum(group, Fraction(0)) / len(group)
        square = sum(((v - middle) * (v - middle) for v in group), Fraction(0)) / (len(group) - 1)
        parts.append((Fraction(len(group), total) ** 2 * square / len(group), len(group) - 1))
    variance = sum((part for part, _ in parts), Fraction(0))
    if not variance:
        return variance, Fraction(total - 1)
    squares = sum((part * part / degrees for part, degrees in parts), Fraction(0))
    return variance, variance * variance / squares


@given(
    st.lists(
        st.tuples(st.sampled_from([-1.0, -0.25, 0.0, 0.5, 1.0]), st.sampled_from("abcd")),
        min_size=1,
        max_size=40,
    ),
    st.booleans(),
)
def test_variance_is_the_textbooks(pairs: list[tuple[float, str]], stratified: bool) -> None:
    values, units = [value for value, _ in pairs], [unit for _, unit in pairs]
    variance, degrees = slow_variance(values, units, stratified)
    found = variance_of_mean(np.array(values), units, stratified=stratified)
    assert found.value == pytest.approx(float(variance), abs=1e-15)
    assert found.degrees == pytest.approx(float(degrees))
    assert (found.method == "agreeing") == (variance == 0)


def test_one_cluster_or_a_stratum_of_one_leaves_each_episode_to_itself() -> None:
    values = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    alone = mean_ci(values, np.arange(5))
    assert mean_ci(values, [*"aaaaa"]) == alone
    assert mean_ci(values, [*"aabbc"], stratified=True) == alone
    assert alone.num_units == 5


def test_one_episode_tells_nothing() -> None:
    for stratified in (False, True):
        interval = mean_ci(np.array([1.0]), ["a"], stratified=stratified)
        assert (interval.mean, interval.low, interval.high) == (1.0, 0.0, 1.0)
        assert interval.num_units == 1


@pytest.mark.parametrize("value", [0.0, 0.3, 1 / 3, 1.0])
def test_rounding_is_not_taken_for_a_variance(value: float) -> None:
    found = variance_of_mean(np.full(90, value), np.arange(90) % 9)
    assert found == (0.0, 8.0, 9, "agreeing")
    thirds = np.tile([1.0, 0.0, 0.0], 30)  # every cluster has the mean 1/3
    assert variance_of_mean(thirds, np.arange(90) // 3).value == 0.0


def test_mean_of_splits_adds_variances_and_never_claims_certainty() -> None:
    half = mean_ci(np.array([1.0, 0.0] * 10), np.arange(20))
    sure = mean_ci(np.zeros(20), np.arange(20))
    both = mean_of_intervals([half, sure])
    assert both.mean == 0.25
    assert both.variance > half.variance / 4
    assert mean_of_intervals([sure, sure]).high > 0


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_half_an_agreeing_split_s_interval_stands_in_for_its_standard_error(value: float) -> None:
    half = mean_ci(np.array([1.0, 0.0] * 10), np.arange(20))
    sure = mean_ci(np.full(12, value), np.arange(12) % 6)
    width = 1 - wilson(1.0, 6, t_quantile(0.975, 5))[0]
    assert sure.high - sure.low == pytest.approx(width)
    error = width / (2 * t_quantile(0.975, 5))
    assert mean_of_intervals([half, sure]).variance == pytest.approx((half.variance + error**2) / 4)


@pytest.mark.parametrize("value", [0.0, 1.0])
def test_splits_that_all_agree_have_wilsons_interval_over_all_their_units(value: float) -> None:
    parts = [mean_ci(np.full(n, value), np.arange(n) % 10) for n in (20, 40)]
    found = mean_of_intervals(parts)
    quantile = t_quantile(0.975, found.degrees)
    assert (found.low, found.high) == pytest.approx(wilson(value, 20, quantile))
    assert (found.method, found.variance) == ("agreeing", 0.0)
    assert (found.num_episodes, found.num_units) == (60, 20)
    # One that differs, and they are combined; so do means that agree in between.
    half = mean_ci(np.array([1.0, 0.0] * 10), np.arange(20))
    assert mean_of_intervals([*parts, half]).method == "combined"
    assert mean_of_intervals([half, half]).method == "combined"


def test_the_mean_of_two_alike_splits_has_half_the_variance_and_twice_the_degrees() -> None:
    half = mean_ci(np.array([1.0, 0.0] * 10), np.arange(20))
    both = mean_of_intervals([half, half])
    assert both.variance == pytest.approx(half.variance / 2)
    assert both.degrees == pytest.approx(2 * 19)
    error = math.sqrt(half.variance / 2)
    assert both.low == pytest.approx(0.5 - t_quantile(0.975, 38) * error)
    assert (both.num_episodes, both.num_units) == (40, 40)


@pytest.mark.parametrize(
    ("values", "cluster"),
    [
        ([], []),
        ([1.0], [0, 1]),
        ([1.0, 2.0], [0, 1]),
        ([1.0, float("nan")], [0, 1]),
    ],
)
def test_what_allows_no_interval_is_refused(values: list[float], cluster: list[int]) -> None:
    with pytest.raises(ScoreError):
        mean_ci(np.array(values), np.array(cluster, np.int64))


def test_levels_outside_0_1_and_no_parts_are_refused() -> None:
    with pytest.raises(ScoreError, match="level"):
        mean_ci(np.array([0.0, 1.0]), np.arange(2), level=95.0)
    with pytest.raises(ScoreError, match="at least one"):
        mean_of_intervals([])


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 5)), min_size=2, max_size=60))
def test_intervals_hold_their_mean_and_stay_in_0_1(pairs: list[tuple[float, int]]) -> None:
    values = np.array([value for value, _ in pairs])
    cluster = np.array([name for _, name in pairs], np.int64)
    if len(set(cluster.tolist())) < 2:
        cluster = np.arange(len(values))
    interval = mean_ci(values, cluster)
    assert 0 <= interval.low <= interval.mean <= interval.high <= 1


def coverage(mean: float, correlation: float, clusters: int, runs: int = 1500) -> float:
    """Share of simulated runs of 100 episodes whose interval holds the true mean."""
    rng = np.random.default_rng(int(1000 * mean) + int(100 * correlation) + clusters)
    a = mean * (1 - correlation) / correlation
    b = (1 - mean) * (1 - correlation) / correlation
    cluster = np.arange(100) % clusters
    hits = 0
    for _ in range(runs):
        difficulty = rng.beta(a, b, clusters)
        values = (rng.random(100) < difficulty[cluster]).astype(float)
        interval = mean_ci(values, cluster)
        hits += interval.low <= mean <= interval.high
    return hits / runs


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [10, 14, 30])
@pytest.mark.parametrize("correlation", [0.01, 0.1, 0.3])
@pytest.mark.parametrize("mean", [0.2, 0.35, 0.5, 0.8])
def test_intervals_cover_93_to_97_percent(mean: float, correlation: float, clusters: int) -> None:
    noise = 0.012  # two standard errors of the simulation itself
    assert 0.93 - noise <= coverage(mean, correlation, clusters) <= 0.97 + noise


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mean", "correlation"), [(0.05, 0.1), (0.1, 0.3), (0.5, 0.6), (0.95, 0.3)]
)
def test_intervals_cover_90_percent_beyond_that_range_too(mean: float, correlation: float) -> None:
    assert coverage(mean, correlation, 10) >= 0.90


def test_intervals_beyond_the_checked_range_say_so() -> None:
    cluster = np.arange(100) % 10
    values = (np.arange(100) < 50).astype(float)
    assert mean_ci(values, cluster).checked
    assert not mean_ci((cluster < 5).astype(float), cluster).checked
    assert not mean_ci(np.ones(100), cluster).checked
    assert mean_ci((cluster < 5).astype(float), cluster).intra_cluster == 1.0


def stratified_coverage(
    sizes: Sequence[int], means: Sequence[float], pooled: bool, runs: int = 2000
) -> tuple[float, float]:
    """Share of runs whose mean +- t s holds the true mean, and mean variance / true variance."""
    rng, stratum = np.random.default_rng(len(sizes)), np.repeat(np.arange(len(sizes)), sizes)
    p = np.array(means)[stratum]
    hits, total = 0, 0.0
    for _ in range(runs):
        values = (rng.random(len(p)) < p).astype(float)
        found = variance_of_mean(values, stratum, stratified=True)
        variance, degrees = found.value, found.degrees
        if pooled:
            residuals = values - (np.bincount(stratum, values) / sizes)[stratum]
            degrees = float(len(p) - len(sizes))
            variance = float(np.square(residuals).sum()) / degrees / len(p)
        total += variance
        hits += abs(values.mean() - p.mean()) <= t_quantile(0.975, degrees) * math.sqrt(variance)
    return hits / runs, total / runs / (float((p * (1 - p)).sum()) / len(p) ** 2)


@pytest.mark.slow
def test_variances_of_strata_are_added_since_a_pooled_one_is_too_small() -> None:
    """Small strata that vary more than large ones: pooled, 5 % of misses become 12 %."""
    sizes, means = (4, 4, 12, 12, 12, 12), (0.5, 0.5, 0.02, 0.02, 0.02, 0.02)
    covered, ratio = stratified_coverage(sizes, means, pooled=False)
    assert covered >= 0.94
    assert 0.97 <= ratio <= 1.03
    covered, ratio = stratified_coverage(sizes, means, pooled=True)
    assert covered <= 0.90
    assert ratio <= 0.92


@pytest.mark.slow
def test_intervals_over_the_nine_templates_cover_95_percent() -> None:
    sizes = (12, 12, 12, 11, 11, 11, 11, 10, 10)
    means = (0.5, 0.9, 0.1, 0.3, 0.7, 0.5, 0.95, 0.05, 0.6)
    covered, ratio = stratified_coverage(sizes, means, pooled=False)
    assert 0.93 <= covered <= 0.97
    assert 0.97 <= ratio <= 1.03
