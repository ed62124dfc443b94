"""Groceries, books and cleaning supplies: can, box, book, sponge, cleanser."""

from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.models.base import Side, family, mixed, on_side, panel, speckled
from langrearrange.houses.shapes import (
    Color,
    Point3,
    box,
    extrude,
    lathe,
    loft,
    moved,
    rounded_outline,
    tube,
    turned,
)

TIN: Color = (190, 192, 196)
PAPER: Color = (240, 232, 212)
WHITE: Color = (242, 242, 238)


def can(label: Color, band: Color, height: float = 0.102, radius: float = 0.034) -> Mesh:
    """A food can: tin rims and lid, a printed label with a band and lines of print."""
    r, h = radius, height
    ink = mixed(label, (20, 20, 24), 0.55)
    profile = [
        (0, 0.0008), (r - 0.003, 0.0008), (r, 0.0), (r + 0.0006, 0.004), (r, 0.007),
        (r, h * 0.30), (r, h * 0.36),
        (r, h * 0.40), (r, h * 0.70), (r, h * 0.74), (r, h - 0.007), (r + 0.0006, h - 0.004),
        (r, h),
        (r - 0.003, h - 0.0028), (r * 0.6, h - 0.0026), (r * 0.56, h - 0.0016), (0, h - 0.0016),
    ]  # fmt: skip
    dull = mixed(TIN, (0, 0, 0), 0.14)
    bands = [dull, *[TIN] * 3, label, ink, label, band, ink, label, *[TIN] * 3, dull, TIN, dull]
    return lathe(profile, bands, 22, 30)


def _front_and_back(drawing: Mesh, size: Point3, lift: float = 0.0004) -> Mesh:
    return merged(*(on_side(drawing, size, side, lift) for side in ("front", "back")))


def carton(size: Point3, ground: Color, panel_color: Color, accent: Color) -> Mesh:
    """A cardboard packet, printed in front and behind, with a flap line on top."""
    x, y, z = size
    ink = mixed(ground, (10, 10, 14), 0.6)
    front = merged(
        moved(panel(x * 0.84, z * 0.24, panel_color), 0, z * 0.26),
        moved(panel(x * 0.62, z * 0.05, ink), 0, z * 0.26, 0.0003),
        moved(panel(x * 0.66, z * 0.34, accent), 0, -z * 0.12),
        moved(panel(x * 0.36, z * 0.18, mixed(accent, WHITE, 0.6)), 0, -z * 0.12, 0.0003),
        moved(panel(x * 0.84, z * 0.05, panel_color), 0, -z * 0.41),
    )
    flank = merged(
        *(moved(panel(y * 0.66, z * 0.02, ink), 0, z * k) for k in (0.2, 0.12, 0.04)),
        moved(panel(y * 0.7, z * 0.12, panel_color), 0, z * 0.36),
    )
    flap = panel(x * 0.96, max(y * 0.06, 0.0015), mixed(ground, (0, 0, 0), 0.35))
    return merged(
        box(x, y, z, ground), _front_and_back(front, size), on_side(flank, size, "left"),
        on_side(flank, size, "right"), on_side(flap, size, "top"),
    )  # fmt: skip


def flat_carton(size: Point3, ground: Color, panel_color: Color, accent: Color) -> Mesh:
    """A low cardboard packet lying on its back, printed on top."""
    x, y, z = size
    return turned(carton((x, z, y), ground, panel_color, accent), "x", -90)


def book(size: Point3, cover: Color, title: Color, trim: Color | None = None) -> Mesh:
    """A closed hardback lying down: spine on -y, cream pages on the other sides, a title on top."""
    x, y, z = size
    board = 0.0032
    spine = [(-y / 2 + 0.004, 0.0), (-y / 2, z * 0.25), (-y / 2, z * 0.75), (-y / 2 + 0.004, z)]
    spine += [(-y / 2 + 0.008, z), (-y / 2 + 0.008, 0.0)]
    shell = loft([[(end, *p) for p in spine] for end in (x / 2, -x / 2)], cover, crease_deg=50)
    covers = [moved(box(x, y - 0.004, board, cover), 0, 0.002, h) for h in (0.0, z - board)]
    pages = moved(box(x - 0.008, y - 0.010, z - 2 * board, PAPER), 0, 0.001, board)
    edge = mixed(PAPER, (120, 100, 70), 0.28)
    lines = [
        on_side(moved(panel(x * 0.94, 0.0011, edge), 0, dz), (x - 0.008, y - 0.008, z), "back")
        for dz in (-z * 0.18, z * 0.02, z * 0.2)
    ]
    heading = merged(
        moved(panel(x * 0.62, y * 0.13, title), 0, y * 0.20),
        moved(panel(x * 0.4, y * 0.05, title), 0, y * 0.05),
        moved(panel(x * 0.5, y * 0.20, trim or mixed(cover, title, 0.4)), 0, -y * 0.2),
    )
    label = on_side(panel(x * 0.5, z * 0.34, title), size, "front", 0.0005)
    return merged(shell, *covers, pages, *lines, on_side(heading, size, "top"), label)


