"""The `rgb` observation: the head camera and what the robot feels of its own body.

Pictures are drawn straight into the arrays that are returned; many envs by one call.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from langrearrange.env.config import EnvConfig
from langrearrange.env.observations import Observation, action_mask
from langrearrange.env.simulators import draw_heads, make_simulator
from langrearrange.env.task import Task
from langrearrange.houses import House, Pose2D, get_house
from langrearrange.sim import Frame
from langrearrange.world.vocabulary import START

RelativePose = tuple[float, float, float]


class RgbObserver:
    """The `rgb` observation of one or many envs, with its extras.

    Args:
        config: which fields, which camera, how large.
        num_envs: how many rows; each has a simulator of its own, meshes are shared.
        copy: False overwrites the same picture arrays at every `batch`.
        threads: how many threads draw a batch.
    """

    def __init__(
        self, config: EnvConfig, num_envs: int = 1, *, copy: bool = True, threads: int = 1
    ) -> None:
        self._config = config
        self._threads = threads
        self._simulators = [make_simulator(config) for _ in range(num_envs)]
        self._poses: list[list[RelativePose | None]] = [[] for _ in range(num_envs)]
        self._houses: list[House | None] = [None] * num_envs
        self._pictures = None if copy else self._new_pictures(num_envs)

    def begin(self, row: int, task: Task) -> None:
        """Load the household of a row's new episode."""
        episode = task.episode
        house = get_house(episode.house)
        self._simulators[row].load(house, episode.objects, start_pose(task))
        self._houses[row] = house
        self._poses[row] = [None] * START + [(0.0, 0.0, 0.0)]

    def one(self, row: int, task: Task) -> Observation:
        """Return the observation of one row in fresh arrays."""
        pictures = self._new_pictures(1)
        self._draw(pictures, [row], [task])
        observation: Observation = {"instruction": task.episode.instruction}
        observation.update({name: array[0] for name, array in pictures.items()})
        joints = self._simulators[row].joints
        observation["joints"] = joints.copy()
        observation["holding"] = np.array([task.state.held >= 0], np.int8)
        observation["pose"] = _float32(self._pose(row, task))
        if self._config.feedback:
            observation["feedback"] = task.outcome.sentence
        if "action_mask" in self._config.extras:
            observation["action_mask"] = action_mask(task)
        return observation

    def batch(self, tasks: Sequence[Task]) -> Observation:
        """Return the observations of all rows, drawn by one call straight into the batch."""
        rows = range(len(tasks))
        pictures = self._pictures or self._new_pictures(len(tasks))
        self._draw(pictures, rows, tasks)
        observation: Observation = {
            "instruction": tuple(task.episode.instruction for task in tasks),
            **pictures,
            "joints": np.stack([simulator.joints for simulator in self._simulators]),
            "holding": np.array([[task.state.held >= 0] for task in tasks], np.int8),
            "pose": _float32([self._pose(row, tasks[row]) for row in rows]),
        }
        if self._config.feedback:
            observation["feedback"] = tuple(task.outcome.sentence for task in tasks)
        if "action_mask" in self._config.extras:
            observation["action_mask"] = np.stack([action_mask(task) for task in tasks])
        return observation

    def close(self) -> None:
        """Free the simulators; harmless when called twice."""
        for simulator in self._simulators:
            simulator.close()

    def _new_pictures(self, count: int) -> dict[str, NDArray[Any]]:
        size, extras = self._config.image_size, self._config.extras
        pictures: dict[str, NDArray[Any]] = {"rgb": np.empty((count, size, size, 3), np.uint8)}
        if "depth" in extras:
            pictures["depth"] = np.empty((count, size, size, 1), np.float32)
        if "segmentation" in extras:
            pictures["segmentation"] = np.empty((count, size, size), np.int32)
        return pictures

    def _draw(
        self, pictures: Mapping[str, NDArray[Any]], rows: Sequence[int], tasks: Sequence[Task]
    ) -> None:
        simulators = [self._simulators[row] for row in rows]
        for simulator, task in zip(simulators, tasks, strict=True):
            simulator.show(task.state)
        if len(pictures) == 1:
            draw_heads(self._config, simulators, pictures["rgb"], self._threads)
            return
        depth, segmentation = pictures.get("depth"), pictures.get("segmentation")
        frames = [
            Frame(
                rgb=rgb,
                depth=None if depth is None else depth[i, :, :, 0],
                segmentation=None if segmentation is None else segmentation[i],
            )
            for i, rgb in enumerate(pictures["rgb"])
        ]
        draw_heads(self._config, simulators, frames, self._threads)

    def _pose(self, row: int, task: Task) -> RelativePose:
        place = task.state.place
        pose = self._poses[row][place]
        if pose is None:
            house = self._houses[row]
            assert house is not None  # `begin` came first
            pose = relative_pose(house.stance(place), start_pose(task))
            self._poses[row][place] = pose
        return pose


def start_pose(task: Task) -> Pose2D:
    """Return the robot's pose before its first nav."""
    start = task.episode.start
    return Pose2D(start.x, start.y, start.yaw)


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


def _float32(values: Any) -> NDArray[np.float32]:
    return np.array(values, np.float32)
