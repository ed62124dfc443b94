"""Meshes cut into convex pieces, as physics engines want collision shapes. No files.

Bullet replaces every mesh of a collision asset by its convex hull. A part of furniture is put
together from convex solids, which stay whole; what is hollow (a drawer, a fridge) becomes plates.
A ray of Bullet's that falls straight onto a plate ends exactly there, but up to 1 cm before a round
solid; so a solid is covered by plates in front of its large flat facets.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.houses.mesh import Mesh

_PLATE_M: Final = 0.01
"""Thickness of a plate, behind the facet that is seen."""
_BULGE_M: Final = 0.001
"""Tolerance in front of a facet within which a piece counts as convex."""
_THIN_M: Final = 0.001
_LARGE_M2: Final = 0.01


class Piece(NamedTuple):
    """A convex piece: positions (n, 3) float32, metres, and faces (m, 3) int32."""

    positions: NDArray[np.float32]
    faces: NDArray[np.int32]


def convex_pieces(mesh: Mesh) -> list[Piece]:
    """Return convex pieces whose hulls fill what the mesh encloses, in its frame (cached).

    Their triangles cover the mesh's: a navigation mesh comes out as before.
    """
    return _cached(mesh.positions.tobytes(), mesh.faces.tobytes())


@lru_cache(maxsize=512)
def _cached(positions: bytes, faces: bytes) -> list[Piece]:
    """Return the pieces of a shape; the 1,575 furniture meshes of all flats have 445 shapes."""
    points = np.frombuffer(positions, np.float32).reshape(-1, 3)
    return list(_pieces(points, np.frombuffer(faces, np.int32).reshape(-1, 3)))


def _pieces(points: NDArray[np.float32], faces: NDArray[np.int32]) -> Iterator[Piece]:
    corners = points[faces].astype(np.float64)
    normals = np.cross(corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0])
    doubled = np.linalg.norm(normals, axis=1)  # areas
    normals /= np.maximum(doubled, 1e-12)[:, None]
    places = _numbered(np.round(corners * 1e5).reshape(-1, 3)).reshape(-1, 3)
    for solid in _connected(places):
        own = corners[solid].reshape(-1, 3)
        heights = (own - corners[solid, :1]) @ normals[solid, :, None]
        whole = heights.max() < _BULGE_M and heights.min() < -_THIN_M
        offsets = (corners[solid, 0] * normals[solid]).sum(axis=1)
        planes = _numbered(np.round(np.column_stack([normals[solid] * 100, offsets * 1000])))
        keys = places[solid] * len(solid) + planes[:, None]
        facets = [solid[rows] for rows in _connected(keys)]
        if whole:
            facets = [facet for facet in facets if doubled[facet].sum() / 2 > _LARGE_M2]
            piece = _piece(points, faces[solid])
            yield _behind(piece, [(corners[f[0], 0], normals[f[0]]) for f in facets])
        for facet in facets:
            normal = normals[facet[0]]
            convex = _is_convex(corners[facet], places[facet], normal)
            for rows in [facet] if convex else facet[:, None]:
                yield _piece(points, faces[rows], -_PLATE_M * normal)


def _behind(solid: Piece, planes: list[tuple[NDArray[Any], NDArray[Any]]]) -> Piece:
    """Return a solid with its points moved behind the plates on planes (point, normal)."""
    points = solid.positions.astype(np.float64)
    for point, normal in planes:
        points -= np.maximum((points - point) @ normal + _PLATE_M, 0)[:, None] * normal
    return Piece(points.astype(np.float32), solid.faces)


def _numbered(rows: NDArray[Any]) -> NDArray[np.int64]:
    """Return the rank of each row among the distinct ones."""
    return np.unique(rows, axis=0, return_inverse=True)[1].reshape(-1)


def _connected(keys: NDArray[np.int64]) -> list[NDArray[np.int64]]:
    """Return the rows of faces (n, 3) that hang together by equal corners, group by group."""
    _, corners = np.unique(keys, return_inverse=True)
    faces = corners.reshape(-1, 3)
    labels, before = np.arange(faces.max() + 1), None
    while before is None or (labels != before).any():
        before = labels.copy()
        lowest = labels[faces].min(axis=1)
        np.minimum.at(labels, faces, lowest[:, None])
        labels = labels[labels]
    groups = labels[faces[:, 0]]
    return [np.flatnonzero(groups == label) for label in np.unique(groups)]


def _is_convex(corners: NDArray[Any], places: NDArray[np.int64], normal: NDArray[Any]) -> bool:
    """Return whether triangles (n, 3, 3) of one plane fill a convex polygon."""
    if len(corners) == 1:
        return True
    ends = np.roll(places, -1, axis=1)
    rim = ~np.isin(places * (places.max() + 1) + ends, ends * (places.max() + 1) + places)
    starts, along = corners[rim], (np.roll(corners, -1, axis=1) - corners)[rim]
    outwards = np.cross(along, normal) / np.maximum(np.linalg.norm(along, axis=1), 1e-12)[:, None]
    heights = corners.reshape(-1, 3) @ outwards.T - (starts * outwards).sum(axis=1)
    return bool(heights.max(initial=0) <= _BULGE_M)


def _piece(
    points: NDArray[np.float32], faces: NDArray[np.int32], depth: NDArray[Any] | None = None
) -> Piece:
    """Return some faces as a piece of their own; with a depth, the points behind them as well."""
    used, numbered = np.unique(faces, return_inverse=True)
    own = points[used]
    if depth is not None:
        own = np.concatenate([own, (own + depth).astype(np.float32)])
    return Piece(own, numbered.reshape(-1, 3).astype(np.int32))
