"""The native vector env: equal to so many single envs, three autoreset modes, evaluation."""

from __future__ import annotations

import gc
import json
import sys
import warnings
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from bare_env import bare, spec_json
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ResetNeeded
from gymnasium.utils.env_checker import data_equivalence
from gymnasium.vector import AutoresetMode
from hypothesis import given, settings
from hypothesis import strategies as st

from langrearrange.env import LangRearrangeVectorEnv
from langrearrange.errors import ActionError, UsageError
from langrearrange.testing import toy_episodes

TOY = toy_episodes()
IDS = ("LangRearrange-v0", "LangRearrangeHard-v0")
ACTION = st.integers(0, 70)
MODES = [mode.value for mode in AutoresetMode]


def make(env_id: str = IDS[0], **kwargs: Any) -> LangRearrangeVectorEnv:
    options: dict[str, Any] = {"episodes": TOY, "observation": "state", "num_envs": 3, **kwargs}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make_vec(env_id, **options)
    assert isinstance(env, LangRearrangeVectorEnv)
    return env


def sync(env_id: str, autoreset_mode: str, **kwargs: Any) -> gym.vector.VectorEnv[Any, Any, Any]:
    options: dict[str, Any] = {"episodes": TOY, "observation": "state", "num_envs": 3, **kwargs}
    mode = {"autoreset_mode": autoreset_mode}
    return gym.make_vec(env_id, vectorization_mode="sync", vector_kwargs=mode, **options)


@settings(max_examples=25)
@given(
    st.sampled_from(IDS),
    st.sampled_from(MODES),
    st.sampled_from([{"observation": "state"}, {"observation": "text"}]),
    st.lists(st.tuples(ACTION, ACTION, ACTION), max_size=24),
    st.integers(0, 5),
)
def test_it_equals_single_envs_in_every_autoreset_mode(
    env_id: str, mode: str, kwargs: dict[str, Any], actions: list[tuple[int, int, int]], seed: int
) -> None:
    kwargs = {**kwargs, "sampling": "weighted", "horizon": 5}
    ours, theirs = make(env_id, autoreset_mode=mode, **kwargs), sync(env_id, mode, **kwargs)
    assert ours.metadata["autoreset_mode"] is theirs.metadata["autoreset_mode"]
    assert ours.observation_space == theirs.observation_space
    assert ours.action_space == theirs.action_space
    equal(ours.reset(seed=seed), theirs.reset(seed=seed))
    for row in actions:
        batch = np.minimum(row, 70 if env_id == IDS[1] else 69)
        told = ours.step(batch)
        equal(told, theirs.step(batch))
        assert told[0] in ours.observation_space
        ended = told[2] | told[3]
        if mode == "Disabled" and ended.any():
            equal(
                ours.reset(options={"reset_mask": ended}),
                theirs.reset(options={"reset_mask": ended.copy()}),
            )
    equal(ours.reset(), theirs.reset())


def equal(ours: tuple[Any, ...], theirs: tuple[Any, ...]) -> None:
    assert ours[-1].keys() == theirs[-1].keys()
    for key, value in ours[-1].items():
        assert data_equivalence(value, theirs[-1][key], exact=True), key
    assert data_equivalence(ours, theirs, exact=True)


def test_every_mode_is_named_and_specs_stay_json() -> None:
    for mode in AutoresetMode:
        env = make(episodes=None, autoreset_mode=mode)
        assert env.metadata["autoreset_mode"] is mode
        text = spec_json(env)
        assert f'"{mode.value}"' in text
        again = gym.make_vec(EnvSpec.from_json(text))
        assert isinstance(again, LangRearrangeVectorEnv)
        assert (again.num_envs, again.autoreset_mode) == (3, mode)
    assert "autoreset_mode" not in LangRearrangeVectorEnv.metadata


