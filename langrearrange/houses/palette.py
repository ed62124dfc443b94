"""Materials of a flat: paints, woods, fabrics, drawn once per flat from its id. Not shapes."""

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

from langrearrange.houses.plans import PLANS
from langrearrange.houses.shapes import Color
from langrearrange.seeding import HOUSE_VERSION, KeyedRng


@dataclass(frozen=True, slots=True)
class Floor:
    """A floor's material: texture id, tint, metres per repeat of the texture."""

    texture: str
    color: Color
    repeat_m: float


@dataclass(frozen=True, slots=True)
class Palette:
    """The materials of a flat; colours are display RGB in [0, 255]."""

    paints: dict[str, Color]
    floors: dict[str, Floor]
    trim: Color
    fronts: Color
    handles: Color
    worktop: Color
    backsplash: Color
    fridge: Color
    sofa: Color
    pillows: tuple[Color, Color]
    chair: Color
    chair_wood: Color
    tv_stand: Color
    black: Color
    brown: Color
    rug: Color
    lamp: Color
    pot: Color


_PAINTS: Final[tuple[Color, ...]] = (
    (232, 226, 214), (222, 228, 226), (236, 232, 224), (214, 222, 208), (226, 216, 204),
    (206, 216, 226), (238, 226, 206), (224, 218, 226), (218, 206, 190), (210, 220, 216),
    (240, 236, 230), (230, 214, 206),
)  # fmt: skip
_WOOD_FLOORS: Final[tuple[Color, ...]] = (
    (196, 154, 108), (172, 126, 84), (208, 178, 138), (150, 110, 76), (188, 166, 140),
    (160, 136, 112),
)  # fmt: skip
_TILE_FLOORS: Final[tuple[Color, ...]] = (
    (206, 202, 194), (188, 190, 192), (214, 204, 186), (176, 170, 162), (198, 206, 204),
)  # fmt: skip
_CARPETS: Final[tuple[Color, ...]] = (
    (178, 170, 160), (164, 172, 178), (186, 174, 152), (158, 160, 150), (172, 158, 164),
)  # fmt: skip
_FRONTS: Final[tuple[Color, ...]] = (
    (238, 236, 230), (96, 124, 118), (176, 138, 96), (206, 198, 182), (88, 106, 134),
    (164, 176, 160), (222, 206, 176), (140, 96, 64), (150, 158, 166),
)  # fmt: skip
_WORKTOPS: Final[tuple[Color, ...]] = (
    (74, 72, 72), (196, 190, 180), (152, 112, 72), (118, 116, 114), (222, 216, 206),
    (134, 126, 116),
)  # fmt: skip
_SPLASHES: Final[tuple[Color, ...]] = (
    (236, 238, 236), (176, 204, 202), (214, 206, 190), (188, 200, 214), (226, 214, 198),
)  # fmt: skip
_FRIDGES: Final[tuple[Color, ...]] = (
    (232, 234, 234), (184, 188, 192), (222, 216, 200), (160, 166, 172), (178, 202, 200),
)  # fmt: skip
_SOFAS: Final[tuple[Color, ...]] = (
    (98, 112, 132), (148, 140, 130), (112, 128, 108), (166, 108, 92), (84, 118, 126),
    (182, 164, 138), (128, 104, 122), (172, 136, 82), (110, 112, 120),
)  # fmt: skip
_PILLOWS: Final[tuple[Color, ...]] = (
    (214, 164, 72), (206, 198, 184), (72, 104, 122), (190, 98, 78), (138, 158, 128),
    (96, 78, 96), (226, 214, 196),
)  # fmt: skip
_CHAIRS: Final[tuple[Color, ...]] = (
    (186, 118, 72), (92, 126, 142), (142, 152, 112), (198, 178, 146), (168, 92, 88),
    (122, 112, 150), (206, 156, 78), (126, 136, 140),
)  # fmt: skip
_WOODS: Final[tuple[Color, ...]] = (
    (196, 158, 112), (158, 110, 70), (110, 76, 52), (214, 188, 150), (176, 132, 88),
)  # fmt: skip
_TV_STANDS: Final[tuple[Color, ...]] = (
    (234, 230, 222), (202, 170, 126), (158, 160, 162), (186, 152, 112), (112, 128, 140),
    (214, 200, 176),
)  # fmt: skip
_BLACKS: Final[tuple[Color, ...]] = ((30, 30, 33), (38, 37, 38), (24, 26, 30))
_BROWNS: Final[tuple[Color, ...]] = (
    (128, 86, 48), (114, 76, 42), (144, 100, 58), (122, 84, 50),
)  # fmt: skip
_RUGS: Final[tuple[Color, ...]] = (
    (170, 92, 80), (92, 112, 140), (206, 190, 160), (118, 134, 112), (184, 148, 96),
    (140, 124, 140),
)  # fmt: skip
_POTS: Final[tuple[Color, ...]] = ((184, 112, 80), (230, 226, 218), (92, 98, 104), (128, 146, 150))
_METALS: Final[tuple[Color, ...]] = ((176, 178, 182), (60, 60, 62), (196, 168, 110))


