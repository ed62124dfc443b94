"""The single env: Gymnasium's checks, seeds, options, arguments, specs, saved states."""

from __future__ import annotations

import copy
import inspect
import json
import pickle
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from bare_env import bare, spec_json
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import check_env, data_equivalence
from hypothesis import given
from hypothesis import strategies as st

import langrearrange
from langrearrange.env import EnvConfig, EnvKwargs, LangRearrangeEnv, RewardConfig
from langrearrange.errors import ActionError, UsageError
from langrearrange.testing import toy_episodes
from langrearrange.world import WorldState, skill_index

TOY = toy_episodes()
IDS = ("LangRearrange-v0", "LangRearrangeHard-v0")


def make(env_id: str = IDS[0], **kwargs: Any) -> gym.Env[Any, Any]:
    return gym.make(env_id, **{"episodes": TOY, "observation": "state", **kwargs})


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize(
    "kwargs",
    [
        {"observation": "state"},
        {"observation": "text"},
        {"observation": "state", "extras": ("action_mask",)},
        {"observation": "state", "sampling": "weighted"},
    ],
    ids=lambda kwargs: "-".join(map(str, kwargs.values())),
)
def test_gymnasium_has_nothing_to_say_against_it(env_id: str, kwargs: dict[str, Any]) -> None:
    env = make(env_id, **kwargs)
    check_env(env.unwrapped, skip_render_check=True)
    env.reset(seed=1)
    for action in range(20):
        if any(env.step(action)[2:4]):
            env.reset()
    env.close()
    env.close()


def test_an_unknown_keyword_is_a_type_error_in_pythons_words() -> None:
    """TorchRL's GymEnv looks for both before it leaves the keyword out."""
    for kwargs in ({}, {"num_envs": 2}):
        make_it: Any = gym.make_vec if kwargs else gym.make
        with pytest.raises(TypeError, match="got an unexpected keyword argument 'frameskip'"):
            make_it(IDS[0], frameskip=4, **kwargs)


@pytest.mark.parametrize("env_id", IDS)
def test_action_masks_are_those_of_the_extra(env_id: str) -> None:
    env = make(env_id, extras=("action_mask",))
    envs: Any = gym.make_vec(env_id, num_envs=2, episodes=TOY, observation="state").unwrapped
    seen, _ = env.reset()
    envs.reset()
    for action in (skill_index("nav(sofa)"), skill_index("pick(apple)")):
        masks = env.get_wrapper_attr("action_masks")()
        assert masks.dtype == np.bool_
        assert masks.tolist() == seen["action_mask"].astype(bool).tolist()
        assert envs.action_masks().shape == (2, len(masks))
        assert envs.action_masks()[0].tolist() == masks.tolist()
        seen = env.step(action)[0]
        envs.step([action, 0])


def test_the_passive_checker_is_not_switched_off() -> None:
    env = make()
    assert "PassiveEnvChecker" in str(env)
    assert env.spec is not None
    assert env.spec.max_episode_steps is None


def test_importing_the_package_registers_both_and_make_can_import_it() -> None:
    assert langrearrange.__version__
    assert set(IDS) <= set(gym.registry)
    env = gym.make(f"langrearrange:{IDS[0]}", episodes=TOY, observation="state")
    assert env.action_space == gym.spaces.Discrete(70)
    assert make(IDS[1]).action_space == gym.spaces.Discrete(71)


def test_specs_survive_json_and_make_the_same_env(tmp_path: Path) -> None:
    reward = RewardConfig(success=2)
    env = make(episodes=None, split="train_mini", reward=reward, extras=("action_mask",))
    text = spec_json(env)
    again = gym.make(EnvSpec.from_json(text))
    assert bare(again).config.rules == bare(env).config.rules
    assert again.observation_space == env.observation_space