def test_max_episode_steps_is_refused_and_horizon_named() -> None:
    with pytest.raises(UsageError, match="horizon=9"):
        make(max_episode_steps=9)


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"num_envs": 0}, "num_envs=0"),
        ({"autoreset_mode": "next"}, "accepted: 'NextStep', 'SameStep', 'Disabled'"),
        ({"observation": "pixels"}, "observation='pixels'"),
    ],
)
def test_an_argument_that_cannot_be_is_refused(kwargs: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make(**kwargs)


def test_env_i_is_seeded_with_seed_plus_i() -> None:
    vector = make(sampling="weighted", num_envs=4)
    played = list(
        zip(*(vector.reset(seed=7)[1]["episode_id"], vector.reset()[1]["episode_id"]), strict=True)
    )
    for i, names in enumerate(played):
        env = gym.make(IDS[0], episodes=TOY, observation="state", sampling="weighted")
        again = (env.reset(seed=7 + i)[1]["episode_id"], env.reset()[1]["episode_id"])
        assert names == again


def test_seeds_are_an_int_or_one_per_env() -> None:
    env = make(sampling="uniform")
    drawn: Any = np.int64(3)  # as a program may have drawn it
    first = list(env.reset(seed=drawn)[1]["episode_id"])
    assert list(env.reset(seed=[3, 4, 5])[1]["episode_id"]) == first
    with pytest.raises(UsageError, match="2 seeds for 3 envs"):
        env.reset(seed=[1, 2])


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("num_envs", [1, 2, 4, 9])
def test_evaluation_plays_every_episode_once_and_deals_them_by_turns(
    mode: str, num_envs: int
) -> None:
    env = make(num_envs=num_envs, autoreset_mode=mode, horizon=3)
    rng = np.random.default_rng(0)
    _, info = env.reset(seed=0)
    finished: list[tuple[int, str]] = []
    for _ in range(100):
        if info["exhausted"].all():
            break
        before = info["exhausted"].copy()
        _, reward, terminated, truncated, info = env.step(rng.integers(0, 70, num_envs))
        ended = terminated | truncated
        assert not (ended & before).any()
        assert not reward[before].any()
        told = info.get("final_info", info)
        finished += [(int(i), told["episode_id"][i]) for i in np.flatnonzero(ended)]
        if mode == "Disabled" and ended.any():
            _, info = env.reset(options={"reset_mask": ended})
            info["exhausted"] |= before
    assert info["exhausted"].all()
    assert sorted(name for _, name in finished) == [episode.id for episode in TOY]
    for i, name in finished:
        assert int(name[-1]) % num_envs == i


def test_a_seed_begins_the_evaluation_anew() -> None:
    env = make(num_envs=6, horizon=1, autoreset_mode="SameStep")
    env.reset(seed=0)
    assert env.step(np.zeros(6, int))[-1]["exhausted"].all()
    _, info = env.reset(seed=0)
    assert not info["exhausted"].any()
    assert list(info["episode_id"]) == [episode.id for episode in TOY]


def test_chosen_ids_can_be_drawnper_env() -> None:
    env = make()
    names = ["toy/000005", None, "toy/000002"]
    _, info = env.reset(seed=0, options={"episode_id": names})
    assert list(info["episode_id"]) == ["toy/000005", "toy/000001", "toy/000002"]
    _, info = env.reset(options={"episode_id": "toy/000004"})
    assert list(info["episode_id"]) == ["toy/000004"] * 3


@pytest.mark.parametrize("mode", MODES)
def test_a_chosen_id_is_played_by_an_env_that_has_none_left(mode: str) -> None:
    env = make(num_envs=9, horizon=2, autoreset_mode=mode)
    _, info = env.reset(seed=0)
    stopped = np.arange(9) >= len(TOY)
    assert (info["exhausted"] == stopped).all()
    assert (info["_exhausted"] == True).all()  # noqa: E712
    _, reward, *_ = env.step(np.zeros(9, int))
    assert (reward[stopped] == 0).all()
    assert (reward[~stopped] != 0).all()
    mask = np.zeros(9, bool)
    mask[-1] = True
    _, info = env.reset(options={"reset_mask": mask, "episode_id": "toy/000003"})
    assert (info["_exhausted"] == mask).all()
    assert list(info["exhausted"]) == [False] * len(TOY) + [True] * (8 - len(TOY)) + [False]
    _, reward, _, truncated, info = env.step(np.zeros(9, int))
    assert info["steps"][-1] == 1 or mode == "SameStep"
    assert reward[-1] != 0
    assert not truncated[-1]
    assert env.save_state()["exhausted"][-1] is False


def test_an_env_whose_episode_ended_is_not_ended_after_a_reset() -> None:
    env = make(horizon=1, autoreset_mode="NextStep", sampling="uniform")
    env.reset(seed=0)
    assert env.step(np.zeros(3, int))[3].all()
    env.reset(options={"episode_id": "toy/000004"})
    assert env.save_state()["ended"] == [False] * 3
    assert (env.step(np.zeros(3, int))[1] != 0).all(), "it steps and does not reset again"


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize("sampling", ["weighted", "sequential"])
@pytest.mark.parametrize("before", [4, 6])  # all end with the fourth step
def test_saved_envs_continue_exactly_in_others(mode: str, sampling: str, before: int) -> None:
    def advance(env: LangRearrangeVectorEnv, seed: int, count: int) -> list[Any]:
        told: list[Any] = []
        rng = np.random.default_rng(seed)
        for _ in range(count):
            seen = env.step(rng.integers(0, 70, 3))
            told.append(seen)
            ended = seen[2] | seen[3]
            if mode == "Disabled" and ended.any():
                told.append(env.reset(options={"reset_mask": ended}))
        return told

    options: dict[str, Any] = {"autoreset_mode": mode, "sampling": sampling, "horizon": 4}
    first, second = make(**options), make(**options)
    first.reset(seed=11)
    advance(first, 0, before)
    saved = json.loads(json.dumps(first.save_state()))
    second.reset(seed=99)
    advance(second, 1, 3)
    seen, info = second.restore_state(saved)
    assert data_equivalence(seen, first._observations.observe_batch(first.tasks), exact=True)
    assert list(info["episode_id"]) == [task.episode.id for task in first.tasks]
    assert second.worlds == first.worlds
    assert json.loads(json.dumps(second.save_state())) == saved
    for ours, theirs in zip(advance(second, 2, 15), advance(first, 2, 15), strict=True):
        equal(ours, theirs)


def test_what_is_no_saved_state_of_so_many_envs_is_refused() -> None:
    env = make()
    with pytest.raises(ResetNeeded, match="call reset"):
        env.save_state()
    env.reset(seed=0)
    saved = env.save_state()
    fewer = make(num_envs=2)
    refused: list[Any] = [saved["envs"], {"envs": saved["envs"][:1]}, {}, saved | {"envs": 3}]
    for wrong in refused:
        with pytest.raises(UsageError, match="no saved state of 2 envs"):
            fewer.restore_state(wrong)
    with pytest.raises(UsageError, match="saved with horizon=32"):
        make(horizon=9).restore_state(saved)
    env.restore_state(saved)
    # Made of a saved state alone, without a reset, it goes on as well.
    fresh = make()
    fresh.restore_state(saved)
    assert list(fresh.step(np.zeros(3, int))[-1]["steps"]) == [1, 1, 1]


def test_an_env_is_open_until_it_is_closed() -> None:
    env = make()
    open_at_first = env.closed
    env.close()
    assert (open_at_first, env.closed) == (False, True)
    assert LangRearrangeVectorEnv(episodes=TOY, observation="state").num_envs == 1


def test_an_env_whose_arguments_were_refused_has_nothing_to_close(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    ignored: list[object] = []
    monkeypatch.setattr(sys, "unraisablehook", lambda told: ignored.append(told.exc_value))
    with pytest.raises(UsageError):
        LangRearrangeVectorEnv(num_envs=0)
    gc.collect()
    assert ignored == []


@pytest.mark.parametrize("threads", [1, 256])
def test_as_many_threads_as_accepted(threads: int) -> None:
    make(threads=threads).close()


@pytest.mark.parametrize("threads", [0, 257, True, 1.0])
def test_other_numbers_of_threads_are_refused(threads: object) -> None:
    with pytest.raises(UsageError, match="threads="):
        make(threads=threads)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"mask": 1}, "no option 'mask'"),
        ({"reset_mask": [True] * 3}, "numpy bool array"),
        ({"reset_mask": np.zeros(3, bool)}, "at least one True"),
        ({"reset_mask": np.ones(2, bool)}, "shape"),
        ({"reset_mask": np.array([True, False, False])}, "first reset"),
        ({"episode_id": ["toy/000001"]}, "a list of 3 ids"),
    ],
)
def test_a_bad_option_is_refused(options: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        make().reset(options=options)


def test_bad_actions_step_nothing() -> None:
    env = make()
    env.reset(seed=0)
    with pytest.raises(ActionError, match="env 2: action 70"):
        env.step(np.array([0, 0, 70]))
    assert list(env.step(np.zeros(3, int))[-1]["steps"]) == [1, 1, 1]


@settings(max_examples=40)
@given(
    st.sampled_from(MODES),
    st.lists(st.tuples(*[st.none() | st.integers(0, 69)] * 3), max_size=24),
    st.integers(0, 5),
)
def test_an_env_whose_action_is_none_is_left_as_it_is(
    mode: str, actions: list[tuple[int | None, ...]], seed: int
) -> None:
    kwargs: dict[str, Any] = {
        "sampling": "weighted",
        "horizon": 4,
        "episodes": TOY,
        "observation": "state",
    }
    ours = make(autoreset_mode=mode, **kwargs)
    singles = [gym.make(IDS[0], **kwargs) for _ in range(3)]
    ours.reset(seed=seed)
    seen = [env.reset(seed=seed + i)[0] for i, env in enumerate(singles)]
    ended = [False] * 3
    for drawn in actions:
        row = drawn
        if mode == "Disabled":
            row = tuple(None if over else action for over, action in zip(ended, row, strict=True))
        observations, rewards, terminated, truncated, infos = ours.step(row)
        for i, (env, action) in enumerate(zip(singles, row, strict=True)):
            told: list[Any] = [0.0, False, False]
            if action is not None and ended[i]:
                seen[i], ended[i] = env.reset()[0], False
            elif action is not None:
                seen[i], *told, _ = env.step(action)
                ended[i] = told[1] or told[2]
                if ended[i] and mode == "SameStep":
                    assert data_equivalence(infos["final_obs"][i], seen[i], exact=True)
                    seen[i], ended[i] = env.reset()[0], False
            assert (rewards[i], terminated[i], truncated[i]) == tuple(told)
            assert infos["steps"][i] == bare(env).task.steps
            shown = {name: values[i] for name, values in observations.items()}
            assert data_equivalence(shown, seen[i], exact=True)


def test_stepping_too_early_or_past_the_end_needs_a_reset() -> None:
    env = make(autoreset_mode="Disabled", horizon=1)
    with pytest.raises(ResetNeeded, match="reset"):
        env.step(np.zeros(3, int))
    env.reset(seed=0)
    env.step(np.zeros(3, int))
    with pytest.raises(ResetNeeded, match="reset_mask"):
        env.step(np.zeros(3, int))
