"""Toys other than balls: block, Lego brick, Rubik's cube, toy airplane."""

from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.models.base import (
    SIDES,
    face_size,
    family,
    mixed,
    on_side,
    panel,
)
from langrearrange.houses.shapes import (
    Color,
    Point3,
    box,
    cylinder,
    ellipsoid,
    extrude,
    lathe,
    moved,
    rounded_box,
    symmetric,
    tube,
    turned,
)

WHITE: Color = (240, 240, 238)


def wooden_block(size: Point3, wood: Color, edge: Color | None = None) -> Mesh:
    """A bevelled block of wood with grain; coloured frames and a mark on its faces with `edge`."""
    grain = mixed(wood, (110, 66, 30), 0.30)
    parts = [rounded_box(*size, 0.003, wood, 1)]
    for side in SIDES:
        wide, high = face_size(size, side)
        for k, share in enumerate((-0.36, -0.17, 0.06, 0.19, 0.37)):
            strip = panel(wide * (0.92 - 0.08 * (k % 3)), high * 0.035, grain)
            parts.append(on_side(moved(strip, 0, high * share), size, side))
        if edge:
            line = 0.11 * min(wide, high)
            across, up = panel(wide * 0.9, line, edge), panel(line, high * 0.9, edge)
            mark = panel(wide * 0.34, high * 0.34, edge)
            frame = [moved(across, 0, s * (high * 0.45 - line / 2)) for s in (-1, 1)]
            frame += [moved(up, s * (wide * 0.45 - line / 2)) for s in (-1, 1)]
            parts.append(on_side(merged(mark, *frame), size, side, 0.0008))
    return merged(*parts)


def lego(columns: int, rows: int, color: Color) -> Mesh:
    """A plastic brick with a grid of studs on top (pitch 16 mm)."""
    pitch = 0.016
    body = box(columns * pitch, rows * pitch, 0.0192, color)
    stud = lathe([(0.0050, 0.018), (0.0050, 0.0228), (0, 0.0232)], color, 12)
    studs = [
        moved(stud, (i - (columns - 1) / 2) * pitch, (j - (rows - 1) / 2) * pitch)
        for i in range(columns)
        for j in range(rows)
    ]
    return merged(body, *studs)


FACES: tuple[Color, ...] = (
    (198, 30, 40), (20, 84, 176), (240, 112, 22), (24, 148, 72), (244, 212, 32), WHITE,
)  # fmt: skip
"""Front, right, back, left, top, bottom of a solved cube."""


def rubiks_cube(step: int) -> Mesh:
    """A 3 x 3 x 3 cube of coloured stickers on black; step 0 is solved, others are mixed."""
    edge = 0.057
    size = (edge, edge, edge)
    parts = [rounded_box(edge, edge, edge, 0.0020, (22, 22, 24), 1)]
    for index, side in enumerate(SIDES):
        for k in range(9):
            color = FACES[(index + step * (k * k + 2 * k + index)) % 6]
            sticker = moved(
                panel(0.0158, 0.0158, color), (k % 3 - 1) * 0.0182, (k // 3 - 1) * 0.0182
            )
            parts.append(on_side(sticker, size, side, 0.0005))
    return merged(*parts)


def toy_airplane(body: Color, wing: Color, detail: Color) -> Mesh:
    """A toy plane on its wheels: round nose, wings to both sides, tail, propeller; nose to -x."""
    hull = turned(
        lathe([(0, 0), (0.014, 0.002), (0.023, 0.016), (0.026, 0.045), (0.025, 0.085),
               (0.016, 0.145),
               (0.009, 0.185), (0, 0.190)], [detail, detail, body, body, body, body, body], 16, 60),
        "y", 90,
    )  # fmt: skip
    wing_outline = symmetric(
        [(0.046, -0.015), (0.060, -0.098), (0.072, -0.108), (0.094, -0.104), (0.100, -0.015)]
    )
    wings = extrude(wing_outline, 0.008, wing)
    tail_outline = symmetric([(0.150, -0.006), (0.160, -0.040), (0.186, -0.040), (0.188, 0)])
    tail = extrude(tail_outline, 0.006, wing)
    fin = extrude([(0.146, 0.0), (0.170, 0.050), (0.190, 0.050), (0.188, 0.0)], 0.006, detail)
    fin = moved(turned(fin, "x", 90), 0, 0.003, 0.004)
    cockpit = moved(ellipsoid(0.026, 0.016, 0.018, (150, 200, 226), 12, 6), 0.066, 0, 0.022)
    hub = moved(ellipsoid(0.008, 0.007, 0.007, (60, 60, 64), 8, 4), -0.003)
    blade = moved(turned(ellipsoid(0.0025, 0.007, 0.034, (70, 70, 74), 8, 6), "x", 25), -0.003)
    skid = tube([(0.150, 0, -0.004), (0.168, 0, -0.040)], 0.005, detail, sides=5, up=(0, 1, 0))
    wheel = moved(turned(cylinder(0.008, 0.008, (40, 40, 44), 10), "x", 90), 0.168, 0.004, -0.040)
    wheels = [skid, wheel]
    for side in (-1, 1):
        wheel = turned(cylinder(0.014, 0.010, (40, 40, 44), 12), "x", 90)
        wheels.append(moved(wheel, 0.055, 0.028 * side + 0.005, -0.034))
        strut = [(0.055, 0.012 * side, -0.016), (0.055, 0.028 * side, -0.034)]
        wheels.append(tube(strut, 0.004, detail, sides=5, up=(1, 0, 0)))
    sheets = moved(wings, z=-0.010), moved(tail, z=0.004), fin
    return merged(hull, *sheets, cockpit, hub, blade, *wheels)


RECIPES = (
    *family("block", "cube, bevelled", wooden_block,
        ("cube", (70, 70, 70), "wooden, pale brown", (222, 180, 124)), sized=True),
    *family("block", "brick-shaped, bevelled", wooden_block,
        ("long", (110, 60, 60), "wooden, brown", (204, 156, 100)), sized=True),
    *family("block", "cube, bevelled, framed faces", wooden_block,
        ("toy", (66, 66, 66), "wooden, blue frames", (226, 188, 134), (52, 106, 176)),
        ("letter", (74, 74, 74), "wooden, red frames", (218, 176, 122), (186, 58, 50)), sized=True),
    *family("lego", "brick, studs on top", lego,
        ("red", (80, 40, 29), "red", 4, 2, (204, 30, 34)),
        ("blue", (60, 60, 34), "blue", 2, 2, (22, 84, 178)),
        ("yellow", (96, 48, 30), "yellow", 4, 2, (246, 200, 36)),
        ("green", (72, 48, 30), "green", 3, 2, (32, 140, 64))),
    *family("rubiks_cube", "cube, 3 x 3 stickers", rubiks_cube,
        ("solved", (58, 58, 58), "six colours, black gaps", 0),
        ("mixed", (64, 64, 64), "six colours, black gaps", 1)),
    *family("toy_airplane", "wings, tail, propeller", toy_airplane,
        ("red", (200, 218, 92), "red, white wings", (206, 44, 40), (236, 232, 222), (206, 44, 40)),
        ("blue", (190, 206, 88), "blue, yellow wings", (40, 98, 178), (244, 196, 56),
         (40, 98, 178)),
        ("green", (206, 224, 94), "green, orange wings", (70, 130, 80), (232, 128, 48),
         (70, 130, 80))),
)  # fmt: skip
