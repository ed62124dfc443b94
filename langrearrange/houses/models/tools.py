"""Hand tools: hammer, screwdriver, wrench, clamp. See `hardware` for drill, scissors, padlock."""

from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.models.base import family, mixed
from langrearrange.houses.shapes import (
    Color,
    Point2,
    arc,
    cylinder,
    extrude,
    lathe,
    loft,
    moved,
    rounded_box,
    symmetric,
    tube,
    turned,
)

STEEL: Color = (168, 172, 178)
DARK: Color = (70, 72, 76)
WOOD: Color = (196, 146, 88)


def lying(mesh: Mesh) -> Mesh:
    """Return something lathed about z laid along +x."""
    return turned(mesh, "y", 90)


def hammer(head: Color, grip: Color, shaft: Color) -> Mesh:
    """A claw hammer lying on its side, the handle along x, the head across."""
    face = turned(lathe([(0.014, 0), (0.0155, 0.004), (0.0155, 0.016), (0.010, 0.021),
                         (0.011, 0.045)],
                        head, 16), "x", 90)  # fmt: skip
    face = moved(face, -0.145, -0.012, 0.016)
    cheek = moved(rounded_box(0.030, 0.034, 0.028, 0.005, head), -0.145, 0.002, 0.002)
    claws = []
    for side in (-1, 1):
        path = [(-0.145, 0.015, 0.016 + 0.004 * side), (-0.142, 0.035, 0.016 + 0.007 * side),
                (-0.134, 0.054, 0.016 + 0.009 * side),
                (-0.120, 0.070, 0.016 + 0.011 * side)]  # fmt: skip
        claws.append(tube(path, [0.012, 0.011, 0.008, 0.003], head, sides=6, aspect=0.55))
    handle = tube(
        [(-0.155, 0, 0.016), (-0.03, 0, 0.016), (0.0, 0, 0.016), (0.03, 0, 0.016),
         (0.12, 0, 0.016), (0.16, 0, 0.016)],
        [0.010, 0.0095, 0.0125, 0.015, 0.0135, 0.016], [shaft, shaft, grip, grip, grip], sides=10,
        aspect=1.0,
    )  # fmt: skip
    return merged(face, cheek, *claws, handle)


def mallet(head: Color, band: Color, shaft: Color) -> Mesh:
    """A ball-peen hammer: a flat face one side, a ball the other."""
    block = turned(
        lathe([(0.017, 0), (0.019, 0.004), (0.019, 0.022), (0.012, 0.028), (0.014, 0.036),
               (0.014, 0.060),
               (0.010, 0.066), (0.015, 0.074), (0.0165, 0.084), (0.012, 0.094), (0, 0.098)],
              [head, head, head, band, head, band, head, head, head, head], 16),
        "x", 90,
    )  # fmt: skip
    handle = tube(
        [(-0.158, 0, 0.019), (-0.02, 0, 0.019), (0.05, 0, 0.018), (0.16, 0, 0.018)],
        [0.010, 0.010, 0.014, 0.016], [shaft, mixed(shaft, (0, 0, 0), 0.08), shaft], sides=10,
    )  # fmt: skip
    return merged(moved(block, -0.145, 0.048, 0.019), handle)


def screwdriver(grip: Color, ends: Color, flat_tip: bool) -> Mesh:
    """A screwdriver lying down: a fat ribbed grip and a thin steel shaft."""
    profile = [(0, 0), (0.010, 0.0005), (0.0155, 0.006), (0.0165, 0.02), (0.015, 0.055),
               (0.0165, 0.085),
               (0.0125, 0.098), (0.0105, 0.106), (0.0125, 0.114), (0.006, 0.118),
               (0, 0.118)]  # fmt: skip
    colors = [ends, ends, ends, grip, grip, grip, ends, ends, ends, ends]
    handle = lathe(profile, colors, 10, 25)
    if flat_tip:
        tip = extrude([(-0.0035, 0), (0.0035, 0), (0.006, 0.010), (0.0055, 0.020), (-0.0055, 0.020),
                       (-0.006, 0.010)], 0.0022, STEEL)  # fmt: skip
        shaft = merged(
            lathe([(0.0046, 0.115), (0.0046, 0.205)], STEEL, 8),
            moved(turned(tip, "x", 90), 0, 0.0011, 0.203),
        )
    else:
        shaft = lathe([(0.0046, 0.115), (0.0046, 0.205), (0.0, 0.222)], STEEL, 8)
    # Laid down it rests on grip and tip.
    return turned(lying(merged(handle, shaft)), "y", 3.6)


def _open_jaw(reach: float, width: float, gap: float) -> list[Point2]:
    """Outline of a two-pronged jaw opening to +x, from its lower neck to its upper neck."""
    return symmetric([
        (0.0, -0.010), (0.010, -width * 0.42), (0.022, -width / 2), (reach * 0.80, -width * 0.46),
        (reach, -gap * 0.85), (reach * 0.97, -gap / 2), (reach * 0.45, -gap / 2),
        (reach * 0.36, 0.0),
    ])  # fmt: skip


