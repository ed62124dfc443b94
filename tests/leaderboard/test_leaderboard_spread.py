"""Spread over runs of one agent: by hand, and refused where runs are not of one agent."""

from __future__ import annotations

import dataclasses

import msgspec
import pytest
from handmade import HANDMADE, traces_of

from langrearrange.dataset import EpisodeList
from langrearrange.errors import ScoreError
from langrearrange.leaderboard import AgentFacts, Plan, Result, Trace, header_of, score
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
