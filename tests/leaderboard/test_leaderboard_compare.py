"""Paired comparison: nothing is called better that the interval does not show; Holm over splits."""

from __future__ import annotations

import dataclasses
import itertools
import math
from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
import numpy as np
import pytest
from handmade import HANDMADE, episode, on, traces_of
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.dataset import Episode, EpisodeList
from langrearrange.errors import ScoreError
from langrearrange.leaderboard import (
    AgentFacts,
    Difference,
    Plan,
    Result,
    Trace,
    group_scores,
    header_of,
    score,
    score_episodes,
)
from langrearrange.leaderboard.compare import as_values, compare, holm
from langrearrange.leaderboard.groups import GROUPS, is_stratified
from langrearrange.leaderboard.paper_rows import COLUMNS, PAPER_SUCCESS
from langrearrange.leaderboard.student import t_quantile
from langrearrange.world.vocabulary import SPLITS


def many(number: int, split: str = "context") -> list[Episode]:
    places = ("sofa", "chair", "black_table", "fridge")
    return [
        episode(
            i,
            "Bring a mug to the sink.",
            on("mug", "sink"),
            {"mug_0": places[i % 4]},
            cluster=f"c{i % 12}",
            split=split,
            plan=("nav(sofa)",) * 4,
        )
        for i in range(number)
    ]


def result_of(agent: str, episodes: list[Episode] | tuple[Episode, ...]) -> Result:
    source = EpisodeList(episodes)
    header = header_of(AgentFacts(name=agent, modality="state"), Plan(sources=[source]))
    return score(Trace(header, tuple(traces_of(agent, episodes).values())), lambda split: source)


EPISODES = many(48)
EXPLORER = result_of("explorer", EPISODES)
SWEEP = result_of("blind_sweep", EPISODES)
RANDOM = result_of("random", EPISODES)


def rows_of(a: Result, b: Result) -> dict[tuple[str, str], Difference]:
    return {(row.name, row.measure): row for row in compare(a, b)}


def test_a_run_never_beats_itself() -> None:
    for row in compare(EXPLORER, EXPLORER):
        assert row.difference == 0.0
        assert row.p_holm == 1.0
        assert row.winner == ""


def test_a_clear_difference_has_a_winner_on_either_side() -> None:
    row = rows_of(EXPLORER, RANDOM)["context", "success"]
    assert row.winner == "a"
    assert row.difference == row.mean_a - row.mean_b == 1.0
    assert rows_of(RANDOM, EXPLORER)["context", "success"].winner == "b"


def test_equal_success_and_other_efficiency_are_told_apart() -> None:
    rows = rows_of(EXPLORER, SWEEP)
    assert rows["context", "success"].winner == ""
    efficiency = rows["context", "efficiency"]
    assert efficiency.winner == "a"
    assert 0 < efficiency.low <= efficiency.difference <= efficiency.high


def test_swapping_the_runs_mirrors_everything() -> None:
    there, back = compare(EXPLORER, SWEEP), compare(SWEEP, EXPLORER)
    for x, y in zip(there, back, strict=True):
        assert x.difference == -y.difference
        assert x.low == pytest.approx(-y.high)
        assert x.p_value == pytest.approx(y.p_value)
        assert x.detectable == pytest.approx(y.detectable)


def with_success(result: Result, flags: Iterable[object]) -> Result:
    episodes = tuple(
        dataclasses.replace(e, success=bool(flag), steps=5)
        for e, flag in zip(result.episodes, flags, strict=True)
    )
    return dataclasses.replace(result, episodes=episodes)


def many_clusters(sizes: Iterable[int], split: str) -> list[Episode]:
    """Episodes of templates t0, t1, ... of these sizes, each with a few clusters."""
    number = itertools.count()
    return [
        msgspec.structs.replace(
            many(1, split)[0], id=f"{split}/{next(number):06d}", template=f"t{template}",
            cluster=f"t{template}/{row % 3}",
        )
        for template, size in enumerate(sizes)
        for row in range(size)
    ]  # fmt: skip


def rescored(result: Result, flags: Iterable[object], split: str) -> Result:
    """Return a run with these successes, scored as `score` scores it."""
    played = with_success(result, flags)
    scores = score_episodes(played.episodes, (), is_stratified(split))
    return dataclasses.replace(played, splits={split: scores})


def together(parts: Mapping[str, Result]) -> Result:
    """Return one run of all the splits that these runs played."""
    return dataclasses.replace(
        parts["context"],
        episodes=tuple(e for part in parts.values() for e in part.episodes),
        splits={split: part.splits[split] for split, part in parts.items()},
    )


