"""Round kitchenware: cup, mug, bowl, plate, lid. For knives and spoons see `cutlery`."""

import math
from collections.abc import Sequence

from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.models.base import family, mixed
from langrearrange.houses.shapes import Color, Colors, Point2, lathe, per_band, tube


def vessel(
    outside: Sequence[Point2], wall: float, color: Colors, inside: Color, segments: int = 22
) -> Mesh:
    """A pot of revolution with a wall.

    `outside` runs from the bottom edge to the lip; `color` may name one for the base and one for
    each stretch of it.
    """
    inner = [(max(r - wall, 0.001), z) for r, z in reversed(outside) if z > wall]
    profile = [(0.0, outside[0][1]), *outside, *inner, (0.0, wall)]
    bands = [*per_band(color, len(outside)), *per_band(inside, len(inner) + 1)]
    bands[len(outside)] = bands[len(outside) - 1]  # the lip is painted like the outside
    return lathe(profile, bands, segments, 50)


def cup(color: Color, inside: Color, flare: float = 1.3, height: float = 0.1) -> Mesh:
    """A tumbler: wider at the top, no handle."""
    base = 0.028
    outside = [(base, 0.0), (base + 0.002, 0.003)]
    outside += [(base + (base * (flare - 1)) * k / 3, height * k / 3) for k in range(1, 4)]
    return vessel(outside, 0.0035, color, inside)


def goblet_cup(color: Color, inside: Color) -> Mesh:
    """A round-bellied cup without handle, on a foot."""
    outside = [(0.022, 0), (0.023, 0.006), (0.019, 0.011), (0.031, 0.022), (0.038, 0.038),
               (0.040, 0.056), (0.0375, 0.075)]  # fmt: skip
    return vessel(outside, 0.0035, color, inside)


def mug(color: Color, inside: Color, stripe: Color | None = None, belly: float = 0.0) -> Mesh:
    """A straight drinking pot with a large handle on its +x side."""
    outside = [(0.038, 0), (0.0405, 0.004), (0.041 + belly / 2, 0.02), (0.041 + belly, 0.045),
               (0.041 + belly, 0.055), (0.041 + belly / 2, 0.075), (0.041, 0.095)]  # fmt: skip
    paint = [color] * 5 + [stripe or color] + [color]
    body = vessel(outside, 0.0045, paint, inside)
    turn = [math.radians(a) for a in (105, 75, 45, 15, -15, -45, -75, -105)]
    path = [(0.047 + 0.030 * math.cos(a), 0.0, 0.049 + 0.031 * math.sin(a)) for a in turn]
    handle = tube(path, 0.0062, color, sides=8, up=(0, 1, 0), aspect=1.25)
    return merged(body, handle)


def bowl(color: Color, inside: Color, depth: float = 0.065) -> Mesh:
    """A deep open half-round vessel on a small foot."""
    outside = [(0.036, 0.0), (0.036, 0.006)]
    outside += [
        (0.030 + 0.048 * math.sin(math.radians(a)), 0.006 + depth * (1 - math.cos(math.radians(a))))
        for a in (20, 40, 58, 74, 90)
    ]
    return vessel(outside, 0.004, color, inside, 24)


def plate(color: Color, rim: Color) -> Mesh:
    """A shallow dish with a broad rim of its own colour."""
    profile = [(0, 0), (0.062, 0), (0.066, 0.004), (0.110, 0.018), (0.110, 0.022), (0.074, 0.010),
               (0.066, 0.005), (0, 0.004)]  # fmt: skip
    shade = mixed(color, (0, 0, 0), 0.10)
    return lathe(profile, [color, color, color, rim, rim, shade, color], 32, 30)


def lid(top: Color, rim: Color, knob: Color) -> Mesh:
    """A pan lid: a low dome with a rim and a knob in the middle."""
    dome = [(0.0, 0.004), (0.086, 0.004), (0.088, 0.0), (0.095, 0.0), (0.096, 0.008),
            (0.088, 0.010),
            (0.086, 0.013), (0.060, 0.021), (0.030, 0.025), (0, 0.026)]  # fmt: skip
    shades = [top, rim, rim, rim, rim, rim, top, tuple(min(255.0, v * 1.05) for v in top), top]
    body = lathe(dome, shades, 32, 35)  # type: ignore[arg-type]
    stud = lathe(
        [(0.009, 0.024), (0.008, 0.036), (0.019, 0.042), (0.021, 0.050), (0.016, 0.056),
         (0, 0.057)],
        knob, 16, 45,
    )  # fmt: skip
    return merged(body, stud)


RECIPES = (
    *family("cup", "tapered, no handle", cup,
        ("blue", (80, 80, 104), "blue", (64, 118, 190), (92, 142, 206)),
        ("green", (84, 84, 96), "green", (84, 160, 92), (116, 182, 122), 1.4),
        ("pink", (78, 78, 112), "pink", (226, 128, 160), (238, 164, 188), 1.2),
        ("steel", (76, 76, 108), "silver", (176, 182, 190), (134, 140, 148), 1.25)),
    *family("cup", "round-bellied, no handle", goblet_cup,
        ("yellow", (88, 88, 84), "yellow", (238, 196, 70), (246, 216, 116)),
        ("red", (92, 92, 78), "red", (190, 52, 46), (232, 160, 142))),
    *family("mug", "round, large handle", mug,
        ("red", (122, 86, 96), "red", (188, 46, 42), (236, 230, 220)),
        ("white", (124, 88, 98), "white, blue stripe", (236, 234, 228), (220, 216, 208),
         (54, 92, 160))),
    *family("mug", "round, bulging, large handle", mug,
        ("green", (130, 96, 90), "dark green", (46, 96, 78), (224, 216, 198), None, 0.005)),
    *family("bowl", "round, deep, open", bowl,
        ("white", (158, 158, 70), "white", (236, 234, 228), (222, 220, 212)),
        ("blue", (150, 150, 74), "blue", (52, 84, 150), (206, 214, 226), 0.07),
        ("wood", (166, 166, 72), "wooden, brown", (150, 98, 56), (176, 122, 74)),
        ("green", (146, 146, 68), "green", (122, 164, 96), (160, 194, 132))),
    *family("plate", "round, flat, wide rim", plate,
        ("white", (220, 220, 22), "white, blue rim", (240, 240, 236), (72, 108, 170)),
        ("red", (210, 210, 24), "white, red rim", (240, 234, 222), (176, 58, 48)),
        ("cream", (214, 214, 23), "cream", (238, 228, 204), (226, 210, 178)),
        ("grey", (224, 224, 22), "grey", (176, 182, 184), (120, 128, 136))),
    *family("lid", "round, flat, knob", lid,
        ("glass", (192, 192, 57), "pale blue, black knob", (166, 188, 196), (196, 198, 202),
         (36, 36, 38)),
        ("steel", (200, 200, 60), "silver, black knob", (182, 186, 190), (150, 154, 160),
         (40, 36, 34)),
        ("blue", (194, 194, 58), "dark blue, black knob", (44, 70, 120), (34, 52, 92),
         (38, 36, 36)),
        ("red", (186, 186, 60), "dark red, black knob", (150, 38, 34), (112, 28, 26),
         (38, 36, 36))),
)  # fmt: skip
