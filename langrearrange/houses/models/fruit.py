"""Fruit: apple, pear, peach, plum, orange, lemon, banana, strawberry. Not other food."""

import math

from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.models.base import family, mixed, speckled
from langrearrange.houses.shapes import (
    Color,
    circle,
    ellipsoid,
    extrude,
    lathe,
    moved,
    painted,
    shaped,
    tube,
    turned,
)

STEM: Color = (92, 62, 34)
LEAF: Color = (62, 128, 48)


def _leaf(length: float) -> Mesh:
    """A flat leaf along +x from the origin."""
    upper = [(length * k / 6, 0.24 * length * math.sin(math.pi * k / 6)) for k in range(7)]
    lower = [(x, -y) for x, y in reversed(upper[1:-1])]
    return extrude([*upper, *lower], 0.0012, LEAF)


def _stem(base: float, top: float, lean: float = 0.004) -> Mesh:
    path = [(0.0, 0.0, base), (lean / 3, 0.0, (base + top) / 2), (lean, 0.0, top)]
    return tube(path, [0.0016, 0.0016, 0.0024], STEM, sides=6, up=(0, 1, 0))


def apple(skin: Color, crown: Color) -> Mesh:
    """A round fruit, dimpled above and below, with a stem and a leaf."""
    profile = [
        (0, 0.006), (0.013, 0.001), (0.024, 0.005), (0.034, 0.020), (0.038, 0.039),
        (0.036, 0.053), (0.028, 0.066), (0.018, 0.070), (0.008, 0.066), (0, 0.059),
    ]  # fmt: skip
    body = lathe(profile, skin, 18, 70)
    body = painted(
        body,
        lambda x, y, z: mixed(skin, crown, 1.0 - math.hypot(x, y) / 0.020) if z > 0.05 else None,
    )
    leaf = moved(turned(turned(_leaf(0.024), "y", -25), "z", 40), 0.002, 0, 0.074)
    return merged(speckled(body, 0.06), _stem(0.060, 0.084), leaf)


def pear(skin: Color, blush: Color) -> Mesh:
    """A fruit with a wide bottom and a narrow neck, standing, with a stem."""
    profile = [
        (0, 0.004), (0.012, 0), (0.025, 0.006), (0.034, 0.022), (0.035, 0.036), (0.030, 0.052),
        (0.021, 0.068), (0.016, 0.080), (0.014, 0.090), (0.009, 0.097), (0, 0.097),
    ]  # fmt: skip
    body = lathe(profile, skin, 18, 70)
    body = painted(body, lambda x, y, z: mixed(skin, blush, 14 * x + 5 * (0.045 - z)))
    return merged(speckled(body, 0.05), _stem(0.095, 0.116, 0.006))


def _cleft(depth: float, radius: float) -> Mesh:
    """A ball pressed in along one meridian and at the top, for stone fruit; colours unset."""

    def press(x: float, y: float, z: float) -> tuple[float, float, float]:
        angle = math.atan2(y, x) + math.pi / 2  # the furrow faces -y, where people look from
        across = math.cos(angle) if abs(angle) < math.pi / 2 else 0.0
        furrow = depth * max(across, 0.0) ** 12
        flat = math.hypot(x, y) / radius
        dimple = 0.16 * max(0.0, 1.0 - flat / 0.5) * radius if z > 0 else 0.0
        return (x * (1 - furrow), y * (1 - furrow), z - dimple)

    return shaped(ellipsoid(radius, radius, radius * 0.93, (128, 128, 128), 24, 10), press, 75)


def peach(skin: Color, blush: Color) -> Mesh:
    """A fuzzy round fruit with a furrow, blushing on one side."""
    ball = _cleft(0.14, 0.037)
    body = painted(ball, lambda x, y, z: mixed(skin, blush, 0.35 + 18 * x + 8 * z))
    seam = painted(body, lambda x, y, z: mixed(skin, blush, 0.8) if abs(x) < 0.003 > y else None)
    return merged(speckled(seam, 0.07), moved(_stem(0, 0.008, 0.001), z=0.028))


def plum(skin: Color, bloom: Color) -> Mesh:
    """A small oval dark fruit with a dull bloom."""
    body = shaped(_cleft(0.07, 0.026), lambda x, y, z: (x * 1.2, y, z), 75)
    body = painted(body, lambda x, y, z: mixed(skin, bloom, 0.25 + 12 * z - 9 * x))
    return merged(speckled(body, 0.08), _stem(0.019, 0.036, 0.003))


def orange(skin: Color) -> Mesh:
    """A citrus ball with pitted skin and a green button at the top."""
    body = speckled(ellipsoid(0.038, 0.038, 0.0365, skin, 22, 13), 0.10)
    button = [
        (0.0065 * r * c, 0.0065 * r * s) for (c, s), r in zip(circle(10), [1, 0.5] * 5, strict=True)
    ]
    return merged(body, moved(extrude(button, 0.0025, (86, 110, 40)), z=0.0352))