@pytest.mark.parametrize("split", ["context", "new_scenes", "sealed_new_scenes"])
def test_against_a_run_that_always_fails_compare_and_score_have_one_variance(
    split: str,
) -> None:
    """The difference is then the other run's success: the same numbers, to the last digit."""
    rng = np.random.default_rng(5)
    episodes = many_clusters((17, 5, 9, 2, 30), split)
    base = result_of("random", episodes)
    lost = rescored(base, [0] * len(episodes), split)
    for rate in (0.1, 0.5, 0.8):
        run = rescored(base, rng.random(len(episodes)) < rate, split)
        for measure in ("success", "efficiency"):
            interval = getattr(run.splits[split], measure)
            row = rows_of(run, lost)[split, measure]
            quantile, error = t_quantile(0.975, interval.degrees), math.sqrt(interval.variance)
            assert row.difference == interval.mean
            assert row.low == max(-1.0, interval.mean - quantile * error)
            assert row.high == min(1.0, interval.mean + quantile * error)
            assert row.detectable == (quantile + t_quantile(0.8, interval.degrees)) * error


def test_groups_have_the_variance_of_their_splits_as_in_score() -> None:
    rng = np.random.default_rng(6)
    runs, lost = {}, {}
    for split in GROUPS["Total"]:
        episodes = many_clusters((7, 11, 12), split)
        base = result_of("random", episodes)
        runs[split] = rescored(base, rng.random(len(episodes)) < 0.6, split)
        lost[split] = rescored(base, [0] * len(episodes), split)
    first = together(runs)
    rows = rows_of(first, together(lost))
    for name, group in group_scores(first.splits).items():
        interval, row = group.success, rows[name, "success"]
        assert (row.low, row.high) == pytest.approx((interval.low, interval.high), abs=1e-12)


@pytest.mark.parametrize("clusters", [2, 5, 12])
def test_a_difference_alike_in_every_cluster_is_judged_by_a_sign_test(clusters: int) -> None:
    """G of G clusters on one side: 2 of 2^G ways are as extreme."""
    episodes = [
        msgspec.structs.replace(e, cluster=f"c{i % clusters}") for i, e in enumerate(EPISODES)
    ]
    base = result_of("random", episodes)
    won, lost = (rescored(base, [flag] * 48, "context") for flag in (1, 0))
    rows = rows_of(won, lost)
    for measure in ("success", "efficiency"):
        assert rows["context", measure].p_value == 2 / 2**clusters


def test_two_splits_of_p_0_03_have_no_winner_and_one_alone_has() -> None:
    """Six clusters alike: p = 2 / 2^6 = 0.031 each, 0.0625 by Holm over the two."""
    runs: dict[bool, dict[str, Result]] = {True: {}, False: {}}
    for split in ("context", "novel_objects"):
        episodes = [msgspec.structs.replace(e, cluster=f"c{e.id[-1]}") for e in many(6, split)]
        base = result_of("random", episodes)
        for won in runs:
            runs[won][split] = rescored(base, [won] * 6, split)
    alone = rows_of(runs[True]["context"], runs[False]["context"])["context", "success"]
    assert (alone.p_value, alone.winner) == (2 / 2**6, "a")
    rows = rows_of(*(together(runs[won]) for won in (True, False)))
    for split in ("context", "novel_objects"):
        assert rows[split, "success"].p_holm == 4 / 2**6
        assert rows[split, "success"].winner == ""


def test_a_paired_t_test_by_hand() -> None:
    # Differences by cluster 1 1 1 0: mean 3/4, variance 4/3 * (3/16 + 9/16) / 16 = 1/16, t = 3
    # with 3 degrees: p = 2 * P(T > 3) = 0.0577
    episodes = [msgspec.structs.replace(e, cluster=f"c{i}") for i, e in enumerate(many(4))]
    base = result_of("random", episodes)
    won, lost = rescored(base, [1, 1, 1, 0], "context"), rescored(base, [0] * 4, "context")
    row = rows_of(won, lost)["context", "success"]
    assert row.difference == 0.75
    assert row.p_value == pytest.approx(0.0577, abs=1e-4)
    assert row.p_holm == row.p_value
    assert row.low == pytest.approx(0.75 - 3.1824 / 4, abs=1e-4)
    assert row.high == 1.0
    assert row.winner == ""


def test_what_both_runs_share_adds_no_variance() -> None:
    # Successes 1 1 1 0 and 1 0 1 0 differ by 0 1 0 0: mean 1/4, variance 4/3 * (3/16 + 9/16) / 16
    # = 1/16, t = 1 with 3 degrees: p = 0.391
    episodes = [msgspec.structs.replace(e, cluster=f"c{i}") for i, e in enumerate(many(4))]
    base = result_of("random", episodes)
    first, second = (rescored(base, flags, "context") for flags in ([1, 1, 1, 0], [1, 0, 1, 0]))
    row = rows_of(first, second)["context", "success"]
    assert (row.mean_a, row.mean_b, row.difference) == (0.75, 0.5, 0.25)
    assert row.p_value == pytest.approx(0.391, abs=1e-3)
    assert row.high == pytest.approx(min(1.0, 0.25 + 3.1824 / 4), abs=1e-4)
    assert row.low == pytest.approx(0.25 - 3.1824 / 4, abs=1e-4)


