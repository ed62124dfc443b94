"""Normals and colours of corners: smooth where faces meet flatly or alike, else with an edge."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.houses.mesh import Mesh

_SMOOTH_COS: Final = 0.64
"""Faces that meet at less than 50 degrees share a normal."""
_ALIKE: Final = 60.0
"""Colours of corners that differ by less, over all channels, are averaged."""
_STEPS: Final = 512
"""Normals are rounded to such a fraction, colours to 1, so that corners can share vertices."""


class Corners(NamedTuple):
    """Triangles before they have normals: points (n, 3), faces (f, 3), colours (f, 3, 3)."""

    points: NDArray[np.float64]
    faces: NDArray[np.int64]
    colors: NDArray[np.floating[Any]]


def mesh_of_corners(corners: Corners) -> Mesh:
    """Return a mesh with normals and colours made for every corner from those that it meets."""
    faces = corners.faces
    a, b, c = (corners.points[faces[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)  # as long as the face is large, so that large faces count more
    flat = _unit(area)
    colors = corners.colors.reshape(-1, 3)
    normal, color = np.zeros((faces.size, 3)), np.zeros((faces.size, 3))
    alike = np.zeros((faces.size, 1))
    for mine, other in _meetings(faces):
        flatly = (flat[mine // 3] * flat[other // 3]).sum(axis=1) > _SMOOTH_COS
        normal[mine[flatly]] += area[other[flatly] // 3]
        like = np.abs(colors[mine] - colors[other]).sum(axis=1) < _ALIKE
        color[mine[like]] += colors[other[like]]
        alike[mine[like]] += 1
    rounded = [_unit(normal) * _STEPS, color / np.maximum(alike, 1)]
    table = np.concatenate(
        [faces.reshape(-1, 1), *(np.round(r).astype(np.int64) for r in rounded)], 1
    )
    rows, inverse = np.unique(table, axis=0, return_inverse=True)
    return Mesh(
        corners.points[rows[:, 0]].astype(np.float32),
        _unit(rows[:, 1:4] / _STEPS).astype(np.float32),
        rows[:, 4:].astype(np.float32),
        inverse.reshape(-1, 3).astype(np.int32),
    )


def _meetings(faces: NDArray[np.int64]) -> Iterator[tuple[NDArray[np.int64], NDArray[np.int64]]]:
    """Yield pairs of corners (3 * face + k) in one point, every pair once, many at a time."""
    corner = faces.reshape(-1)
    order = np.argsort(corner, kind="stable")
    _, start, count = np.unique(corner[order], return_index=True, return_counts=True)
    group = np.repeat(np.arange(len(start)), count)
    for step in range(int(count.max(initial=0))):
        mine = np.flatnonzero(count[group] > step)
        first, size = start[group[mine]], count[group[mine]]
        yield order[mine], order[first + (mine - first + step) % size]


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-20, vectors / np.maximum(length, 1e-20), (0.0, 0.0, 1.0))