def lemon(skin: Color) -> Mesh:
    """A yellow citrus lying down, a nipple at each end."""
    profile = [
        (0, 0), (0.005, 0.001), (0.0065, 0.006), (0.013, 0.012), (0.023, 0.024), (0.028, 0.040),
        (0.0285, 0.048), (0.024, 0.064), (0.014, 0.077), (0.008, 0.083), (0.007, 0.090),
        (0.004, 0.093), (0, 0.093),
    ]  # fmt: skip
    body = speckled(lathe(profile, skin, 16, 65), 0.05)
    green = painted(body, lambda x, y, z: (148, 150, 52) if z < 0.002 else None)
    return turned(green, "y", 90)


def banana(skin: Color, freckle: Color) -> Mesh:
    """A long yellow fruit lying on its side, bent, with dark ends."""
    radii = [0.004, 0.0045, 0.010, 0.0155, 0.018, 0.0185, 0.018, 0.0155, 0.010, 0.005, 0.004]
    dark, green = (82, 60, 34), (164, 158, 60)
    skins = [mixed(skin, freckle, 0.0 if k % 2 else 0.5) for k in range(8)]
    angles = [200, 208, 216, 232, 250, 268, 286, 302, 316, 325, 329]
    path = [
        (0.105 * math.cos(math.radians(a)), 0.105 * math.sin(math.radians(a)), 0.0) for a in angles
    ]
    colors = [green, green, *skins[:6], mixed(skin, green, 0.4), dark]
    return tube(path, radii, colors, sides=6, crease_deg=35)


def strawberry(skin: Color) -> Mesh:
    """A small red cone lying down, with seeds and a crown of green leaves."""
    profile = [(0, 0.0), (0.006, 0.002), (0.013, 0.012), (0.018, 0.024), (0.019, 0.031),
               (0.015, 0.038), (0.006, 0.040), (0, 0.0395)]  # fmt: skip
    body = lathe(profile, skin, 14, 70)
    seeds = []
    for ring, (r, z, lean) in enumerate(
        [(0.0105, 0.008, 35), (0.0155, 0.017, 25), (0.0186, 0.027, 8)]
    ):
        for k in range(7):
            grain = ellipsoid(0.0008, 0.0013, 0.0018, (238, 206, 110), 4, 2)
            placed = moved(turned(grain, "y", lean), r, 0, z)
            seeds.append(turned(placed, "z", 360 * (k + ring * 0.5) / 7))
    star = [
        (0.017 * r * c, 0.017 * r * s)
        for (c, s), r in zip(circle(14), [1.0, 0.42] * 7, strict=True)
    ]
    crown = shaped(
        extrude(star, 0.0016, LEAF), lambda x, y, z: (x, y, z - 18 * (x * x + y * y)), 30
    )
    stalk = tube([(0, 0, 0.040), (0.001, 0, 0.050)], 0.0015, LEAF, sides=5, up=(0, 1, 0))
    return turned(merged(body, *seeds, moved(crown, z=0.0415), stalk), "y", -78)


RECIPES = (
    *family("plum", "small, oval, stem", plum,
        ("purple", (64, 53, 55), "dark purple", (74, 26, 74), (104, 62, 116)),
        ("blue", (59, 48, 51), "dark purple, bluish", (52, 30, 86), (96, 84, 132))),
    *family("pear", "pear-shaped, stem", pear,
        ("green", (76, 76, 122), "green", (150, 178, 60), (176, 186, 76)),
        ("light", (70, 70, 106), "green, yellowish", (172, 190, 84), (190, 178, 84))),
    *family("peach", "round, furrowed, fuzzy", peach,
        ("pink", (77, 74, 70), "orange-pink", (250, 178, 122), (226, 88, 84)),
        ("pale", (70, 68, 63), "orange-pink, pale", (252, 198, 146), (236, 122, 108))),
    *family("apple", "round, dimpled, stem, leaf", apple,
        ("red", (80, 80, 86), "red", (196, 24, 30), (214, 190, 84)),
        ("dark", (74, 74, 80), "red, dark", (150, 14, 26), (168, 60, 50)),
        ("bright", (86, 86, 90), "red, bright", (222, 44, 36), (224, 206, 92))),
    *family("lemon", "oval, pointed ends", lemon,
        ("ripe", (93, 58, 57), "yellow", (248, 218, 44)),
        ("small", (80, 52, 52), "yellow", (240, 226, 70))),
    *family("banana", "long, bent", banana,
        ("ripe", (196, 78, 38), "yellow", (250, 212, 56), (244, 200, 48)),
        ("spotted", (180, 74, 36), "yellow, brown ends", (240, 204, 62), (206, 160, 52))),
    *family("strawberry", "small, cone-shaped, seeds, leaves", strawberry,
        ("red", (54, 42, 42), "red", (206, 28, 40)),
        ("large", (60, 46, 46), "red, bright", (226, 44, 50))),
    *family("orange", "round, pitted", orange,
        ("navel", (78, 78, 75), "orange", (246, 136, 26)),
        ("large", (88, 88, 83), "orange", (252, 150, 36))),
)  # fmt: skip
