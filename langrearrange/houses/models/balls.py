"""Balls of all sorts."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.models.base import Recipe, recipe
from langrearrange.houses.shapes import Color, Point3, solid, sphere, tube, turned


def patched(ball: Mesh, paint: Callable[[float, float, float], Color]) -> Mesh:
    """Return the ball with each face painted by the direction of its middle."""
    position = ball.positions.astype(float).tolist()
    faces = ball.faces.tolist()
    colors = []
    for face in faces:
        x, y, z = (sum(position[i][k] for i in face) / 3 for k in range(3))
        size = math.sqrt(x * x + y * y + z * z)
        colors.append(paint(x / size, y / size, z / size))
    return solid([(x, y, z) for x, y, z in position], faces, colors, 60)


def soccer_ball(base: Color, patch: Color) -> Mesh:
    """A ball of radius 1 with twelve dark patches, one at each corner of an icosahedron."""
    golden = (1 + math.sqrt(5)) / 2
    length = math.sqrt(1 + golden**2)
    centres: list[Point3] = []
    for a in (-1 / length, 1 / length):
        for b in (-golden / length, golden / length):
            centres += [(0, a, b), (a, b, 0), (b, 0, a)]

    def paint(x: float, y: float, z: float) -> Color:
        return patch if max(x * c[0] + y * c[1] + z * c[2] for c in centres) > 0.925 else base

    return patched(sphere(1.0, base, 32, 18), paint)


def seamed_ball(base: Color, seam: Color, width: float) -> Mesh:
    """A ball of radius 1 with the one winding seam of tennis balls and baseballs."""
    path = []
    for k in range(40):
        t = 2 * math.pi * k / 40
        x = 0.75 * math.cos(t) + 0.25 * math.cos(3 * t)
        y = 0.75 * math.sin(t) - 0.25 * math.sin(3 * t)
        z = 0.866 * math.sin(2 * t)
        size = math.sqrt(x * x + y * y + z * z)
        path.append((0.985 * x / size, 0.985 * y / size, 0.985 * z / size))
    line = tube(path, width, seam, sides=4, closed=True, up=(0.31, 0.22, 0.93))
    return merged(sphere(1.0, base, 22, 13), line)


def striped_ball(colors: Sequence[Color], cap: Color) -> Mesh:
    """A beach ball of radius 1: coloured segments from pole to pole and two caps."""

    def paint(x: float, y: float, z: float) -> Color:
        wedge = int((math.atan2(y, x) / (2 * math.pi) % 1.0) * len(colors))
        return cap if abs(z) > 0.92 else colors[wedge % len(colors)]

    return turned(turned(patched(sphere(1.0, cap, 24, 14), paint), "x", 35), "y", 20)


RECIPES: tuple[Recipe, ...] = (
    recipe("ball_soccer", (128, 128, 128), "white, black patches", "round, patched",
           lambda: soccer_ball((240, 240, 238), (36, 36, 40))),
    recipe("ball_tennis", (70, 70, 70), "yellow-green, white seam", "round, seamed",
           lambda: seamed_ball((206, 226, 62), (244, 246, 232), 0.055)),
    recipe("ball_baseball", (76, 76, 76), "white, red seam", "round, seamed",
           lambda: seamed_ball((240, 236, 226), (196, 40, 40), 0.05)),
    recipe("ball_beach", (140, 140, 140), "blue, white, striped", "round, striped",
           lambda: striped_ball([(40, 104, 190), (242, 242, 240)] * 3, (242, 242, 240))),
    recipe("ball_blue", (64, 64, 64), "blue, white seam", "round, seamed",
           lambda: seamed_ball((36, 92, 190), (232, 236, 240), 0.05)),
)  # fmt: skip
