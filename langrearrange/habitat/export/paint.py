"""Our renderer's light baked into colours, and meshes carried to a pose: made ready for export.

Habitat's flat shader shows colours as they are, so that an exported flat looks there as it does
here. Not for light that moves with things: what is turned later keeps the light of its first pose.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import numpy as np

from langrearrange.houses.geometry import Matrix
from langrearrange.houses.mesh import Mesh

LIGHT: Final = (0.36, -0.28, 0.89)
"""Towards the light, house frame; the numbers are those of the embedded renderer (tested)."""
AMBIENT: Final = 0.62
DIFFUSE: Final = 0.36
SKY: Final = 0.06
_SHADE_SLOPE: Final = 0.25
"""What faces away keeps this share of the slope, so that shapes stay readable in the shade."""


def carried(mesh: Mesh, pose: Matrix) -> Mesh:
    """Return a mesh in the frame that its pose is given in."""
    turn = pose[:, :3]
    return replace(
        mesh,
        positions=(mesh.positions @ turn.T + pose[:, 3]).astype(np.float32),
        normals=(mesh.normals @ turn.T).astype(np.float32),
    )


def lit(mesh: Mesh, pose: Matrix) -> Mesh:
    """Return a mesh, still in its own frame, with the light it gets at a pose in its colours."""
    normals = mesh.normals @ pose[:, :3].T
    towards = normals @ np.array(LIGHT, np.float32)
    slope = np.where(towards > 0, towards, _SHADE_SLOPE * towards)
    shade = AMBIENT + SKY * normals[:, 2] + DIFFUSE * slope
    return replace(mesh, colors=np.clip(mesh.colors * shade[:, None], 0, 255).astype(np.float32))