@lru_cache(maxsize=128)
def palette_of(plan: int, furnishing: int) -> Palette:
    """Return the materials of a flat."""
    rng = KeyedRng(HOUSE_VERSION, "flat", plan, furnishing, "materials")
    rooms = tuple(PLANS[plan].rooms)
    boards = rng.choice(("wood_planks", "wood_planks", "parquet"))
    wood = Floor(boards, _near(rng.choice(_WOOD_FLOORS), rng), 1.2)
    pillows = rng.sample(_PILLOWS, 2)
    return Palette(
        paints={room: _near(rng.choice(_PAINTS), rng) for room in rooms},
        floors={room: _floor(room, wood, rng) for room in rooms},
        trim=rng.choice(((244, 243, 240), (236, 232, 222), (226, 226, 226))),
        fronts=_near(rng.choice(_FRONTS), rng),
        handles=rng.choice(_METALS),
        worktop=_near(rng.choice(_WORKTOPS), rng),
        backsplash=rng.choice(_SPLASHES),
        fridge=rng.choice(_FRIDGES),
        sofa=_near(rng.choice(_SOFAS), rng),
        pillows=(pillows[0], pillows[1]),
        chair=_near(rng.choice(_CHAIRS), rng),
        chair_wood=rng.choice(_WOODS),
        tv_stand=_near(rng.choice(_TV_STANDS), rng),
        black=rng.choice(_BLACKS),
        brown=_near(rng.choice(_BROWNS), rng),
        rug=_near(rng.choice(_RUGS), rng),
        lamp=rng.choice(((238, 224, 190), (226, 226, 220), (214, 178, 120))),
        pot=rng.choice(_POTS),
    )


def _floor(room: str, wood: Floor, rng: KeyedRng) -> Floor:
    if room == "kitchen" and rng.chance(2, 3):
        tiles = rng.choice(("tiles", "tiles", "terrazzo"))
        return Floor(tiles, _near(rng.choice(_TILE_FLOORS), rng), 1.2)
    if room in ("living_room", "study") and rng.chance(1, 4):
        return Floor("carpet", _near(rng.choice(_CARPETS), rng), 0.8)
    return wood


def _near(color: Color, rng: KeyedRng) -> Color:
    """Return a colour a little off the given one, so that no two flats match exactly."""
    shift = [rng.below(13) - 6 for _ in range(3)]
    red, green, blue = (min(255, max(12, c + s)) for c, s in zip(color, shift, strict=True))
    return (red, green, blue)


def shade(color: Color, factor: float) -> Color:
    """Return a colour made darker (factor < 1) or lighter, within [0, 255]."""
    red, green, blue = (min(255.0, max(0.0, c * factor)) for c in color)
    return (red, green, blue)
