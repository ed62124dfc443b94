"""Fewer triangles: vertices that share a cell of a grid become one. Not for exact surfaces.

Vertex clustering (Rossignac and Borrel 1993): quick, robust against any input, and the error is
known, as no vertex moves farther than its cell is wide.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.houses.mesh import Mesh

_FINEST: Final = 2048
_SMOOTH_COS: Final = 0.64
"""Faces that meet at less than 50 degrees share a normal."""


class Decimated(NamedTuple):
    """A mesh with fewer triangles, and how far vertices moved (m)."""

    mesh: Mesh
    mean_shift: float
    largest_shift: float


def decimated(mesh: Mesh, max_triangles: int) -> Decimated:
    """Return the finest clustering of a mesh that has at most so many triangles.

    Args:
        mesh: without texture; colours are averaged, normals made anew.
        max_triangles: at least 1.
    """
    if len(mesh.faces) <= max_triangles:
        return Decimated(mesh, 0.0, 0.0)
    coarse, fine = 1, _FINEST
    while coarse < fine:  # the finest grid, by bisection, that leaves few enough triangles
        cells = (coarse + fine + 1) // 2
        cluster = _clusters(mesh.positions, cells)
        if len(_kept(cluster[mesh.faces])) <= max_triangles:
            coarse = cells
        else:
            fine = cells - 1
    return _merged(mesh, _clusters(mesh.positions, coarse))


def _clusters(positions: NDArray[np.float32], cells: int) -> NDArray[np.int64]:
    """Return the cluster of every vertex, numbered from 0, with `cells` along the longest side."""
    low = positions.min(axis=0).astype(np.float64)
    side = float((positions.max(axis=0) - low).max()) / cells or 1.0
    index = np.minimum(((positions - low) / side).astype(np.int64), cells)
    key = (index[:, 0] * (cells + 1) + index[:, 1]) * (cells + 1) + index[:, 2]
    _, cluster = np.unique(key, return_inverse=True)
    return cluster.reshape(-1)


def _kept(faces: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return faces with three different corners, each set of corners in one order once."""
    a, b, c = faces[:, 0], faces[:, 1], faces[:, 2]
    whole = faces[(a != b) & (b != c) & (a != c)]
    first = np.argmin(whole, axis=1)
    turned = np.take_along_axis(whole, (first[:, None] + np.arange(3)) % 3, axis=1)
    return np.unique(turned, axis=0)


def _merged(mesh: Mesh, cluster: NDArray[np.int64]) -> Decimated:
    count = int(cluster.max()) + 1
    weight = np.bincount(cluster, minlength=count)[:, None]
    positions = _mean(mesh.positions, cluster, weight)
    colors = _mean(mesh.colors, cluster, weight)
    shift = np.linalg.norm(positions[cluster] - mesh.positions, axis=1)
    faces = _kept(cluster[mesh.faces])
    return Decimated(
        faceted(positions.astype(np.float32), colors.astype(np.float32), faces),
        float(shift.mean()),
        float(shift.max()),
    )


def _mean(
    values: NDArray[np.float32], cluster: NDArray[np.int64], weight: NDArray[np.int64]
) -> NDArray[np.float64]:
    total = np.zeros((len(weight), values.shape[1]))
    np.add.at(total, cluster, values)
    return total / weight


def faceted(
    positions: NDArray[np.float32], colors: NDArray[np.float32], faces: NDArray[np.int64]
) -> Mesh:
    """Return a mesh with normals of its own: smooth where faces meet flatly, else with an edge."""
    corners = positions[faces].astype(np.float64)
    area = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    normals = _corner_normals(faces, area)
    table = np.concatenate([faces.reshape(-1, 1), np.round(normals * 512).astype(np.int64)], axis=1)
    rows, inverse = np.unique(table, axis=0, return_inverse=True)
    origin = rows[:, 0]
    return Mesh(
        positions[origin],
        _unit(rows[:, 1:] / 512).astype(np.float32),
        colors[origin],
        inverse.reshape(-1, 3).astype(np.int32),
    )


def _corner_normals(faces: NDArray[np.int64], area: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return (3 f, 3) normals: of each corner's own face and those that meet it there flatly.

    `area` holds normals as long as twice the face is large, so that large faces count for more.
    """
    flat = _unit(area)
    vertex = faces.reshape(-1)
    order = np.argsort(vertex, kind="stable")
    _, start, count = np.unique(vertex[order], return_index=True, return_counts=True)
    group = np.repeat(np.arange(len(start)), count)
    face = order // 3
    total = np.zeros((len(vertex), 3))
    for step in range(int(count.max(initial=0))):
        mine = np.flatnonzero(count[group] > step)
        first, size = start[group[mine]], count[group[mine]]
        other = face[first + (mine - first + step) % size]
        meets = (flat[face[mine]] * flat[other]).sum(axis=1) > _SMOOTH_COS
        total[order[mine[meets]]] += area[other[meets]]
    return _unit(total)


def _unit(vectors: NDArray[np.float64]) -> NDArray[np.float64]:
    length = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.where(length > 1e-20, vectors / np.maximum(length, 1e-20), (0.0, 0.0, 1.0))
