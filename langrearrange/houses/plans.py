"""The five floor plans: rooms, doorways, and which room may hold which furniture. Not furniture.

Plans 0-2 serve training, 3 validation, 4 test: they differ in where the kitchen is and in how the
rooms connect (off the living room; behind the dining room; in the middle; off a hall; open).
"""

from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from types import MappingProxyType
from typing import Final

from langrearrange.houses.placement import Rect

WALL_MM: Final = 100
WALL_HEIGHT_MM: Final = 2500
DOOR_HEIGHT_MM: Final = 2100


@dataclass(frozen=True, slots=True)
class FloorPlan:
    """A floor plan, millimetres.

    Attributes:
        size: extent in x and y, outer walls included.
        rooms: room name -> its inside.
        doorways: openings through walls; each spans a wall between two rooms.
        homes: furniture -> the rooms it may stand in, where not those of its record.
    """

    size: tuple[int, int]
    rooms: Mapping[str, Rect]
    doorways: tuple[Rect, ...]
    homes: Mapping[str, tuple[str, ...]]

    def walls(self) -> tuple[Rect, ...]:
        """Return rectangles that cover all that is neither room nor doorway."""
        open_rects = (*self.rooms.values(), *self.doorways)
        xs = sorted({0, self.size[0], *(v for r in open_rects for v in (r.x0, r.x1))})
        ys = sorted({0, self.size[1], *(v for r in open_rects for v in (r.y0, r.y1))})
        walls: list[Rect] = []
        for y0, y1 in pairwise(ys):
            row: list[Rect] = []
            for x0, x1 in pairwise(xs):
                cell = Rect(x0, y0, x1, y1)
                if any(r.holds(cell) for r in open_rects):
                    continue
                if row and row[-1].x1 == x0:
                    row[-1] = row[-1]._replace(x1=x1)
                else:
                    row.append(cell)
            walls += row
        return tuple(walls)


def _plan(
    size: tuple[int, int],
    rooms: dict[str, tuple[int, int, int, int]],
    doorways: tuple[tuple[int, int, int, int], ...],
    **homes: tuple[str, ...],
) -> FloorPlan:
    return FloorPlan(
        size,
        MappingProxyType({name: Rect(*rect) for name, rect in rooms.items()}),
        tuple(Rect(*rect) for rect in doorways),
        MappingProxyType(homes),
    )


PLANS: Final = (
    _plan(
        (8900, 6600),
        {
            "kitchen": (100, 100, 4300, 3000),
            "dining_room": (100, 3100, 4300, 6500),
            "living_room": (4400, 100, 8800, 6500),
        },
        ((4300, 1000, 4400, 2000), (4300, 4300, 4400, 5300)),
        chair=("living_room", "dining_room"),
        black_table=("dining_room", "living_room"),
        brown_table=("dining_room",),
    ),
    _plan(
        (9200, 6400),
        {
            "living_room": (100, 100, 4600, 6300),
            "dining_room": (4700, 100, 9100, 3000),
            "kitchen": (4700, 3100, 9100, 6300),
        },
        ((4600, 1000, 4700, 2000), (6400, 3000, 7400, 3100)),
        chair=("living_room", "dining_room"),
        black_table=("dining_room",),
        brown_table=("living_room", "dining_room"),
    ),
    _plan(
        (11900, 4400),
        {
            "dining_room": (100, 100, 3600, 4300),
            "kitchen": (3700, 100, 7900, 4300),
            "living_room": (8000, 100, 11800, 4300),
        },
        ((3600, 1700, 3700, 2700), (7900, 2400, 8000, 3400)),
        chair=("dining_room", "living_room"),
        black_table=("dining_room",),
        brown_table=("dining_room",),
    ),
    _plan(
        (9600, 7600),
        {
            "dining_room": (100, 100, 3700, 4200),
            "hall": (3800, 100, 5200, 4200),
            "kitchen": (5300, 100, 9500, 3400),
            "living_room": (100, 4300, 5200, 7500),
            "study": (5300, 3500, 9500, 7500),
        },
        (
            (3700, 1500, 3800, 2500),
            (5200, 1200, 5300, 2200),
            (4000, 4200, 5000, 4300),
            (5200, 5300, 5300, 6300),
        ),
        sofa=("living_room", "study"),
        chair=("study", "dining_room"),
        black_table=("study", "dining_room"),
        brown_table=("dining_room",),
    ),
    _plan(
        (8000, 7800),
        {
            "living_room": (100, 100, 7900, 3900),
            "kitchen": (100, 4000, 4300, 7700),
            "dining_room": (4400, 4000, 7900, 7700),
        },
        ((900, 3900, 3300, 4000), (5600, 3900, 6600, 4000), (4300, 5200, 4400, 6200)),
        chair=("living_room", "dining_room"),
        black_table=("dining_room", "living_room"),
        brown_table=("dining_room", "living_room"),
    ),
)
