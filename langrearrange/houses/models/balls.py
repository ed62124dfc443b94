"""Balls of all sorts."""

import math
from collections.abc import Callable, Sequence

import numpy as np

from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.models.base import family
from langrearrange.houses.shapes import Color, Point3, solid, sphere, tube, turned


def patched(ball: Mesh, paint: Callable[[float, float, float], Color]) -> Mesh:
    """Return the ball with each face painted by the direction of its middle."""
    position = ball.positions.astype(float)
    a, b, c = (position[ball.faces[:, k]] for k in range(3))
    colors = [paint(*_unit(x, y, z)) for x, y, z in ((a + b + c) / 3).tolist()]
    return solid(position, ball.faces.tolist(), colors, 60)


def _unit(x: float, y: float, z: float) -> Point3:
    size = math.sqrt(x * x + y * y + z * z)
    return (x / size, y / size, z / size)


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
                index[i, j] = len(points)
                points.append(_unit(x, y, z))
        for i in range(parts):
            for j in range(parts - i):
                for k in range(2 if i + j < parts - 1 else 1):
                    dark = max(parts - i - j - k, i + 1, j + 1) * 3 > parts * 2
                    faces.append((index[i + k, j], index[i + 1, j + k], index[i, j + 1]))
                    colors.append(patch if dark else base)
    return solid(points, faces, colors, 60)


def _icosahedron_faces(corners: Sequence[Point3]) -> list[tuple[Point3, Point3, Point3]]:
    """The 20 triangles between corners at distance 2, counter-clockwise from outside."""
    near = {(p, q) for p in corners for q in corners if abs(math.dist(p, q) - 2) < 1e-6}
    return [
        (a, b, c)
        for a in corners
        for b in corners
        for c in corners
        if a == min(a, b, c) and {(a, b), (b, c), (c, a)} <= near and np.linalg.det([a, b, c]) > 0
    ]


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


RECIPES = (
    *family("ball", "round, patched", soccer_ball,
        ("soccer", (128, 128, 128), "white, black patches", (240, 240, 238), (36, 36, 40))),
    *family("ball", "round, seamed", seamed_ball,
        ("tennis", (70, 70, 70), "yellow-green, white seam", (206, 226, 62),
         (244, 246, 232), 0.055),
        ("baseball", (76, 76, 76), "white, red seam", (240, 236, 226), (196, 40, 40), 0.05)),
    *family("ball", "round, striped", striped_ball,
        ("beach", (140, 140, 140), "blue, white, striped",
         [(40, 104, 190), (242, 242, 240)] * 3, (242, 242, 240))),
    *family("ball", "round, seamed", seamed_ball,
        ("blue", (64, 64, 64), "blue, white seam", (36, 92, 190), (232, 236, 240), 0.05)),
)  # fmt: skip
