"""Paired comparison: nothing is called better that the interval does not show; Holm over splits."""

from __future__ import annotations

import dataclasses

import msgspec
import numpy as np
import pytest
from handmade import HANDMADE, episode, on, traces_of
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.dataset import EpisodeList
from langrearrange.errors import ScoreError
from langrearrange.leaderboard import AgentFacts, Plan, Trace, header_of, score
from langrearrange.leaderboard.compare import as_values, compare, holm
from langrearrange.leaderboard.groups import GROUPS
from langrearrange.leaderboard.paper_rows import COLUMNS, PAPER_SUCCESS
from langrearrange.world.vocabulary import SPLITS


def many(number, split="context"):
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


def result_of(agent, episodes):
    source = EpisodeList(episodes)
    header = header_of(AgentFacts(name=agent, modality="state"), Plan(sources=[source]))
    return score(Trace(header, tuple(traces_of(agent, episodes).values())), lambda split: source)


EPISODES = many(48)
EXPLORER = result_of("explorer", EPISODES)
SWEEP = result_of("blind_sweep", EPISODES)
RANDOM = result_of("random", EPISODES)


def rows_of(a, b):
    return {(row.name, row.measure): row for row in compare(a, b)}


def test_a_run_never_beats_itself():
    for row in compare(EXPLORER, EXPLORER):
        assert row.difference == 0.0
        assert row.p_holm == 1.0
        assert row.winner == ""


def test_a_clear_difference_has_a_winner_on_either_side():
    row = rows_of(EXPLORER, RANDOM)["context", "success"]
    assert row.winner == "a"
    assert row.difference == row.mean_a - row.mean_b == 1.0
    assert rows_of(RANDOM, EXPLORER)["context", "success"].winner == "b"


def test_equal_success_and_other_efficiency_are_told_apart():
    rows = rows_of(EXPLORER, SWEEP)
    assert rows["context", "success"].winner == ""
    efficiency = rows["context", "efficiency"]
    assert efficiency.winner == "a"
    assert 0 < efficiency.low <= efficiency.difference <= efficiency.high


def test_swapping_the_runs_mirrors_everything():
    there, back = compare(EXPLORER, SWEEP), compare(SWEEP, EXPLORER)
    for x, y in zip(there, back, strict=True):
        assert x.difference == -y.difference
        assert x.low == pytest.approx(-y.high)
        assert x.p_value == pytest.approx(y.p_value)
        assert x.detectable == pytest.approx(y.detectable)


def with_success(result, flags):
    episodes = tuple(
        dataclasses.replace(e, success=bool(flag), steps=5)
        for e, flag in zip(result.episodes, flags, strict=True)
    )
    return dataclasses.replace(result, episodes=episodes)


def test_noise_alone_seldom_has_a_winner():
    rng = np.random.default_rng(0)
    wins = 0
    for _ in range(300):
        a, b = (with_success(RANDOM, rng.random(48) < 0.5) for _ in range(2))
        wins += rows_of(a, b)["context", "success"].winner != ""
    assert wins <= 0.09 * 300


def test_no_winner_where_the_interval_covers_zero_or_holm_does_not_agree():
    rng = np.random.default_rng(1)
    for _ in range(50):
        a, b = (with_success(RANDOM, rng.random(48) < p) for p in (0.7, 0.5))
        for row in compare(a, b):
            if row.winner:
                assert row.low > 0 or row.high < 0
                assert row.p_holm < 0.05


def test_other_episodes_other_splits_and_other_rules_are_refused():
    other = result_of("random", many(48, split="train_eval"))
    with pytest.raises(ScoreError, match="no split was played by both"):
        compare(EXPLORER, other)
    with pytest.raises(ScoreError, match="same episodes of 'context'"):
        compare(EXPLORER, result_of("random", HANDMADE))
    hard = msgspec.structs.replace(EXPLORER.header, protocol="hard")
    with pytest.raises(ScoreError, match="one board"):
        compare(EXPLORER, dataclasses.replace(EXPLORER, header=hard))


def test_groups_are_compared_where_all_their_splits_were_played():
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


def test_holm_by_hand():
    assert holm([0.01, 0.04, 0.03]) == pytest.approx([0.03, 0.06, 0.06])
    assert holm([]) == []


@given(st.lists(st.floats(0, 1), max_size=12))
def test_holm_never_lowers_a_p_value_and_keeps_their_order(p_values):
    adjusted = holm(p_values)
    assert all(q >= p or q == 1.0 for p, q in zip(p_values, adjusted, strict=True))
    order = sorted(range(len(p_values)), key=lambda i: p_values[i])
    assert [adjusted[i] for i in order] == sorted(adjusted)


def test_rows_are_plain_values():
    row = as_values(compare(EXPLORER, RANDOM))[0]
    assert set(row) >= {"name", "difference", "low", "high", "p_holm", "detectable", "winner"}


def test_the_papers_rows_have_every_column_and_their_own_averages():
    assert set(COLUMNS) <= {*SPLITS, *GROUPS}
    for values in PAPER_SUCCESS.values():
        assert len(values) == len(COLUMNS)
        row = dict(zip(COLUMNS, values, strict=True))
        for group, members in GROUPS.items():
            assert abs(row[group] - sum(row[m] for m in members) / len(members)) <= 1
