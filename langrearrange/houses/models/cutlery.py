"""Cutlery: knife, spoon, spatula. For cups and plates see `kitchenware`."""

from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.models.base import family, mixed
from langrearrange.houses.shapes import (
    Color,
    box,
    cylinder,
    extrude,
    lathe,
    moved,
    rounded_outline,
    scaled,
    symmetric,
    tube,
    turned,
)

STEEL: Color = (186, 190, 196)
WOOD: Color = (178, 128, 78)
BLACK: Color = (44, 44, 48)


def _grip(length: float, width: float, thick: float, color: Color, rivets: Color | None) -> Mesh:
    """A knife-like handle from x = 0 to x = length, lying, with rivets."""
    wide = width / 2
    outline = [(0, -wide * 0.8), (length * 0.2, -wide * 0.75), (length * 0.6, -wide * 0.85),
               (length * 0.92, -wide * 1.15), (length, -wide * 0.8), (length, wide * 0.7),
               (length * 0.9, wide), (length * 0.2, wide * 0.9), (0, wide)]  # fmt: skip
    slab = extrude(outline, thick, color)
    if rivets is None:
        return slab
    studs = [
        moved(cylinder(0.0028, thick + 0.0012, rivets, 8), length * k) for k in (0.2, 0.5, 0.8)
    ]
    return merged(slab, *studs)


def knife(grip: Color, rivets: Color | None, serrated: bool = False) -> Mesh:
    """A kitchen knife lying on its side: a long pointed blade and a handle."""
    spine = [(0.0, 0.016), (-0.09, 0.016), (-0.14, 0.010), (-0.172, -0.004)]
    edge = [(-0.172, -0.008), (-0.15, -0.016), (-0.11, -0.022), (-0.004, -0.024), (0.0, -0.014)]
    if serrated:
        spine = [(0.0, 0.014), (-0.150, 0.014), (-0.178, 0.004)]
        teeth = [(-0.17 + 0.0105 * k, -0.018 + (0.004 if k % 2 else 0.0)) for k in range(16)]
        edge = [(-0.180, -0.008), *teeth, (-0.002, -0.014)]
    blade = moved(extrude([*spine, *edge], 0.003, (206, 210, 216)), z=0.006)
    bolster = extrude(
        [(0.012, -0.013), (0.012, 0.015), (-0.004, 0.015), (-0.004, -0.013)], 0.015, STEEL
    )
    handle = moved(_grip(0.118, 0.032, 0.016, grip, rivets), 0.010)
    # Laid down it rests on handle and point.
    return turned(merged(blade, bolster, handle), "y", -1.9)


def spoon(metal: Color, grip: Color, broad: float = 1.0) -> Mesh:
    """A spoon lying face up: an oval hollow and a thin raised handle."""
    profile = [(0, 0), (0.012, 0.0015), (0.020, 0.007), (0.0235, 0.014), (0.0225, 0.0145),
               (0.018, 0.009), (0.010, 0.004), (0, 0.003)]  # fmt: skip
    dark = mixed(metal, (0, 0, 0), 0.22)
    hollow = lathe(profile, [metal] * 4 + [dark] * 3, 20, 50)
    head = moved(scaled(hollow, 1.42, broad, 1.0), -0.075)
    path = [(-0.045, 0, 0.0125), (-0.030, 0, 0.0165), (-0.005, 0, 0.017), (0.05, 0, 0.011),
            (0.09, 0, 0.007), (0.112, 0, 0.006)]  # fmt: skip
    radii = [0.006, 0.0042, 0.0042, 0.0058, 0.0088, 0.0062]
    stem = tube(path, radii, [metal, metal, grip, grip, grip], sides=8, aspect=0.45, up=(0, 0, 1))
    return merged(head, stem)


def wooden_spoon(color: Color) -> Mesh:
    """A cooking spoon of wood: a thick oval bowl and a long round stick."""
    profile = [(0, 0), (0.014, 0.002), (0.024, 0.010), (0.026, 0.018), (0.021, 0.018),
               (0.013, 0.009), (0, 0.007)]  # fmt: skip
    dark = mixed(color, (0, 0, 0), 0.2)
    hollow = lathe(profile, [color] * 4 + [dark] * 2, 20, 50)
    head = moved(scaled(hollow, 1.45, 1.0, 1.0), -0.076)
    path = [(-0.045, 0, 0.0125), (0.02, 0, 0.012), (0.165, 0, 0.008)]
    stick = tube(path, [0.0065, 0.0065, 0.0078], mixed(color, (0, 0, 0), 0.08), sides=8)
    return merged(head, stick)


def spatula(blade: Color, grip: Color, slots: int = 4) -> Mesh:
    """A turner lying down: a slotted blade, a bent neck and a handle."""
    thick, length, wide = 0.003, 0.062, 0.072
    tine = wide / (2 * slots + 1)
    front = [(x - 0.147, y) for x, y in rounded_outline(0.022, 0.086, 0.010, 3)]
    back = symmetric([(-0.082, -0.036), (-0.072, -0.034), (-0.054, -0.010)])
    bars = [
        moved(box(length, tine * (1.8 if k in (0, slots) else 1), thick, blade), -0.1085,
              (k - slots / 2) * 2 * tine)
        for k in range(slots + 1)
    ]  # fmt: skip
    head = merged(extrude(front, thick, blade), extrude(back, thick, blade), *bars)
    neck = tube([(-0.066, 0, 0.003), (-0.045, 0, 0.006), (-0.02, 0, 0.022), (0.06, 0, 0.026)],
                [0.007, 0.006, 0.005, 0.0055], blade, sides=8, aspect=0.6)  # fmt: skip
    handle = tube([(0.035, 0, 0.0255), (0.05, 0, 0.0255), (0.10, 0, 0.0215), (0.15, 0, 0.0115),
                   (0.168, 0, 0.0072)],
                  [0.008, 0.0105, 0.0125, 0.013, 0.009], grip, sides=10, aspect=0.75)  # fmt: skip
    return merged(head, neck, handle)


RECIPES = (
    *family("spatula", "long, flat, slotted", spatula,
        ("black", (280, 84, 40), "black", (52, 52, 56), (30, 30, 32)),
        ("steel", (282, 84, 42), "silver, black handle", (196, 200, 204), BLACK, 5),
        ("wood", (276, 84, 38), "black, wooden handle", (58, 58, 62), WOOD, 3)),
    *family("knife", "long, thin, pointed blade", knife,
        ("chef", (310, 42, 18), "silver, black handle", BLACK, STEEL),
        ("wood", (290, 42, 18), "silver, wooden handle", (128, 78, 44), (214, 196, 140))),
    *family("knife", "long, thin, toothed blade", knife,
        ("bread", (320, 38, 18), "silver, black handle", (60, 52, 50), None, True)),
    *family("spoon", "long, oval hollow", spoon,
        ("steel", (225, 52, 21), "silver", (200, 204, 210), (178, 182, 188)),
        ("blue", (215, 50, 21), "silver, blue handle", (200, 204, 210), (58, 96, 168))),
    *family("spoon", "long, oval hollow", wooden_spoon,
        ("wood", (290, 56, 20), "wooden", (206, 160, 104)),
        ("dark", (270, 54, 20), "wooden, dark brown", (132, 86, 52))),
)  # fmt: skip
