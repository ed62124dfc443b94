"""Moving, bending and colouring meshes; not for making them (see `houses.shapes`)."""

import math
from collections.abc import Callable
from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import HouseError
from langrearrange.houses.facets import Color, Point3, solid, unit_rows
from langrearrange.houses.mesh import Mesh


def moved(mesh: Mesh, x: float = 0.0, y: float = 0.0, z: float = 0.0) -> Mesh:
    """Return the mesh shifted by metres."""
    shift = np.array([x, y, z])
    position = np.round(mesh.positions.astype(np.float64) + shift, 5) + 0.0
    return replace(mesh, positions=position.astype(np.float32))


def turned(mesh: Mesh, axis: str, angle_deg: float) -> Mesh:
    """Return the mesh turned about the x, y or z axis, counter-clockwise seen from its tip."""
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    if axis not in ("x", "y", "z"):
        raise HouseError(f"turned: axis {axis!r} is not one of x, y, z")
    first, second = {"x": (1, 2), "y": (2, 0), "z": (0, 1)}[axis]

    def rotate(vectors: NDArray[np.float32], digits: int) -> NDArray[np.float32]:
        result = vectors.astype(np.float64)
        u, v = result[:, first].copy(), result[:, second].copy()
        result[:, first], result[:, second] = u * c - v * s, u * s + v * c
        return (np.round(result, digits) + 0.0).astype(np.float32)

    return replace(mesh, positions=rotate(mesh.positions, 5), normals=rotate(mesh.normals, 4))


def scaled(mesh: Mesh, x: float, y: float | None = None, z: float | None = None) -> Mesh:
    """Return the mesh stretched along the axes; one factor scales all. Factors are positive."""
    factor = np.array([x, x if y is None else y, x if z is None else z], np.float64)
    if (factor <= 0).any():
        raise HouseError(f"scaled: factors {tuple(factor)} must be positive; use `mirrored`")
    position = np.round(mesh.positions.astype(np.float64) * factor, 5) + 0.0
    normal = np.round(unit_rows(mesh.normals.astype(np.float64) / factor), 4)
    return replace(mesh, positions=position.astype(np.float32), normals=normal.astype(np.float32))


def mirrored(mesh: Mesh, axis: str = "x") -> Mesh:
    """Return the mesh mirrored across the plane where that coordinate is 0; faces stay outward."""
    sign = np.array([-1.0 if name == axis else 1.0 for name in "xyz"], np.float32)
    return replace(
        mesh,
        positions=mesh.positions * sign + np.float32(0),
        normals=mesh.normals * sign + np.float32(0),
        faces=np.ascontiguousarray(mesh.faces[:, ::-1]),
    )


def painted(mesh: Mesh, paint: Callable[[float, float, float], Color | None]) -> Mesh:
    """Return the mesh with vertex colours chosen by position; None keeps a vertex's colour."""
    old = zip(mesh.positions.tolist(), mesh.colors.tolist(), strict=True)
    colors = [paint(*position) or color for position, color in old]
    return replace(mesh, colors=np.array(colors, np.float32))


def shaped(
    mesh: Mesh, bend: Callable[[float, float, float], Point3], crease_deg: float = 60
) -> Mesh:
    """Return the mesh with every point moved by a function, normals recomputed, colours kept."""
    points = [bend(x, y, z) for x, y, z in mesh.positions.tolist()]
    return solid(points, mesh.faces.tolist(), mesh.colors[mesh.faces[:, 0]].tolist(), crease_deg)


def rested(mesh: Mesh) -> Mesh:
    """Return the mesh with its footprint's centre on the z axis and its base on z = 0."""
    low, high = mesh.bounds.astype(np.float64)
    return moved(mesh, -(low[0] + high[0]) / 2, -(low[1] + high[1]) / 2, -low[2])


def with_box_uv(mesh: Mesh, texture: str, repeat_m: float = 1.0) -> Mesh:
    """Return the mesh with texture coordinates projected along each vertex's main axis.

    Meant for flat-sided shapes: one repeat every `repeat_m` metres.
    """
    x, y, z = (mesh.positions[:, k].astype(np.float64) for k in range(3))
    size = np.abs(mesh.normals)
    along_x = (size[:, 0] >= size[:, 1]) & (size[:, 0] > size[:, 2])
    along_y = ~along_x & (size[:, 1] > size[:, 2])
    u = np.where(along_x, y, x)
    v = np.where(along_x | along_y, z, y)
    uv = np.stack([u, v], axis=1) / repeat_m
    return replace(mesh, uv=uv.astype(np.float32), texture=texture)
