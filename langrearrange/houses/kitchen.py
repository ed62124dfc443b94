"""Meshes of the kitchen: counters, sink, drawers, fridge with its doors. Not other furniture.

Counters, sink and drawers share the kitchen run's frame; a fridge door lives in its hinge's frame.
"""

from __future__ import annotations

from langrearrange.houses.blocks import block, cushion, pull, tray, upright_pull
from langrearrange.houses.fixtures import (
    BASIN_DEPTH_MM,
    BASIN_RIM_MM,
    CELL_MM,
    DRAWER_FLOOR_MM,
    DRAWER_FRONT_MM,
    DRAWER_LIP_MM,
    FRIDGE_BODY_MM,
    FRIDGE_DOOR_MM,
    FRIDGE_LEAF_MM,
    FRIDGE_SHELF_MM,
    PLAIN_DRAWERS_MM,
    Size,
    column_centres,
)
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.palette import Palette, shade
from langrearrange.houses.shapes import Color, cylinder, lathe, merged, moved, tube

SLAB_MM = 40
TOE_MM = 80
UPPER_MM = 1460
PANEL_MM = 18
STEEL: Color = (184, 188, 192)
INSIDE: Color = (206, 196, 178)


def counter(size: Size, palette: Palette, side: str) -> Mesh:
    """A counter column: slab, carcass open behind the top drawer, two doors below."""
    index = 0 if side == "left_counter" else 2
    width, depth, height = size.columns[index], size.depth, size.height
    x0 = column_centres(size)[index] - width // 2
    x1, face = x0 + width, -depth + DRAWER_FRONT_MM
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


def sink(size: Size, palette: Palette) -> Mesh:
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
    face = -depth + DRAWER_FRONT_MM
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
    return merged(
        block((x0, front, floor - 6), (x1, back, floor), shade(STEEL, 0.93)),
        tray((x0 + 2, front + 2), (x1 - 2, back - 2), floor, shade(STEEL, 0.97)),
        block((x0 - 14, front - 14, height), (x1 + 14, front + 3, rim), STEEL),
        block((x0 - 14, back - 3, height), (x1 + 14, back + 14, rim), STEEL),
        block((x0 - 14, front, height), (x0 + 3, back, rim), STEEL),
        block((x1 - 3, front, height), (x1 + 14, back, rim), STEEL),
        block((x0, front, floor), (x1, front + 2, height), wall),
        block((x0, back - 2, floor), (x1, back, height), wall),
        block((x0, front, floor), (x0 + 2, back, height), wall),
        block((x1 - 2, front, floor), (x1, back, height), wall),
        drain,
    )


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


def top_drawer(size: Size, palette: Palette, name: str) -> Mesh:
    """The left or right drawer, closed: front, handle, box with a floor that holds three by two."""
    index = 0 if name == "left_drawer" else 2
    middle, width = column_centres(size)[index], size.columns[index]
    front = -size.depth
    inner, back = 3 * CELL_MM / 2 + 6, front + DRAWER_FRONT_MM + DRAWER_LIP_MM + 2 * CELL_MM
    floor, rim = DRAWER_FLOOR_MM, DRAWER_FLOOR_MM + 130
    top = size.height - SLAB_MM - 8
    face = block(
        (middle - width / 2 + 4, front, 540),
        (middle + width / 2 - 4, front + DRAWER_FRONT_MM, top),
        palette.fronts,
    )
    return merged(
        face,
        pull(middle, front, (540 + top) / 2, 320, palette.handles),
        block((middle - inner, front + 20, floor - 12), (middle + inner, back, floor), INSIDE),
        tray((middle - inner, front + DRAWER_FRONT_MM), (middle + inner, back), floor, INSIDE),
        block((middle - inner - 12, front + 20, floor - 12), (middle - inner, back, rim), INSIDE),
        block((middle + inner, front + 20, floor - 12), (middle + inner + 12, back, rim), INSIDE),
        block(
            (middle - inner - 12, back, floor - 12), (middle + inner + 12, back + 12, rim), INSIDE
        ),
    )


def plain_drawer(size: Size, palette: Palette, name: str) -> Mesh:
    """The middle or bottom drawer, below the sink: it opens a little and is empty."""
    middle, width = column_centres(size)[1], size.columns[1]
    low, high = PLAIN_DRAWERS_MM[name]
    front, half = -size.depth, width / 2 - 36
    back, rim = front + DRAWER_FRONT_MM + 2 * CELL_MM, low + 150
    floor = low + 20
    return merged(
        block(
            (middle - width / 2 + 4, front, low - 4),
            (middle + width / 2 - 4, front + DRAWER_FRONT_MM, high + 2),
            palette.fronts,
        ),
        pull(middle, front, (low + high) / 2, 320, palette.handles),
        block((middle - half, front + 20, floor - 10), (middle + half, back, floor), INSIDE),
        block((middle - half - 10, front + 20, floor - 10), (middle - half, back, rim), INSIDE),
        block((middle + half, front + 20, floor - 10), (middle + half + 10, back, rim), INSIDE),
        block((middle - half - 10, back, floor - 10), (middle + half + 10, back + 10, rim), INSIDE),
    )