def combination_wrench(steel: Color) -> Mesh:
    """An open jaw at one end, a closed ring at the other, a flat bar between."""
    jaw = [(x + 0.062, y) for x, y in _open_jaw(0.050, 0.052, 0.024)]
    ring = [(-0.092 + x, y) for x, y in arc(0.0225, 30, 330, 16)]
    outline = [*jaw, (0.0, 0.0085), *ring, (0.0, -0.0085)]
    hole = [(-0.092 + x, y) for x, y in arc(0.0125, 0, 330, 11)]
    return extrude(outline, 0.011, steel, [hole])


def adjustable_wrench(steel: Color, grip: Color) -> Mesh:
    """A fixed and a sliding jaw, a knurled screw between them, and a gripped handle."""
    upper = [(-0.020, 0.012), (-0.006, 0.026), (0.012, 0.034), (0.034, 0.033), (0.054, 0.020),
             (0.054, 0.013), (0.020, 0.012), (0.017, 0.0), (0.016, -0.014), (0.004, -0.022),
             (-0.010, -0.018), (-0.020, -0.012)]  # fmt: skip
    lower = [(0.014, -0.010), (0.052, -0.009), (0.052, -0.015), (0.032, -0.030), (0.008, -0.029)]
    head = merged(
        extrude(upper, 0.014, steel),
        moved(extrude(lower, 0.011, mixed(steel, (0, 0, 0), 0.12)), z=0.0015),
    )
    worm = moved(turned(cylinder(0.006, 0.017, DARK, 10), "y", 90), 0.002, -0.009, 0.010)
    bar = loft(
        [[(x, -w, 0.001), (x, w, 0.001), (x, w, 0.013), (x, -w, 0.013)]
         for x, w in ((-0.125, 0.013), (-0.06, 0.010), (-0.012, 0.013))],
        steel, crease_deg=20,
    )  # fmt: skip
    sleeve = moved(rounded_box(0.098, 0.032, 0.017, 0.006, grip), -0.112, 0, -0.0012)
    return turned(merged(head, worm, bar, sleeve), "z", 8)


def clamp(frame: Color, screw: Color, depth: float = 0.065) -> Mesh:
    """A G-clamp lying flat: a C-shaped frame, a threaded rod through one arm, a crossbar."""
    bar, span = 0.017, 0.105
    outline: list[Point2] = [
        (depth, 0.0), (depth, bar), (bar * 1.3, bar), (bar, bar * 1.3), (bar, span - bar * 1.3),
        (bar * 1.3, span - bar), (depth, span - bar), (depth, span), (bar * 0.8, span),
        (0.0, span - bar * 0.8), (0.0, bar * 0.8), (bar * 0.8, 0.0),
    ]  # fmt: skip
    body = extrude(outline, 0.020, frame)
    x, z = depth - 0.013, 0.010
    boss = moved(turned(cylinder(0.0125, 0.026, frame, 14), "x", 90), x, span + 0.004, z)
    anvil = moved(turned(cylinder(0.0115, 0.008, frame, 14), "x", 90), x, bar + 0.007, z)
    rod = moved(turned(cylinder(0.0055, 0.115, screw, 10), "x", 90), x, span + 0.062, z)
    pad = lathe([(0.012, 0), (0.012, 0.006), (0.007, 0.011)], screw, 14)
    pad = moved(turned(pad, "x", -90), x, span - 0.054, z)
    hub = moved(turned(cylinder(0.0085, 0.016, screw, 12), "x", 90), x, span + 0.066, z)
    crossbar = moved(turned(cylinder(0.0042, 0.072, screw, 8), "y", 90), x - 0.036, span + 0.058, z)
    return merged(body, boss, anvil, rod, pad, hub, crossbar)


RECIPES = (
    *family("clamp", "C-shaped, screw, crossbar", clamp,
        ("orange", (92, 178, 24), "orange, silver screw", (222, 106, 34), STEEL),
        ("black", (110, 200, 26), "black, silver screw", (50, 52, 58), (176, 180, 186), 0.078),
        ("blue", (82, 160, 22), "blue, silver screw", (44, 88, 168), (190, 192, 196), 0.058)),
    *family("hammer", "long, heavy head, claw", hammer,
        ("wood", (262, 104, 34), "silver head, wooden handle", (120, 124, 130), WOOD,
         (208, 160, 100)),
        ("red", (258, 104, 34), "silver head, red handle", (150, 154, 160), (176, 34, 34),
         (60, 60, 64))),
    *family("hammer", "long, heavy head, ball end", mallet,
        ("ball", (264, 96, 38), "dark grey head, yellow handle", (92, 96, 102), (70, 72, 78),
         (232, 178, 48))),
    *family("screwdriver", "long, fat grip, thin shaft", screwdriver,
        ("red", (222, 34, 34), "red, black, silver shaft", (206, 40, 36), (40, 40, 44), False),
        ("blue", (230, 34, 34), "blue, black, silver shaft", (38, 92, 180), (40, 40, 44), True),
        ("yellow", (200, 36, 36), "yellow, black, silver shaft", (240, 196, 50),
         (44, 44, 46), True)),
    *family("wrench", "long, flat, open jaws, ring", combination_wrench,
        ("steel", (230, 54, 12), "silver", (176, 180, 186))),
    *family("wrench", "long, flat, open jaws", adjustable_wrench,
        ("adjustable", (225, 80, 18), "silver, red grip", (164, 168, 176), (176, 44, 40))),
    *family("wrench", "long, flat, open jaws, ring", combination_wrench,
        ("dark", (210, 50, 12), "dark grey", (96, 100, 108))),
)  # fmt: skip
