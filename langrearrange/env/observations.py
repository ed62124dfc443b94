"""Fills observations: one env's as a dict of fresh arrays, many envs' as batched arrays.

`state` and `text` need nothing but the task; pictures come from `env.rgb_observation`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

from langrearrange.env.config import EnvConfig
from langrearrange.env.spaces import STATE_SIZES
from langrearrange.env.state_observation import as_array, state_row
from langrearrange.env.task import STOP, Task
from langrearrange.env.text_observation import text
from langrearrange.world import valid_mask

Observation = dict[str, Any]
"""Field name -> array or text; the fields are those of the observation space."""


class Observer(Protocol):
    """Turns tasks into observations; every call returns new objects."""

    def begin(self, row: int, task: Task) -> None:
        """Take note that the env of this row plays another episode from now on."""
        ...

    def one(self, row: int, task: Task) -> Observation:
        """Return the observation of the env of this row."""
        ...

    def batch(self, tasks: Sequence[Task]) -> Observation:
        """Return the observations of all rows, arrays with a leading axis, texts as tuples."""
        ...

    def close(self) -> None:
        """Free what pictures need; harmless when called twice."""
        ...


class StateObserver:
    """The `state` observation."""

    def __init__(self, config: EnvConfig) -> None:
        self._mask = "action_mask" in config.extras

    def begin(self, row: int, task: Task) -> None:
        """Nothing to note."""

    def one(self, row: int, task: Task) -> Observation:
        """Return the arrays of `STATE_SIZES` and the instruction."""
        place, held, visible, openables, outcome = state_row(task)
        observation: Observation = {
            "instruction": task.episode.instruction,
            "place": as_array(place),
            "held": as_array(held),
            "visible": as_array(visible),
            "openables": as_array(openables),
            "outcome": as_array(outcome),
        }
        if self._mask:
            observation["action_mask"] = action_mask(task)
        return observation

    def batch(self, tasks: Sequence[Task]) -> Observation:
        """Return arrays of shape (num_envs, length) and a tuple of instructions."""
        observation: Observation = {"instruction": tuple(t.episode.instruction for t in tasks)}
        columns = zip(*map(state_row, tasks), strict=True)
        for (name, length), column in zip(STATE_SIZES.items(), columns, strict=True):
            observation[name] = as_array(b"".join(column)).reshape(-1, length)
        if self._mask:
            observation["action_mask"] = np.stack([action_mask(task) for task in tasks])
        return observation

    def close(self) -> None:
        """Nothing to free."""


class TextObserver:
    """The `text` observation."""

    def __init__(self, config: EnvConfig) -> None:
        self._mask = "action_mask" in config.extras

    def begin(self, row: int, task: Task) -> None:
        """Nothing to note."""

    def one(self, row: int, task: Task) -> Observation:
        """Return the instruction and the text."""
        observation: Observation = {"instruction": task.episode.instruction, "text": text(task)}
        if self._mask:
            observation["action_mask"] = action_mask(task)
        return observation

    def batch(self, tasks: Sequence[Task]) -> Observation:
        """Return tuples of instructions and texts."""
        observation: Observation = {
            "instruction": tuple(t.episode.instruction for t in tasks),
            "text": tuple(map(text, tasks)),
        }
        if self._mask:
            observation["action_mask"] = np.stack([action_mask(task) for task in tasks])
        return observation

    def close(self) -> None:
        """Nothing to free."""


def make_observer(
    config: EnvConfig, num_envs: int = 1, *, copy: bool = True, threads: int = 1
) -> Observer:
    """Return what fills the observations of `num_envs` envs.

    Args:
        config: which observation.
        num_envs: how many envs.
        copy: False overwrites the same pictures at every `batch`.
        threads: how many threads draw the pictures of a batch.
    """
    if config.observation == "state":
        return StateObserver(config)
    if config.observation == "text":
        return TextObserver(config)
    from langrearrange.env.rgb_observation import RgbObserver

    return RgbObserver(config, num_envs, copy=copy, threads=threads)


def action_mask(task: Task) -> NDArray[np.int8]:
    """Return which actions would not be a no-op now, shape (num_actions,), int8; privileged."""
    mask = valid_mask(task.layout, task.state) | 1 << STOP
    return np.array([mask >> i & 1 for i in range(task.rules.num_actions)], np.int8)


def step_info(task: Task) -> dict[str, Any]:
    """Return a fresh info dict; its keys are the same at reset and at every step."""
    return {
        "episode_id": task.episode.id,
        "template": task.episode.template,
        "outcome": task.outcome.value,
        "success": task.success,
        "steps": task.steps,
        "subgoals_reached": task.reached.bit_count(),
        "num_subgoals": task.num_subgoals,
    }