def sponge(soft: Color, scourer: Color, waist: float = 0.0) -> Mesh:
    """A kitchen sponge: a thick soft layer below, a thin rough layer on top."""
    outline = rounded_outline(0.112, 0.072, 0.008, 2)
    if waist:
        outline = [(0.056, -0.036), (0.056, 0.036), (0.02, 0.036 - waist), (-0.02, 0.036 - waist),
                   (-0.056, 0.036), (-0.056, -0.036), (-0.02, -0.036 + waist),
                   (0.02, -0.036 + waist)]  # fmt: skip
    foam = extrude(outline, 0.027, soft)
    pores = []
    hole = mixed(soft, (90, 60, 0), 0.42)
    sides: tuple[Side, ...] = ("front", "back")
    for k in range(0 if waist else 14):
        spot = panel(0.005 + 0.001 * (k % 3), 0.004, hole)
        shift = moved(spot, -0.046 + 0.0068 * k, (-0.006, 0.004, -0.001)[k % 3])
        pores.append(on_side(shift, (0.112, 0.072, 0.027), sides[k % 2]))
    return merged(foam, speckled(moved(extrude(outline, 0.011, scourer), z=0.027), 0.15), *pores)


def bleach_bottle(shell: Color, cap: Color, label: Color) -> Mesh:
    """A tall jug with sloping shoulders, a handle and a screw cap, a label in front."""
    rings = []
    for z, length, width, radius in (
        (0.0, 0.098, 0.062, 0.024), (0.004, 0.104, 0.068, 0.026), (0.12, 0.104, 0.068, 0.026),
        (0.150, 0.094, 0.062, 0.028), (0.185, 0.052, 0.044, 0.02), (0.205, 0.034, 0.034, 0.0165),
    ):  # fmt: skip
        shift = -0.016 * max(0.0, (z - 0.12) / 0.085)
        rings.append([(x + shift, y, z) for x, y in rounded_outline(length, width, radius, 3)])
    body = loft(rings, shell, crease_deg=45)
    top = moved(
        lathe([(0.019, 0), (0.019, 0.026), (0.016, 0.030), (0, 0.030)], cap, 14), -0.016, 0, 0.203
    )
    grip = tube([(0.042, 0, 0.112), (0.052, 0, 0.14), (0.038, 0, 0.172), (-0.004, 0, 0.186)],
                [0.009, 0.010, 0.010, 0.009],
                shell, sides=8, up=(0, 1, 0))  # fmt: skip
    print_ = merged(panel(0.060, 0.086, label), moved(panel(0.044, 0.020, WHITE), 0, 0.02, 0.0003),
                    moved(panel(0.044, 0.007, cap), 0, -0.014, 0.0003))  # fmt: skip
    return merged(body, top, grip, _front_and_back(print_, (0.104, 0.068, 0.120), 0.0006))


