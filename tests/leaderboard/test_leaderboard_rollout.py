"""Rollouts: what an agent does wrong fails its episode; nothing stops or shortens the run."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from handmade import HANDMADE, TaskHousehold, traces_of
from numpy.typing import NDArray

from langrearrange.agents import (
    AgentRefusalError,
    AgentTimeoutError,
    Observation,
    RowsOfAgents,
    load_rows,
)
from langrearrange.dataset import EpisodeList
from langrearrange.errors import UsageError
from langrearrange.leaderboard import EpisodeTrace, play

SOURCE = EpisodeList(HANDMADE)
IDS = [e.id for e in HANDMADE]


class Misbehaving:
    modality = "state"

    def __init__(self, error: Exception | None = None, action: Any = 0, at: str = "act") -> None:
        self.error, self.action, self.at = error, action, at

    def reset(self, instruction: str) -> None:
        if self.at == "reset" and self.error and "apple" in instruction:
            raise self.error

    def act(self, observation: Observation) -> int:
        if self.at == "act" and self.error and "apple" in observation["instruction"]:
            raise self.error
        return self.action  # type: ignore[no-any-return]  # whatever it is


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
def test_an_agent_that_breaks_fails_that_episode_only(
    error: Exception, failure: str, at: str, caplog: pytest.LogCaptureFixture
) -> None:
    rows = RowsOfAgents(lambda: Misbehaving(error, at=at))
    with caplog.at_level(logging.WARNING):
        traces = traces_of(rows, HANDMADE)
    assert list(traces) == IDS
    assert [traces[i].failure for i in IDS] == [failure, "", "", ""]
    assert IDS[0] in caplog.text


@pytest.mark.parametrize("action", [True, -1, 71, 3.0, "3", None, float("nan")])
def test_what_is_no_skill_fails_the_episode(action: object) -> None:
    traces = traces_of(RowsOfAgents(lambda: Misbehaving(action=action)), HANDMADE)
    assert {trace.failure for trace in traces.values()} == {"bad_action"}


def test_stop_is_no_skill_of_the_paper_variant() -> None:
    traces = traces_of(RowsOfAgents(lambda: Misbehaving(action=70)), HANDMADE)
    assert {trace.failure for trace in traces.values()} == {"bad_action"}


class Batched:
    """Goes to the sofa, everywhere at once; notes what it was given."""

    modality = "state"

    def __init__(self, skills_per_row: int = 1) -> None:
        self.calls: list[int] = []
        self.skills_per_row = skills_per_row

    def reset_rows(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        assert len(rows) == len(instructions)

    def act_rows(self, rows: Sequence[int], observations: Observation) -> NDArray[np.int64]:
        assert observations["place"].shape == (len(rows), 17)
        assert len(observations["instruction"]) == len(rows)
        self.calls.append(len(rows))
        return np.full(len(rows) * self.skills_per_row, 12)


def played(agent: Batched, num_rows: int) -> dict[str, EpisodeTrace]:
    traces = play(agent, IDS, lambda: TaskHousehold(SOURCE), num_rows=num_rows)
    return {trace.id: trace for trace in traces}


@pytest.mark.parametrize("num_rows", [1, 2, 3, 4, 9])
def test_the_number_of_rows_changes_nothing(num_rows: int) -> None:
    agent = Batched()
    assert played(agent, num_rows) == played(Batched(), 1)
    assert max(agent.calls) == min(num_rows, 4)


def test_a_batched_agent_with_too_many_answers_fails() -> None:
    assert {t.failure for t in played(Batched(2), 4).values()} == {"refusal"}


def test_impossible_requests_are_refused() -> None:
    with pytest.raises(UsageError, match="num_rows=0"):
        list(play(Batched(), IDS, lambda: TaskHousehold(SOURCE), num_rows=0))
    with pytest.raises(UsageError, match="find"):
        list(play(load_rows("oracle"), IDS, lambda: TaskHousehold(SOURCE)))


def test_an_agent_is_given_the_observation_and_nothing_else() -> None:
    seen: set[str] = set()

    class Nosy(Misbehaving):
        def act(self, observation: Observation) -> int:
            seen.update(observation)
            return 0

    traces_of(RowsOfAgents(Nosy), HANDMADE)
    assert seen == {"instruction", "place", "held", "visible", "openables", "outcome"}
