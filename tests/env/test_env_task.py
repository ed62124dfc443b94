"""The task core: reward, subgoals, ends, the hard variant; against a naive reading of the rules."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest
from gymnasium.error import ResetNeeded
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.dataset import Episode
from langrearrange.env import (
    RELEASE_REWARD,
    STOP,
    Rules,
    Task,
)
from langrearrange.errors import ActionError, UsageError
from langrearrange.testing import toy_episodes
from langrearrange.world import Outcome, apply, compile_subgoal, parse_subgoal, skill_index
from langrearrange.world.goals import compile_goal, parse_goal

EPISODES = toy_episodes()
BY_TEMPLATE = {episode.template: episode for episode in EPISODES}
CLOSING = msgspec.structs.replace(
    BY_TEMPLATE["fridge"], subgoals=(*BY_TEMPLATE["fridge"].subgoals, "closed(fridge)")
)
ACTIONS = st.lists(st.integers(0, 69), max_size=40)


def play(task: Task, *skills: str) -> list[float]:
    return [task.step(skill_index(skill)) for skill in skills]


@pytest.mark.parametrize("episode", EPISODES, ids=lambda e: e.template)
def test_the_stored_plan_succeeds_with_its_last_step_and_reaches_every_subgoal(
    episode: Episode,
) -> None:
    task = Task(episode)
    rewards = play(task, *episode.plan)
    assert task.success
    assert task.terminated
    assert not task.truncated
    assert task.num_reached == task.num_subgoals
    assert rewards[-1] == pytest.approx(10 - 0.01)
    assert not any(reward > 9 for reward in rewards[:-1])


def test_a_step_pays_five_for_a_subgoal_and_takes_for_time_and_for_being_invalid() -> None:
    task = Task(BY_TEMPLATE["move"])
    ball = ("nav(sofa)", "pick(ball)", "nav(tv_stand)", "pick(ball)")
    assert play(task, *ball) == pytest.approx([-0.01, -0.11, -0.01, 5 - 0.01])
    assert task.outcome is Outcome.OK


def test_a_subgoal_pays_once_per_episode() -> None:
    task = Task(BY_TEMPLATE["move"])
    play(task, "nav(tv_stand)", "pick(ball)", "place(tv_stand)")
    assert task.step(skill_index("pick(ball)")) == pytest.approx(-0.01)


def test_a_fact_that_holds_at_the_start_pays_only_when_it_comes_about() -> None:
    task = Task(CLOSING)  # closed(fridge) is a subgoal and holds at t=0
    assert play(task, "nav(sofa)", "nav(fridge)") == pytest.approx([-0.01, -0.01])
    assert play(task, "open(fridge)", "close(fridge)") == pytest.approx([4.99, 4.99])
    assert task.num_reached == 2


def test_two_subgoals_at_once_pay_once() -> None:
    episode = msgspec.structs.replace(
        BY_TEMPLATE["move"], subgoals=("held(ball)", "held(ball)", "delivered(ball,chair,1)")
    )
    task = Task(episode)
    play(task, "nav(tv_stand)")
    assert task.step(skill_index("pick(ball)")) == pytest.approx(4.99)
    assert task.num_reached == 2


def test_an_episode_without_subgoals_is_legal() -> None:
    task = Task(msgspec.structs.replace(BY_TEMPLATE["find"], subgoals=()))
    assert play(task, "nav(right_drawer)", "open(right_drawer)") == pytest.approx([-0.01, 9.99])


def test_the_release_pays_shares_without_penalties_and_with_success() -> None:
    task = Task(CLOSING, Rules(reward=RELEASE_REWARD))
    rewards = play(task, *CLOSING.plan)
    # closed(fridge) holds at t=0 and counts as reached; three of four are left, 5/4 each.
    assert rewards == pytest.approx([0, 1.25, 1.25, 0, 0, 11.25])
    task.reset()
    assert play(task, "pick(mug)") == [0.0]


def test_success_on_the_last_step_terminates_and_does_not_truncate() -> None:
    episode = BY_TEMPLATE["move"]
    task = Task(episode, Rules(horizon=len(episode.plan)))
    play(task, *episode.plan)
    assert (task.success, task.terminated, task.truncated) == (True, True, False)


def test_running_out_of_steps_truncates_and_a_further_step_needs_a_reset() -> None:
    task = Task(BY_TEMPLATE["move"], Rules(horizon=2))
    play(task, "nav(sofa)", "nav(sink)")
    assert (task.success, task.terminated, task.truncated) == (False, False, True)
    with pytest.raises(ResetNeeded, match="reset"):
        task.step(0)


HARD = Rules(hard=True)


def test_hard_judges_success_at_stop_only_and_pays_the_last_delivery_as_a_subgoal() -> None:
    episode = BY_TEMPLATE["move"]
    task = Task(episode, HARD)
    rewards = play(task, *episode.plan)
    assert rewards[-1] == pytest.approx(4.99)
    assert not task.over
    assert task.step(STOP) == pytest.approx(9.99)
    assert (task.success, task.terminated) == (True, True)


def test_stop_is_no_skill_outside_the_hard_variant() -> None:
    task = Task(BY_TEMPLATE["move"])
    with pytest.raises(ActionError, match="skill 70"):
        task.step(STOP)
    assert task.steps == 0


def test_hard_stop_before_the_goal_fails() -> None:
    task = Task(BY_TEMPLATE["move"], HARD)
    assert task.step(STOP) == pytest.approx(-0.01)
    assert (task.success, task.terminated, task.truncated) == (False, True, False)


def test_hard_ends_at_an_invalid_skill() -> None:
    task = Task(BY_TEMPLATE["move"], HARD)
    assert play(task, "pick(mug)") == pytest.approx([-0.11])
    assert (task.success, task.terminated) == (False, True)


def test_hard_running_out_without_stop_fails_even_with_the_goal_reached() -> None:
    episode = BY_TEMPLATE["move"]
    task = Task(episode, Rules(hard=True, horizon=len(episode.plan)))
    play(task, *episode.plan)
    assert (task.success, task.terminated, task.truncated) == (False, False, True)


@given(st.sampled_from([*EPISODES, CLOSING]), ACTIONS, st.booleans())
def test_playing_equals_a_naive_reading_of_the_rules(
    episode: Episode, actions: list[Any], hard: bool
) -> None:
    task = Task(episode, Rules(hard=hard))
    layout, state = episode.layout(), episode.initial_state()
    goal = compile_goal(parse_goal(episode.goal), layout, state)
    facts = [compile_subgoal(parse_subgoal(text), layout) for text in episode.subgoals]
    reached: set[int] = set()
    for number, action in enumerate(actions, 1):
        after, outcome = apply(layout, state, action)
        fresh = {
            i
            for i, fact in enumerate(facts)
            if fact(after) and not fact(state) and i not in reached
        }
        reached |= fresh
        success = goal(after) and not hard
        invalid = outcome is not Outcome.OK
        expected = -0.01 - 0.1 * invalid + (10 if success else 5 * bool(fresh))
        assert task.step(action) == pytest.approx(expected)
        terminated = success or (hard and invalid)
        assert task.state == after
        assert task.outcome is outcome
        assert (task.success, task.terminated) == (success, terminated)
        assert task.truncated is (number == 32 and not terminated)
        assert task.num_reached == len(reached)
        if task.over:
            return
        state = after


@given(st.sampled_from(EPISODES), ACTIONS, ACTIONS)
def test_restoring_progress_continues_as_if_nothing_had_happened(
    episode: Episode, before: list[int], between: list[int]
) -> None:
    task = Task(episode, Rules(horizon=100))
    for action in before:
        if not task.over:
            task.step(action)
    moment = task.progress
    first = [(task.step(a), task.progress) for a in between if not task.over]
    task.restore(moment)
    assert task.progress == moment
    assert first == [(task.step(a), task.progress) for a in between if not task.over]


@pytest.mark.parametrize("horizon", [0, -1, True, 3.0, "32"])
def test_a_horizon_that_cannot_be_is_refused(horizon: Any) -> None:
    with pytest.raises(UsageError, match="horizon"):
        Rules(horizon=horizon)
