"""Between our frame (z up) and that of glTF and Habitat (y up): points, poses, joints. No files.

Ours: x, y on the floor, z up. Theirs: y up. (x, y, z) here is (x, z, -y) there: a quarter turn
about x, so that right-handed stays right-handed and a yaw about our z is one about their y.
"""

from __future__ import annotations

import math
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import HouseError
from langrearrange.houses.geometry import Matrix

Points = NDArray[np.float32]
"""(n, 3) float32."""


_TO_Y_UP: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


class Joint(NamedTuple):
    """How a part moves from its closed pose: by turning or sliding along an axis.

    Attributes:
        kind: `revolute` or `prismatic`.
        axis: unit vector in the part's own frame, y up; opening is positive.
        travel: how far it opens, rad or m.
    """

    kind: str
    axis: tuple[float, float, float]
    travel: float


def to_y_up(points: Points) -> Points:
    """Return points or directions of our frame in a y-up frame."""
    return np.stack([points[:, 0], points[:, 2], -points[:, 1]], axis=1)


def translation_y_up(pose: Matrix) -> list[float]:
    """Return where a pose's origin lies in a y-up frame, metres, rounded to a micrometre."""
    x, y, z = (round(float(value), 6) + 0.0 for value in pose[:, 3])
    return [x, z, round(-y, 6) + 0.0]


def quaternion_y_up(pose: Matrix) -> list[float]:
    """Return a pose's rotation in a y-up frame as the quaternion (w, x, y, z), w >= 0."""
    w, x, y, z = _quaternion(pose[:, :3].astype(np.float64))
    return [round(value, 7) + 0.0 for value in (w, x, z, -y)]


def matrix_y_up(pose: Matrix) -> list[list[float]]:
    """Return a pose as the rows of a (4, 4) matrix in a y-up frame, rounded to 10^-6."""
    turned = _TO_Y_UP @ pose[:, :3].astype(np.float64) @ _TO_Y_UP.T
    place = _TO_Y_UP @ pose[:, 3].astype(np.float64)
    rows = np.vstack([np.column_stack([turned, place]), [0.0, 0.0, 0.0, 1.0]])
    rounded: list[list[float]] = (np.round(rows, 6) + 0.0).tolist()
    return rounded


def _quaternion(m: NDArray[np.float64]) -> tuple[float, float, float, float]:
    """Return (w, x, y, z) of a rotation matrix by the largest component (Shepperd 1978)."""
    squares = np.array(
        [
            1 + m[0, 0] + m[1, 1] + m[2, 2],
            1 + m[0, 0] - m[1, 1] - m[2, 2],
            1 - m[0, 0] + m[1, 1] - m[2, 2],
            1 - m[0, 0] - m[1, 1] + m[2, 2],
        ]
    )
    k = int(np.argmax(squares))
    big = math.sqrt(squares[k]) / 2
    a, b, c = m[2, 1] - m[1, 2], m[0, 2] - m[2, 0], m[1, 0] - m[0, 1]
    d, e, f = m[1, 0] + m[0, 1], m[0, 2] + m[2, 0], m[2, 1] + m[1, 2]
    rows = ((None, a, b, c), (a, None, d, e), (b, d, None, f), (c, e, f, None))
    values = [big if v is None else float(v) / (4 * big) for v in rows[k]]
    sign = -1.0 if values[0] < 0 else 1.0
    w, x, y, z = (sign * value for value in values)
    return w, x, y, z


def inverse(pose: Matrix) -> Matrix:
    """Return the inverse of a (3, 4) rigid transform."""
    turn = pose[:, :3].T
    return np.concatenate([turn, -turn @ pose[:, 3:]], axis=1).astype(np.float32)


def joint_between(closed: Matrix, opened: Matrix) -> Joint:
    """Return the joint that carries a part from its closed to its opened pose.

    Raises:
        HouseError: the part neither slides along a line nor turns about an upright hinge at its
            origin.
    """
    turn = closed[:, :3].astype(np.float64).T @ opened[:, :3]
    slide = closed[:, :3].astype(np.float64).T @ (opened[:, 3] - closed[:, 3])
    angle = math.atan2(turn[1, 0], turn[0, 0])
    distance = float(np.linalg.norm(slide))
    if abs(angle) < 1e-6 and distance > 1e-6:
        x, y, z = (round(float(value) / distance, 6) + 0.0 for value in slide)
        return Joint("prismatic", (x, z, round(-y, 6) + 0.0), round(distance, 6))
    if distance < 1e-5 and abs(turn[2, 2] - 1) < 1e-5 and abs(angle) > 1e-6:
        return Joint("revolute", (0.0, math.copysign(1.0, angle), 0.0), round(abs(angle), 6))
    raise HouseError("a part moves by neither a slide nor an upright hinge; URDF has no such joint")
