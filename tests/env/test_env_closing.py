"""Closing an env frees what it drew with: every row's simulator, once or more often."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import pytest

import langrearrange  # noqa: F401
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.testing import toy_episodes

TOY = toy_episodes()


class Counted(EmbeddedSimulator):
    """Counts how often it was closed."""

    times_closed = 0

    def close(self) -> None:
        super().close()
        self.times_closed += 1


@pytest.mark.parametrize("num_envs", [None, 3])
def test_the_simulator_of_every_row_and_that_of_the_picture_are_closed(
    num_envs: int | None,
) -> None:
    made: list[Counted] = []

    def factory() -> Counted:
        made.append(Counted())
        return made[-1]

    options: dict[str, Any] = {"episodes": TOY, "simulator": factory, "render_mode": "rgb_array"}
    options["image_size"] = 32
    env: Any
    if num_envs is None:
        env = gym.make("LangRearrange-v0", disable_env_checker=True, **options)
    else:
        env = gym.make_vec("LangRearrange-v0", num_envs=num_envs, **options)
    env.reset(seed=0)
    env.render()
    assert len(made) == (num_envs or 1) + 1
    assert not any(simulator.times_closed for simulator in made)
    env.close()
    assert all(simulator.times_closed for simulator in made)
    env.close()
