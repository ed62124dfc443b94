"""Furniture as numbers: sizes, surfaces, stances, what swings. Not its meshes, not where it stands.

All lengths are millimetres in the furniture frame of `placement`: y is 0 at the wall and negative
towards the room.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, NamedTuple

from langrearrange.houses.placement import Rect, WallFrame
from langrearrange.houses.robot import HEAD_FORWARD_MM, ROBOT_RADIUS_MM
from langrearrange.seeding import KeyedRng

FixtureName = Literal[
    "kitchen", "fridge", "sofa", "tv_stand", "black_table", "brown_table", "chair"
]
FIXTURES: Final[tuple[FixtureName, ...]] = (
    "kitchen", "sofa", "tv_stand", "black_table", "brown_table", "fridge", "chair",
)  # fmt: skip
"""Widest first: the order in which they look for a place."""

CELL_MM: Final = 260
"""Every slot owns a square of this size: a dinner plate or a book fits at any yaw or nearly so."""

COUNTER_DEPTH_MM: Final = 660
COUNTER_EDGE_MM: Final = 30
DRAWER_SLIDE_MM: Final = 565
DRAWER_LIP_MM: Final = 20
"""From a drawer's front panel to its first slot: what a viewer cannot see over the panel."""
PLAIN_SLIDE_MM: Final = 120
DRAWER_FRONT_MM: Final = 22
DRAWER_FLOOR_MM: Final = 560
BASIN_DEPTH_MM: Final = 100
BASIN_RIM_MM: Final = 50
FRIDGE_BODY_MM: Final = 660
FRIDGE_DOOR_MM: Final = 60
FRIDGE_SHELF_MM: Final = 800
FRIDGE_LEAF_MM: Final = 445
FRIDGE_SPREAD_MM: Final = 85
"""How far an open door leaf reaches beyond the fridge's side."""
FREE_HEIGHT_MM: Final = 1000
STANDING_HALF_MM: Final = 430
"""Half the width of the strip that stays free between a surface and the robot."""


class Size(NamedTuple):
    """Outer size of a fixture; `columns` are the widths of left counter, sink, right counter."""

    width: int
    depth: int
    height: int
    columns: tuple[int, int, int] = (0, 0, 0)


class SlotGrid(NamedTuple):
    """A rectangle of slots: its middle x, its front edge y, height z, columns and rows."""

    receptacle: str
    part: str
    x: int
    y: int
    z: int
    columns: int
    rows: int
    max_height: int = FREE_HEIGHT_MM


class Stand(NamedTuple):
    """Where the robot's centre stands for a nav target, and the point its head looks at."""

    target: str
    x: int
    y: int
    gaze: tuple[int, int, int]


@dataclass(frozen=True, slots=True)
class Fixture:
    """A piece of furniture in its place.

    Attributes:
        name: which piece.
        room: the room it stands in.
        size: its outer size.
        frame: where its back meets the wall.
        footprint: floor it covers with everything closed, house frame (derived).
        swings: floor over which its drawers slide or doors swing (derived).
        standing: floor between it and the robot at its stances, robot included (derived).
    """

    name: FixtureName
    room: str
    size: Size
    frame: WallFrame
    footprint: Rect = field(init=False)
    swings: tuple[Rect, ...] = field(init=False)
    standing: tuple[Rect, ...] = field(init=False)

    def __post_init__(self) -> None:
        half, front = self.size.width // 2, -self.size.depth
        areas = {(s.x, s.y): s for s in stands(self.name, self.size)}
        derived = {
            "footprint": self.frame.rect(-half, front, half, 0),
            "swings": tuple(self.frame.rect(*r) for r in _swings(self.name, self.size)),
            "standing": tuple(
                self.frame.rect(
                    s.x - STANDING_HALF_MM, s.y - ROBOT_RADIUS_MM, s.x + STANDING_HALF_MM, front
                )
                for s in areas.values()
            ),
        }
        for name, value in derived.items():
            object.__setattr__(self, name, value)


def draw_size(name: FixtureName, rng: KeyedRng) -> Size:
    """Draw the outer size of a fixture."""
    if name == "kitchen":
        columns = (
            rng.choice((880, 900, 940)), rng.choice((900, 920)), rng.choice((880, 900, 940)),
        )  # fmt: skip
        return Size(sum(columns), COUNTER_DEPTH_MM, rng.choice((860, 870, 880)), columns)
    if name == "fridge":
        return Size(900, FRIDGE_BODY_MM + FRIDGE_DOOR_MM, rng.choice((1720, 1780, 1840)))
    widths, depths, heights = _SIZES[name]
    return Size(rng.choice(widths), rng.choice(depths), rng.choice(heights))


