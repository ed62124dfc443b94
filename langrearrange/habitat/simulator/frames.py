"""Poses of ours (z up) as Habitat takes them: (4, 4) rows, y up. No simulator."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.sim.protocol import Camera

Rows = list[list[float]]
"""(4, 4), nested."""

_TO_Y_UP: Final = np.array([[1.0, 0.0, 0.0], [0.0, 0.0, 1.0], [0.0, -1.0, 0.0]])


def camera_pose(camera: Camera) -> Rows:
    """Return the (4, 4) pose, y up, of a camera given by its view."""
    view = np.asarray(camera.view, np.float64)
    turn = view[:, :3].T
    return y_up(np.column_stack([turn, -turn @ view[:, 3]]), turned=False)


def y_up(pose: NDArray[Any], *, turned: bool = True) -> Rows:
    """Return a (3, 4) pose of our frame (z up) as (4, 4) rows in Habitat's (y up).

    Args:
        pose: metres.
        turned: whether what is posed is itself given y up, as exported meshes are.
    """
    moved = _TO_Y_UP @ np.asarray(pose, np.float64)
    if turned:
        moved[:, :3] = moved[:, :3] @ _TO_Y_UP.T
    rows: Rows = np.vstack([moved, [0.0, 0.0, 0.0, 1.0]]).tolist()
    return rows
