"""Fewer triangles by collapsing edges, cheapest first, where a quadric says what each costs.

Garland and Heckbert 1997, in rounds: each round collapses many edges that do not touch each other,
so that numpy does the work. Not for input of any size (see `decimate`).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

Points = NDArray[np.float64]
Faces = NDArray[np.int64]

_BORDER_WEIGHT: Final = 20.0
"""How much dearer than off the surface it is to move off an open border."""
_JUMP: Final = 200.0
"""How much the colours of two faces must differ along an edge, over all channels of both ends."""
_SHARE: Final = 0.3
"""Of all edges, the cheapest such share may go in one round."""
_TURN_COS: Final = 0.3
"""No triangle may turn farther than about 70 degrees in a round."""


class Collapsed(NamedTuple):
    """What is left: points, faces, the face each came from, and each old point's new one."""

    points: Points
    faces: Faces
    origin: Faces
    owner: Faces


def collapsed(
    points: Points, faces: Faces, max_triangles: int, colors: Points | None = None
) -> Collapsed:
    """Collapse edges until at most so many triangles are left, or no edge may go.

    Args:
        points: (n, 3), welded: points in one place are one point.
        faces: (f, 3).
        max_triangles: the goal; more are left only where every collapse would fold the surface.
        colors: (f, 3, 3) of the corners in [0, 255]; where they jump, the jump stays in place.
    """
    points = points.copy()
    quadrics = _quadrics(points, faces, colors)
    owner = np.arange(len(points))
    origin = np.arange(len(faces))
    refused = np.zeros(0, np.int64)
    share = _SHARE
    while len(faces) > max_triangles:
        edges = _edges(faces)[0]
        key = edges[:, 0] * len(points) + edges[:, 1]
        edges = edges[~np.isin(key, refused)]
        cost, place = _costs(points, quadrics, edges)
        chosen = _independent(edges, cost, len(points), share)
        chosen = chosen[: max(1, (len(faces) - max_triangles + 1) // 2)]
        good = _unfolded(points, faces, edges[chosen], place[chosen]) if len(chosen) else chosen
        bad = edges[chosen[~good.astype(bool)]]
        refused = np.concatenate([refused, bad[:, 0] * len(points) + bad[:, 1]])
        chosen = chosen[good.astype(bool)]
        if not len(chosen):
            if share == 1.0 and not len(bad):
                break
            share = 1.0
            continue
        keep, drop = edges[chosen].T
        points[keep] = place[chosen]
        quadrics[keep] += quadrics[drop]
        target = np.arange(len(points))
        target[drop] = keep
        owner = target[owner]
        faces = target[faces]
        whole = (faces != np.roll(faces, 1, axis=1)).all(axis=1)
        faces, origin = faces[whole], origin[whole]
    return Collapsed(points, faces, origin, owner)


def _edges(faces: Faces) -> tuple[Faces, Faces]:
    """Return the edges, lower point first, and how many faces each has."""
    pairs = np.sort(np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]]), axis=1)
    size = int(pairs.max(initial=0)) + 1
    key, count = np.unique(pairs[:, 0] * size + pairs[:, 1], return_counts=True)
    return np.stack([key // size, key % size], axis=1), count


def _quadrics(points: Points, faces: Faces, colors: Points | None) -> Points:
    """Return (n, 4, 4): squared distances to the planes of a point's faces, weighted by area."""
    a, b, c = (points[faces[:, k]] for k in range(3))
    area = np.cross(b - a, c - a)
    result = np.zeros((len(points), 4, 4))
    planes = _planes(area, a, np.linalg.norm(area, axis=1) / 2)
    for k in range(3):
        np.add.at(result, faces[:, k], planes)
    _add_borders(result, points, faces, area, colors)
    return result


def _add_borders(
    quadrics: Points, points: Points, faces: Faces, area: Points, colors: Points | None
) -> None:
    """Add upright planes along open borders and seams of colour, so that these stay in place."""
    sides = np.concatenate([faces[:, [0, 1]], faces[:, [1, 2]], faces[:, [2, 0]]])
    order = np.argsort(sides, axis=1)
    low, high = np.sort(sides, axis=1).T
    _, edge, count = np.unique(low * len(points) + high, return_inverse=True, return_counts=True)
    edge = edge.reshape(-1)
    border = count[edge] == 1
    if colors is not None:
        ends = np.concatenate([colors[:, [0, 1]], colors[:, [1, 2]], colors[:, [2, 0]]])
        ends = np.take_along_axis(ends, order[..., None], axis=1).reshape(len(sides), 6)
        low_color, high_color = (np.full((len(count), 6), v) for v in (np.inf, -np.inf))
        np.minimum.at(low_color, edge, ends)
        np.maximum.at(high_color, edge, ends)
        border |= ((high_color - low_color).sum(axis=1) > _JUMP)[edge]
    kept = np.flatnonzero(border)
    start, end = points[sides[kept, 0]], points[sides[kept, 1]]
    along = end - start
    upright = np.cross(along, area[kept % len(faces)])
    planes = _planes(upright, start, _BORDER_WEIGHT * (along**2).sum(axis=1))
    for k in range(2):
        np.add.at(quadrics, sides[kept, k], planes)


def _planes(normals: Points, through: Points, weight: NDArray[np.float64]) -> Points:
    length = np.maximum(np.linalg.norm(normals, axis=1, keepdims=True), 1e-30)
    unit = normals / length
    plane = np.concatenate([unit, -(unit * through).sum(axis=1, keepdims=True)], axis=1)
    result: Points = plane[:, :, None] * plane[:, None, :] * weight[:, None, None]
    return result


def _costs(points: Points, quadrics: Points, edges: Faces) -> tuple[NDArray[np.float64], Points]:
    """Return what collapsing each edge costs, and the place its point then takes."""
    total = quadrics[edges[:, 0]] + quadrics[edges[:, 1]]
    middle = points[edges].mean(axis=1)
    matrix, vector = total[:, :3, :3], total[:, :3, 3]
    # A little pull to the middle makes flat and straight places solvable.
    pull = 1e-3 * np.trace(matrix, axis1=1, axis2=2) + 1e-30
    matrix = matrix + pull[:, None, None] * np.eye(3)
    place = np.linalg.solve(matrix, (pull[:, None] * middle - vector)[..., None])[..., 0]
    full = np.concatenate([place, np.ones((len(place), 1))], axis=1)
    cost = np.einsum("ei,eij,ej->e", full, total, full)
    length = ((points[edges[:, 0]] - points[edges[:, 1]]) ** 2).sum(axis=1)
    return cost + 1e-9 * length**2, place


def _independent(edges: Faces, cost: NDArray[np.float64], count: int, share: float) -> Faces:
    """Return edges, cheapest first, none of which shares a neighbour with another."""
    order = np.argsort(cost, kind="stable")
    rank = np.empty(len(edges), np.int64)
    rank[order] = np.arange(len(edges))
    lowest = np.full(count, len(edges))
    for k in range(2):
        np.minimum.at(lowest, edges[:, k], rank)
    around = lowest.copy()
    for k in range(2):
        np.minimum.at(around, edges[:, k], lowest[edges[:, 1 - k]])
    chosen = (around[edges[:, 0]] == rank) & (around[edges[:, 1]] == rank)
    chosen &= rank < max(1, int(share * len(edges)))
    found = np.flatnonzero(chosen)
    return found[np.argsort(rank[found])]


def _unfolded(points: Points, faces: Faces, edges: Faces, place: Points) -> NDArray[np.bool_]:
    """Return which collapses turn no triangle over."""
    edge_of = np.full(len(points), -1)
    edge_of[edges[:, 0]] = edge_of[edges[:, 1]] = np.arange(len(edges))
    moved = points.copy()
    moved[edges[:, 0]] = moved[edges[:, 1]] = place
    touched = edge_of[faces]
    edge = touched.max(axis=1)
    stays = (edge >= 0) & ((touched >= 0).sum(axis=1) == 1)
    old, new = (
        np.cross(p[f[:, 1]] - p[f[:, 0]], p[f[:, 2]] - p[f[:, 0]])
        for p, f in ((points, faces[stays]), (moved, faces[stays]))
    )
    size = np.linalg.norm(old, axis=1) * np.linalg.norm(new, axis=1)
    folded = (old * new).sum(axis=1) <= _TURN_COS * size
    result = np.ones(len(edges), np.bool_)
    result[edge[stays][folded]] = False
    return result
