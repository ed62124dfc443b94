"""Sofa, chair, tables and TV stand: records and meshes.

Furniture frame (see `placement`), lengths in millimetres until the mesh is made. Styles change the
look of a piece, never the position of its surface.
"""

from collections.abc import Iterator
from typing import Final

from langrearrange.houses.blocks import bar, block, cushion, post, pull
from langrearrange.houses.furniture import (
    NUM_STYLES,
    Builder,
    Furniture,
    PartDesign,
    Size,
    SlotGrid,
)
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.palette import Palette, shade
from langrearrange.houses.shapes import Color, frustum, merged, moved, turned
from langrearrange.seeding import KeyedRng

SOFA_SEAT_MM: Final = 430
CHAIR_SEAT_MM: Final = 430


def sofa(size: Size, palette: Palette, style: int) -> Mesh:
    """A sofa: base, arms, back, flat seat cushions, back cushions, two pillows at the ends."""
    half, depth, height = size.width / 2, size.depth, size.height
    fabric, dark = palette.sofa, shade(palette.sofa, 0.82)
    arm = (150, 170, 130)[style]
    arm_height = (610, 560, 640)[style]
    parts = [
        block((-half + 10, -depth + 40, 70), (half - 10, -20, 300), dark),
        cushion((-half, -200, 70), (half, 0, height), 45, fabric),
    ]
    for sign in (-1, 1):
        outer, inner = sorted((sign * half, sign * (half - arm)))
        parts.append(cushion((outer, -depth, 70), (inner, -10, arm_height), 45, fabric))
        for y in (-depth + 70, -80):
            parts.append(post(sign * (half - 80), y, 0, 75, 24, palette.chair_wood))
    seats = 2 if style == 1 or size.width < 2000 else 3
    inside, seat_z = 2 * (half - arm), SOFA_SEAT_MM / 1000 - 0.005
    for i in range(seats):
        x0 = -half + arm + inside * i / seats
        x1 = x0 + inside / seats
        parts.append(cushion((x0 + 3, -depth + 5, 290), (x1 - 3, -170, SOFA_SEAT_MM), 28, fabric))
        back = cushion((x0 + 8, -110, 0), (x1 - 8, 0, height - SOFA_SEAT_MM + 20), 50, fabric)
        parts.append(moved(turned(back, "x", -7), 0, -0.17, seat_z))
    for sign, color in list(zip((-1, 1), palette.pillows, strict=True))[: 1 if style == 2 else 2]:
        pillow = cushion((-190, -60, 0), (190, 60, 370), 58, color)
        pillow = turned(turned(pillow, "x", -16), "z", -sign * 62)
        parts.append(moved(pillow, sign * (half - arm - 90) / 1000, -0.25, seat_z))
    return merged(*parts)


def chair(size: Size, palette: Palette, style: int) -> Mesh:
    """A wide armchair: wooden frame, one flat seat cushion, a slatted or padded back."""
    half, depth, height = size.width / 2, size.depth, size.height
    wood, fabric = palette.chair_wood, palette.chair
    parts = [
        block((-half + 20, -depth + 30, 250), (half - 20, -60, 310), wood),
        cushion((-half + 62, -depth + 10, 305), (half - 62, -150, CHAIR_SEAT_MM), 30, fabric),
    ]
    for sign in (-1, 1):
        x0, x1 = sorted((sign * half, sign * (half - 55)))
        for y0 in (-depth + 20, -110):
            top = 620 if y0 < -200 else height
            parts.append(block((x0, y0, 0), (x1, y0 + 60, top), wood))
        parts.append(cushion((x0 - 4, -depth, 615), (x1 + 4, -70, 655), 14, wood))
    parts.append(block((-half + 50, -100, height - 90), (half - 50, -60, height - 10), wood))
    if style == 0:
        back = cushion((-half + 70, -120, 0), (half - 70, 0, height - 440), 45, fabric)
        return merged(*parts, moved(turned(back, "x", -8), 0, -0.085, 0.425))
    gaps, width = (6, 22) if style == 1 else (4, 42)
    xs = [-half + 110 + (2 * half - 220) * i / gaps for i in range(gaps + 1)]
    slats = [block((x - width, -95, 300), (x + width, -70, height - 60), wood) for x in xs]
    return merged(*parts, *slats)


def _table(size: Size, color: Color, style: int) -> Mesh:
    """A table with four square legs, four slanted round legs, or two panels and a shelf."""
    half, depth, height = size.width / 2, size.depth, size.height
    under = shade(color, 0.86)
    parts = [
        cushion((-half, -depth, height - 36), (half, 0, height), 9, color),
        block((-half + 60, -depth + 60, height - 110), (half - 60, -60, height - 30), under),
    ]
    for sx in (-1, 1):
        for y in (-depth + 65, -65):
            x = sx * (half - 65)
            if style == 0:
                parts.append(block((x - 32, y - 32, 0), (x + 32, y + 32, height - 36), color))
            elif style == 1:
                leg = frustum(0.018, 0.034, (height - 40) / 1000, color, 12)
                parts.append(moved(leg, x / 1000, y / 1000, 0))
        if style == 2:
            x0, x1 = sorted((sx * (half - 40), sx * (half - 90)))
            parts.append(block((x0, -depth + 40, 0), (x1, -40, height - 36), color))
    if style == 2:
        parts.append(block((-half + 60, -130, 200), (half - 60, -90, 420), under))
    return merged(*parts)


