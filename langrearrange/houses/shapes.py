"""Primitive shapes: boxes, solids of revolution, tubes, extrusions, grids; and moving them.

For object models see `houses.models`. Metres, z up, counter-clockwise front faces.
Boxes, cylinders, lathed and extruded shapes stand on z = 0 around the z axis; spheres and tori are
centred on the origin. Trigonometry is Python's, since numpy's may differ between machines.
"""

import math
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from langrearrange.errors import HouseError
from langrearrange.houses.facets import Color, Point3, solid
from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.polygon import Point2, counter_clockwise, triangulate
from langrearrange.houses.transforms import (
    mirrored,
    moved,
    painted,
    rested,
    scaled,
    shaped,
    turned,
    with_box_uv,
)

__all__ = [
    "Color", "Colors", "Point2", "Point3", "arc", "box", "circle", "cylinder", "ellipsoid",
    "extrude", "frustum", "lathe", "loft", "merged", "mirrored", "moved", "painted", "per_band",
    "plane", "rested", "rounded_box", "rounded_outline", "scaled", "shaped", "solid", "sphere",
    "symmetric", "torus", "tube", "turned", "with_box_uv",
]  # fmt: skip

Colors = Color | Sequence[Color]
"""One colour, or one for each band between neighbouring rings."""


@lru_cache(maxsize=64)
def circle(segments: int) -> tuple[Point2, ...]:
    """Return `segments` points of the unit circle, counter-clockwise from +x."""
    steps = [2 * math.pi * k / segments for k in range(segments)]
    return tuple((math.cos(a), math.sin(a)) for a in steps)


def arc(radius: float, start_deg: float, end_deg: float, steps: int) -> list[Point2]:
    """Return steps + 1 points of an arc about the origin, both ends included."""
    angles = [math.radians(start_deg + (end_deg - start_deg) * k / steps) for k in range(steps + 1)]
    return [(radius * math.cos(a), radius * math.sin(a)) for a in angles]


def symmetric(half: Sequence[Point2]) -> list[Point2]:
    """Return an outline from its half, mirrored across the x axis; points on the axis once."""
    return [*half, *((x, -y) for x, y in reversed(half) if y)]


def loft(
    rings: Sequence[Sequence[Point3]],
    color: Colors,
    *,
    cap_start: bool = True,
    cap_end: bool = True,
    closed: bool = False,
    crease_deg: float = 40.0,
) -> Mesh:
    """Join rings of equally many points by bands; rings run counter-clockwise seen from the end.

    Args:
        rings: at least two; a ring may shrink to one repeated point.
        color: one colour, or one per band.
        cap_start: close the first ring (flat, star-shaped about its mean).
        cap_end: close the last ring.
        closed: the last ring joins the first (no caps).
        crease_deg: see `solid`.
    """
    n = len(rings[0])
    points = [p for ring in rings for p in ring]
    num_bands = len(rings) if closed else len(rings) - 1
    band_colors = per_band(color, num_bands)
    faces: list[tuple[int, int, int]] = []
    colors: list[Color] = []
    for i in range(num_bands):
        lower, upper = i * n, (i + 1) % len(rings) * n
        for k in range(n):
            j = (k + 1) % n
            faces += [(lower + k, lower + j, upper + j), (lower + k, upper + j, upper + k)]
        colors += [band_colors[i]] * (2 * n)
    if cap_start and not closed:
        faces += _cap(points, range(n - 1, -1, -1))
        colors += [band_colors[0]] * (len(faces) - len(colors))
    if cap_end and not closed:
        faces += _cap(points, range((len(rings) - 1) * n, len(rings) * n))
        colors += [band_colors[-1]] * (len(faces) - len(colors))
    return solid(points, faces, colors, crease_deg)


def _cap(points: list[Point3], ring: Sequence[int]) -> list[tuple[int, int, int]]:
    """Close a counter-clockwise ring: two triangles for four points, else a fan about the mean."""
    n = len(ring)
    if n == 4:
        return [(ring[0], ring[1], ring[2]), (ring[0], ring[2], ring[3])]
    x, y, z = (sum(points[i][axis] for i in ring) / n for axis in range(3))
    points.append((x, y, z))
    return [(ring[k], ring[(k + 1) % n], len(points) - 1) for k in range(n)]


