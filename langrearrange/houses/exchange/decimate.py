"""Fewer triangles for a mesh of any origin, and how far its surface then lies from the old one.

Very fine meshes are first put on a grid (vertex clustering, Rossignac and Borrel 1993), then edges
collapse (`collapse`). Colours stay with their side of a seam. Not for textured meshes.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.houses.exchange.collapse import collapsed
from langrearrange.houses.exchange.facing import Corners, mesh_of_corners
from langrearrange.houses.mesh import Mesh

_FINE: Final = 40_000
"""More triangles than these are put on a grid first: quick, and at this size nearly exact."""
_FINEST: Final = 65536
"""Cells along the longest side: of 1 m, vertices 0.015 mm apart are still two."""

_SEAM: Final = 200.0
"""Colours that differ by more, over all channels, are on different sides of a seam."""


class Decimated(NamedTuple):
    """A mesh with fewer triangles; how far its surface lies from the old vertices (m), at most."""

    mesh: Mesh
    mean_error: float
    largest_error: float


def decimated(mesh: Mesh, max_triangles: int) -> Decimated:
    """Return a mesh of at most so many triangles with nearly the same surface.

    Args:
        mesh: without texture; normals are made anew where anything is left out.
        max_triangles: at least 1; a mesh without triangles comes out where none can be left.
    """
    if len(mesh.faces) <= max_triangles:
        return Decimated(mesh, 0.0, 0.0)
    points = mesh.positions.astype(np.float64)
    old_faces = mesh.faces.astype(np.int64)
    cluster = _finest(points, old_faces, max(_FINE, max_triangles))
    owner, seeds = cluster, _means(points, cluster)
    faces, origin = _kept(cluster[old_faces])
    shown = mesh.colors[old_faces[origin]].astype(np.float64)
    result = collapsed(seeds, faces, max_triangles, shown)
    owner, seeds, faces = result.owner[owner], result.points, result.faces
    origin = origin[result.origin]
    if len(faces) > max_triangles:  # nothing more collapses without a fold: the grid it is
        cluster = _finest(seeds, faces, max_triangles)
        owner, seeds = cluster[owner], _means(seeds, cluster)
        faces, rest = _kept(cluster[faces])
        origin = origin[rest]
    colors = _recolored(mesh, points, owner, Corners(seeds, faces, mesh.colors[old_faces[origin]]))
    fewer = mesh_of_corners(Corners(seeds, faces, colors))
    error = _distances(points, owner, seeds, faces)
    return Decimated(fewer, float(error.mean()), float(error.max()))


def _finest(points: NDArray[np.float64], faces: NDArray[np.int64], bound: int) -> NDArray[np.int64]:
    """Return the finest clustering (cluster of every point) that leaves so few triangles."""
    coarse, fine = 1, _FINEST
    while coarse < fine:
        cells = (coarse + fine + 1) // 2
        if len(_kept(_clusters(points, cells)[faces])[0]) <= bound:
            coarse = cells
        else:
            fine = cells - 1
    return _clusters(points, coarse)


def _clusters(points: NDArray[np.float64], cells: int) -> NDArray[np.int64]:
    """Return the cluster of every point, numbered from 0, with `cells` along the longest side."""
    low = points.min(axis=0)
    side = float((points.max(axis=0) - low).max()) / cells or 1.0
    index = np.minimum(((points - low) / side + 1e-6).astype(np.int64), cells - 1)
    key = (index[:, 0] * cells + index[:, 1]) * cells + index[:, 2]
    _, cluster = np.unique(key, return_inverse=True)
    return cluster.reshape(-1)


def _kept(faces: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Return faces with three different corners, doubles left out, and which ones they were."""
    whole = np.flatnonzero((faces != np.roll(faces, 1, axis=1)).all(axis=1))
    first = np.argmin(faces[whole], axis=1)
    turned = np.take_along_axis(faces[whole], (first[:, None] + np.arange(3)) % 3, axis=1)
    _, index = np.unique(turned, axis=0, return_index=True)
    index.sort()
    return faces[whole[index]], whole[index]


def _means(points: NDArray[np.float64], cluster: NDArray[np.int64]) -> NDArray[np.float64]:
    count = np.bincount(cluster)
    total = [np.bincount(cluster, points[:, k], len(count)) for k in range(3)]
    return np.stack(total, axis=1) / count[:, None]


def _recolored(
    mesh: Mesh, points: NDArray[np.float64], owner: NDArray[np.int64], corners: Corners
) -> NDArray[np.float64]:
    """Return colours of corners, (f, 3, 3): of the nearest old vertex that became part of each.

    Only those of about the colour that a corner has so far are asked: its side of a seam.
    """
    color = corners.colors.reshape(-1, 3).astype(np.float64)
    mine = corners.faces.reshape(-1)
    order = np.argsort(owner, kind="stable")
    start = np.searchsorted(owner[order], mine)
    count = np.searchsorted(owner[order], mine, side="right") - start
    result, best = color.copy(), np.full(len(mine), np.inf)
    for step in range(int(count.max(initial=0))):
        asked = np.flatnonzero(count > step)
        vertex = order[start[asked] + step]
        near = ((points[vertex] - corners.points[mine[asked]]) ** 2).sum(axis=1)
        alike = np.abs(mesh.colors[vertex] - color[asked]).sum(axis=1) < _SEAM
        better = alike & (near < best[asked])
        result[asked[better]] = mesh.colors[vertex[better]]
        best[asked[better]] = near[better]
    return result.reshape(corners.colors.shape)


def _distances(
    old: NDArray[np.float64],
    owner: NDArray[np.int64],
    points: NDArray[np.float64],
    faces: NDArray[np.int64],
) -> NDArray[np.float64]:
    """Return how far each old vertex is, at most, from the new surface.

    Measured to the faces around the point that it became part of.
    """
    order = np.argsort(faces.reshape(-1), kind="stable")
    corner = faces.reshape(-1)[order]
    start = np.searchsorted(corner, np.arange(len(points)))
    count = np.searchsorted(corner, np.arange(len(points)), side="right") - start
    best: NDArray[np.float64] = np.linalg.norm(old - points[owner], axis=1)
    for step in range(int(count.max(initial=0))):
        mine = np.flatnonzero(count[owner] > step)
        face = faces[order[start[owner[mine]] + step] // 3]
        best[mine] = np.minimum(best[mine], _to_triangle(old[mine], points[face]))
    return best


def _to_triangle(p: NDArray[np.float64], t: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the distance of each point to its triangle, (n, 3) and (n, 3, 3)."""
    normal = np.cross(t[:, 1] - t[:, 0], t[:, 2] - t[:, 0])
    size = np.maximum(np.linalg.norm(normal, axis=1), 1e-30)
    height = np.abs(((p - t[:, 0]) * normal).sum(axis=1)) / size
    inside = np.ones(len(p), np.bool_)
    nearest = np.full(len(p), np.inf)
    for k in range(3):
        a, side = t[:, k], t[:, (k + 1) % 3] - t[:, k]
        inside &= (np.cross(side, p - a) * normal).sum(axis=1) >= 0
        along = ((p - a) * side).sum(axis=1) / np.maximum((side**2).sum(axis=1), 1e-30)
        foot = a + np.clip(along, 0, 1)[:, None] * side
        nearest = np.minimum(nearest, np.linalg.norm(p - foot, axis=1))
    distance: NDArray[np.float64] = np.where(inside, height, nearest)
    return distance
