"""Boxes and bars by their corners in millimetres: how furniture is put together. Not furniture."""

from dataclasses import replace
from functools import cache

import numpy as np

from langrearrange.houses.facets import unit_rows
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.shapes import (
    Color,
    box,
    cylinder,
    merged,
    moved,
    rounded_box,
    turned,
)


@cache
def _unit_box() -> Mesh:
    """A white box from (0, 0, 0) to (1, 1, 1); all others are stretched from it."""
    return moved(box(1, 1, 1, (1, 1, 1)), 0.5, 0.5, 0)


@cache
def _unit_cylinder(segments: int, lying: bool) -> Mesh:
    """A white cylinder of radius and length 1 along z from the origin, or along x."""
    upright = cylinder(1, 1, (1, 1, 1), segments)
    return turned(upright, "y", 90) if lying else upright


def _stretched(
    unit: Mesh,
    origin: tuple[float, float, float],
    size: tuple[float, float, float],
    color: Color,
) -> Mesh:
    """Return a unit shape stretched along the axes by millimetres and moved to a corner.

    Normals stay right because box and cylinder have none that are oblique to a stretched axis.
    """
    position = unit.positions.astype(np.float64) * np.array(size) + np.array(origin)
    position = (np.round(position / 1000, 5) + 0.0).astype(np.float32)
    return replace(unit, positions=position, colors=unit.colors * np.array(color, np.float32))


def block(low: tuple[float, float, float], high: tuple[float, float, float], color: Color) -> Mesh:
    """Return a box from one corner to the opposite one, millimetres."""
    size = (high[0] - low[0], high[1] - low[1], high[2] - low[2])
    return _stretched(_unit_box(), low, size, color)


def cushion(
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    radius: float,
    color: Color,
) -> Mesh:
    """Return a box with round edges from one corner to the opposite one, millimetres."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    width, depth, height = (x1 - x0) / 1000, (y1 - y0) / 1000, (z1 - z0) / 1000
    mesh = rounded_box(width, depth, height, radius / 1000, color, 2)
    return moved(mesh, (x0 + x1) / 2000, (y0 + y1) / 2000, z0 / 1000)


def tray(
    low: tuple[float, float], high: tuple[float, float], z: float, color: Color, reach: float = 80
) -> Mesh:
    """Return a floor that darkens towards its edges, as one between walls does, millimetres.

    Args:
        low: one corner (x, y).
        high: the opposite corner.
        z: height; the floor faces up and is 0.2 mm above it, so as to cover what is there.
        color: in its middle.
        reach: width of the darker rim.
    """
    xs = (low[0], low[0] + reach, high[0] - reach, high[0])
    ys = (low[1], low[1] + reach, high[1] - reach, high[1])
    dark = (0.74, 0.97, 0.97, 0.74)
    points = np.array([(x, y, z + 0.2) for y in ys for x in xs]) / 1000
    shades = np.array([a * b for a in dark for b in dark])
    faces = []
    for a in (0, 1, 2, 4, 5, 6, 8, 9, 10):
        faces += [(a, a + 1, a + 5), (a, a + 5, a + 4)]
    return Mesh(
        points.astype(np.float32),
        np.tile(np.array([[0, 0, 1]], np.float32), (16, 1)),
        np.outer(shades, color).astype(np.float32),
        np.array(faces, np.int32),
    )


def upturned(mesh: Mesh, share: float) -> Mesh:
    """Return the mesh with shading normals leaned towards up, as if the floor threw light back.

    Renderers here know one light from above; walls and ceilings would be gloomy without it.
    """
    normals = mesh.normals.astype(np.float64) * (1 - share)
    normals[:, 2] += share
    return replace(mesh, normals=np.round(unit_rows(normals), 4).astype(np.float32))


def post(x: float, y: float, z0: float, z1: float, radius: float, color: Color) -> Mesh:
    """Return an upright round post, millimetres."""
    return _stretched(_unit_cylinder(10, False), (x, y, z0), (radius, radius, z1 - z0), color)


def bar(x0: float, x1: float, y: float, z: float, radius: float, color: Color) -> Mesh:
    """Return a round bar along x, millimetres."""
    return _stretched(_unit_cylinder(8, True), (x0, y, z), (x1 - x0, radius, radius), color)


def pull(x: float, y: float, z: float, length: float, color: Color) -> Mesh:
    """Return a handle along x, standing off a front at y towards -y, millimetres."""
    half, out = length / 2, 24
    ends = [
        block((x + s * (half - 14) - 6, y - out, z - 6), (x + s * (half - 14) + 6, y, z + 6), color)
        for s in (-1, 1)
    ]
    return merged(bar(x - half, x + half, y - out, z, 7, color), *ends)


def upright_pull(x: float, y: float, z0: float, z1: float, color: Color) -> Mesh:
    """Return a handle along z, standing off a front at y towards -y, millimetres."""
    out = 30
    ends = [block((x - 7, y - out, z - 7), (x + 7, y, z + 7), color) for z in (z0 + 30, z1 - 30)]
    return merged(post(x, y - out, z0, z1, 9, color), *ends)