FREEZER_TOP_MM = 600
COMPARTMENT_MM = 640
WALL_MM = 50
LINING: Color = (228, 231, 233)


def fridge(size: Size, palette: Palette) -> Mesh:
    """The body: shell, light grey inside with a shelf, a second one above, freezer drawer below."""
    half, height, color = size.width / 2, size.height, palette.fridge
    front = -FRIDGE_BODY_MM
    inner, top = half - WALL_MM, height - WALL_MM
    parts = [
        block((-half, front, 20), (-inner, 0, height), color),
        block((inner, front, 20), (half, 0, height), color),
        block((-half, front, top), (half, 0, height), color),
        block((-inner, -60, 20), (inner, 0, top), color),
        block((-inner, front, 20), (inner, -60, COMPARTMENT_MM), color),
        block((-inner, -68, COMPARTMENT_MM), (inner, -60, top), LINING),
        block((-inner, front + 2, COMPARTMENT_MM), (-inner + 4, -62, top), shade(LINING, 0.95)),
        block((inner - 4, front + 2, COMPARTMENT_MM), (inner, -62, top), shade(LINING, 0.95)),
        block((-inner, front + 2, top - 4), (inner, -62, top), shade(LINING, 0.98)),
        block((-inner, front + 18, FRIDGE_SHELF_MM - 16), (inner, -62, FRIDGE_SHELF_MM), LINING),
        block((-inner, front + 14, FRIDGE_SHELF_MM - 16), (inner, front + 18, FRIDGE_SHELF_MM + 2),
              (170, 190, 200)),
        tray((-inner + 4, front + 18), (inner - 4, -68), FRIDGE_SHELF_MM, LINING),
        block((-inner, -330, 1270), (inner, -62, 1282), (196, 210, 216)),
    ]  # fmt: skip
    for a, b in ((-inner + 8, -4.0), (4.0, inner - 8)):
        parts.append(
            block((a, front + 20, COMPARTMENT_MM + 6), (b, front + 30, FRIDGE_SHELF_MM - 24),
                  (204, 216, 222))
        )  # fmt: skip
    parts.append(
        block((-half + 4, front - FRIDGE_DOOR_MM, 60), (half - 4, front - 4, FREEZER_TOP_MM), color)
    )
    parts.append(block((-half + 30, front + 40, 0), (half - 30, -30, 22), (50, 50, 52)))
    parts.append(pull(0, front - FRIDGE_DOOR_MM, FREEZER_TOP_MM - 60, 560, palette.handles))
    return merged(*parts)


def fridge_door(size: Size, palette: Palette, side: str) -> Mesh:
    """A door leaf in its hinge's frame (outer front corner), with racks on the inside."""
    sign = 1 if side == "left" else -1
    low, high = FREEZER_TOP_MM + 20, size.height - 12
    leaf = FRIDGE_LEAF_MM - 3

    def part(x0: float, y0: float, z0: float, x1: float, y1: float, z1: float, c: Color) -> Mesh:
        a, b = sorted((sign * x0, sign * x1))
        return block((a, y0, z0), (b, y1, z1), c)

    rack = shade(LINING, 1.04)
    parts = [
        cushion(
            (min(0, sign * leaf), 0, low), (max(0, sign * leaf), FRIDGE_DOOR_MM - 8, high), 10,
            palette.fridge,
        ),
        part(20, FRIDGE_DOOR_MM - 9, low + 20, leaf - 20, FRIDGE_DOOR_MM - 4, high - 20, LINING),
        upright_pull(sign * (leaf - 40), 0, low + 180, low + 680, palette.handles),
    ]  # fmt: skip
    for z in (low + 640, low + 880):
        if z + 100 < high:
            parts.append(
                part(40, FRIDGE_DOOR_MM - 5, z, leaf - 60, FRIDGE_DOOR_MM + 55, z + 8, rack)
            )
            parts.append(
                part(40, FRIDGE_DOOR_MM + 47, z, leaf - 60, FRIDGE_DOOR_MM + 55, z + 80, rack)
            )
    return merged(*parts)


def backsplash(size: Size, palette: Palette) -> Mesh:
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
        doors = 2
        for i in range(doors):
            a, b = x0 + (x1 - x0) * i / doors, x0 + (x1 - x0) * (i + 1) / doors
            parts.append(block((a + 4, -348, UPPER_MM + 6), (b - 4, -330, 2154), palette.fronts))
            x = b - 40 if i == 0 else a + 40
            parts.append(upright_pull(x, -348, UPPER_MM + 30, UPPER_MM + 180, palette.handles))
    if style:
        parts.append(block((-half + left, -240, 1760), (half - right, 0, 1784), palette.worktop))
    return merged(*parts)
