"""Spread over runs of one agent: by hand, and refused where runs are not of one agent."""

from __future__ import annotations

import dataclasses
from typing import Any

import msgspec
import pytest
from handmade import HANDMADE, traces_of

from langrearrange.dataset import EpisodeList
from langrearrange.errors import ScoreError
from langrearrange.leaderboard import AgentFacts, Plan, Result, Trace, header_of, score
from langrearrange.leaderboard.score import Group
from langrearrange.leaderboard.spread import spread

SOURCE = EpisodeList(HANDMADE)


def run(agent: str, seed: int, name: str = "mine") -> Result:
    facts = AgentFacts(name=name, modality="state")
    header = header_of(facts, Plan(sources=[SOURCE], seed=seed))
    return score(Trace(header, tuple(traces_of(agent, HANDMADE).values())), lambda split: SOURCE)


GOOD, BAD = run("explorer", 0), run("random", 1)


def test_mean_and_sample_deviation_by_hand() -> None:
    (row,) = spread([GOOD, BAD])
    means = [r.splits["context"].success.mean for r in (GOOD, BAD)]
    assert (row.name, row.num_runs) == ("context", 2)
    assert row.success == pytest.approx(sum(means) / 2)
    assert row.success_std == pytest.approx(abs(means[0] - means[1]) / 2**0.5)


def test_runs_that_are_not_one_agents_are_refused() -> None:
    with pytest.raises(ScoreError, match="at least 2"):
        spread([GOOD])
    with pytest.raises(ScoreError, match="not all different"):
        spread([GOOD, GOOD])
    with pytest.raises(ScoreError, match="'mine' and 'other'"):
        spread([GOOD, run("random", 1, name="other")])
    hard = msgspec.structs.replace(BAD.header, protocol="hard")
    with pytest.raises(ScoreError, match="rules or episodes"):
        spread([GOOD, dataclasses.replace(BAD, header=hard)])


@pytest.mark.parametrize(
    "changes",
    [
        {"protocol": "hard"}, {"horizon": 31}, {"horizon": 33}, {"datasets": {}},
        {"agent": AgentFacts(name="another", modality="state")},
        {"agent": AgentFacts(name="mine", modality="text")},
    ],
)  # fmt: skip
def test_any_difference_but_the_seed_is_refused_wherever_it_stands(changes: dict[str, Any]) -> None:
    other = dataclasses.replace(BAD, header=msgspec.structs.replace(BAD.header, **changes))
    for runs in ([GOOD, other], [other, GOOD]):
        with pytest.raises(ScoreError, match="differ in agent, rules or episodes"):
            spread(runs)
    note = msgspec.structs.replace(BAD.header.agent, note="declared text does not matter")
    told = dataclasses.replace(BAD, header=msgspec.structs.replace(BAD.header, agent=note))
    assert spread([GOOD, told]) == spread([GOOD, BAD])


def test_efficiency_and_groups_have_rows_too() -> None:
    third = dataclasses.replace(BAD, header=msgspec.structs.replace(BAD.header, seed=2))
    scores = GOOD.splits["context"]
    group = Group(scores.success, scores.efficiency)
    runs = [dataclasses.replace(run, groups={"PR": group}) for run in (GOOD, BAD, third)]
    row, grouped = spread(runs)
    means = [run.splits["context"].efficiency.mean for run in runs]
    assert row.efficiency == pytest.approx(sum(means) / 3)
    mean = sum(means) / 3
    assert row.efficiency_std == pytest.approx((sum((m - mean) ** 2 for m in means) / 2) ** 0.5)
    assert (grouped.name, grouped.num_runs, grouped.success_std) == ("PR", 3, 0.0)
    assert grouped.efficiency == pytest.approx(scores.efficiency.mean)
    with pytest.raises(ScoreError, match=r"seeds \[0, 1, 1\] are not all different"):
        spread([GOOD, BAD, BAD])
