"""Ambient occlusion, baked once into vertex colours: dark where little of the sky can be seen.

Not a light model and not the shadows that objects cast on their support: the renderer has both.
Occluders are put into a grid of cells; from every vertex fixed directions are walked through it.
Coarse, soft, about two milliseconds a model, and the same bytes on any machine: no sum depends on
a vector unit's order.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
from numpy.typing import NDArray

from langrearrange.houses.mesh import Mesh

Array = NDArray[np.float64]

NUM_DIRECTIONS = 56
STEPS = 6


@lru_cache(maxsize=4)
def directions(count: int) -> Array:
    """Return (count, 3) unit vectors spread evenly over the sphere (a golden spiral)."""
    golden = math.pi * (3 - math.sqrt(5))
    rows = []
    for k in range(count):
        z = 1 - (2 * k + 1) / count
        r = math.sqrt(1 - z * z)
        rows.append((r * math.cos(golden * k), r * math.sin(golden * k), z))
    return np.array(rows)


@dataclass(frozen=True, slots=True, eq=False)
class Occluders:
    """Which cells of a grid hold a surface.

    Attributes:
        cells: (nx, ny, nz) bool, with `reach_m` of empty space on every side.
        origin: the grid's low corner, metres.
        cell_m: side of a cell, metres.
        reach_m: how far a vertex looks, metres.
    """

    cells: NDArray[np.bool_]
    origin: Array
    cell_m: float
    reach_m: float


def occluders(
    meshes: Sequence[Mesh], cell_m: float, reach_m: float, ground_z: float | None = 0.0
) -> Occluders:
    """Mark the cells that the triangles of the meshes pass through, and all below the ground.

    Args:
        meshes: what hides the sky; in one frame.
        cell_m: side of a cell: details below about two cells are not seen.
        reach_m: what is further from a vertex does not darken it.
        ground_z: height of an endless floor, metres; None for no floor.
    """
    corners = np.concatenate([mesh.positions[mesh.faces] for mesh in meshes]).astype(np.float64)
    margin = reach_m + 4 * cell_m
    low = corners.min(axis=(0, 1)) - margin
    size = np.ceil((corners.max(axis=(0, 1)) + margin - low) / cell_m).astype(np.int64) + 1
    cells = np.zeros(size.tolist(), np.bool_)
    a, u, v = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    longest = np.sqrt(np.maximum(np.maximum(_square(u), _square(v)), _square(u - v)))
    parts = np.maximum(np.ceil(longest / (0.8 * cell_m)).astype(np.int64), 1)
    for n in np.unique(parts).tolist():  # triangles of like size are sampled together
        chosen = parts == n
        i, j = np.tril_indices(n + 1)  # j <= i: all points of an n-fold cut triangle
        first, second = (i - j)[:, None, None] / n, j[:, None, None] / n
        point = (a[chosen] - low) + u[chosen] * first + v[chosen] * second
        index = (point.reshape(-1, 3) / cell_m).astype(np.int32)
        cells[index[:, 0], index[:, 1], index[:, 2]] = True
    if ground_z is not None:
        cells[:, :, : max(round((ground_z - float(low[2])) / cell_m), 0)] = True
    return Occluders(cells, low, cell_m, reach_m)


def _square(a: Array) -> Array:
    return a[:, 0] * a[:, 0] + a[:, 1] * a[:, 1] + a[:, 2] * a[:, 2]


def openness(mesh: Mesh, around: Occluders) -> Array:
    """Return how much of its sky each vertex sees, (num_vertices,) float64 in [0, 1].

    A hit counts less the further away it is. The mesh must lie within the occluders' extent.
    """
    normal = mesh.normals.astype(np.float64)
    clear = 1.8  # cells to step off the vertex's own surface
    start = (mesh.positions.astype(np.float64) - around.origin) / around.cell_m + clear * normal
    step = max((around.reach_m / around.cell_m - clear) / STEPS, 0.9)
    way = directions(NUM_DIRECTIONS)
    facing = way[:, :1] * normal[:, 0] + way[:, 1:2] * normal[:, 1] + way[:, 2:] * normal[:, 2]
    direction, vertex = np.nonzero(facing > 0)
    weight = facing[direction, vertex]
    light = np.ones(len(vertex))
    origin, along = start[vertex].T.copy(), way[direction].T.copy() * step
    _, ny, nz = around.cells.shape
    flat = around.cells.reshape(-1)
    for k in reversed(range(STEPS)):
        x, y, z = (origin + along * (k + 0.5)).astype(np.int32)
        light[flat[(x * ny + y) * nz + z]] = k / STEPS  # nearer hits overwrite further ones
    # bincount adds in order, one by one.
    seen = np.bincount(vertex, light * weight, minlength=len(normal))
    return seen / np.maximum(np.bincount(vertex, weight, minlength=len(normal)), 1e-9)


def shaded(mesh: Mesh, open_share: NDArray[np.float64], strength: float = 0.75) -> Mesh:
    """Return the mesh with its colours darkened where little is open; 0 leaves them alone."""
    factor = np.round((1.0 - strength * (1.0 - open_share)) * 256) / 256
    colors = mesh.colors.astype(np.float64) * factor[:, None]
    return replace(mesh, colors=colors.astype(np.float32))


def baked(mesh: Mesh, strength: float = 0.75, cells: int = 30) -> Mesh:
    """Return a mesh at rest, shaded by itself and the ground (z = 0)."""
    low, high = mesh.bounds.astype(np.float64)
    size = float((high - low).max())
    around = occluders([mesh], max(size / cells, 0.0015), min(0.5 * size, 0.08))
    return shaded(mesh, openness(mesh, around), strength)
