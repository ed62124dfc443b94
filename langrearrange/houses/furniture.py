"""Records of furniture: sizes, slots, parts and motion of a piece, independent of its place.

Not the meshes themselves and not where pieces stand. All lengths are millimetres in the furniture
frame of `placement`: y is 0 at the wall and negative towards the room.
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple

import numpy as np

from langrearrange.houses.geometry import Matrix, compose
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.palette import Palette
from langrearrange.houses.placement import Rect, WallFrame
from langrearrange.houses.robot import ROBOT_RADIUS_MM
from langrearrange.seeding import KeyedRng
from langrearrange.world.vocabulary import OPENABLES, handle_of

CELL_MM: Final = 260
"""Side of a slot's square; a plate fits at any yaw, a book at almost any."""
FREE_HEIGHT_MM: Final = 1000
STANDING_HALF_MM: Final = 430
"""Half the width of the strip that stays free between a surface and the robot."""


class Size(NamedTuple):
    """Outer size of a piece; `columns` are the widths of its columns from left to right."""

    width: int
    depth: int
    height: int
    columns: tuple[int, ...] = ()


class SlotGrid(NamedTuple):
    """Where a fixture of the vocabulary is on a piece: a rectangle of slots.

    Attributes:
        fixture: name of the fixture.
        x: its middle.
        y: its front edge.
        z: its height.
        gap: from the front of the closed piece to the robot's centre: as near as the frame allows.
        columns, rows: how many slots; 0 for what opens and holds nothing.
        max_height: free height above the surface.
        slide: how far it is pulled out when open, with its slots; 0 if it does not move.
    """

    fixture: str
    x: int
    y: int
    z: int
    gap: int
    columns: int
    rows: int
    max_height: int = FREE_HEIGHT_MM
    slide: int = 0


class Stand(NamedTuple):
    """Where the robot's centre stands for a nav target, and the point its head looks at."""

    target: str
    x: int
    y: int
    gaze: tuple[int, int, int]


class Poses(NamedTuple):
    """The pose of a part in the house frame, closed and open."""

    closed: Matrix
    opened: Matrix


Motion = Callable[[WallFrame, Size], Poses]
Builder = Callable[[Size, Palette, int], Mesh]
"""(size, materials, style 0..NUM_STYLES - 1) -> mesh in the frame of the part."""
NUM_STYLES: Final = 3


def sliding(distance: int) -> Motion:
    """Return the motion of a part that is pulled out by a distance; 0: it does not move."""
    return lambda frame, size: Poses(frame.matrix(), frame.matrix(0, -distance, 0))


def swinging(x: int, angle_deg: int) -> Motion:
    """Return the motion of a door whose hinge is at x on the front of its piece."""
    c, s = math.cos(math.radians(angle_deg)), math.sin(math.radians(angle_deg))
    turn = np.array([[c, -s, 0, 0], [s, c, 0, 0], [0, 0, 1, 0]], np.float32).round(6)

    def motion(frame: WallFrame, size: Size) -> Poses:
        hinge = frame.matrix(x, -size.depth, 0)
        return Poses(hinge, compose(hinge, turn))

    return motion


class PartDesign(NamedTuple):
    """A part of a piece that is drawn on its own.

    Attributes:
        name: unique in the house; also its id for segmentation, unless `semantic` is given.
        build: makes its mesh.
        openable: what it moves with, "" for nothing.
        motion: how it moves.
        semantic: id for segmentation, "" for the name.
        bounce: share of light from the floor.
        texture: id and metres per repeat, ("", 0) for vertex colours only.
        padded: whether it has enough vertices to carry ambient occlusion of its own.
    """

    name: str
    build: Builder
    openable: str = ""
    motion: Motion = sliding(0)
    semantic: str = ""
    bounce: float = 0.0
    texture: tuple[str, float] = ("", 0.0)
    padded: bool = False


@dataclass(frozen=True, slots=True)
class Furniture:
    """A kind of furniture, independent of the flat.

    Attributes:
        name: which piece.
        draw_size: draws its outer size.
        grids: its fixtures, front edges parallel to the wall.
        parts: what is drawn.
        swings: floor over which its drawers slide or doors swing, as x0, y0, x1, y1.
        columns: names of its columns from left to right, for maps; (): one, of its own name.
        tall: whether it covers the wall at the height of windows and pictures.
        rooms: the rooms it may stand in where a floor plan does not say.
    """

    name: str
    draw_size: Callable[[KeyedRng], Size]
    grids: Callable[[Size], Iterator[SlotGrid]]
    parts: tuple[PartDesign, ...]
    swings: Callable[[Size], Iterator[tuple[int, int, int, int]]] = lambda size: iter(())
    columns: tuple[str, ...] = ()
    tall: bool = False
    rooms: tuple[str, ...] = ()

    def stands(self, size: Size) -> Iterator[Stand]:
        """Yield its stances: a handle has that of its fixture."""
        for grid in self.grids(size):
            y = -size.depth - grid.gap
            gaze = (grid.x, grid.y + grid.rows * CELL_MM // 2 - grid.slide, grid.z + 60)
            if grid.rows:
                yield Stand(grid.fixture, grid.x, y, gaze)
            if grid.fixture in OPENABLES:
                yield Stand(handle_of(grid.fixture), grid.x, y, gaze)


@dataclass(frozen=True)
class Piece:
    """A piece of furniture in its place.

    Attributes:
        kind: which piece.
        room: the room it stands in.
        size: its outer size.
        frame: where its back meets the wall.
    """

    kind: Furniture
    room: str
    size: Size
    frame: WallFrame

    @cached_property
    def footprint(self) -> Rect:
        """The floor it covers with everything closed, house frame."""
        half = self.size.width // 2
        return self.frame.rect(-half, -self.size.depth, half, 0)

    @cached_property
    def swings(self) -> tuple[Rect, ...]:
        """The floor over which its drawers slide or doors swing."""
        return tuple(self.frame.rect(*area) for area in self.kind.swings(self.size))

    @cached_property
    def standing(self) -> tuple[Rect, ...]:
        """The floor between it and the robot at its stances, robot included."""
        half, front = STANDING_HALF_MM, -self.size.depth
        stands = dict.fromkeys((s.x, s.y - ROBOT_RADIUS_MM) for s in self.kind.stands(self.size))
        return tuple(self.frame.rect(x - half, y, x + half, front) for x, y in stands)

    @property
    def outlines(self) -> Iterator[tuple[str, Rect]]:
        """The floor that each column covers, by name."""
        left = -self.size.width // 2
        widths = self.size.columns or (self.size.width,)
        for name, width in zip(self.kind.columns or (self.kind.name,), widths, strict=True):
            yield name, self.frame.rect(left, -self.size.depth, left + width, 0)
            left += width
