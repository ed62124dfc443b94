"""What a simulator must do: load a household, show a state, draw cameras. Nothing about tasks.

Every pose follows from (house, objects, state), so that any two simulators agree by construction;
`langrearrange.testing.check_simulator` proves it for a new one.
"""

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from inspect import getattr_static
from typing import Any, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.episode import ObjectPlacement
from langrearrange.houses.geometry import Matrix, Pose2D
from langrearrange.houses.house import House
from langrearrange.world import WorldState


@dataclass(frozen=True, slots=True, eq=False)
class Camera:
    """A pinhole camera.

    Attributes:
        view: (3, 4) float32, house frame -> camera frame (x right, y up, -z forward), metres.
        hfov_deg: horizontal field of view, degrees; pixels are square.
    """

    view: Matrix
    hfov_deg: float


@dataclass(slots=True, eq=False)
class Frame:
    """Caller-owned buffers, all C-contiguous with the same height and width; None = not wanted.

    Attributes:
        rgb: (height, width, 3) uint8.
        depth: (height, width) float32, metres along the optical axis, 0 where nothing is.
        segmentation: (height, width) int32: -1 nothing; 0..num_objects-1 object index;
            1000 + i the i-th part of the house (`House.parts`); 2000 the robot itself.
    """

    rgb: NDArray[np.uint8] | None = None
    depth: NDArray[np.float32] | None = None
    segmentation: NDArray[np.int32] | None = None


SEGMENT_PART = 1000
SEGMENT_ROBOT = 2000


class Simulator(Protocol):
    """Shows one household at a time: `load` once an episode, `show` after every skill, then draw.

    All that the env calls. `sim.scene.Scene` gives the poses of parts, objects and arm. Subclass
    this, or define all members; a name for `simulator=` is registered in `sim.registry`.
    """

    @abstractmethod
    def load(self, house: House, objects: Sequence[ObjectPlacement], start: Pose2D) -> None:
        """Build the household of an episode; `start` is the robot's pose before its first nav."""

    @abstractmethod
    def show(self, state: WorldState) -> None:
        """Put everything where the state says it is."""

    @abstractmethod
    def head_camera(self) -> Camera:
        """Return the robot's head camera in the state shown last."""

    @property
    @abstractmethod
    def joints(self) -> NDArray[np.float32]:
        """(7,) float32: the arm's joint angles in the state shown last, rad in [-pi, pi]."""

    @abstractmethod
    def render(self, camera: Camera, frame: Frame) -> None:
        """Draw into the frame's buffers; every pixel of those that are not None is written."""

    @staticmethod
    def render_batch(
        simulators: Sequence[Any],
        frames: Sequence[Frame],
        cameras: Sequence[Camera] | None = None,
        threads: int = 1,
    ) -> None:
        """Draw one view of each simulator, as many at once as can be.

        The bytes are those of one `render` after the other, which is what this does.

        Args:
            simulators: n of them, made by one factory with the same options.
            frames: n frames.
            cameras: n cameras; None: each one's head camera.
            threads: how many threads may share the work.
        """
        cameras = cameras or [simulator.head_camera() for simulator in simulators]
        for simulator, camera, frame in zip(simulators, cameras, frames, strict=True):
            simulator.render(camera, frame)

    @abstractmethod
    def close(self) -> None:
        """Free what the simulator holds; harmless when called twice."""


_MEMBERS: Final = ("load", "show", "head_camera", "joints", "render", "render_batch", "close")


def missing_members(candidate: object) -> list[str]:
    """Return what an object lacks of `Simulator`; the empty list if it is one."""
    if isinstance(candidate, type):
        return list(_MEMBERS)
    return [name for name in _MEMBERS if getattr_static(candidate, name, None) is None]
