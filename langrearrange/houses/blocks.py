"""Boxes and bars by their corners in millimetres: how furniture is put together. Not furniture."""

from __future__ import annotations

from dataclasses import replace

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


def block(low: tuple[float, float, float], high: tuple[float, float, float], color: Color) -> Mesh:
    """Return a box from one corner to the opposite one, millimetres."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    mesh = box((x1 - x0) / 1000, (y1 - y0) / 1000, (z1 - z0) / 1000, color)
    return moved(mesh, (x0 + x1) / 2000, (y0 + y1) / 2000, z0 / 1000)


def cushion(
    low: tuple[float, float, float],
    high: tuple[float, float, float],
    radius: float,
    color: Color,
) -> Mesh:
    """Return a box with round edges from one corner to the opposite one, millimetres."""
    (x0, y0, z0), (x1, y1, z1) = low, high
    mesh = rounded_box(
        (x1 - x0) / 1000, (y1 - y0) / 1000, (z1 - z0) / 1000, radius / 1000, color, 2
    )
    return moved(mesh, (x0 + x1) / 2000, (y0 + y1) / 2000, z0 / 1000)


def tray(
    low: tuple[float, float], high: tuple[float, float], z: float, color: Color, reach: float = 80
) -> Mesh:
    """Return a floor that darkens towards its edges, as one between walls does, millimetres.

    Args:
        low: one corner (x, y).
        high: the opposite corner.
        z: height; the floor faces up and lies 0.2 mm above it, so as to cover what is there.
        color: in its middle.
        reach: width of the darker rim.
    """
    xs = (low[0], low[0] + reach, high[0] - reach, high[0])
    ys = (low[1], low[1] + reach, high[1] - reach, high[1])
    dark = (0.74, 0.97, 0.97, 0.74)
    points = np.array([(x, y, z + 0.2) for y in ys for x in xs]) / 1000
    shades = np.array([a * b for a in dark for b in dark])
    faces = []
    for j in range(3):
        for i in range(3):
            a = 4 * j + i
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
    return moved(
        cylinder(radius / 1000, (z1 - z0) / 1000, color, 10), x / 1000, y / 1000, z0 / 1000
    )


def bar(x0: float, x1: float, y: float, z: float, radius: float, color: Color) -> Mesh:
    """Return a round bar along x, millimetres."""
    lying = turned(cylinder(radius / 1000, (x1 - x0) / 1000, color, 8), "y", 90)
    return moved(lying, x0 / 1000, y / 1000, z / 1000)


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