def test_noise_alone_seldom_has_a_winner() -> None:
    rng = np.random.default_rng(0)
    wins = 0
    for _ in range(300):
        a, b = (with_success(RANDOM, rng.random(48) < 0.5) for _ in range(2))
        wins += rows_of(a, b)["context", "success"].winner != ""
    assert wins <= 0.09 * 300


def test_no_winner_where_the_interval_covers_zero_or_holm_does_not_agree() -> None:
    rng = np.random.default_rng(1)
    for _ in range(50):
        a, b = (with_success(RANDOM, rng.random(48) < p) for p in (0.7, 0.5))
        for row in compare(a, b):
            if row.winner:
                assert row.low > 0 or row.high < 0
                assert row.p_holm < 0.05


def test_other_episodes_other_splits_and_other_rules_are_refused() -> None:
    other = result_of("random", many(48, split="train_eval"))
    with pytest.raises(ScoreError, match="no split was played by both"):
        compare(EXPLORER, other)
    with pytest.raises(ScoreError, match="same episodes of 'context'"):
        compare(EXPLORER, result_of("random", HANDMADE))
    hard = msgspec.structs.replace(EXPLORER.header, protocol="hard")
    with pytest.raises(ScoreError, match="one board"):
        compare(EXPLORER, dataclasses.replace(EXPLORER, header=hard))


@pytest.mark.parametrize("changes", [{"protocol": "hard"}, {"horizon": 31}, {"horizon": 33}])
def test_runs_under_other_rules_are_refused_whichever_comes_first(changes: dict[str, Any]) -> None:
    header = msgspec.structs.replace(EXPLORER.header, **changes)
    other = dataclasses.replace(EXPLORER, header=header)
    for pair in ((EXPLORER, other), (other, EXPLORER)):
        with pytest.raises(ScoreError, match="made under other rules"):
            compare(*pair)


def test_how_many_episodes_are_in_common_is_told() -> None:
    shorter = result_of("random", many(20))
    with pytest.raises(ScoreError, match=r"'context' \(48 and 20, 20 in common\)"):
        compare(EXPLORER, shorter)
    missing = dataclasses.replace(EXPLORER.splits["context"], num_missing=1)
    with pytest.raises(ScoreError, match="48 and 48, 48 in common"):
        compare(EXPLORER, dataclasses.replace(EXPLORER, splits={"context": missing}))
    with pytest.raises(ScoreError, match="48 and 48, 48 in common"):
        compare(dataclasses.replace(EXPLORER, splits={"context": missing}), EXPLORER)


def test_what_could_be_detected_is_told() -> None:
    """With 80 % power: (t of the level + t of the power) times the standard error."""
    rng = np.random.default_rng(3)
    a, b = (rescored(EXPLORER, rng.random(48) < 0.5, "context") for _ in range(2))
    for level in (0.9, 0.95):
        row = compare(a, b, level)[0]
        half = row.high - row.difference
        quantile, power = t_quantile((1 + level) / 2, 11), t_quantile(0.8, 11)
        assert row.detectable == pytest.approx((quantile + power) * half / quantile)


def test_groups_are_compared_where_all_their_splits_were_played() -> None:
    results = []
    for agent in ("explorer", "random"):
        sources = {split: EpisodeList(many(12, split)) for split in GROUPS["Total"]}
        header = header_of(
            AgentFacts(name=agent, modality="state"), Plan(sources=list(sources.values()))
        )
        lines = [t for s in sources.values() for t in traces_of(agent, list(s)).values()]
        results.append(score(Trace(header, tuple(lines)), sources.__getitem__))
    rows = rows_of(*results)
    assert rows["Total", "success"].winner == "a"
    assert {name for name, _ in rows} == {*GROUPS, *GROUPS["Total"]}


def test_holm_by_hand() -> None:
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values: list[float]) -> None:
    adjusted = holm(p_values)
    assert all(q >= p or q == 1.0 for p, q in zip(p_values, adjusted, strict=True))
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    assert [adjusted[i] for i in order] == sorted(adjusted)


def test_rows_are_plain_values() -> None:
    row = as_values(compare(EXPLORER, RANDOM))[0]
    assert set(row) >= {"name", "difference", "low", "high", "p_holm", "detectable", "winner"}


def test_the_papers_rows_have_every_column_and_their_own_averages() -> None:
    assert set(COLUMNS) <= {*SPLITS, *GROUPS}
    for values in PAPER_SUCCESS.values():
        assert len(values) == len(COLUMNS)
        row = dict(zip(COLUMNS, values, strict=True))
        for group, members in GROUPS.items():
            assert abs(row[group] - sum(row[m] for m in members) / len(members)) <= 1
