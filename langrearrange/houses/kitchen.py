"""The kitchen run: counters, sink and drawers in one frame, their record and meshes."""

from collections.abc import Iterator
from typing import Final, NamedTuple

from langrearrange.houses.blocks import block, pull, tray, upright_pull
from langrearrange.houses.furniture import (
    CELL_MM,
    Builder,
    Furniture,
    PartDesign,
    Size,
    SlotGrid,
    sliding,
)
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.palette import Palette, shade
from langrearrange.houses.robot import ROBOT_RADIUS_MM
from langrearrange.houses.shapes import Color, cylinder, lathe, merged, moved, tube
from langrearrange.seeding import KeyedRng

DEPTH_MM: Final = 660
EDGE_MM: Final = 30
SLIDE_MM: Final = 565
LIP_MM: Final = 20
"""From a drawer's front panel to its first slot: what a viewer cannot see over the panel."""
FRONT_MM: Final = 22
DRAWER_FLOOR_MM: Final = 560
PLAIN_SLIDE_MM: Final = 120
BASIN_DEPTH_MM: Final = 100
BASIN_RIM_MM: Final = 50
SLIDE_GAP_MM: Final = SLIDE_MM + ROBOT_RADIUS_MM + 5
SLAB_MM = 40
TOE_MM = 80
UPPER_MM = 1460
PANEL_MM = 18
STEEL: Color = (184, 188, 192)
INSIDE: Color = (206, 196, 178)


def column_centres(size: Size) -> tuple[int, int, int]:
    """Return the middle x of left counter, sink and right counter."""
    left, middle, right = size.columns
    start = -size.width // 2
    return start + left // 2, start + left + middle // 2, start + left + middle + right // 2


def counter(size: Size, palette: Palette, column: int) -> Mesh:
    """A counter column: slab, carcass open behind the top drawer, two doors below."""
    width, depth, height = size.columns[column], size.depth, size.height
    x0 = column_centres(size)[column] - width // 2
    x1, face = x0 + width, -depth + FRONT_MM
    color = palette.fronts
    parts = [
        block((x0, -depth, height - SLAB_MM), (x1, 0, height), palette.worktop),
        block((x0, face, TOE_MM), (x0 + PANEL_MM, 0, height - SLAB_MM), color),
        block((x1 - PANEL_MM, face, TOE_MM), (x1, 0, height - SLAB_MM), color),
        block((x0, -20, TOE_MM), (x1, 0, height - SLAB_MM), INSIDE),
        block((x0, face + 50, 0), (x1, 0, TOE_MM), shade(color, 0.45)),
        block((x0 + PANEL_MM, face, TOE_MM), (x1 - PANEL_MM, -20, TOE_MM + 12), INSIDE),
        block((x0 + PANEL_MM, face, 532), (x1 - PANEL_MM, -20, 542), INSIDE),
    ]
    middle = (x0 + x1) / 2
    for a, b, handle in ((x0, middle, middle - 50), (middle, x1, middle + 50)):
        parts.append(block((a + 4, -depth, TOE_MM + 8), (b - 4, face, 530), color))
        parts.append(upright_pull(handle, -depth, 330, 490, palette.handles))
    return merged(*parts)


def sink(size: Size, palette: Palette, style: int) -> Mesh:
    """The sink column: slab with a steel basin let in, a tap behind, room for two drawers below."""
    width, depth, height = size.columns[1], size.depth, size.height
    middle = column_centres(size)[1]
    x0, x1 = middle - width / 2, middle + width / 2
    half = 3 * CELL_MM / 2 + 6
    front, back = -depth + BASIN_RIM_MM - 4, -depth + BASIN_RIM_MM + 2 * CELL_MM + 4
    slab, low = palette.worktop, height - SLAB_MM
    parts = [
        block((x0, -depth, low), (x1, front, height), slab),
        block((x0, back, low), (x1, 0, height), slab),
        block((x0, front, low), (middle - half, back, height), slab),
        block((middle + half, front, low), (x1, back, height), slab),
        _basin(middle, half, front, back, height),
        _tap(middle, back, height),
    ]
    face = -depth + FRONT_MM
    color = palette.fronts
    under = low - BASIN_DEPTH_MM
    parts += [
        block((x0, face, TOE_MM), (x0 + PANEL_MM, 0, low), color),
        block((x1 - PANEL_MM, face, TOE_MM), (x1, 0, low), color),
        block((x0, -20, TOE_MM), (x1, 0, low), INSIDE),
        block((x0 + PANEL_MM, face, TOE_MM), (x1 - PANEL_MM, -20, TOE_MM + 12), INSIDE),
        block((x0 + PANEL_MM, face, 382), (x1 - PANEL_MM, -20, 390), INSIDE),
        block((x0 + PANEL_MM, face, 682), (x1 - PANEL_MM, -20, 688), INSIDE),
        block((x0 + PANEL_MM, face, 688), (x1 - PANEL_MM, face + 8, under), color),
        block((x0, face + 50, 0), (x1, 0, TOE_MM), shade(color, 0.45)),
        block((x0 + 4, -depth, 690), (x1 - 4, face, low - 12), color),
    ]
    return merged(*parts)


