"""A flat as one value: plan, furniture, surfaces with slots, stances, relations, parts to draw.

Not for how flats are designed (see the modules beside this one) and not for task logic: reach in
our flats is the standard one of `world`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from langrearrange.errors import HouseError
from langrearrange.houses.geometry import Matrix, Pose2D
from langrearrange.seeding import KeyedRng
from langrearrange.world.vocabulary import NAV_TARGETS

Relation = Literal["left_of", "right_of", "between"]


@dataclass(frozen=True, slots=True)
class Slot:
    """A place for one object on a surface.

    Attributes:
        x_mm, y_mm, z_mm: where the object's base centre rests, in millimetres, in the frame of the
            surface's part (the house frame for what does not move, the drawer's frame otherwise).
        yaw_mrad: facing of the slot; an object's own yaw is added.
        row: 0 is the row nearest to the robot; taller objects belong in higher rows.
    """

    x_mm: int
    y_mm: int
    z_mm: int
    yaw_mrad: int
    row: int


@dataclass(frozen=True, slots=True)
class Surface:
    """Where objects rest on a receptacle.

    Attributes:
        receptacle: id of the receptacle.
        part: name of the `Part` the slots move with, "" for the house frame.
        slots: in filling order (slot 0 first).
        max_height_mm: free height above the surface (shelves, drawers).
        cell_mm: size in x and y of the free rectangle around each slot, along the slot's axes; what
            fits in it (`houses.draw_yaw`) overlaps no neighbour and hangs over no edge.
    """

    receptacle: str
    part: str
    slots: tuple[Slot, ...]
    max_height_mm: int
    cell_mm: tuple[int, int]


@dataclass(frozen=True, slots=True)
class Part:
    """Something to draw: a mesh at a pose, possibly moving with an openable.

    Attributes:
        name: unique in the house: `floor`, `left_drawer`, `fridge_door`.
        mesh: key of the mesh (`houses.meshes`).
        closed: (3, 4) pose when its openable is closed (or always, if it moves with none).
        opened: (3, 4) pose when its openable is open.
        openable: id of the openable it moves with, "" for none.
        semantic: id for segmentation: a receptacle, an openable, `wall`, `floor`, `decor`...
    """

    name: str
    mesh: str
    closed: Matrix
    opened: Matrix
    openable: str
    semantic: str


@dataclass(frozen=True, slots=True)
class SpatialRelation:
    """`referent` is the only receptacle for which the relation to `anchors` holds in this flat.

    Left and right are for a viewer facing the wall that both stand along; between likewise.
    """

    relation: Relation
    anchors: tuple[str, ...]
    referent: str


@dataclass(frozen=True, slots=True, eq=False)
class House:
    """A flat, complete; a pure function of its id (`houses.get_house`).

    Attributes:
        id: `flat_<plan>_<furnishing, 2 digits>` for our flats; see `houses.homes` for others.
        size_mm: extent in x and y; the flat's corner is the origin.
        stances: nav target id -> where the robot stands and faces, all 16.
        gazes: nav target id -> the point (x, y, z in mm, house frame) that the head looks at.
        surfaces: receptacle id -> surface, all 11.
        start_cells: centres (x_mm, y_mm) of the free cells from which every stance can be walked
            to.
        relations: the spatial relations that are true and unique here.
        parts: everything to draw; moving parts name their openable.
        outlines: rectangles for maps: (label, x0_mm, y0_mm, x1_mm, y1_mm); walls are `wall`.
    """

    id: str
    size_mm: tuple[int, int]
    stances: Mapping[str, Pose2D]
    gazes: Mapping[str, tuple[int, int, int]]
    surfaces: Mapping[str, Surface]
    start_cells: tuple[tuple[int, int], ...]
    relations: tuple[SpatialRelation, ...]
    parts: tuple[Part, ...]
    outlines: tuple[tuple[str, int, int, int, int], ...]

    @property
    def num_slots(self) -> Mapping[str, int]:
        """Receptacle id -> how many slots its surface has (beyond them, overflow poses)."""
        return {name: len(surface.slots) for name, surface in self.surfaces.items()}

    def part(self, name: str) -> Part:
        """Return a part by name; HouseError when there is none."""
        for part in self.parts:
            if part.name == name:
                return part
        raise HouseError(f"{self.id}: unknown part '{name}'")

    def stance(self, place: int) -> Pose2D:
        """Return the robot's pose at a nav target index (0..15); HouseError for the start place."""
        if not 0 <= place < len(NAV_TARGETS):
            raise HouseError(f"place {place} has no stance; the start pose is the episode's own")
        return self.stances[NAV_TARGETS[place]]

    def draw_start(self, rng: KeyedRng) -> Pose2D:
        """Draw a start pose: uniform over free cells, yaw uniform in [-3141, 3141] mrad."""
        x_mm, y_mm = rng.choice(self.start_cells)
        return Pose2D(x_mm, y_mm, rng.below(6283) - 3141)
