"""Meshes of decor: plants, lamps, rugs, windows, pictures, a front door. Never a receptacle."""

from collections.abc import Callable
from typing import Final

from langrearrange.houses.blocks import bar, block, cushion, post
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.ornaments import Ornament, OrnamentKind
from langrearrange.houses.palette import Palette, shade
from langrearrange.houses.shapes import (
    Color,
    cylinder,
    ellipsoid,
    frustum,
    lathe,
    loft,
    merged,
    moved,
    sphere,
    turned,
)

_LEAVES: Final[tuple[Color, ...]] = ((58, 112, 58), (78, 128, 70), (46, 96, 64))
_SKY: Final[Color] = (232, 244, 255)
_ART: Final[tuple[tuple[Color, ...], ...]] = (
    ((228, 220, 200), (196, 110, 80), (64, 92, 116)),
    ((216, 226, 226), (94, 140, 134), (226, 186, 92)),
    ((240, 232, 220), (60, 70, 92), (204, 150, 140)),
    ((206, 214, 200), (122, 96, 72), (232, 226, 206)),
    ((232, 214, 186), (166, 84, 64), (236, 200, 120)),
    ((212, 220, 232), (74, 104, 148), (240, 240, 236)),
)


def decor_mesh(piece: Ornament, palette: Palette) -> Mesh:
    """Return the mesh of a piece of decor in its own frame."""
    return _BUILDERS[piece.kind](*piece.size, piece.style, palette)


def _plant(width: int, depth: int, style: int, palette: Palette) -> Mesh:
    """A floor plant in a pot: upright blades or round leaves on stems."""
    pot = lathe(
        [(0.10, 0), (0.15, 0.30), (0.135, 0.30), (0.125, 0.26), (0, 0.26)],
        [palette.pot, palette.pot, shade(palette.pot, 0.8), (64, 48, 38)],
        16,
    )
    green = _LEAVES[style % 3]
    parts = [pot]
    count = 9 if style < 3 else 12
    for k in range(count):
        angle = 360 * k * 0.382
        if style < 3:
            leaf = _blade(0.70 + 0.20 * (k % 3) / 2, 0.045, shade(green, 0.85 + 0.1 * (k % 4)))
            leaf = turned(turned(leaf, "y", 2 + 2.5 * (k % 4)), "z", angle)
            parts.append(moved(leaf, 0, 0, 0.25))
        else:
            reach, rise = 0.06 + 0.04 * (k % 3), 0.45 + 0.055 * k
            leaf = ellipsoid(0.10, 0.065, 0.012, shade(green, 0.85 + 0.1 * (k % 4)), 10, 4)
            leaf = moved(turned(leaf, "y", 25), reach, 0, rise)
            parts.append(turned(leaf, "z", angle))
    if style >= 3:
        parts.append(moved(cylinder(0.014, 0.8, (96, 76, 52), 6), 0, 0, 0.25))
    return merged(*parts)


def _blade(length: float, width: float, color: Color) -> Mesh:
    """A long leaf standing on the origin, thin in x, bent outwards."""
    rings = []
    for t in (0.0, 0.35, 0.7, 1.0):
        half = width * (0.5 + 0.9 * t) * (1 - t) + 0.002
        out, up = 0.12 * length * t * t, length * t
        near, far = out - 0.004, out + 0.004
        rings.append([(far, half, up), (near, half, up), (near, -half, up), (far, -half, up)])
    return loft(rings, color, crease_deg=30)


def _lamp(width: int, depth: int, style: int, palette: Palette) -> Mesh:
    """A floor lamp: foot, stem, shade."""
    metal = palette.handles
    foot = cylinder(0.15, 0.025, metal, 20)
    stem = cylinder(0.013, 1.42, metal, 8)
    if style % 2:
        top = moved(sphere(0.16, palette.lamp, 18, 10), 0, 0, 1.52)
    else:
        top = moved(frustum(0.20, 0.13, 0.28, palette.lamp, 20), 0, 0, 1.36)
    return merged(foot, stem, top)


def _rug(width: int, depth: int, style: int, palette: Palette) -> Mesh:
    """A thin rug with a border and stripes or a diamond."""
    x, y, base = width / 2, depth / 2, palette.rug
    light, dark = shade(base, 1.25), shade(base, 0.72)
    parts = [
        block((-x, -y, 0), (x, y, 6), dark),
        block((-x + 90, -y + 90, 6), (x - 90, y - 90, 7), base),
    ]
    if style < 3:
        stripes = (k * x / 3 for k in (-2, -1, 0, 1, 2))
        parts += [block((at - 45, -y + 90, 7), (at + 45, y - 90, 7.8), light) for at in stripes]
    else:
        inner = block((-x * 0.45, -y * 0.45, 7), (x * 0.45, y * 0.45, 7.8), light)
        parts += [inner, block((-x * 0.3, -y * 0.3, 7.8), (x * 0.3, y * 0.3, 8.6), dark)]
    return merged(*parts)