def spray_bottle(shell: Color, head: Color, label: Color) -> Mesh:
    """A trigger spray: an oval bottle, a narrow neck, a nozzle head with a trigger."""
    rings = []
    for z, length, width in ((0.0, 0.078, 0.052), (0.004, 0.084, 0.056), (0.105, 0.084, 0.056),
                             (0.140, 0.062, 0.046),
                             (0.165, 0.034, 0.032), (0.185, 0.030, 0.030)):  # fmt: skip
        rings.append([(x, y, z) for x, y in rounded_outline(length, width, width * 0.46, 3)])
    body = loft(rings, shell, crease_deg=45)
    collar = moved(lathe([(0.018, 0), (0.018, 0.018)], head, 14), z=0.182)
    profile = [(-0.052, 0.0), (-0.052, 0.016), (-0.030, 0.030), (0.030, 0.034), (0.044, 0.022),
               (0.030, 0.0),
               (-0.016, -0.006), (-0.030, 0.0)]  # fmt: skip
    nozzle = moved(turned(extrude(profile, 0.026, head), "x", 90), 0, 0.013, 0.204)
    trigger = tube([(-0.026, 0, 0.205), (-0.040, 0, 0.185), (-0.042, 0, 0.160)],
                   [0.007, 0.006, 0.005], (60, 62, 68),
                   sides=6, up=(0, 1, 0))  # fmt: skip
    print_ = merged(panel(0.046, 0.070, label), moved(panel(0.036, 0.018, WHITE), 0, 0.014, 0.0003))
    printed = _front_and_back(print_, (0.084, 0.056, 0.105), 0.0006)
    return merged(body, collar, nozzle, trigger, printed)


RECIPES = (
    *family("can", "cylinder, metal rims", can,
        ("soup", (68, 68, 102), "red, white", (196, 34, 38), (240, 236, 228))),
    *family("can", "low cylinder, metal rims", can,
        ("tuna", (88, 88, 42), "blue, white", (44, 96, 172), (236, 236, 232), 0.042, 0.043),
        ("pineapple", (94, 94, 58), "yellow, brown", (238, 200, 66), (176, 74, 42), 0.058, 0.047)),
    *family("can", "cylinder, metal rims", can,
        ("tomato", (74, 74, 108), "white, red", (240, 238, 230), (190, 44, 40), 0.108, 0.037),
        ("coffee", (100, 100, 138), "dark green, yellow", (34, 84, 66),
         (226, 186, 84), 0.138, 0.050),
        ("beans", (76, 76, 112), "yellow, green", (236, 190, 60), (70, 130, 62), 0.112, 0.038)),
    *family("box", "tall carton", carton,
        ("cracker", (158, 62, 212), "red, yellow", (190, 40, 38), (244, 204, 84), (226, 160, 90)),
        ("sugar", (92, 46, 176), "yellow, white", (246, 206, 60), (244, 242, 234), (60, 100, 172)),
        ("cereal", (146, 56, 206), "blue, white", (52, 98, 180), (242, 240, 232), (236, 150, 54)),
        sized=True),
    *family("box", "flat carton", flat_carton,
        ("pudding", (128, 112, 38), "brown, cream", (124, 78, 52), (240, 222, 186),
         (206, 158, 104)),
        ("gelatin", (112, 92, 34), "pink, white", (226, 92, 122), (246, 240, 236), (250, 206, 90)),
        sized=True),
    *family("book", "flat, rectangular, pages", book,
        ("blue", (150, 210, 28), "dark blue", (38, 62, 120), (224, 206, 150)),
        ("red", (140, 196, 34), "dark red", (146, 36, 40), (236, 220, 180)),
        ("green", (156, 220, 22), "dark green", (42, 92, 70), (232, 226, 206)),
        ("orange", (132, 190, 26), "orange, white", (222, 124, 48), (246, 242, 232), (60, 60, 66)),
        sized=True),
    *family("sponge", "block of two layers", sponge,
        ("yellow", (112, 72, 38), "yellow, green", (248, 214, 74), (52, 122, 64))),
    *family("sponge", "block of two layers, narrow waist", sponge,
        ("waist", (124, 82, 40), "yellow, dark green", (242, 202, 62), (40, 100, 58), 0.010)),
    *family("cleanser", "bottle, handle, screw cap", bleach_bottle,
        ("white", (108, 70, 236), "white, blue cap", (240, 242, 244), (36, 92, 178),
         (52, 116, 196)),
        ("yellow", (100, 66, 218), "yellow, red cap", (246, 212, 70), (196, 44, 42),
         (60, 130, 76))),
    *family("cleanser", "spray bottle, trigger", spray_bottle,
        ("spray", (100, 60, 244), "blue, white head", (74, 154, 214), (240, 240, 238),
         (246, 226, 92)),
        ("green", (96, 58, 232), "green, yellow head", (104, 186, 96), (246, 214, 70),
         (240, 240, 236))),
)  # fmt: skip
