"""Rollouts: what an agent does wrong fails its episode; nothing stops or shortens the run."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from handmade import HANDMADE, traces_of
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from langrearrange.agents import (
    AgentRefusalError,
    AgentTimeoutError,
    BatchedAgent,
    Observation,
    RowsOfAgents,
)
from langrearrange.dataset import Chosen, Episode, EpisodeList, Selection, select
from langrearrange.env import STOP
from langrearrange.errors import ActionError, UsageError
from langrearrange.leaderboard import EpisodeTrace, RunRules, play
from langrearrange.leaderboard.chain import ObservationChain
from langrearrange.leaderboard.trace import Failure, OutcomeName
from langrearrange.testing import toy_episodes
from langrearrange.world import skill_index

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
    with caplog.at_level(logging.INFO):
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


def chosen(source: EpisodeList, ids: Sequence[str]) -> Selection:
    return Selection(Chosen(source, source.index_of(name)) for name in ids)


def played(
    agent: BatchedAgent, num_rows: int, source: EpisodeList = SOURCE
) -> dict[str, EpisodeTrace]:
    traces = list(play(agent, select(source), RunRules(num_rows=num_rows)))
    assert sorted(trace.id for trace in traces) == sorted(select(source).ids)
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
        list(play(Batched(), select(SOURCE), RunRules(num_rows=0)))
    assert list(play(Batched(), Selection(()))) == []


def test_an_agent_is_given_the_observation_and_nothing_else() -> None:
    seen: set[str] = set()

    class Nosy(Misbehaving):
        def act(self, observation: Observation) -> int:
            seen.update(observation)
            return 0

    traces_of(RowsOfAgents(Nosy), HANDMADE)
    assert seen == {"instruction", "place", "held", "visible", "openables", "outcome"}


TOY = EpisodeList(toy_episodes())
NAMES = [TOY.id_at(i) for i in range(len(TOY))]
Script = list[Any]
"""Skills, or a fault at reset as its only entry."""
FAULTS = {"refuse": AgentRefusalError("no"), "break": ValueError("boom")}


class Scripted:
    """Takes the skills of a script, one for each sentence; `refuse` and `break` at its reset."""

    modality = "state"

    def __init__(self, scripts: Mapping[str, Script]) -> None:
        self.scripts = scripts
        self.left: dict[int, Script] = {}

    def reset_rows(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        for row, instruction in zip(rows, instructions, strict=True):
            script = list(self.scripts[instruction])
            if script and script[0] in FAULTS:
                raise FAULTS[script[0]]
            self.left[row] = script

    def act_rows(self, rows: Sequence[int], observations: Observation) -> NDArray[Any]:
        return np.array([self.left[r].pop(0) if self.left[r] else 0 for r in rows], object)


def alone(episode: Episode, script: Script, hard: bool) -> EpisodeTrace:
    """The trace of an episode, by a loop over the single env: what a rollout has to equal."""
    env: gym.Env[Any, Any] = gym.make(
        "LangRearrangeHard-v0" if hard else "LangRearrange-v0",
        episodes=[episode],
        observation="state",
    )
    chain = ObservationChain()
    actions: list[int] = []
    outcomes: list[OutcomeName] = []
    observation, info = env.reset()
    chain.add(observation)
    faults: dict[Any, Failure] = {"refuse": "refusal", "break": "crash"}
    failure = faults.get(next(iter(script), ""), "")
    over = bool(failure)
    while not over:
        action = script[len(actions)] if len(actions) < len(script) else 0
        try:
            observation, _, terminated, truncated, info = env.step(action)
        except ActionError:
            failure = "bad_action"
            break
        actions.append(action)
        outcomes.append(info["outcome"] if action != STOP else "stop")
        over = terminated or truncated
        if not over:
            chain.add(observation)
    return EpisodeTrace(
        id=episode.id,
        actions=tuple(actions),
        outcomes=tuple(outcomes),
        success=not failure and bool(info["success"]),
        failure=failure,
        chain=chain.hexdigest(),
    )


SKILLS = st.sampled_from([*range(16), *range(16, 71), True, 71, "3", None])
SCRIPTS = st.lists(SKILLS, max_size=33) | st.sampled_from([["refuse"], ["break"]])


@settings(max_examples=60)
@given(
    st.lists(SCRIPTS, min_size=6, max_size=6),
    st.booleans(),
    st.integers(1, 7),
    st.permutations(NAMES),
    st.integers(0, 6),
)
def test_a_rollout_gives_the_traces_of_single_envs(
    scripts: list[Script], hard: bool, num_rows: int, order: list[str], count: int
) -> None:
    scripts = [
        [skill_index(s) for s in episode.plan] if i == 3 else script
        for i, (episode, script) in enumerate(zip(TOY, scripts, strict=True))
    ]
    agent = Scripted(
        {episode.instruction: script for episode, script in zip(TOY, scripts, strict=True)}
    )
    rules = RunRules("hard" if hard else "paper", num_rows=num_rows)
    traces = {trace.id: trace for trace in play(agent, chosen(TOY, order[:count]), rules)}
    assert traces == {
        episode.id: alone(episode, script, hard)
        for episode, script in zip(TOY, scripts, strict=True)
        if episode.id in order[:count]
    }


class Breaking(Batched):
    """Fails in its third call, whatever the rows."""

    def act_rows(self, rows: Sequence[int], observations: Observation) -> NDArray[np.int64]:
        answers = super().act_rows(rows, observations)
        if len(self.calls) == 3:
            raise RuntimeError("out of memory")
        return answers


def test_a_call_that_breaks_fails_all_the_rows_it_was_for_and_no_other() -> None:
    traces = played(Breaking(), 2, TOY)
    assert sorted(trace.failure for trace in traces.values()) == ["", "", "", "", "crash", "crash"]
    assert {len(t.actions) for t in traces.values() if t.failure} == {2}


class Bound(Batched):
    """Privileged; notes the episodes it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.shown: dict[int, Episode] = {}

    def bind_rows(self, rows: Sequence[int], episodes: Sequence[Episode]) -> None:
        self.shown.update(zip(rows, episodes, strict=True))

    def reset_rows(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        assert [self.shown[row].instruction for row in rows] == list(instructions)


def test_a_privileged_agent_is_shown_each_episode_before_it_begins() -> None:
    agent = Bound()
    played(agent, 4)
    assert set(agent.shown) == {0, 1, 2, 3}


def test_the_first_crash_shows_its_traceback_and_a_bad_action_what_was_said(
    caplog: pytest.LogCaptureFixture,
) -> None:
    rows = RowsOfAgents(lambda: Misbehaving(ValueError("broken"), at="act"))
    with caplog.at_level(logging.WARNING):
        traces_of(rows, HANDMADE)
    assert len(HANDMADE) > 1
    assert caplog.text.count("Traceback") == 1
    assert "ValueError: broken" in caplog.text
    with caplog.at_level(logging.WARNING):  # the next run reports its own
        traces_of(RowsOfAgents(lambda: Misbehaving(ValueError("again"), at="act")), HANDMADE)
    assert caplog.text.count("Traceback") == 2

    class Talker(Misbehaving):
        def act(self, observation: Any) -> Any:
            return "to the sofa, please"

    with caplog.at_level(logging.WARNING):
        traces_of(RowsOfAgents(lambda: Talker(ValueError(), at="never")), HANDMADE)
    assert "bad_action" in caplog.text
    assert "'to the sofa, please'" in caplog.text
    assert caplog.text.count("Traceback") == 2
