"""Rollouts: what an agent does wrong fails its episode; nothing stops or shortens the run."""

from __future__ import annotations

import logging

import numpy as np
import pytest
from handmade import HANDMADE, TaskHousehold, traces_of

from langrearrange.agents import (
    AgentRefusalError,
    AgentTimeoutError,
    RowsOfAgents,
    load_rows,
)
from langrearrange.dataset import EpisodeList
from langrearrange.errors import UsageError
from langrearrange.leaderboard import play

SOURCE = EpisodeList(HANDMADE)
IDS = [e.id for e in HANDMADE]


class Misbehaving:
    modality = "state"

    def __init__(self, error=None, action=0, at="act"):
        self.error, self.action, self.at = error, action, at

    def reset(self, instruction):
        if self.at == "reset" and "apple" in instruction:
            raise self.error

    def act(self, observation):
        if self.at == "act" and self.error and "apple" in observation["instruction"]:
            raise self.error
        return self.action


@pytest.mark.parametrize("at", ["reset", "act"])
@pytest.mark.parametrize(
    ("error", "failure"),
    [
        (ValueError("boom"), "crash"),
        (MemoryError(), "crash"),
        (AgentTimeoutError("slow"), "timeout"),
        (AgentRefusalError("no"), "refusal"),
    ],
)
def test_an_agent_that_breaks_fails_that_episode_only(error, failure, at, caplog):
    rows = RowsOfAgents(lambda: Misbehaving(error, at=at))
    with caplog.at_level(logging.WARNING):
        traces = traces_of(rows, HANDMADE)
    assert list(traces) == IDS
    assert [traces[i].failure for i in IDS] == [failure, "", "", ""]
    assert IDS[0] in caplog.text


@pytest.mark.parametrize("action", [True, -1, 71, 3.0, "3", None, float("nan")])
def test_what_is_no_skill_fails_the_episode(action):
    traces = traces_of(RowsOfAgents(lambda: Misbehaving(action=action)), HANDMADE)
    assert {trace.failure for trace in traces.values()} == {"bad_action"}


def test_stop_is_no_skill_of_the_paper_variant():
    traces = traces_of(RowsOfAgents(lambda: Misbehaving(action=70)), HANDMADE)
    assert {trace.failure for trace in traces.values()} == {"bad_action"}


class Batched:
    """Goes to the sofa, everywhere at once; notes what it was given."""

    modality = "state"

    def __init__(self, skills_per_row=1):
        self.calls = []
        self.skills_per_row = skills_per_row

    def reset_rows(self, rows, instructions):
        assert len(rows) == len(instructions)

    def act_rows(self, rows, observations):
        assert observations["place"].shape == (len(rows), 17)
        assert len(observations["instruction"]) == len(rows)
        self.calls.append(len(rows))
        return np.full(len(rows) * self.skills_per_row, 12)


def played(agent, num_rows):
    traces = play(agent, IDS, lambda: TaskHousehold(SOURCE), num_rows=num_rows)
    return {trace.id: trace for trace in traces}


@pytest.mark.parametrize("num_rows", [1, 2, 3, 4, 9])
def test_the_number_of_rows_changes_nothing(num_rows):
    agent = Batched()
    assert played(agent, num_rows) == played(Batched(), 1)
    assert max(agent.calls) == min(num_rows, 4)


def test_a_batched_agent_with_too_many_answers_fails():
    assert {t.failure for t in played(Batched(2), 4).values()} == {"refusal"}


def test_impossible_requests_are_refused():
    with pytest.raises(UsageError, match="num_rows=0"):
        list(play(Batched(), IDS, lambda: TaskHousehold(SOURCE), num_rows=0))
    with pytest.raises(UsageError, match="find"):
        list(play(load_rows("oracle"), IDS, lambda: TaskHousehold(SOURCE)))


def test_an_agent_is_given_the_observation_and_nothing_else():
    seen = set()

    class Nosy(Misbehaving):
        def act(self, observation):
            seen.update(observation)
            return 0

    traces_of(RowsOfAgents(Nosy), HANDMADE)
    assert seen == {"instruction", "place", "held", "visible", "openables", "outcome"}
