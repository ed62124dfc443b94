"""Meshes of the shell: floors, walls with doorways, skirting, ceilings. Not furniture, not decor.

House frame. Floors and walls are grids whose vertices darken near walls and under furniture, so
that furniture looks grounded; few triangles, one mesh a room, so that hidden rooms are skipped.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Final

import numpy as np

from langrearrange.houses.blocks import block
from langrearrange.houses.furnish import Furnishing
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.palette import Floor, Palette, shade
from langrearrange.houses.placement import Rect
from langrearrange.houses.plans import DOOR_HEIGHT_MM, WALL_HEIGHT_MM
from langrearrange.houses.shapes import Color, merged

_REACH_MM: Final = 160
"""How far the shadow of furniture reaches on the floor."""
_CORNER_MM: Final = 260
_SKIRTING_MM: Final = (14, 80)
_CASING_MM: Final = 60
Point = tuple[float, float, float]


def floor(design: Furnishing, room: str, material: Floor) -> Mesh:
    """The floor of a room and of the doorways on its upper and right side."""
    inside = design.plan.rooms[room]
    covered = [p.footprint for p in design.pieces.values() if p.room == room]
    covered += [o.footprint.grown(-110) for o in design.ornaments if o.blocks and o.room == room]

    def light(x: float, y: float) -> float:
        value = min((_ramp(_outside(rect, x, y), 0.5, _REACH_MM) for rect in covered), default=1.0)
        edge = min(x - inside.x0, inside.x1 - x, y - inside.y0, inside.y1 - y)
        return value * _ramp(edge, 0.82, _CORNER_MM)

    xs = _lines(inside.x0, inside.x1, [(r.x0, r.x1) for r in covered])
    ys = _lines(inside.y0, inside.y1, [(r.y0, r.y1) for r in covered])
    meshes = [_grid(xs, ys, lambda x, y: (x, y, 0.0), light, material.color, (0, 0, 1))]
    meshes += [_plain(door, 0.0, 0.9, material.color) for door in _doorways(design, inside)]
    mesh = merged(*meshes)
    uv = (mesh.positions[:, :2] / np.float32(material.repeat_m)).astype(np.float32)
    return replace(mesh, uv=uv, texture=material.texture)


def _doorways(design: Furnishing, inside: Rect) -> list[Rect]:
    """Return the doorways on the upper and right side of a room."""
    reach = Rect(inside.x0, inside.y0, inside.x1 + 1, inside.y1 + 1)
    return [door for door in design.plan.doorways if door.overlaps(reach)]


def ceiling(design: Furnishing, room: str, palette: Palette) -> Mesh:
    """The ceiling of a room and of its doorways' thickness."""
    inside = design.plan.rooms[room]

    def light(y: float, x: float) -> float:
        edge = min(x - inside.x0, inside.x1 - x, y - inside.y0, inside.y1 - y)
        return _ramp(edge, 0.86, _CORNER_MM)

    xs, ys = _lines(inside.x0, inside.x1, []), _lines(inside.y0, inside.y1, [])
    color = shade(palette.trim, 0.97)
    return _grid(ys, xs, lambda y, x: (x, y, WALL_HEIGHT_MM), light, color, (0, 0, -1))


def walls(design: Furnishing, room: str, palette: Palette) -> Mesh:
    """The four walls of a room seen from inside, with doorways, skirting and casings."""
    inside = design.plan.rooms[room]
    parts: list[Mesh] = []
    for quarter in range(4):
        openings = _openings(design, inside, quarter)
        parts.append(_wall(inside, quarter, openings, palette.paints[room]))
        parts += _skirting(inside, quarter, openings, palette.trim)
    casings = [_casing(door, palette.trim) for door in _doorways(design, inside)]
    return merged(*parts, *casings)


def _openings(design: Furnishing, inside: Rect, quarter: int) -> list[tuple[int, int]]:
    """Return the doorways in one wall as intervals along it."""
    strip = inside.strip(quarter, 0, 1)
    doors = [d for d in design.plan.doorways if d.overlaps(strip)]
    return sorted(d.span(quarter) for d in doors)


def _wall(inside: Rect, quarter: int, openings: list[tuple[int, int]], paint: Color) -> Mesh:
    low, high = inside.span(quarter)

    def light(along: float, z: float) -> float:
        corner = _ramp(min(along - low, high - along), 0.84, _CORNER_MM)
        return corner * _ramp(z, 0.78, 320) * _ramp(WALL_HEIGHT_MM - z, 0.9, 260)

    def place(along: float, z: float) -> Point:
        return *inside.side(quarter, round(along)), z

    normal = ((-1, 0, 0), (0, -1, 0), (1, 0, 0), (0, 1, 0))[quarter]
    alongs = _lines(low, high, openings, margin=0)
    heights: list[float] = [0, 320, DOOR_HEIGHT_MM, WALL_HEIGHT_MM - 260, WALL_HEIGHT_MM]

    def is_open(along: float, z: float) -> bool:
        return z < DOOR_HEIGHT_MM and any(a < along < b for a, b in openings)

    return _grid(alongs, heights, place, light, paint, normal, is_open)