def _basin(middle: float, half: float, front: float, back: float, height: float) -> Mesh:
    """Steel floor, four walls and a flange; the floor is where objects rest."""
    floor, wall, rim = height - BASIN_DEPTH_MM, shade(STEEL, 0.86), height + 3
    x0, x1 = middle - half, middle + half
    drain = moved(
        cylinder(0.032, 0.0012, shade(STEEL, 0.45), 16),
        middle / 1000, (back - 40) / 1000, floor / 1000,
    )  # fmt: skip
    parts = [
        block((x0, front, floor - 6), (x1, back, floor), shade(STEEL, 0.93)),
        tray((x0 + 2, front + 2), (x1 - 2, back - 2), floor, shade(STEEL, 0.97)),
    ]
    for out, thick, z0, z1, color in ((14, 3, height, rim, STEEL), (0, 2, floor, height, wall)):
        parts += [
            block((x0 - out, front - out, z0), (x1 + out, front + thick, z1), color),
            block((x0 - out, back - thick, z0), (x1 + out, back + out, z1), color),
            block((x0 - out, front, z0), (x0 + thick, back, z1), color),
            block((x1 - thick, front, z0), (x1 + out, back, z1), color),
        ]
    return merged(*parts, drain)


def _tap(middle: float, back: float, height: float) -> Mesh:
    """A gooseneck: up behind the basin, over, and down towards its back edge."""
    y, z = (back + 45) / 1000, height / 1000
    path = [
        (0.0, 0.0, 0.0), (0.0, 0.0, 0.20), (0.0, -0.012, 0.245), (0.0, -0.05, 0.275),
        (0.0, -0.095, 0.268), (0.0, -0.125, 0.235), (0.0, -0.130, 0.205),
    ]  # fmt: skip
    neck = tube(path, 0.012, STEEL, sides=8, up=(1, 0, 0))
    lever = moved(cylinder(0.008, 0.06, STEEL, 8), 0.06, 0, 0)
    foot = lathe([(0.03, 0), (0.03, 0.008), (0.018, 0.012), (0.018, 0.05)], STEEL, 12)
    return moved(merged(neck, lever, foot), middle / 1000, y, z)


def top_drawer(size: Size, palette: Palette, column: int) -> Mesh:
    """The left or right drawer, closed: its box has a floor that holds three by two."""
    low, high = 540, size.height - SLAB_MM - 8
    half, back = 3 * CELL_MM / 2 + 6, -size.depth + FRONT_MM + LIP_MM + 2 * CELL_MM
    middle, floor = column_centres(size)[column], DRAWER_FLOOR_MM
    lining = tray((middle - half, -size.depth + FRONT_MM), (middle + half, back), floor, INSIDE)
    box = _Box(half, back, floor, floor + 130, 12)
    return _drawer(size, palette, column, (low, high), (low + high) / 2, box, lining)


def plain_drawer(size: Size, palette: Palette, low: int, high: int) -> Mesh:
    """A drawer below the sink, between two heights: it opens a little and is empty."""
    back = -size.depth + FRONT_MM + 2 * CELL_MM
    box = _Box(size.columns[1] / 2 - 36, back, low + 20, low + 150, 10)
    return _drawer(size, palette, 1, (low - 4, high + 2), (low + high) / 2, box)


class _Box(NamedTuple):
    """The box of a drawer: half its inner width, back, floor and rim, thickness of its walls."""

    half: float
    back: int
    floor: int
    rim: int
    wall: int


def _drawer(
    size: Size,
    palette: Palette,
    column: int,
    face: tuple[float, float],
    handle: float,
    box: _Box,
    *lining: Mesh,
) -> Mesh:
    """A drawer with its face between two heights and its handle at another."""
    middle, front = column_centres(size)[column], -size.depth
    reach = size.columns[column] / 2 - 4
    half, back, floor, rim, wall = box
    x0, x1, low = middle - half, middle + half, floor - wall
    return merged(
        block((middle - reach, front, face[0]), (middle + reach, front + FRONT_MM, face[1]),
              palette.fronts),
        pull(middle, front, handle, 320, palette.handles),
        block((x0, front + 20, low), (x1, back, floor), INSIDE),
        *lining,
        block((x0 - wall, front + 20, low), (x0, back, rim), INSIDE),
        block((x1, front + 20, low), (x1 + wall, back, rim), INSIDE),
        block((x0 - wall, back, low), (x1 + wall, back + wall, rim), INSIDE),
    )  # fmt: skip


