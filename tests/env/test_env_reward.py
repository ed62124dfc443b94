"""Rewards: amounts, own functions of a transition, and which of them can be stored."""

from __future__ import annotations

import copy
import json
import pickle
from typing import Any

import gymnasium as gym
import numpy as np
import own_rewards
import pytest
from bare_env import bare, spec_json
from gymnasium.envs.registration import EnvSpec
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.env import (
    PAPER_REWARD,
    RELEASE_REWARD,
    REWARDS,
    STOP,
    EnvConfig,
    RewardConfig,
    Rules,
    Task,
    Transition,
    make_reward,
)
from langrearrange.env.rewards import RewardChoice
from langrearrange.errors import UsageError
from langrearrange.testing import toy_episodes
from langrearrange.world import Outcome, skill_index

TOY = toy_episodes()
AMOUNTS = st.floats(0, 100)


def make(reward: Any, **kwargs: Any) -> gym.Env[Any, Any]:
    return gym.make("LangRearrange-v0", episodes=TOY, observation="state", reward=reward, **kwargs)


def test_rewards_have_names_and_take_their_own_fields_back() -> None:
    assert make_reward("paper") is PAPER_REWARD
    assert make_reward("release") is RELEASE_REWARD
    own = RewardConfig(success=1, step_penalty=0)
    assert make_reward(own.as_dict()) == own


@pytest.mark.parametrize(
    ("reward", "message"),
    [
        ("dense", "reward='dense'; accepted: 'paper', 'release', 'module:name'"),
        (None, "reward=None; accepted"),
        (3, "a callable that takes a Transition"),
        ({"bonus": 1}, "no field 'bonus'"),
        ({"success": True}, "must be a number"),
        ({"success": float("nan")}, "finite"),
        ({"invalid_penalty": -1}, "at least 0"),
        ("own_rewards:none", "'own_rewards' has no class 'none'"),
        ("no_such_module:sparse", "importing 'no_such_module' failed"),
        (Transition, "could not be made: TypeError"),
        (lambda: 3, "a callable that takes a Transition"),
    ],
)
def test_a_reward_that_cannot_be_is_refused(reward: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make_reward(reward)


@given(
    st.tuples(AMOUNTS, AMOUNTS, AMOUNTS, AMOUNTS),
    st.booleans(),
    st.booleans(),
    st.sampled_from([Outcome.OK, Outcome.NOT_NEAR, Outcome.CLOSED]),
    st.booleans(),
    st.integers(0, 4),
)
def test_the_amounts_are_those_of_the_fields(
    amounts: tuple[float, float, float, float],
    shares: bool,
    with_success: bool,
    outcome: Outcome,
    success: bool,
    new: int,
) -> None:
    success_pays, subgoal, invalid, step = amounts
    reward = RewardConfig(
        success=success_pays,
        subgoal=subgoal,
        invalid_penalty=invalid,
        step_penalty=step,
        subgoals_share=shares,
        subgoal_with_success=with_success,
    )
    task = Task(TOY[0])
    told = Transition(task.layout, task.state, 3, outcome, task.state, success, new, 4, 1)
    expected = -step
    if outcome is not Outcome.OK:
        expected -= invalid
    if success:
        expected += success_pays
    if new > 0 and (with_success or not success):
        expected += subgoal * new / 4 if shares else subgoal
    assert reward(told) == pytest.approx(expected)


@given(st.sampled_from(TOY), st.lists(st.integers(0, 70), max_size=40), st.booleans())
def test_a_reward_is_told_what_happened_and_its_number_is_what_the_step_pays(
    episode: Any, actions: list[int], hard: bool
) -> None:
    told: list[Transition] = []

    def reward(transition: Transition) -> float:
        told.append(transition)
        return float(len(told))

    task = Task(episode, Rules(reward=reward, hard=hard))
    plain = Task(episode, Rules(hard=hard))
    plan = [skill_index(skill) for skill in episode.plan]
    for action in [*actions[:3], *plan, *actions[3:]]:
        if task.over or (action == STOP and not hard):
            continue
        before, reached = plain.state, plain.num_reached
        paid = plain.step(action)
        assert task.step(action) == len(told)
        assert told[-1] == Transition(
            layout=task.layout,
            before=before,
            action=action,
            outcome=plain.outcome,
            after=plain.state,
            success=plain.success,
            new_subgoals=plain.num_reached - reached,
            num_subgoals=len(episode.subgoals),
            steps=plain.steps,
        )
        assert paid == PAPER_REWARD(told[-1])
        assert task.progress == plain.progress


FORMS: list[tuple[RewardChoice, float]] = [
    (own_rewards.sparse, 0.0),
    ("own_rewards:sparse", 0.0),
    (own_rewards.PerStep, -2.0),
    ("own_rewards:PerStep", -2.0),
    (own_rewards.cheap, -0.5),
    ("own_rewards:cheap", -0.5),
    ("own_rewards:DEAR", -8.0),
]


@pytest.mark.parametrize(("reward", "paid"), FORMS)
def test_an_own_reward_is_paid_and_survives_json_and_saving(
    reward: RewardChoice, paid: float
) -> None:
    env = make(reward)
    env.reset()
    assert env.step(0)[1] == paid
    saved = json.loads(json.dumps(bare(env).save_state()))
    vector = gym.make_vec(
        "LangRearrange-v0", num_envs=2, episodes=TOY, observation="state", reward=reward
    )
    vector.reset(seed=0)
    np.testing.assert_array_equal(vector.step(np.zeros(2, int))[1], [paid, paid])
    kept = spec_json(gym.make("LangRearrange-v0", observation="state", reward=reward))
    again = gym.make(EnvSpec.from_json(kept), episodes=TOY)
    again.reset()
    assert again.step(0)[1] == paid
    bare(again).restore_state(saved)
    with pytest.raises(UsageError, match="the state was saved with reward="):
        bare(make("paper")).restore_state(saved)


def test_a_reward_with_a_name_of_its_own_is_taken_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(REWARDS, "dear", "own_rewards:DEAR")
    env = make("dear")
    env.reset()
    assert env.step(0)[1] == -8
    assert bare(env).save_state()["rules"]["reward"] == "dear"


@pytest.mark.parametrize("reward", [own_rewards.PerStep(3), lambda transition: -3.0])
def test_a_reward_without_a_place_in_a_module_is_kept_in_this_process_only(reward: Any) -> None:
    env = make(reward)
    env.reset()
    with pytest.raises(UsageError, match=r"reward=.* cannot be stored as text; .*'module:name'"):
        bare(env).save_state()
    with pytest.raises(UsageError, match=r"reward=.* cannot be stored as text") as caught:
        spec_json(env)
    assert "\n" not in str(caught.value)
    env.step(0)
    twin = copy.deepcopy(bare(env))
    assert twin.task.progress == bare(env).task.progress
    assert twin.step(1)[1] == env.step(1)[1] == -3


def test_an_env_with_an_own_reward_is_pickled_where_the_reward_can_be() -> None:
    env = bare(make(own_rewards.PerStep(3)))
    env.reset()
    assert pickle.loads(pickle.dumps(env)).step(0)[1] == -3  # noqa: S301 (our own bytes)


def test_no_reward_changes_the_rules_by_which_runs_are_judged() -> None:
    assert EnvConfig(reward=own_rewards.sparse).rules == Rules(reward=own_rewards.sparse)
    assert Rules().reward is PAPER_REWARD