def per_band(color: Colors, num_bands: int) -> list[Color]:
    """Return one colour for each band, from one or from as many."""
    if isinstance(color[0], int | float):
        return [(float(color[0]), float(color[1]), float(color[2]))] * num_bands  # type: ignore[arg-type]
    if len(color) != num_bands:
        raise HouseError(f"shape: {len(color)} colours for {num_bands} bands; give one per band")
    return list(color)  # type: ignore[arg-type]


def box(size_x: float, size_y: float, size_z: float, color: Color) -> Mesh:
    """Return a box standing on z = 0, centred in x and y."""
    x, y = size_x / 2, size_y / 2
    outline = [(x, y), (-x, y), (-x, -y), (x, -y)]
    return loft([[(px, py, z) for px, py in outline] for z in (0.0, size_z)], color, crease_deg=0)


def rounded_outline(size_x: float, size_y: float, radius: float, steps: int = 3) -> list[Point2]:
    """Return a rectangle with round corners, counter-clockwise, centred on the origin."""
    x, y = size_x / 2 - radius, size_y / 2 - radius
    return [
        (cx + px, cy + py)
        for quarter, (cx, cy) in enumerate([(x, y), (-x, y), (-x, -y), (x, -y)])
        for px, py in arc(radius, 90 * quarter, 90 * quarter + 90, steps)
    ]


def rounded_box(
    size_x: float, size_y: float, size_z: float, radius: float, color: Color, steps: int = 2
) -> Mesh:
    """Return a box with edges and corners rounded by `radius`, standing on z = 0."""
    radius = min(radius, size_x / 2, size_y / 2, size_z / 2)
    heights = [(c, radius + s) for c, s in arc(radius, -90, 0, steps)]
    heights += [(r, size_z - z) for r, z in reversed(heights)]
    x, y = size_x / 2 - radius, size_y / 2 - radius
    rings = []
    for r, z in heights:
        outline = rounded_outline(2 * (x + r), 2 * (y + r), r, steps)
        rings.append([(px, py, z) for px, py in outline])
    return loft(rings, color, crease_deg=50)


def lathe(
    profile: Sequence[Point2],
    color: Colors,
    segments: int = 20,
    crease_deg: float = 40.0,
) -> Mesh:
    """Turn a profile of (radius, z) about the z axis.

    Going up the profile, the solid lies on the axis side; go up outside and down inside for a
    vessel. Ends that are not on the axis are closed by flat discs; `color` may name one per
    segment.
    """
    rings = [[(r * c, r * s, z) for c, s in circle(segments)] for r, z in profile]
    start, end = profile[0][0] > 1e-6, profile[-1][0] > 1e-6
    return loft(rings, color, cap_start=start, cap_end=end, crease_deg=crease_deg)


def cylinder(radius: float, height: float, color: Color, segments: int = 20) -> Mesh:
    """Return an upright cylinder on z = 0."""
    return lathe([(radius, 0), (radius, height)], color, segments)


def frustum(
    radius_bottom: float, radius_top: float, height: float, color: Color, segments: int = 20
) -> Mesh:
    """Return an upright truncated cone on z = 0; radius_top = 0 gives a cone."""
    return lathe([(radius_bottom, 0), (radius_top, height)], color, segments)


def ellipsoid(
    radius_x: float,
    radius_y: float,
    radius_z: float,
    color: Color,
    segments: int = 18,
    rings: int = 10,
) -> Mesh:
    """Return an ellipsoid centred on the origin."""
    profile = arc(1.0, -90, 90, rings)
    profile = [(abs(c) if abs(c) > 1e-9 else 0.0, s) for c, s in profile]
    return scaled(lathe(profile, color, segments, 60), radius_x, radius_y, radius_z)


def sphere(radius: float, color: Color, segments: int = 18, rings: int = 10) -> Mesh:
    """Return a sphere centred on the origin."""
    return ellipsoid(radius, radius, radius, color, segments, rings)


def torus(
    radius: float, thickness: float, color: Color, segments: int = 20, sides: int = 8
) -> Mesh:
    """Return a ring about the z axis centred on the origin; thickness is the tube's radius."""
    profile = [(radius + thickness * c, thickness * s) for c, s in circle(sides)]
    rings = [[(r * c, r * s, z) for r, z in reversed(profile)] for c, s in circle(segments)]
    return loft(rings, color, closed=True, crease_deg=60)


