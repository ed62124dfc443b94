"""Small geometric values shared by houses and simulators: poses in the plane and in space.

World frame: x, y on the floor, z up, metres (or integer millimetres where a name says `_mm`); yaw
counter-clockwise from +x. What enters an episode is integer; floats appear only when drawing.
"""

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Matrix = NDArray[np.float32]
"""A rigid transform, shape (3, 4), float32: rotation and translation (metres), row-major."""


@dataclass(frozen=True, slots=True)
class Pose2D:
    """A pose on the floor: x_mm, y_mm in millimetres, yaw_mrad in milliradians."""

    x_mm: int
    y_mm: int
    yaw_mrad: int

    def matrix(self, z_m: float = 0.0) -> Matrix:
        """Return the transform from this pose's frame to the house frame."""
        return rigid(self.x_mm / 1000, self.y_mm / 1000, z_m, self.yaw_mrad / 1000)


def rigid(x: float, y: float, z: float, yaw: float) -> Matrix:
    """Return a (3, 4) transform: rotation by yaw (rad) about z, then translation (m)."""
    c, s = math.cos(yaw), math.sin(yaw)
    return np.array([[c, -s, 0, x], [s, c, 0, y], [0, 0, 1, z]], np.float32)


def compose(outer: Matrix, inner: Matrix) -> Matrix:
    """Return outer * inner for (3, 4) rigid transforms."""
    result = np.empty((3, 4), np.float32)
    # Written out: a matrix product's last bit depends on the machine's BLAS, pixels must not.
    x, y, z = outer[:, 0:1], outer[:, 1:2], outer[:, 2:3]
    result[:] = x * inner[0] + y * inner[1] + z * inner[2]
    result[:, 3] += outer[:, 3]
    return result