def black_table(size: Size, palette: Palette, style: int) -> Mesh:
    """The black table."""
    return _table(size, palette.black, style)


def brown_table(size: Size, palette: Palette, style: int) -> Mesh:
    """The brown table: legs of another style than the black one of the same flat."""
    return _table(size, palette.brown, (style + 1) % NUM_STYLES)


def tv_stand(size: Size, palette: Palette, style: int) -> Mesh:
    """A low cabinet on short legs with doors or drawers and open bays, a television behind."""
    half, depth, height = size.width / 2, size.depth, size.height
    color, inner = palette.tv_stand, shade(palette.tv_stand, 0.5)
    foot = 90
    parts = [
        cushion((-half, -depth, height - 28), (half, 0, height), 7, color),
        block((-half + 8, -depth + 14, foot), (half - 8, -8, height - 26), inner),
    ]
    front, doors, bay = -depth + 14, shade(color, 0.95), (2 * half - 16) / 3
    for i in (0, 2) if style == 2 else (1,):  # an open bay shows the dark inside
        x0 = -half + 8 + (2 * half - 16) * i / 3
        x1 = x0 + bay
        parts += [
            block((x0 + 5, front - 12, foot + 8), (x1 - 5, front, height - 36), doors),
            pull((x0 + x1) / 2, front - 12, height - 90, 150, palette.handles),
        ]
    for x in (-half + 9, half - 9):
        parts.append(block((x - 9, -depth + 2, foot), (x + 9, -6, height - 26), color))
    for sx in (-1, 1):
        for y in (-depth + 70, -70):
            parts.append(post(sx * (half - 90), y, 0, foot, 22, palette.chair_wood))
    parts.append(_television(min(1240, size.width - 160), height + 55))
    return merged(*parts)


def _television(width: float, z: float) -> Mesh:
    """A flat television close to the wall, its screen dark with a pale reflection."""
    tall = width * 0.57
    shell, screen, glare = (22, 22, 24), (40, 46, 56), (58, 66, 78)
    half = width / 2
    frame = block((-half, -42, z), (half, -8, z + tall), shell)
    glass = block((-half + 14, -44, z + 22), (half - 14, -42, z + tall - 14), screen)
    shine = block((half * 0.25, -44.6, z + 30), (half * 0.62, -44, z + tall - 20), glare)
    mount = block((-120, -10, z + tall * 0.3), (120, 0, z + tall * 0.7), shell)
    light = bar(-12, 12, -43, z + 11, 3, (200, 60, 50))
    return merged(frame, glass, shine, mount, light)


def _piece(
    name: str,
    build: Builder,
    sizes: tuple[tuple[int, ...], tuple[int, ...], tuple[int, ...]],
    *,
    inset: int,
    gap: int,
    columns: int = 4,
    seat: int = 0,
    texture: tuple[str, float] = ("", 0.0),
    tall: bool = False,
) -> Furniture:
    """Return the record of a piece that is one fixture, with two rows of slots on its top or seat.

    Args:
        name: of piece, fixture and part.
        build: makes its mesh.
        sizes: widths, depths and heights to draw from.
        inset: from its front to its slots.
        gap: see `SlotGrid`.
        columns: how many slots a row has.
        seat: height of the slots; 0: its top.
        texture: see `PartDesign`.
        tall: see `Furniture`.
    """

    def draw_size(rng: KeyedRng) -> Size:
        width, depth, height = map(rng.choice, sizes)
        return Size(width, depth, height)

    def grids(size: Size) -> Iterator[SlotGrid]:
        yield SlotGrid(name, 0, inset - size.depth, seat or size.height, gap, columns, 2)

    part = PartDesign(name, build, texture=texture, padded=bool(seat))
    return Furniture(name, draw_size, grids, (part,), tall=tall, rooms=("living_room",))


_TABLES: Final = ((1140, 1200, 1260, 1320), (600, 640), (720, 740))
SOFA: Final = _piece(
    "sofa", sofa, ((1900, 2000, 2100, 2200), (860, 900), (820, 880)),
    inset=40, gap=480, seat=SOFA_SEAT_MM, texture=("fabric", 0.3),
)  # fmt: skip
CHAIR: Final = _piece(
    "chair", chair, ((920, 940, 960), (780, 820), (800, 860)),
    inset=40, gap=340, columns=3, seat=CHAIR_SEAT_MM,
)  # fmt: skip
TV_STAND: Final = _piece(
    "tv_stand", tv_stand, ((1400, 1500, 1600, 1700), (600, 620), (460, 500, 540)),
    inset=30, gap=560, tall=True,
)  # fmt: skip
BLACK_TABLE: Final = _piece(
    "black_table", black_table, _TABLES, inset=30, gap=720, texture=("wood", 0.9)
)
BROWN_TABLE: Final = _piece(
    "brown_table", brown_table, _TABLES, inset=30, gap=720, texture=("wood", 0.9)
)
