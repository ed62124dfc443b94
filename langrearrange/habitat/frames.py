"""Between our frame (z up) and that of glTF and Habitat (y up): points and poses. No files.

Ours: x, y on the floor, z up. Theirs: y up. (x, y, z) here is (x, z, -y) there: a quarter turn
about x, so that right-handed stays right-handed and a yaw about our z is one about their y.
"""

from __future__ import annotations

import math
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.houses.geometry import Matrix
from langrearrange.sim.protocol import Camera

Transform = NDArray[np.float64]
"""A (4, 4) transform, y up, metres."""
Rows = list[list[float]]
"""The same, nested."""
_TO_Y_UP: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def to_y_up(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return points or directions (n, 3) of our frame in a y-up frame."""
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)


def to_z_up(point: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return a point or direction (3,) of a y-up frame in ours."""
    return np.array([point[0], -point[2], point[1]])


def y_up(pose: NDArray[Any]) -> Transform:
    """Return a (3, 4) pose of something that is itself given y up, as exported meshes are."""
    moved = _TO_Y_UP @ np.asarray(pose, np.float64)
    moved[:, :3] = moved[:, :3] @ _TO_Y_UP.T
    return np.vstack([moved, [0.0, 0.0, 0.0, 1.0]])


def camera_pose(camera: Camera) -> Rows:
    """Return the (4, 4) pose, y up, of a camera given by its view."""
    view = np.asarray(camera.view, np.float64)
    turn = view[:, :3].T
    moved = _TO_Y_UP @ np.column_stack([turn, -turn @ view[:, 3]])
    rows: Rows = np.vstack([moved, [0.0, 0.0, 0.0, 1.0]]).tolist()
    return rows


def translation_y_up(pose: Matrix) -> list[float]:
    """Return the origin of a pose in a y-up frame, metres, rounded to a micrometre."""
    place: list[float] = (np.round(y_up(pose)[:3, 3], 6) + 0.0).tolist()
    return place


def yaw_of(pose: NDArray[Any]) -> float:
    """Return the yaw, rad, of a pose that is turned about the vertical only."""
    return math.atan2(float(pose[1, 0]), float(pose[0, 0]))


def quaternion_y_up(pose: Matrix) -> list[float]:
    """Return the yaw of a pose as the quaternion (w, x, y, z) in a y-up frame, w >= 0."""
    cos, sin = float(pose[0, 0]), float(pose[1, 0])
    large = math.sqrt(2 + 2 * abs(cos)) / 2  # of cosine and sine of half the yaw
    w, y = (large, sin / (2 * large)) if cos >= 0 else (sin / (2 * large), large)
    sign = -1.0 if w < 0 else 1.0
    return [round(sign * w, 7) + 0.0, 0.0, round(sign * y, 7) + 0.0, 0.0]


def inverse(pose: Matrix) -> Matrix:
    """Return the inverse of a (3, 4) rigid transform."""
    turn = pose[:, :3].T
    return np.concatenate([turn, -turn @ pose[:, 3:]], axis=1).astype(np.float32)
