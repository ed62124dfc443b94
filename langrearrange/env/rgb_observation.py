"""The `rgb` observation: the head camera and what the robot feels of its own body.

Pictures are drawn straight into the arrays that are returned; many envs by one call.
"""

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from langrearrange.env.config import EnvConfig
from langrearrange.env.observer import Observation
from langrearrange.env.spaces import MAX_DEPTH_M, MAX_DISTANCE_M, NUM_JOINTS, InstructionText
from langrearrange.env.task import Task
from langrearrange.env.text_observation import feedback
from langrearrange.houses import Pose2D, get_house
from langrearrange.sim import Frame, load_episode, start_pose
from langrearrange.world.vocabulary import START

RelativePose = tuple[float, float, float]


class RgbObserver:
    """The `rgb` modality of one or many envs, with the extras `depth` and `segmentation`.

    Args:
        config: which extras, which camera, how large; how many rows: each has a simulator of its
            own, meshes are shared; whether a batch is drawn into fresh arrays, by how many threads.

    Attributes:
        simulators: of each row.
    """

    symbolic = False

    def __init__(self, config: EnvConfig) -> None:
        size, num_envs = config.image_size, config.num_envs
        pose = np.array([MAX_DISTANCE_M, MAX_DISTANCE_M, np.pi], np.float32)
        self.fields: dict[str, spaces.Space[Any]] = {
            "rgb": spaces.Box(0, 255, (size, size, 3), np.uint8),
            "joints": spaces.Box(-np.pi, np.pi, (NUM_JOINTS,), np.float32),
            "holding": spaces.Box(0, 1, (1,), np.int8),
            "pose": spaces.Box(-pose, pose, dtype=np.float32),
        }
        if "depth" in config.extras:
            self.fields["depth"] = spaces.Box(0, MAX_DEPTH_M, (size, size, 1), np.float32)
        if "segmentation" in config.extras:
            self.fields["segmentation"] = spaces.Box(-1, 2**31 - 1, (size, size), np.int32)
        self._config = config
        self.simulators = [config.make_simulator() for _ in range(num_envs)]
        self._pictures = None if config.copy else self._new_pictures(num_envs)

    def begin(self, row: int, task: Task) -> None:
        """Load the household of a row's new episode."""
        load_episode(self.simulators[row], task.episode)

    def observe(self, row: int, task: Task) -> Observation:
        """Return the fields of one row in fresh arrays."""
        fields = self._fields([row], [task], self._new_pictures(1))
        return {name: array[0] for name, array in fields.items()}

    def observe_batch(self, tasks: Sequence[Task]) -> Observation:
        """Return the fields of all rows, drawn by one call straight into the batch."""
        pictures = self._pictures or self._new_pictures(len(tasks))
        return self._fields(range(len(tasks)), tasks, pictures)

    def close(self) -> None:
        """Free the simulators; harmless when called twice."""
        for simulator in self.simulators:
            simulator.close()

    def _fields(
        self, rows: Sequence[int], tasks: Sequence[Task], pictures: Mapping[str, NDArray[Any]]
    ) -> Observation:
        simulators = [self.simulators[row] for row in rows]
        for simulator, task in zip(simulators, tasks, strict=True):
            simulator.show(task.state)
        drawn = {name: a[..., 0] if name == "depth" else a for name, a in pictures.items()}
        frames = [Frame(**{name: a[i] for name, a in drawn.items()}) for i in range(len(tasks))]
        simulators[0].render_batch(simulators, frames, threads=self._config.threads)
        return {
            **pictures,
            "joints": np.stack([simulator.joints for simulator in simulators]),
            "holding": np.array([[task.state.held >= 0] for task in tasks], np.int8),
            "pose": np.array([_pose(task) for task in tasks], np.float32),
        }

    def _new_pictures(self, count: int) -> dict[str, NDArray[Any]]:
        return {
            name: np.empty((count, *self.fields[name].shape), self.fields[name].dtype)  # type: ignore[misc]
            for name in ("rgb", "depth", "segmentation")
            if name in self.fields
        }


class FeedbackObserver(RgbObserver):
    """The `rgb+feedback` modality: `rgb` and a sentence about the last action."""

    def __init__(self, config: EnvConfig) -> None:
        super().__init__(config)
        self.fields["feedback"] = InstructionText()

    def observe(self, row: int, task: Task) -> Observation:
        """Return the fields of one row."""
        return {**super().observe(row, task), "feedback": feedback(task)}

    def observe_batch(self, tasks: Sequence[Task]) -> Observation:
        """Return the fields of all rows."""
        sentences = tuple(map(feedback, tasks))
        return {**super().observe_batch(tasks), "feedback": sentences}


def _pose(task: Task) -> RelativePose:
    if task.state.place == START:
        return 0.0, 0.0, 0.0
    stance = get_house(task.episode.house).stance(task.state.place)
    return relative_pose(stance, start_pose(task.episode))


def relative_pose(pose: Pose2D, start: Pose2D) -> RelativePose:
    """Return a pose in the frame of the start pose: x ahead and y left in m, yaw in [-pi, pi)."""
    dx, dy = (pose.x_mm - start.x_mm) / 1000, (pose.y_mm - start.y_mm) / 1000
    turn = start.yaw_mrad / 1000
    c, s = math.cos(turn), math.sin(turn)
    yaw = pose.yaw_mrad / 1000 - turn
    yaw = (yaw + math.pi) % (2 * math.pi) - math.pi
    # The largest doubles below pi round up to pi as float32, which is -pi.
    yaw = -math.pi if np.float32(yaw) >= np.float32(math.pi) else yaw
    return c * dx + s * dy, c * dy - s * dx, yaw
