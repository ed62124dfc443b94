"""What an env shows: the instruction, its modality's fields and, if asked for, the action mask."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from langrearrange.env.config import EnvConfig
from langrearrange.env.observer import Observation, Observer, modality_name, observer_factory
from langrearrange.env.spaces import InstructionText
from langrearrange.env.task import STOP, Task
from langrearrange.errors import HabitatError, UsageError
from langrearrange.world import valid_mask


class Observations:
    """The whole observations of one or many envs; every call returns new objects.

    Args:
        config: which modality and extras.

    Attributes:
        modality: its name, as agents and traces have it.
        space: of one env.

    Raises:
        UsageError: the modality's factory returned no observer, or it has not all the extras.
    """

    def __init__(self, config: EnvConfig) -> None:
        self.modality = modality_name(config.modality)
        observer = observer_factory(config.modality)(config)
        if not isinstance(observer, Observer):
            raise UsageError(
                f"observation '{self.modality}' made a {type(observer).__name__}, which is not an "
                "observer: it needs symbolic, fields, begin, observe, observe_batch and close"
            )
        fields = {"instruction": InstructionText(), **observer.fields}
        self._mask = "action_mask" in config.extras
        if self._mask:
            fields["action_mask"] = spaces.Box(0, 1, (config.num_actions,), np.int8)
        if missing := sorted(set(config.extras) - fields.keys()):
            raise UsageError(
                f"observation '{self.modality}' has no extra '{missing[0]}'; pictures need an "
                "observation that draws them, such as 'rgb'"
            )
        self.space = spaces.Dict(fields)
        self._observer, self._config = observer, config
        self.begin, self.close = observer.begin, observer.close

    @property
    def habitat_sim(self) -> Any:
        """The `habitat_sim.Simulator` of the first env; HabitatError without one."""
        for simulator in getattr(self._observer, "simulators", ()):
            if hasattr(type(simulator), "habitat_sim"):
                return simulator.habitat_sim
        raise HabitatError(
            f"simulator={self._config.simulator!r} with observation={self.modality!r} draws "
            "nothing with Habitat; pass simulator='habitat' and an observation with pictures, such "
            "as 'rgb'"
        )

    def observe(self, row: int, task: Task) -> Observation:
        """Return the observation of the env of this row."""
        observation = {"instruction": task.episode.instruction, **self._observer.observe(row, task)}
        if self._mask:
            observation["action_mask"] = action_mask(task)
        return observation

    def observe_batch(self, tasks: Sequence[Task]) -> Observation:
        """Return the observations of all rows, arrays with a leading axis, texts as tuples."""
        instructions = tuple(task.episode.instruction for task in tasks)
        observation = {"instruction": instructions, **self._observer.observe_batch(tasks)}
        if self._mask:
            observation["action_mask"] = np.stack([action_mask(task) for task in tasks])
        return observation


def rows_of(observations: Observation, rows: Sequence[int]) -> Observation:
    """Return some rows of a batch: arrays keep their leading axis, texts stay tuples."""
    return {
        name: tuple(values[row] for row in rows) if isinstance(values, tuple) else values[rows]
        for name, values in observations.items()
    }


def action_mask(task: Task) -> NDArray[np.int8]:
    """Return which actions would not be a no-op now, shape (num_actions,), int8; privileged."""
    mask = valid_mask(task.layout, task.state) | 1 << STOP
    bits = np.frombuffer(mask.to_bytes(-(-(STOP + 1) // 8), "little"), np.uint8)
    return np.unpackbits(bits, count=task.rules.num_actions, bitorder="little").view(np.int8)


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
