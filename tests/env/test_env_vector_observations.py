"""Observations of vector envs: fresh at every step, and read through every kind of vector env."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from langrearrange.dataset.source import EpisodeList
from langrearrange.env import LangRearrangeVectorEnv
from langrearrange.testing import toy_episodes

TOY = toy_episodes()
ENV_ID = "LangRearrange-v0"


def vector(**kwargs: Any) -> LangRearrangeVectorEnv:
    options: dict[str, Any] = {"episodes": TOY, "observation": "state", "num_envs": 3, **kwargs}
    env = gym.make_vec(ENV_ID, **options)
    assert isinstance(env, LangRearrangeVectorEnv)
    return env


def test_observations_are_fresh_at_every_step() -> None:
    env = vector()
    first, _ = env.reset(seed=0)
    kept = {name: np.copy(value) for name, value in first.items()}
    env.step(np.array([9, 8, 7]))
    for name, value in first.items():
        np.testing.assert_array_equal(value, kept[name])


@pytest.mark.parametrize("mode", ["sync", "async", "vector_entry_point"])
def test_the_sentence_can_be_read_through_every_kind_of_vector_env(mode: str) -> None:
    vector_kwargs = {"shared_memory": False, "context": "spawn"} if mode == "async" else {}
    options: dict[str, Any] = {"episodes": TOY, "num_envs": 2, "observation": "state"}
    env = gym.make_vec(ENV_ID, vectorization_mode=mode, vector_kwargs=vector_kwargs, **options)
    seen, _ = env.reset(options={"episode_id": "toy/000003"})
    assert seen["instruction"] == ("Find a hammer.",) * 2
    seen = env.step(np.zeros(2, int))[0]
    assert seen["instruction"] == ("Find a hammer.",) * 2
    env.close()


def test_an_async_vector_env_with_shared_memory_refuses_instead_of_returning_blanks() -> None:
    with pytest.raises(ValueError, match="shared_memory=False"):
        gym.make_vec(
            ENV_ID, num_envs=2, vectorization_mode="async", episodes=TOY, observation="state"
        )


def test_a_source_in_memory_is_shared_between_the_envs() -> None:
    source = EpisodeList(TOY)
    env = vector(episodes=source, num_envs=64, sampling="uniform")
    env.reset(seed=0)
    assert len({task.episode.id for task in env.tasks}) == len(TOY)


def test_ansi_renders_one_text_per_env() -> None:
    env = vector(render_mode="ansi")
    env.reset(seed=0)
    for text, episode in zip(env.render() or (), TOY[:3], strict=True):
        assert f"Task: {episode.instruction}" in str(text).splitlines()