def _window(width: int, height: int, style: int, palette: Palette) -> Mesh:
    """A window flush with the wall: frame, bars, bright panes, a sill, curtains at times."""
    half, low, trim = width / 2, 960, palette.trim
    high = low + height
    posts, rails = ((-half - 50, -half), (half, half + 50), (-22, 22)), (low - 50, high)
    parts = [
        _panes(half, low, high),
        *(block((x0, -26, low - 50), (x1, 0, high + 50), trim) for x0, x1 in posts),
        *(block((-half, -26, z), (half, 0, z + 50), trim) for z in rails),
        block((-half - 70, -60, low - 66), (half + 70, 0, low - 44), trim),
    ]
    if style % 2:
        cloth = shade(palette.pillows[style // 3], 1.1)
        parts.append(bar(-half - 200, half + 200, -60, high + 110, 10, palette.handles))
        parts += [_curtain(x, low - 140, high + 110, cloth) for x in (-half - 70, half + 70)]
    return merged(*parts)


def _panes(half: float, low: float, high: float) -> Mesh:
    """Sky above, paler towards the horizon, a hint of green below."""
    bands = ((0.0, (190, 214, 176)), (0.16, (244, 250, 250)), (0.5, _SKY))
    ends = [low + share * (high - low) for share, _ in bands]
    levels = zip(ends, [*ends[1:], high], bands, strict=True)
    return merged(*(block((-half, -8, z0), (half, -2, z1), color) for z0, z1, (_, color) in levels))


def _curtain(x: float, low: float, high: float, color: Color) -> Mesh:
    """A gathered curtain: folds as round posts side by side."""
    shades = color, shade(color, 0.95)
    return merged(
        *(post(x + 40 * k - 80, -58 - 8 * (k % 2), low, high, 26, shades[k % 2]) for k in range(5))
    )


def _picture(width: int, height: int, style: int, palette: Palette) -> Mesh:
    """A framed picture: a few flat shapes that are nothing in particular."""
    half, low = width / 2, 1340
    high = low + height
    ground, first, second = _ART[style]
    frame = shade(palette.chair_wood, 0.9) if style % 2 else (48, 46, 46)
    parts = [
        block((-half, -24, low), (half, 0, high), frame),
        block((-half + 28, -26, low + 28), (half - 28, -24, high - 28), (246, 244, 238)),
        block((-half + 80, -27, low + 80), (half - 80, -26, high - 80), ground),
        block((-half + 80, -28, low + 80), (half * 0.2, -27, low + height * 0.42), first),
        block((-half * 0.1, -29, low + height * 0.3), (half - 80, -28, low + height * 0.6), second),
    ]
    return merged(*parts)


def _front_door(width: int, height: int, style: int, palette: Palette) -> Mesh:
    """The flat's closed front door: leaf with two panels, casing, handle."""
    half, leaf = width / 2 - 60, shade(palette.fronts, 0.95)
    parts = [
        block((-half - 60, -22, 0), (-half, 0, height + 60), palette.trim),
        block((half, -22, 0), (half + 60, 0, height + 60), palette.trim),
        block((-half, -22, height), (half, 0, height + 60), palette.trim),
        block((-half, -12, 4), (half, 0, height), leaf),
    ]
    groove, field = shade(leaf, 0.9), shade(leaf, 1.05)
    for z0, z1 in ((180, 900), (1040, height - 160)):
        parts += [
            block((-half + 110, -16, z0), (half - 110, -12, z1), groove),
            block((-half + 140, -18, z0 + 30), (half - 140, -16, z1 - 30), field),
        ]
    neck = cushion((half - 90, -58, 1000), (half - 70, -12, 1020), 8, palette.handles)
    grip = cushion((half - 190, -62, 1000), (half - 70, -46, 1018), 7, palette.handles)
    return merged(*parts, neck, grip)


_BUILDERS: Final[dict[OrnamentKind, Callable[[int, int, int, Palette], Mesh]]] = {
    "plant": _plant,
    "lamp": _lamp,
    "rug": _rug,
    "window": _window,
    "picture": _picture,
    "front_door": _front_door,
}
