"""From points and faces to a mesh: welding, smooth normals with creases. Not for any given shape.

Golden frames must agree between machines, so positions are rounded to 0.01 mm and no sum depends
on a vector unit's order.
"""

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import HouseError
from langrearrange.houses.mesh import Mesh

Color = tuple[float, float, float]
"""Red, green, blue in [0, 255]."""
Point3 = tuple[float, float, float]
Array = NDArray[np.float64]


def solid(
    points: Sequence[Point3] | Array,
    faces: Sequence[tuple[int, int, int]],
    colors: Sequence[Color] | Color,
    crease_deg: float = 40.0,
) -> Mesh:
    """Build a mesh with smooth normals, split where neighbouring faces meet at a crease.

    Args:
        points: (n, 3) positions, metres; equal ones (to 0.01 mm) are welded.
        faces: index triples, counter-clockwise from outside; degenerate ones are dropped.
        colors: one colour, or one per face.
        crease_deg: edges sharper than this stay sharp; 0 shades every face flat.
    """
    position = np.asarray(points, np.float64).round(5) + np.float64(0)  # no negative zeros
    vertex, first = _unique_rows(np.round(position * 1e5).astype(np.int64))
    position = position[first]
    face = vertex[np.asarray(faces, np.int64).reshape(-1, 3)]
    color = np.asarray(colors, np.float64)
    color = np.broadcast_to(color, (len(face), 3))
    a, b, c = (position[face[:, k]] for k in range(3))
    normal = np.cross(b - a, c - a)
    area = np.sqrt(_dot(normal, normal))
    keep = area > 1e-11
    face, color, normal, area = face[keep], color[keep], normal[keep], area[keep]
    if not len(face):
        raise HouseError("shape: no face has an area; give points that are not all in one line")
    corner_normal = _corner_normals(face.reshape(-1), normal, area, crease_deg)
    corner = face.reshape(-1)
    key = np.concatenate(
        [
            corner[:, None],
            np.round(corner_normal * 500).astype(np.int64),
            np.round(np.repeat(color, 3, axis=0) * 4).astype(np.int64),
        ],
        axis=1,
    )
    index, first = _unique_rows(key)
    return Mesh(
        position[corner[first]].astype(np.float32),
        np.round(corner_normal[first], 4).astype(np.float32),
        np.repeat(color, 3, axis=0)[first].astype(np.float32),
        index.reshape(-1, 3).astype(np.int32),
    )


def _dot(a: Array, b: Array) -> Array:
    return a[:, 0] * b[:, 0] + a[:, 1] * b[:, 1] + a[:, 2] * b[:, 2]


def unit_rows(a: Array) -> Array:
    """Return the rows of (n, 3) scaled to length 1."""
    return a / np.maximum(np.sqrt(_dot(a, a)), 1e-12)[:, None]


def _unique_rows(rows: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return each row's class and each class's first row, classes in order of appearance."""
    order = np.lexsort(rows.T[::-1])
    ordered = rows[order]
    fresh = np.concatenate([[True], (ordered[1:] != ordered[:-1]).any(axis=1)])
    group = np.cumsum(fresh) - 1
    first = order[fresh]  # lexsort is stable: the first of each group has the lowest index
    rank = np.argsort(np.argsort(first, kind="stable"), kind="stable")
    index = np.empty(len(rows), np.int64)
    index[order] = rank[group]
    return index, np.sort(first)


def _corner_normals(
    corner: NDArray[np.int64], normal: Array, area: Array, crease_deg: float
) -> Array:
    """Area-weighted mean normal of the faces around each corner that lie within the crease."""
    order = np.argsort(corner, kind="stable")
    vertex = corner[order]
    weighted = normal[order // 3]
    unit = weighted / area[order // 3][:, None]
    total = weighted.copy()
    limit = math.cos(math.radians(crease_deg)) if crease_deg > 0 else 2.0
    for k in range(1, len(vertex)):
        same = vertex[k:] == vertex[:-k]
        if not same.any():
            break
        close = (same & (_dot(unit[k:], unit[:-k]) > limit))[:, None]
        total[:-k] += np.where(close, weighted[k:], 0.0)
        total[k:] += np.where(close, weighted[:-k], 0.0)
    result = np.empty_like(total)
    result[order] = unit_rows(total)
    return result
