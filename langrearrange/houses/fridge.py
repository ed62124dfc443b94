"""The fridge: its record, its body, its two doors. A door's mesh is in its hinge's frame."""

from collections.abc import Iterator
from typing import Final

from langrearrange.houses.blocks import block, cushion, pull, tray, upright_pull
from langrearrange.houses.furniture import Furniture, PartDesign, Size, SlotGrid, swinging
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.palette import Palette, shade
from langrearrange.houses.shapes import Color, merged
from langrearrange.seeding import KeyedRng

BODY_MM: Final = 660
DOOR_MM: Final = 60
SHELF_MM: Final = 800
LEAF_MM: Final = 445
SPREAD_MM: Final = 85
"""How far an open door leaf reaches beyond the fridge's side."""
DOOR_SWING_DEG: Final = 100
FREEZER_TOP_MM = 600
COMPARTMENT_MM = 640
WALL_MM = 50
LINING: Color = (228, 231, 233)


def body(size: Size, palette: Palette, style: int) -> Mesh:
    """The body: shell, light grey inside with a shelf, a second one above, freezer drawer below."""
    half, height, color = size.width / 2, size.height, palette.fridge
    front = -BODY_MM
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
        block((-inner, front + 18, SHELF_MM - 16), (inner, -62, SHELF_MM), LINING),
        block((-inner, front + 14, SHELF_MM - 16), (inner, front + 18, SHELF_MM + 2),
              (170, 190, 200)),
        tray((-inner + 4, front + 18), (inner - 4, -68), SHELF_MM, LINING),
        block((-inner, -330, 1270), (inner, -62, 1282), (196, 210, 216)),
    ]  # fmt: skip
    low, high, glass = COMPARTMENT_MM + 6, SHELF_MM - 24, (204, 216, 222)
    for a, b in ((-inner + 8, -4.0), (4.0, inner - 8)):
        parts.append(block((a, front + 20, low), (b, front + 30, high), glass))
    return merged(
        *parts,
        block((-half + 4, front - DOOR_MM, 60), (half - 4, front - 4, FREEZER_TOP_MM), color),
        block((-half + 30, front + 40, 0), (half - 30, -30, 22), (50, 50, 52)),
        pull(0, front - DOOR_MM, FREEZER_TOP_MM - 60, 560, palette.handles),
    )


def door(size: Size, palette: Palette, sign: int) -> Mesh:
    """A door leaf in its hinge's frame (outer front corner), with racks on the inside."""
    low, high = FREEZER_TOP_MM + 20, size.height - 12
    leaf = LEAF_MM - 3

    def part(x0: float, y0: float, z0: float, x1: float, y1: float, z1: float, c: Color) -> Mesh:
        a, b = sorted((sign * x0, sign * x1))
        return block((a, y0, z0), (b, y1, z1), c)

    left, right = sorted((0, sign * leaf))
    rack = shade(LINING, 1.04)
    parts = [
        cushion((left, 0, low), (right, DOOR_MM - 8, high), 10, palette.fridge),
        part(20, DOOR_MM - 9, low + 20, leaf - 20, DOOR_MM - 4, high - 20, LINING),
        upright_pull(sign * (leaf - 40), 0, low + 180, low + 680, palette.handles),
    ]
    for z in (low + 640, low + 880):
        if z + 100 < high:
            parts.append(part(40, DOOR_MM - 5, z, leaf - 60, DOOR_MM + 55, z + 8, rack))
            parts.append(part(40, DOOR_MM + 47, z, leaf - 60, DOOR_MM + 55, z + 80, rack))
    return merged(*parts)


def _draw_size(rng: KeyedRng) -> Size:
    return Size(900, BODY_MM + DOOR_MM, rng.choice((1720, 1780, 1840)))


def _grids(size: Size) -> Iterator[SlotGrid]:
    yield SlotGrid("fridge", 0, DOOR_MM + 10 - size.depth, SHELF_MM, 620, 3, 2, 400)


def _swings(size: Size) -> Iterator[tuple[int, int, int, int]]:
    reach = LEAF_MM + SPREAD_MM
    yield -reach, -size.depth - LEAF_MM - 15, reach, -size.depth


def _door(side: str, sign: int) -> PartDesign:
    return PartDesign(
        f"fridge_{side}_door",
        lambda size, palette, style: door(size, palette, -sign),
        "fridge",
        swinging(sign * LEAF_MM, sign * DOOR_SWING_DEG),
        "fridge",
        bounce=0.35,
    )


FRIDGE: Final = Furniture(
    "fridge",
    _draw_size,
    _grids,
    (PartDesign("fridge", body, bounce=0.35), _door("left", -1), _door("right", 1)),
    _swings,
    tall=True,
    rooms=("kitchen",),
)