def _skirting(
    inside: Rect, quarter: int, openings: list[tuple[int, int]], trim: Color
) -> list[Mesh]:
    thick, tall = _SKIRTING_MM
    low, high = inside.span(quarter)
    edges = [low, *(e for a, b in openings for e in (a - _CASING_MM, b + _CASING_MM)), high]
    boards = []
    for a, b in zip(edges[::2], edges[1::2], strict=True):
        if b - a > 20:
            ends = {"y0": a, "y1": b} if quarter % 2 == 0 else {"x0": a, "x1": b}
            x0, y0, x1, y1 = inside._replace(**ends).strip(quarter, thick, 0)
            boards.append(block((x0, y0, 0), (x1, y1, tall), trim))
    return boards


def _casing(door: Rect, trim: Color) -> Mesh:
    """Line a doorway: two jambs and a head, a little wider than the wall is thick."""
    out, lining, top = 12, 18, DOOR_HEIGHT_MM + _CASING_MM
    through_x = door.x1 - door.x0 < door.y1 - door.y0
    (a, b), (low, high) = (door.x0, door.x1), (door.y0, door.y1)
    if not through_x:
        (a, b), (low, high) = (low, high), (a, b)
    boards = []
    for start, end, z in (
        (low - _CASING_MM, low + lining, 0),
        (high - lining, high + _CASING_MM, 0),
        (low + lining, high - lining, DOOR_HEIGHT_MM - lining),
    ):
        corners = ((a - out, start), (b + out, end))
        (x0, y0), (x1, y1) = corners if through_x else (pair[::-1] for pair in corners)
        boards.append(block((x0, y0, z), (x1, y1, top), trim))
    return merged(*boards)


def wall_tops(design: Furnishing, color: Color) -> Mesh:
    """The walls cut at ceiling height: seen only from above, when ceilings are left out."""
    return merged(*(_plain(wall, WALL_HEIGHT_MM, 1.0, color) for wall in design.walls))


def _plain(rect: Rect, z: float, light: float, color: Color) -> Mesh:
    """Return an evenly lit rectangle facing up."""
    xs, ys = [rect.x0, rect.x1], [rect.y0, rect.y1]
    return _grid(xs, ys, lambda x, y: (x, y, z), lambda x, y: light, color, (0, 0, 1))


def _ramp(distance: float, start: float, reach: float) -> float:
    """Return `start` at distance 0 or less, 1 from `reach` on, linear between."""
    share = min(max(distance / reach, 0.0), 1.0)
    return start + (1.0 - start) * share


def _outside(rect: Rect, x: float, y: float) -> float:
    """Return how far a point is outside a rectangle (Chebyshev), 0 inside."""
    return max(rect.x0 - x, x - rect.x1, rect.y0 - y, y - rect.y1, 0.0)


def _lines(
    low: int, high: int, spans: Sequence[tuple[int, int]], margin: int = _REACH_MM
) -> list[float]:
    """Return sorted grid lines: both ends, lines near them, and around every span."""
    lines = {low, low + _CORNER_MM, high - _CORNER_MM, high}
    for a, b in spans:
        lines |= {a - margin, a, b, b + margin}
    return sorted(float(line) for line in lines if low <= line <= high)


def _grid(
    us: Sequence[float],
    vs: Sequence[float],
    place: Callable[[float, float], Point],
    light: Callable[[float, float], float],
    color: Color,
    normal: tuple[int, int, int],
    is_open: Callable[[float, float], bool] = lambda u, v: False,
) -> Mesh:
    """Return a flat grid over lines us x vs; cells whose middle `is_open` are left out."""
    points = [place(u, v) for v in vs for u in us]
    shades = [light(u, v) for v in vs for u in us]
    cells = [
        (j * len(us) + i, j * len(us) + i + 1, (j + 1) * len(us) + i + 1, (j + 1) * len(us) + i)
        for j in range(len(vs) - 1)
        for i in range(len(us) - 1)
        if not is_open((us[i] + us[i + 1]) / 2, (vs[j] + vs[j + 1]) / 2)
    ]
    faces = np.array([t for a, b, c, d in cells for t in ((a, b, c), (a, c, d))], np.int32)
    positions = np.array(points, np.float64) / 1000
    corner = positions[faces[0]]
    facing = np.cross(corner[1] - corner[0], corner[2] - corner[0]) @ np.array(normal, np.float64)
    if facing < 0:
        faces = np.ascontiguousarray(faces[:, ::-1])
    return Mesh(
        positions.astype(np.float32),
        np.tile(np.array([normal], np.float32), (len(points), 1)),
        np.outer(shades, color).astype(np.float32),
        faces,
    )
