"""What a simulator must do: load a household, show a state, draw cameras. Nothing about tasks.

Every pose follows from (house, objects, state), so that any two simulators agree by construction;
`langrearrange.testing.check_simulator` proves it for a new one.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, runtime_checkable

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


@runtime_checkable
class Simulator(Protocol):
    """A narrow protocol; see the module's sentence."""

    def load(self, house: House, objects: Sequence[ObjectPlacement], start: Pose2D) -> None:
        """Build the household of an episode; `start` is the robot's pose before its first nav."""
        ...

    def show(self, state: WorldState) -> None:
        """Put everything where the state says it is."""
        ...

    def head_camera(self) -> Camera:
        """Return the robot's head camera in the state shown last."""
        ...

    def render(self, camera: Camera, frame: Frame) -> None:
        """Draw into the frame's buffers."""
        ...

    def close(self) -> None:
        """Free what the simulator holds; harmless when called twice."""
        ...