_SIZES: Final[dict[str, tuple[tuple[int, ...], ...]]] = {
    "sofa": ((1900, 2000, 2100, 2200), (860, 900), (820, 880)),
    "tv_stand": ((1400, 1500, 1600, 1700), (600, 620), (460, 500, 540)),
    "black_table": ((1140, 1200, 1260, 1320), (600, 640), (720, 740)),
    "brown_table": ((1140, 1200, 1260, 1320), (600, 640), (720, 740)),
    "chair": ((920, 940, 960), (780, 820), (800, 860)),
}
SOFA_SEAT_MM: Final = 430
CHAIR_SEAT_MM: Final = 430


def slot_grids(name: FixtureName, size: Size) -> Iterator[SlotGrid]:
    """Yield the slot grids of a fixture, front edges parallel to the wall."""
    front = -size.depth
    if name == "kitchen":
        left, middle, right = column_centres(size)
        top, edge = size.height, front + COUNTER_EDGE_MM
        yield SlotGrid("left_counter", "", left, edge, top, 3, 2)
        yield SlotGrid("right_counter", "", right, edge, top, 3, 2)
        yield SlotGrid("sink", "", middle, front + BASIN_RIM_MM, top - BASIN_DEPTH_MM, 3, 2)
        for side, x in (("left_drawer", left), ("right_drawer", right)):
            yield SlotGrid(
                side, side, x, front + DRAWER_FRONT_MM + DRAWER_LIP_MM, DRAWER_FLOOR_MM, 3, 2, 265
            )
    elif name == "fridge":
        edge = front + FRIDGE_DOOR_MM + 10
        yield SlotGrid("fridge", "", 0, edge, FRIDGE_SHELF_MM, 3, 2, 400)
    elif name == "sofa":
        yield SlotGrid(name, "", 0, front + 40, SOFA_SEAT_MM, 4, 2)
    elif name == "chair":
        yield SlotGrid(name, "", 0, front + 40, CHAIR_SEAT_MM, 3, 2)
    else:
        yield SlotGrid(name, "", 0, front + 30, size.height, 4, 2)


_GAP_MM: Final = {
    "left_counter": DRAWER_SLIDE_MM + ROBOT_RADIUS_MM + 5,
    "right_counter": DRAWER_SLIDE_MM + ROBOT_RADIUS_MM + 5,
    "left_drawer": DRAWER_SLIDE_MM + ROBOT_RADIUS_MM + 5,
    "right_drawer": DRAWER_SLIDE_MM + ROBOT_RADIUS_MM + 5,
    "sink": 410,
    "fridge": 620,
    "sofa": 480,
    "chair": 340,
    "tv_stand": 560,
    "black_table": 720,
    "brown_table": 720,
}
"""From the front of the closed furniture to the robot's centre: as near as the frame allows."""


def stands(name: FixtureName, size: Size) -> Iterator[Stand]:
    """Yield the stances of a fixture: its receptacles, then its handles."""
    for grid in slot_grids(name, size):
        y = -size.depth - _GAP_MM[grid.receptacle]
        slide = DRAWER_SLIDE_MM if grid.part else 0
        gaze = (grid.x, grid.y + grid.rows * CELL_MM // 2 - slide, grid.z + 60)
        yield Stand(grid.receptacle, grid.x, y, gaze)
        if grid.receptacle in ("fridge", "left_drawer", "right_drawer"):
            yield Stand(f"{grid.receptacle}_handle", grid.x, y, gaze)
    if name == "kitchen":
        y = -size.depth - PLAIN_GAP_MM
        x = column_centres(size)[1]
        for drawer, (low, high) in PLAIN_DRAWERS_MM.items():
            yield Stand(f"{drawer}_handle", x, y, (x, -size.depth - 60, (low + high) // 2))


PLAIN_DRAWERS_MM: Final = {"middle_drawer": (392, 680), "bottom_drawer": (92, 384)}
"""Drawers below the sink that hold nothing: heights of their fronts' lower and upper edge."""
PLAIN_GAP_MM: Final = 640


def column_centres(size: Size) -> tuple[int, int, int]:
    """Return the middle x of left counter, sink and right counter."""
    left, middle, right = size.columns
    start = -size.width // 2
    return start + left // 2, start + left + middle // 2, start + left + middle + right // 2


def _swings(name: FixtureName, size: Size) -> Iterator[tuple[int, int, int, int]]:
    front = -size.depth
    if name == "fridge":
        reach = FRIDGE_LEAF_MM + FRIDGE_SPREAD_MM
        yield -reach, front - FRIDGE_LEAF_MM - 15, reach, front
    if name == "kitchen":
        left, _, right = size.columns
        half = size.width // 2
        yield -half, front - DRAWER_SLIDE_MM, left - half, front
        yield half - right, front - DRAWER_SLIDE_MM, half, front
        yield left - half, front - PLAIN_SLIDE_MM, half - right, front


def head_of(stand: Stand) -> tuple[int, int]:
    """Return where the head camera is (x, y) in the furniture frame at a stance."""
    return stand.x, stand.y + HEAD_FORWARD_MM
