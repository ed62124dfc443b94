"""Shears and machines of the toolbox: drill, scissors, padlock. See `tools` for the rest."""

import math

from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.models.base import family, mixed
from langrearrange.houses.shapes import (
    Color,
    cylinder,
    extrude,
    lathe,
    loft,
    mirrored,
    moved,
    rounded_box,
    rounded_outline,
    tube,
    turned,
)

STEEL: Color = (176, 180, 188)
BLACK: Color = (46, 46, 50)


def drill(shell: Color, trim: Color = BLACK) -> Mesh:
    """A cordless drill standing on its battery: motor and chuck above a pistol grip."""
    motor = turned(
        lathe([(0.018, 0), (0.029, 0.006), (0.031, 0.02), (0.031, 0.075), (0.027, 0.085),
               (0.025, 0.10)],
              [trim, trim, shell, shell, trim], 18), "y", 90)  # fmt: skip
    chuck = turned(
        lathe([(0.022, 0.10), (0.022, 0.125), (0.017, 0.134), (0.010, 0.150), (0.0, 0.150)],
              (84, 86, 92), 14),
        "y", 90)  # fmt: skip
    bit = turned(moved(cylinder(0.0035, 0.045, STEEL, 6), z=0.148), "y", 90)
    rings = []
    for x, z, length, width in ((0.046, 0.030, 0.052, 0.038), (0.042, 0.07, 0.046, 0.034),
                                (0.036, 0.11, 0.044, 0.034),
                                (0.034, 0.150, 0.052, 0.038)):  # fmt: skip
        rings.append([(x + px, py, z) for px, py in rounded_outline(length, width, 0.012, 2)])
    grip = loft(rings, [trim, shell, shell])
    trigger = moved(rounded_box(0.018, 0.014, 0.030, 0.005, (150, 30, 28)), 0.064, 0, 0.106)
    battery = moved(rounded_box(0.105, 0.066, 0.036, 0.008, trim), 0.056, 0, 0)
    lift = moved(merged(motor, chuck, bit), -0.012, 0, 0.168)
    return merged(lift, grip, trigger, battery)


def _loop(x: float, y: float, size: float, color: Color) -> Mesh:
    """An oval finger ring lying flat."""
    outer = [(x + 1.25 * px, y + py) for px, py in rounded_outline(size, size, size * 0.48, 4)]
    inner = [
        (x + 1.25 * px, y + py)
        for px, py in rounded_outline(size * 0.62, size * 0.62, size * 0.3, 3)
    ]
    return extrude(outer, 0.011, color, [inner])


def _shear(grip: Color, spread_deg: float) -> Mesh:
    """One half of a pair of scissors: blade to -x, finger loop to +x and -y."""
    blade = extrude(
        [(0.012, -0.007), (0.012, 0.006), (-0.03, 0.008), (-0.105, 0.0025), (-0.108, 0.0),
         (-0.03, -0.007)],
        0.003, (200, 204, 210),
    )  # fmt: skip
    arm = tube([(0.006, 0, 0.005), (0.024, -0.006, 0.005), (0.046, -0.022, 0.005)],
               [0.006, 0.0065, 0.0065],
               grip, sides=6, aspect=0.7)  # fmt: skip
    half = merged(moved(blade, z=0.004), arm, _loop(0.066, -0.028, 0.040, grip))
    return turned(half, "z", -spread_deg)


def scissors(grip: Color, spread_deg: float = 8.0) -> Mesh:
    """Scissors lying slightly open: two blades, a pivot, two finger loops."""
    half = _shear(grip, spread_deg)
    other = moved(mirrored(half, "y"), z=0.0005)
    pivot = moved(cylinder(0.0055, 0.011, (120, 122, 128), 10), -0.006)
    return merged(half, other, pivot)


def padlock(body: Color, shackle: Color) -> Mesh:
    """A padlock standing: a thick block, a keyhole in front, a U-shaped shackle above."""
    block = rounded_box(0.062, 0.030, 0.054, 0.006, body)
    groove = mixed(body, (0, 0, 0), 0.25)
    stripes = [
        moved(rounded_box(0.0626, 0.0306, 0.004, 0.0008, groove, 1), z=z) for z in (0.012, 0.040)
    ]
    angles = [math.radians(a) for a in range(180, -1, -30)]
    bow = [(0.0195 * math.cos(a), 0.0, 0.072 + 0.0195 * math.sin(a)) for a in angles]
    path = [(-0.0195, 0, 0.05), *bow, (0.0195, 0, 0.05)]
    arch = tube(path, 0.0058, shackle, sides=8, up=(0, 1, 0))
    keyhole = moved(turned(cylinder(0.0075, 0.0015, (30, 28, 26), 10), "x", 90), 0, -0.0148, 0.026)
    return merged(block, *stripes, arch, keyhole)


RECIPES = (
    *family("drill", "pistol grip, chuck, trigger", drill,
        ("yellow", (192, 68, 200), "yellow, black", (240, 188, 40)),
        ("teal", (184, 66, 192), "teal, black", (28, 128, 128)),
        ("red", (188, 66, 196), "red, black", (190, 40, 38))),
    *family("scissors", "two loops, crossed blades", scissors,
        ("red", (196, 96, 13), "red handles, silver blades", (206, 42, 44)),
        ("orange", (204, 104, 13), "orange handles, silver blades", (236, 124, 32), 10),
        ("blue", (186, 90, 13), "blue handles, silver blades", (40, 92, 176), 7)),
    *family("padlock", "block, U-shaped shackle", padlock,
        ("brass", (64, 32, 98), "brass, silver shackle", (200, 160, 72), (184, 188, 194)),
        ("steel", (70, 34, 104), "dark grey, silver shackle", (84, 88, 96), (196, 200, 206)),
        ("blue", (60, 32, 92), "blue, silver shackle", (44, 78, 150), (190, 194, 200))),
)  # fmt: skip
