"""The 105 flats: ids, splits, and a `House` from an id. Cheap: no mesh is made here."""

from collections.abc import Iterable, Iterator
from functools import lru_cache
from types import MappingProxyType
from typing import Final

import numpy as np

from langrearrange.errors import HouseError
from langrearrange.houses.furnish import Furnishing, furnish
from langrearrange.houses.furniture import CELL_MM, Piece, SlotGrid
from langrearrange.houses.geometry import Matrix, Pose2D
from langrearrange.houses.house import House, Part, Slot, Surface
from langrearrange.houses.plans import PLANS
from langrearrange.houses.relations import spatial_relations
from langrearrange.world.vocabulary import NAV_TARGETS, RECEPTACLES

NUM_FURNISHINGS: Final = 21
HOUSE_IDS: Final = tuple(
    f"flat_{plan}_{furnishing:02d}"
    for plan in range(len(PLANS))
    for furnishing in range(NUM_FURNISHINGS)
)
"""All flats: 5 plans x 21 furnishings (paper B.5)."""

FLATS_OF: Final = {
    role: tuple(name for name in HOUSE_IDS if int(name[5]) in plans)
    for role, plans in {"train": (0, 1, 2), "validation": (3,), "test": (4,)}.items()
}
"""Role -> its flats; roles share no floor plan."""


def flat_ids(names: Iterable[str]) -> tuple[str, ...]:
    """Return flats, each once: by id, by role (`train`, `validation`, `test`), or `all`.

    Raises:
        HouseError: a name that is none of these.
    """
    groups = {"all": HOUSE_IDS, **FLATS_OF, **{house: (house,) for house in HOUSE_IDS}}
    chosen: dict[str, None] = {}
    for name in names:
        if name not in groups:
            raise HouseError(
                f"'{name}' names no flats; accepted: all, {', '.join(FLATS_OF)}, or ids from "
                f"{HOUSE_IDS[0]} to {HOUSE_IDS[-1]}"
            )
        chosen |= dict.fromkeys(groups[name])
    return tuple(chosen)


def parse_house_id(house_id: str) -> tuple[int, int]:
    """Return (plan, furnishing) of a flat's id; HouseError for anything else."""
    if house_id not in HOUSE_IDS:
        raise HouseError(
            f"unknown flat '{house_id}'; ids are flat_<plan 0-4>_<furnishing 00-20>, for "
            "example flat_0_07"
        )
    return divmod(HOUSE_IDS.index(house_id), NUM_FURNISHINGS)


@lru_cache(maxsize=128)
def furnishing_of(house_id: str) -> Furnishing:
    """Return where everything in a flat stands: what meshes and maps are made from."""
    return furnish(*parse_house_id(house_id))


def build_flat(house_id: str) -> House:
    """Return a new flat; HouseError for an unknown id. `houses.get_house` keeps them."""
    design = furnishing_of(house_id)
    pieces = tuple(design.pieces.values())
    surfaces = {s.receptacle: s for piece in pieces for s in _surfaces(piece)}
    stances: dict[str, Pose2D] = {}
    gazes: dict[str, tuple[int, int, int]] = {}
    for piece in pieces:
        for stand in piece.kind.stands(piece.size):
            x, y = piece.frame.point(stand.x, stand.y)
            stances[stand.target] = Pose2D(x, y, piece.frame.viewer_yaw_mrad)
            gazes[stand.target] = (*piece.frame.point(*stand.gaze[:2]), stand.gaze[2])
    return House(
        id=house_id,
        size_mm=design.plan.size,
        stances=MappingProxyType({target: stances[target] for target in NAV_TARGETS}),
        gazes=MappingProxyType({target: gazes[target] for target in NAV_TARGETS}),
        surfaces=MappingProxyType({name: surfaces[name] for name in RECEPTACLES}),
        start_cells=design.space.centres(design.reachable),
        relations=spatial_relations(pieces),
        parts=tuple(_parts(house_id, design)),
        outlines=tuple(_outlines(design)),
    )


def _surfaces(piece: Piece) -> Iterator[Surface]:
    for grid in piece.kind.grids(piece.size):
        if grid.rows:
            part, slots = grid.fixture if grid.slide else "", tuple(_slots(piece, grid))
            yield Surface(grid.fixture, part, slots, grid.max_height, (CELL_MM, CELL_MM))


def _slots(piece: Piece, grid: SlotGrid) -> Iterator[Slot]:
    """Yield slots from the back row to the front, in each row from the middle outwards."""
    columns = sorted(range(grid.columns), key=lambda i: (abs(2 * i + 1 - grid.columns), i))
    for row in range(grid.rows - 1, -1, -1):
        for column in columns:
            x = grid.x + (2 * column + 1 - grid.columns) * CELL_MM // 2
            y = grid.y + (2 * row + 1) * CELL_MM // 2
            if grid.slide:
                yield Slot(x, y, grid.z, 0, row)
            else:
                yield Slot(*piece.frame.point(x, y), grid.z, piece.frame.yaw_mrad, row)


def _parts(house_id: str, design: Furnishing) -> Iterator[Part]:
    still = np.eye(4, dtype=np.float32)[:3].copy()

    def fixed(name: str, pose: Matrix, semantic: str) -> Part:
        return Part(name, f"{house_id}/{name}", pose, pose, "", semantic)

    for room in design.plan.rooms:
        yield fixed(f"floor_{room}", still, "floor")
        yield fixed(f"walls_{room}", still, "wall")
        yield fixed(f"ceiling_{room}", still, "ceiling")
    yield fixed("wall_tops", still, "wall")
    for piece in design.pieces.values():
        for part in piece.kind.parts:
            poses = part.motion(piece.frame, piece.size)
            key, semantic = f"{house_id}/{part.name}", part.semantic or part.name
            yield Part(part.name, key, *poses, part.openable, semantic)
    for index, ornament in enumerate(design.ornaments):
        yield fixed(f"decor_{index}", ornament.frame.matrix(), "decor")


def _outlines(design: Furnishing) -> Iterator[tuple[str, int, int, int, int]]:
    for wall in design.walls:
        yield "wall", *wall
    for piece in design.pieces.values():
        for name, rect in piece.outlines:
            yield name, *rect