def backsplash(size: Size, palette: Palette, style: int) -> Mesh:
    """Tiles on the wall between the run and the cabinets above; joints show without texture."""
    half, color = size.width / 2, palette.backsplash
    parts = [block((-half, -8, size.height), (half, 0, UPPER_MM), color)]
    for i in range(1, 4):
        z = size.height + (UPPER_MM - size.height) * i / 4
        parts.append(block((-half, -8.3, z - 1.5), (half, -8, z + 1.5), shade(color, 0.9)))
    return merged(*parts)


def upper_cabinets(size: Size, palette: Palette, style: int) -> Mesh:
    """Decor above the run: cabinets over the counters, out of any camera's way; a shelf between."""
    left, _, right = size.columns
    half = size.width / 2
    parts = []
    for x0, x1 in ((-half, -half + left), (half - right, half)):
        parts.append(block((x0, -330, UPPER_MM), (x1, 0, 2160), shade(palette.fronts, 0.92)))
        for i in range(2):
            a, b = x0 + (x1 - x0) * i / 2, x0 + (x1 - x0) * (i + 1) / 2
            parts.append(block((a + 4, -348, UPPER_MM + 6), (b - 4, -330, 2154), palette.fronts))
            x = b - 40 if i == 0 else a + 40
            parts.append(upright_pull(x, -348, UPPER_MM + 30, UPPER_MM + 180, palette.handles))
    if style:
        parts.append(block((-half + left, -240, 1760), (half - right, 0, 1784), palette.worktop))
    return merged(*parts)


def _draw_size(rng: KeyedRng) -> Size:
    columns = tuple(map(rng.choice, ((880, 900, 940), (900, 920), (880, 900, 940))))
    return Size(sum(columns), DEPTH_MM, rng.choice((860, 870, 880)), columns)


_PLAIN_DRAWERS: Final = {"middle_drawer": (392, 680), "bottom_drawer": (92, 384)}
"""Drawers below the sink that hold nothing: heights of their fronts' lower and upper edge."""


def _plain(name: str) -> Builder:
    return lambda size, palette, style: plain_drawer(size, palette, *_PLAIN_DRAWERS[name])


def _grids(size: Size) -> Iterator[SlotGrid]:
    front, (left, middle, right) = -size.depth, column_centres(size)
    for name, x in (("left_counter", left), ("right_counter", right)):
        yield SlotGrid(name, x, front + EDGE_MM, size.height, SLIDE_GAP_MM, 3, 2)
    yield SlotGrid("sink", middle, front + BASIN_RIM_MM, size.height - BASIN_DEPTH_MM, 410, 3, 2)
    for name, x in (("left_drawer", left), ("right_drawer", right)):
        edge = front + FRONT_MM + LIP_MM
        yield SlotGrid(name, x, edge, DRAWER_FLOOR_MM, SLIDE_GAP_MM, 3, 2, 265, SLIDE_MM)
    for name, (low, high) in _PLAIN_DRAWERS.items():
        yield SlotGrid(name, middle, front - 60, (low + high) // 2 - 60, 640, 0, 0)


def _swings(size: Size) -> Iterator[tuple[int, int, int, int]]:
    left, _, right = size.columns
    half, front = size.width // 2, -size.depth
    yield -half, front - SLIDE_MM, left - half, front
    yield half - right, front - SLIDE_MM, half, front
    yield left - half, front - PLAIN_SLIDE_MM, half - right, front


def _part(name: str, build: Builder, slide: int = 0) -> PartDesign:
    return PartDesign(name, build, name if slide else "", sliding(slide), bounce=0.15)


KITCHEN: Final = Furniture(
    "kitchen",
    _draw_size,
    _grids,
    (
        _part("left_counter", lambda size, palette, style: counter(size, palette, 0)),
        _part("sink", sink),
        _part("right_counter", lambda size, palette, style: counter(size, palette, 2)),
        PartDesign("upper_cabinets", upper_cabinets, semantic="decor", bounce=0.35),
        PartDesign(
            "backsplash", backsplash, semantic="decor", bounce=0.4, texture=("small_tiles", 1.2)
        ),
        _part("left_drawer", lambda size, palette, style: top_drawer(size, palette, 0), SLIDE_MM),
        _part("middle_drawer", _plain("middle_drawer"), PLAIN_SLIDE_MM),
        _part("right_drawer", lambda size, palette, style: top_drawer(size, palette, 2), SLIDE_MM),
        _part("bottom_drawer", _plain("bottom_drawer"), PLAIN_SLIDE_MM),
    ),
    _swings,
    columns=("left_counter", "sink", "right_counter"),
    tall=True,
    rooms=("kitchen",),
)
