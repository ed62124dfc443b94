"""Meshes cut into convex pieces, as physics engines want collision shapes. No files.

Bullet replaces every mesh of a collision asset by its convex hull. A part of furniture is put
together from convex solids, which stay whole; what is hollow (a drawer, a fridge) becomes plates.
A ray of Bullet's that falls straight onto a plate ends exactly there, but up to 1 cm before a round
solid; so a solid is covered by plates where it has large flat facets, and lies behind them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.houses.mesh import Mesh

_PLATE_M: Final = 0.01
"""Thickness of a plate, behind the facet that is seen."""
_BULGE_M: Final = 0.001
"""What may lie in front of a facet of a piece that counts as convex."""
_THIN_M: Final = 0.001
_LARGE_M2: Final = 0.01


def convex_pieces(mesh: Mesh) -> list[Mesh]:
    """Return convex pieces whose hulls fill what the mesh encloses, in its frame.

    Their triangles cover the mesh's: a navigation mesh comes out as before.
    """
    return list(_pieces(mesh))


def _pieces(mesh: Mesh) -> Iterator[Mesh]:
    corners = mesh.positions[mesh.faces].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    doubled = np.linalg.norm(normals, axis=1)  # areas
    normals /= np.maximum(doubled, 1e-12)[:, None]
    places = np.round(corners * 1e5)
    for solid in _connected(places):
        points = corners[solid].reshape(-1, 3)
        heights = (points - corners[solid, :1]) @ normals[solid, :, None]
        whole = heights.max() < _BULGE_M and heights.min() < -_THIN_M
        offsets = (corners[solid, 0] * normals[solid]).sum(axis=1)
        planes = np.round(np.column_stack([normals[solid] * 100, offsets * 1000]))
        keys = np.concatenate([places[solid], np.repeat(planes[:, None], 3, axis=1)], axis=2)
        facets = [solid[rows] for rows in _connected(keys)]
        if whole:
            facets = [facet for facet in facets if doubled[facet].sum() / 2 > _LARGE_M2]
            yield _behind(_piece(mesh, solid), [(corners[f[0], 0], normals[f[0]]) for f in facets])
        for facet in facets:
            normal = normals[facet[0]]
            convex = _is_convex(corners[facet], places[facet], normal)
            for faces in [facet] if convex else facet[:, None]:
                yield _piece(mesh, faces, -_PLATE_M * normal)


def _behind(solid: Mesh, planes: list[tuple[NDArray[Any], NDArray[Any]]]) -> Mesh:
    """Return a solid with its points moved behind the plates on planes (point, normal)."""
    points = solid.positions.astype(np.float64)
    for point, normal in planes:
        points -= np.maximum((points - point) @ normal + _PLATE_M, 0)[:, None] * normal
    return replace(solid, positions=points.astype(np.float32))


def _connected(keys: NDArray[Any]) -> list[NDArray[np.int64]]:
    """Return the rows of faces (n, 3, k) that hang together by equal corners, group by group."""
    _, corners = np.unique(keys.reshape(-1, keys.shape[2]), axis=0, return_inverse=True)
    faces = corners.reshape(-1, 3)
    labels, before = np.arange(faces.max() + 1), None
    while before is None or (labels != before).any():
        before = labels.copy()
        lowest = labels[faces].min(axis=1)
        np.minimum.at(labels, faces, lowest[:, None])
        labels = labels[labels]
    groups = labels[faces[:, 0]]
    return [np.flatnonzero(groups == label) for label in np.unique(groups)]


def _is_convex(corners: NDArray[Any], places: NDArray[Any], normal: NDArray[Any]) -> bool:
    """Return whether triangles (n, 3, 3) of one plane fill a convex polygon."""
    ids = np.unique(places.reshape(-1, 3), axis=0, return_inverse=True)[1].reshape(-1, 3)
    edges = {(a, b): (i, k) for i, row in enumerate(ids.tolist())
             for k, (a, b) in enumerate(zip(row, row[1:] + row[:1], strict=True))}  # fmt: skip
    for (a, b), (i, k) in edges.items():
        start, along = corners[i, k], corners[i, (k + 1) % 3] - corners[i, k]
        outwards = np.cross(along, normal) / max(float(np.linalg.norm(along)), 1e-12)
        if (b, a) not in edges and ((corners - start) @ outwards).max() > _BULGE_M:
            return False
    return True


def _piece(mesh: Mesh, faces: NDArray[np.int64], depth: NDArray[Any] | None = None) -> Mesh:
    """Return some faces as a mesh of their own; with a depth, the points behind them as well."""
    used, numbered = np.unique(mesh.faces[faces], return_inverse=True)
    points = mesh.positions[used]
    if depth is not None:
        used = np.concatenate([used, used])
        points = np.concatenate([points, (points + depth).astype(np.float32)])
    triangles = numbered.reshape(-1, 3).astype(np.int32)
    return Mesh(points, mesh.normals[used], mesh.colors[used], triangles)
