"""Intervals: exact on cases worked by hand, refused where none can be formed, and covering."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.errors import ScoreError
from langrearrange.leaderboard import (
    clustered_mean_ci,
    mean_of_intervals,
    stratified_mean_ci,
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
def test_t_quantiles_are_those_of_the_tables(probability, degrees, value):
    assert t_quantile(probability, degrees) == pytest.approx(value, abs=1e-4)


@given(st.floats(0.001, 0.999), st.floats(1, 1e4))
def test_quantile_inverts_the_distribution(probability, degrees):
    assert t_cdf(t_quantile(probability, degrees), degrees) == pytest.approx(probability, abs=1e-9)


def test_wilson_is_the_textbook_interval():
    low, high = wilson(0.0, 100, 1.95996)
    assert low == 0
    assert high == pytest.approx(0.03699, abs=1e-5)
    assert wilson(0.42, 100, 1.95996) == pytest.approx((0.3281, 0.5180), abs=1e-3)


def test_clustered_interval_of_two_clusters_by_hand():
    interval = clustered_mean_ci(np.array([1.0, 1.0, 1.0, 0.0]), np.array([0, 0, 1, 1]))
    # residual sums: +0.5, -0.5; variance 2/1 * 0.5 / 16 = 0.0625; t with 1 degree: 12.706
    assert interval.mean == 0.75
    assert math.sqrt(interval.variance) == pytest.approx(0.25)
    # as many independent episodes as have this variance: 0.75 * 0.25 / 0.0625 = 3
    assert (interval.low, interval.high) == pytest.approx(wilson(0.75, 3.0, 12.7062), abs=1e-6)
    assert interval.num_units == 2


def test_clusters_of_one_give_the_plain_standard_error():
    values = np.array([0.0, 1.0, 1.0, 0.0, 1.0])
    interval = clustered_mean_ci(values, np.arange(5))
    assert interval.variance == pytest.approx(values.var(ddof=1) / 5)


def test_agreeing_outcomes_get_wilson_over_clusters_not_certainty():
    interval = clustered_mean_ci(np.ones(100), np.repeat(np.arange(10), 10))
    assert interval.method == "agreeing"
    assert interval.high == 1.0
    assert interval.low == pytest.approx(wilson(1.0, 10, t_quantile(0.975, 9))[0])


def test_copies_of_an_episode_make_nothing_surer():
    values, cluster = np.array([1.0, 0.0, 1.0, 0.0]), np.arange(4)
    once = clustered_mean_ci(values, cluster)
    tenfold = clustered_mean_ci(np.repeat(values, 10), np.repeat(cluster, 10))
    assert (tenfold.low, tenfold.high) == pytest.approx((once.low, once.high))


def test_strata_take_out_what_differs_between_them():
    values = np.array([1.0, 1, 1, 0, 0, 0, 0, 1] * 5)
    stratum = np.array([0, 0, 0, 0, 1, 1, 1, 1] * 5)
    parts = [values[stratum == s].var(ddof=1) / 20 / 4 for s in (0, 1)]
    assert stratified_mean_ci(values, stratum).variance == pytest.approx(sum(parts))


def test_mean_of_splits_adds_variances_and_never_claims_certainty():
    half = clustered_mean_ci(np.array([1.0, 0.0] * 10), np.arange(20))
    sure = clustered_mean_ci(np.zeros(20), np.arange(20))
    both = mean_of_intervals([half, sure])
    assert both.mean == 0.25
    assert both.variance > half.variance / 4
    assert mean_of_intervals([sure, sure]).high > 0


@pytest.mark.parametrize(
    ("values", "cluster"),
    [
        ([1.0, 0.0], [0, 0]),
        ([], []),
        ([1.0], [0, 1]),
        ([1.0, 2.0], [0, 1]),
        ([1.0, float("nan")], [0, 1]),
    ],
)
def test_what_allows_no_interval_is_refused(values, cluster):
    with pytest.raises(ScoreError):
        clustered_mean_ci(np.array(values), np.array(cluster, np.int64))


def test_levels_outside_0_1_and_lonely_strata_and_no_parts_are_refused():
    with pytest.raises(ScoreError, match="level"):
        clustered_mean_ci(np.array([0.0, 1.0]), np.arange(2), level=95.0)
    with pytest.raises(ScoreError, match="stratum"):
        stratified_mean_ci(np.array([0.0, 1.0, 1.0]), np.array([0, 0, 1]))
    with pytest.raises(ScoreError, match="at least one"):
        mean_of_intervals([])


@given(st.lists(st.tuples(st.sampled_from([0.0, 1.0]), st.integers(0, 5)), min_size=2, max_size=60))
def test_intervals_hold_their_mean_and_stay_in_0_1(pairs):
    values = np.array([value for value, _ in pairs])
    cluster = np.array([name for _, name in pairs], np.int64)
    if len(set(cluster.tolist())) < 2:
        cluster = np.arange(len(values))
    interval = clustered_mean_ci(values, cluster)
    assert 0 <= interval.low <= interval.mean <= interval.high <= 1


def coverage(mean, correlation, clusters, runs=1500):
    """Share of simulated runs of 100 episodes whose interval holds the true mean."""
    rng = np.random.default_rng(int(1000 * mean) + int(100 * correlation) + clusters)
    a = mean * (1 - correlation) / correlation
    b = (1 - mean) * (1 - correlation) / correlation
    cluster = np.arange(100) % clusters
    hits = 0
    for _ in range(runs):
        difficulty = rng.beta(a, b, clusters)
        values = (rng.random(100) < difficulty[cluster]).astype(float)
        interval = clustered_mean_ci(values, cluster)
        hits += interval.low <= mean <= interval.high
    return hits / runs


@pytest.mark.slow
@pytest.mark.parametrize("clusters", [10, 14, 30])
@pytest.mark.parametrize("correlation", [0.01, 0.1, 0.3])
@pytest.mark.parametrize("mean", [0.2, 0.35, 0.5, 0.8])
def test_intervals_cover_93_to_97_percent(mean, correlation, clusters):
    noise = 0.012  # two standard errors of the simulation itself
    assert 0.93 - noise <= coverage(mean, correlation, clusters) <= 0.97 + noise


@pytest.mark.slow
@pytest.mark.parametrize(
    ("mean", "correlation"), [(0.05, 0.1), (0.1, 0.3), (0.5, 0.6), (0.95, 0.3)]
)
def test_intervals_cover_90_percent_beyond_that_range_too(mean, correlation):
    assert coverage(mean, correlation, 10) >= 0.90


def test_intervals_beyond_the_checked_range_say_so():
    cluster = np.arange(100) % 10
    values = (np.arange(100) < 50).astype(float)
    assert clustered_mean_ci(values, cluster).checked
    assert not clustered_mean_ci((cluster < 5).astype(float), cluster).checked
    assert not clustered_mean_ci(np.ones(100), cluster).checked
    assert clustered_mean_ci((cluster < 5).astype(float), cluster).intra_cluster == 1.0
