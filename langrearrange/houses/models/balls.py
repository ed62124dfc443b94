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


def soccer_ball(base: Color, patch: Color, parts: int = 6) -> Mesh:
    """A ball of radius 1, an icosahedron cut fine, with a dark patch round each of its corners."""
    golden = (1 + math.sqrt(5)) / 2
    corners: list[Point3] = []
    for s in (-1.0, 1.0):
        for t in (-golden, golden):
            corners += [(0.0, s, t), (s, t, 0.0), (t, 0.0, s)]
    points: list[Point3] = []
    faces: list[tuple[int, int, int]] = []
    colors: list[Color] = []
    for a, b, c in _icosahedron_faces(corners):
        index = {}
        for i in range(parts + 1):
            for j in range(parts + 1 - i):
                weights = (parts - i - j, i, j)
                x, y, z = (
                    sum(w * p[k] for w, p in zip(weights, (a, b, c), strict=True)) for k in range(3)
                )
                size = math.sqrt(x * x + y * y + z * z)
                index[i, j] = len(points)
                points.append((x / size, y / size, z / size))
        for i in range(parts):
            for j in range(parts - i):
                dark = max(parts - i - j, i + 1, j + 1) * 3 > parts * 2
                faces.append((index[i, j], index[i + 1, j], index[i, j + 1]))
                colors.append(patch if dark else base)
                if i + j < parts - 1:
                    dark = max(parts - i - j - 1, i + 1, j + 1) * 3 > parts * 2
                    faces.append((index[i + 1, j], index[i + 1, j + 1], index[i, j + 1]))
                    colors.append(patch if dark else base)
    return solid(points, faces, colors, 60)


def _icosahedron_faces(corners: Sequence[Point3]) -> list[tuple[Point3, Point3, Point3]]:
    """The 20 triangles between corners at distance 2, counter-clockwise from outside."""
    near = [(p, q) for p in corners for q in corners if abs(math.dist(p, q) - 2) < 1e-6]
    faces = []
    for a, b in near:
        for c in corners:
            if a == min(a, b, c) and (b, c) in near and (c, a) in near:
                u = [b[k] - a[k] for k in range(3)]
                v = [c[k] - a[k] for k in range(3)]
                outward = (u[1] * v[2] - u[2] * v[1]) * a[0] + (u[2] * v[0] - u[0] * v[2]) * a[1]
                outward += (u[0] * v[1] - u[1] * v[0]) * a[2]
                if outward > 0:
                    faces.append((a, b, c))
    return faces


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