def tube(
    path: Sequence[Point3],
    radius: float | Sequence[float],
    color: Colors,
    *,
    sides: int = 8,
    closed: bool = False,
    aspect: float = 1.0,
    up: Point3 = (0.0, 0.0, 1.0),
    crease_deg: float = 50.0,
) -> Mesh:
    """Sweep an ellipse along a path.

    Args:
        path: points in 3-D, metres; no two neighbours equal.
        radius: of the ellipse across the path, one for all points or one each.
        color: one colour, or one per stretch of the path.
        sides: corners of the cross-section.
        closed: the path returns to its first point (do not repeat it).
        aspect: radius towards `up` divided by the radius across.
        up: direction that the cross-section's second axis leans to; not along the path.
        crease_deg: see `solid`.
    """
    count = len(path)
    radii = [float(radius)] * count if isinstance(radius, int | float) else list(radius)
    rings = []
    for i, point in enumerate(path):
        before = path[i - 1] if closed or i > 0 else point
        after = path[(i + 1) % count] if closed or i + 1 < count else point
        along = _normalised(tuple(b - a for a, b in zip(before, after, strict=True)))
        side = _normalised(_cross3(up, along))
        lift = _cross3(along, side)
        ring = [
            tuple(point[k] + radii[i] * (c * side[k] + aspect * s * lift[k]) for k in range(3))
            for c, s in circle(sides)
        ]
        rings.append(ring)
    return loft(rings, color, closed=closed, crease_deg=crease_deg)  # type: ignore[arg-type]


def _cross3(a: Sequence[float], b: Sequence[float]) -> Point3:
    return (a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0])


def _normalised(a: Sequence[float]) -> Point3:
    length = math.sqrt(a[0] ** 2 + a[1] ** 2 + a[2] ** 2)
    if length < 1e-9:
        raise HouseError(
            "tube: the path repeats a point or is parallel to `up`; change the path or `up`"
        )
    return (a[0] / length, a[1] / length, a[2] / length)


def extrude(
    outline: Sequence[Point2],
    height: float,
    color: Color,
    holes: Sequence[Sequence[Point2]] = (),
    crease_deg: float = 40.0,
) -> Mesh:
    """Raise a flat outline (with holes) from z = 0 to z = height."""
    outer = counter_clockwise(outline)
    inner = [counter_clockwise(hole)[::-1] for hole in holes]
    flat = [*outer, *(p for hole in inner for p in hole)]
    count = len(flat)
    points = [(x, y, z) for z in (0.0, height) for x, y in flat]
    faces = []
    for a, b, c in triangulate(outer, inner):
        faces += [(c, b, a), (a + count, b + count, c + count)]
    start = 0
    for loop in (outer, *inner):
        ring = range(start, start := start + len(loop))
        for a, b in zip(ring, [*ring[1:], ring[0]], strict=True):
            faces += [(a, b, b + count), (a, b + count, a + count)]
    return solid(points, faces, color, crease_deg)


def plane(size_x: float, size_y: float, color: Color, *, cells: tuple[int, int] = (1, 1)) -> Mesh:
    """Return a flat grid on z = 0 facing up, its corner at the origin.

    More cells give occlusion and clipping more vertices to work with.
    """
    nx, ny = cells
    x = np.array([size_x * i / nx for i in range(nx + 1)])
    y = np.array([size_y * j / ny for j in range(ny + 1)])
    grid = np.stack([np.tile(x, ny + 1), np.repeat(y, nx + 1)], axis=1)
    corner = (np.arange(ny)[:, None] * (nx + 1) + np.arange(nx)).reshape(-1)
    lower = np.stack([corner, corner + 1, corner + nx + 2], axis=1)
    upper = np.stack([corner, corner + nx + 2, corner + nx + 1], axis=1)
    return Mesh(
        np.round(np.concatenate([grid, np.zeros((len(grid), 1))], axis=1), 5).astype(np.float32),
        np.tile(np.array([[0, 0, 1]], np.float32), (len(grid), 1)),
        np.tile(np.array([color], np.float32), (len(grid), 1)),
        np.stack([lower, upper], axis=1).reshape(-1, 3).astype(np.int32),
    )