def test_the_keyword_arguments_for_type_checkers_are_those_of_the_config() -> None:
    fields = set(inspect.signature(EnvConfig).parameters) - {"hard", "num_envs", "copy", "threads"}
    assert set(EnvKwargs.__annotations__) == fields


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"spilt": "train"}, "unexpected keyword argument 'spilt'; did you mean 'split'"),
        ({"bananas": 3}, "unexpected keyword argument 'bananas'; arguments: split, episodes"),
        ({"split": "training"}, "split='training'; accepted: 'train', 'train_mini'"),
        (
            {"observation": "pixels"},
            "observation='pixels'; accepted: 'rgb', 'rgb.feedback', 'state', 'text'",
        ),
        ({"simulator": "unity"}, "accepted: 'embedded', 'habitat'"),
        ({"habitat_python": "/usr/bin/python"}, "is not taken by simulator='embedded'"),
        ({"simulator": "habitat", "habitat_gpu": "0"}, "the index of a GPU"),
        ({"reward": "sparse"}, "accepted: 'paper', 'release'"),
        ({"horizon": 0}, "horizon=0; accepted: an int of at least 1"),
        ({"image_size": 256.0, "observation": "rgb"}, "image_size=256.0"),
        ({"image_size": True, "observation": "rgb"}, "image_size=True"),
        ({"camera": "fisheye"}, "camera='fisheye'"),
        ({"sampling": "random"}, "sampling='random'"),
        ({"variants": -1}, "variants=-1"),
        ({"feedback": True}, "feedback=True goes with observation='rgb'"),
        ({"feedback": 1, "observation": "rgb"}, "feedback=1; accepted: True, False"),
        ({"extras": "depth", "observation": "rgb"}, "extras='depth'; accepted: a tuple"),
        ({"extras": ("normals",)}, "extra 'normals'; accepted: depth"),
        ({"extras": ("depth",)}, "has no extra 'depth'"),
        ({"semantics": "habitat"}, "semantics='habitat'"),
        ({"episodes": []}, "accepted: a non-empty list"),
        (
            {"split": "context", "episodes": None, "sampling": "weighted"},
            "always played in file order",
        ),
    ],
)
def test_an_argument_that_cannot_be_is_refused_in_one_sentence(
    kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        make(**kwargs)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("action", [True, 3.0, "3", float("nan"), 70, -1, None])
def test_what_is_no_action_raises_and_costs_nothing(action: bool | float | str | None) -> None:
    env = make()
    env.reset(seed=0)
    with pytest.raises(ActionError):
        env.step(action)
    assert env.step(np.array(0))[4]["steps"] == 1


def test_stepping_before_reset_or_after_the_end_needs_a_reset() -> None:
    env = LangRearrangeEnv(episodes=TOY, observation="state", horizon=1, render_mode="ansi")
    for call in (lambda: env.step(0), lambda: env.world, env.render):
        with pytest.raises(ResetNeeded, match="reset"):
            call()
    env.reset()
    assert env.step(0)[3]
    with pytest.raises(ResetNeeded, match="over"):
        env.step(0)


def ids(env: gym.Env[Any, Any], count: int, **first: Any) -> list[str]:
    found = [env.reset(**first)[1]["episode_id"]]
    return found + [env.reset()[1]["episode_id"] for _ in range(count - 1)]


def test_a_seed_fixes_the_order_and_the_next_reset_continues_it() -> None:
    env = make(sampling="uniform")
    first = ids(env, 20, seed=3)
    assert ids(env, 20, seed=3) == first
    assert ids(make(sampling="uniform"), 20, seed=3) == first
    assert ids(env, 20, seed=4) != first
    assert ids(env, 20) != first


def test_without_a_seed_one_is_drawn() -> None:
    orders = {tuple(ids(make(sampling="uniform"), 12)) for _ in range(5)}
    assert len(orders) > 1
    env = make(sampling="uniform")
    first = ids(env, 12)
    assert ids(make(sampling="uniform"), 12, seed=env.unwrapped.np_random_seed) == first


def test_chosen_episodes_are_played_in_the_order_given_whatever_the_seed() -> None:
    names = [episode.id for episode in TOY]
    assert ids(make(), 8, seed=5) == names + names[:2]
    assert ids(make(), 6, seed=6) == names


def test_the_episode_id_option_wins_and_does_not_move_the_order() -> None:
    env = make()
    env.reset(seed=0)
    chosen = env.reset(options={"episode_id": "toy/000004"})
    assert chosen[1]["episode_id"] == "toy/000004"
    assert env.reset(options={})[1]["episode_id"] == "toy/000001"
    fresh = make()
    assert fresh.reset(seed=9, options={"episode_id": "toy/000003"})[1]["steps"] == 0
    assert fresh.reset()[1]["episode_id"] == "toy/000000"


@pytest.mark.parametrize(
    ("options", "message"),
    [({"episode": "toy/000001"}, "no option 'episode'"), ({"episode_id": 3}, "episode_id=3")],
)
def test_a_misspelt_option_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make().reset(options=options)


def test_success_on_the_last_step_is_terminated_not_truncated() -> None:
    env = make(horizon=32)
    env.reset(options={"episode_id": "toy/000003"})
    for _ in range(30):
        assert env.step(skill_index("nav(sofa)"))[2:4] == (False, False)
    env.step(skill_index("nav(right_drawer)"))
    _, reward, terminated, truncated, info = env.step(skill_index("open(right_drawer)"))
    assert (terminated, truncated, info["steps"], info["success"]) == (True, False, 32, True)
    assert reward == pytest.approx(9.99)


def test_the_full_world_is_there_for_those_who_ask_for_it() -> None:
    env = make()
    env.reset(options={"episode_id": "toy/000001"})
    assert isinstance(bare(env).world, WorldState)
    assert bare(env).world == TOY[1].initial_state()
    assert bare(env).episode == TOY[1]


def test_the_release_semantics_take_things_out_of_a_closed_fridge() -> None:
    outcomes = {}
    for semantics in ("paper", "release"):
        env = make(semantics=semantics)
        env.reset(options={"episode_id": "toy/000002"})
        env.step(skill_index("nav(fridge)"))
        outcomes[semantics] = env.step(skill_index("pick(lemon)"))[4]["outcome"]
    assert outcomes == {"paper": "closed", "release": "ok"}


ACTIONS = st.lists(st.integers(0, 70), max_size=12)


@given(st.sampled_from(IDS), st.sampled_from(["sequential", "uniform"]), ACTIONS, ACTIONS, ACTIONS)
def test_a_saved_env_continues_exactly_in_another_process_or_env(
    env_id: str, sampling: str, before: list[int], between: list[int], after: list[int]
) -> None:
    env, other = make(env_id, sampling=sampling), make(env_id, sampling=sampling)
    env.reset(seed=11)
    run(env, before)
    saved = json.loads(json.dumps(bare(env).save_state()))
    other.reset(seed=5)
    run(other, between)
    seen, info = bare(other).restore_state(saved)
    assert info["steps"] == saved["progress"]["steps"]
    assert bare(other).world == bare(env).world
    expected = run(env, after)
    assert data_equivalence(expected, run(other, after), exact=True)
    assert data_equivalence(env.reset(), other.reset(), exact=True)
    bare(env).restore_state(saved)
    assert data_equivalence(expected, run(env, after), exact=True)
    assert data_equivalence(seen["instruction"], bare(env).restore_state(saved)[0]["instruction"])


def pickled(env: gym.Env[Any, Any]) -> gym.Env[Any, Any]:
    copied: gym.Env[Any, Any] = pickle.loads(pickle.dumps(env))  # noqa: S301 (our own bytes)
    return copied


@pytest.mark.parametrize("kwargs", [{}, {"observation": "rgb", "image_size": 32}])
@pytest.mark.parametrize("clone", [copy.deepcopy, pickled])
def test_a_copied_env_goes_on_by_itself(
    clone: Callable[[gym.Env[Any, Any]], gym.Env[Any, Any]], kwargs: dict[str, Any]
) -> None:
    env = make(sampling="uniform", **kwargs)
    fresh = clone(env)
    assert data_equivalence(env.reset(seed=3), fresh.reset(seed=3), exact=True)
    run(env, [1, 2])
    other = clone(env)
    assert other.spec == env.spec
    expected = run(env, [3, 4, 5])
    assert data_equivalence(expected, run(other, [3, 4, 5]), exact=True)
    assert data_equivalence(env.reset(), other.reset(), exact=True)


def run(env: gym.Env[Any, Any], actions: list[int]) -> list[Any]:
    """Step through the actions, resetting where an episode is over; return all that was told."""
    told: list[Any] = []
    last = bare(env).config.num_actions - 1
    for action in actions:
        if bare(env).task.over:
            told.append(env.reset())
        told.append(env.step(min(action, last)))
    return told


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"horizon": 31}, "horizon=32"),
        ({"reward": "release"}, "reward="),
        ({"semantics": "release"}, "semantics='paper'"),
        ({"sampling": "uniform"}, "sampling='sequential'"),
    ],
)
def test_a_state_saved_under_other_rules_is_refused(kwargs: dict[str, Any], message: str) -> None:
    env = make()
    env.reset()
    saved = bare(env).save_state()
    other = make(**kwargs)
    with pytest.raises(UsageError, match=message):
        bare(other).restore_state(saved)
    with pytest.raises(UsageError, match="schema version 2"):
        bare(env).restore_state({**saved, "schema_version": 2})
    unfit: list[Any] = [None, {}, {"schema_version": 1}, "saved"]
    for wrong in unfit:
        with pytest.raises(UsageError, match="not a saved state"):
            bare(env).restore_state(wrong)


def test_ansi_shows_the_text_and_no_render_mode_warns() -> None:
    env = make(render_mode="ansi")
    env.reset()
    assert "Task: Bring an apple" in str(env.render())
    blind = make()
    blind.reset()
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        assert blind.unwrapped.render() is None
    assert "render_mode" in str(caught[0].message)
