"""Places furniture against the walls of a floor plan. Integer search only, no meshes.

Keyed random draws propose places and exact checks accept or reject them; a failed attempt extends
the key. A flat is therefore a pure function of its id.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from langrearrange.errors import HouseError
from langrearrange.houses.freespace import FreeSpace
from langrearrange.houses.furniture import Furniture, Piece, Size
from langrearrange.houses.inventory import INVENTORY
from langrearrange.houses.ornaments import Ornament, ornaments
from langrearrange.houses.placement import Rect, WallFrame
from langrearrange.houses.plans import PLANS, FloorPlan
from langrearrange.seeding import HOUSE_VERSION, KeyedRng

GAP_MM: Final = 60
"""Smallest gap between two pieces of furniture along a wall."""
DOOR_MARGIN_MM: Final = 250
"""Smallest distance of furniture from doorways."""
_STEP_MM: Final = 50
_TRIES: Final = 40
_ATTEMPTS: Final = 400


@dataclass(frozen=True, slots=True)
class Furnishing:
    """A furnished plan.

    Attributes:
        plan: the floor plan.
        pieces: all furniture (the kitchen run is one piece), by name.
        walls: rectangles of the walls.
        ornaments: decor on floor and walls.
        space: the free cells around furniture and decor.
        reachable: bit mask of the cells from which the robot can reach every stance.
    """

    plan: FloorPlan
    pieces: dict[str, Piece]
    walls: tuple[Rect, ...]
    ornaments: tuple[Ornament, ...]
    space: FreeSpace
    reachable: int


def furnish(plan_index: int, furnishing: int) -> Furnishing:
    """Return furnishing 0..20 of plan 0..4; raises HouseError if no arrangement is found."""
    plan = PLANS[plan_index]
    walls = plan.walls()
    for attempt in range(_ATTEMPTS):
        rng = KeyedRng(HOUSE_VERSION, "flat", plan_index, furnishing, "furniture", attempt)
        pieces = _arrange(plan, rng)
        if pieces is None:
            continue
        decor_rng = KeyedRng(HOUSE_VERSION, "flat", plan_index, furnishing, "decor")
        decor = ornaments(plan, pieces.values(), decor_rng)
        blocks = [piece.footprint for piece in pieces.values()]
        blocks += [ornament.footprint for ornament in decor if ornament.blocks]
        space = FreeSpace.around(plan.size, [*walls, *blocks])
        reachable = _reachable(space, pieces.values())
        if reachable:
            return Furnishing(plan, pieces, walls, decor, space, reachable)
    raise HouseError(f"plan {plan_index}: no arrangement found for furnishing {furnishing}")


def _arrange(plan: FloorPlan, rng: KeyedRng) -> dict[str, Piece] | None:
    placed: dict[str, Piece] = {}
    for kind in INVENTORY:
        size = kind.draw_size(rng)
        for _ in range(_TRIES):
            piece = _propose(plan, kind, size, placed.values(), rng)
            if piece is not None and _fits(plan, piece, placed.values()):
                placed[kind.name] = piece
                break
        else:
            return None
    return placed


def _propose(
    plan: FloorPlan, kind: Furniture, size: Size, placed: Iterable[Piece], rng: KeyedRng
) -> Piece | None:
    """Propose a place: with probability 1/2 beside a placed piece, else anywhere."""
    room = rng.choice(plan.homes.get(kind.name, kind.rooms))
    inside = plan.rooms[room]
    neighbours = [other for other in placed if other.room == room]
    if neighbours and rng.chance(1, 2):
        quarter, along = _beside(rng.choice(neighbours), size, rng)
    else:
        quarter = rng.below(4)
        low, high = inside.span(quarter)
        steps = (high - low - size.width) // _STEP_MM
        if steps < 0:
            return None
        along = low + size.width // 2 + rng.below(steps + 1) * _STEP_MM
    return Piece(kind, room, size, WallFrame(*inside.side(quarter, along), quarter))


def _beside(other: Piece, size: Size, rng: KeyedRng) -> tuple[int, int]:
    quarter = other.frame.quarter
    middle = other.frame.y_mm if quarter % 2 == 0 else other.frame.x_mm
    distance = (other.size.width + size.width) // 2 + GAP_MM + _STEP_MM * rng.below(6)
    return quarter, middle + (distance if rng.chance(1, 2) else -distance)


def _fits(plan: FloorPlan, piece: Piece, placed: Iterable[Piece]) -> bool:
    inside, footprint = plan.rooms[piece.room], piece.footprint
    areas = (footprint, *piece.swings, *piece.standing)
    if not all(inside.holds(area) for area in areas):
        return False
    if any(footprint.overlaps(door.grown(DOOR_MARGIN_MM)) for door in plan.doorways):
        return False
    return not any(collide(piece, other) for other in placed)


def collide(one: Piece, other: Piece) -> bool:
    """Whether two pieces collide, opened or closed, or block each other's stances."""
    if one.footprint.grown(GAP_MM).overlaps(other.footprint):
        return True
    for a, b in ((one, other), (other, one)):
        if any(a.footprint.overlaps(area) for area in (*b.swings, *b.standing)):
            return True
        if any(swing.overlaps(area) for swing in a.swings for area in (*b.swings, *b.standing)):
            return True
    return False


def _reachable(space: FreeSpace, pieces: Iterable[Piece]) -> int:
    """Return the connected cells that contain all stances, 0 if there are none."""
    cells = [
        space.cell(*piece.frame.point(stand.x, stand.y))
        for piece in pieces
        for stand in piece.kind.stands(piece.size)
    ]
    reachable = space.connected(cells[0])
    return reachable if all(cell & reachable for cell in cells) else 0
