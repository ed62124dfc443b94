"""Positions of decor: plants, lamps and rugs; windows, pictures and a front door on the walls.

Decor is never a receptacle and never looks like one of the 33 categories. Meshes: see `decor`.
"""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from langrearrange.houses.furniture import Piece
from langrearrange.houses.placement import Rect, WallFrame
from langrearrange.houses.plans import FloorPlan
from langrearrange.seeding import KeyedRng

OrnamentKind = Literal["plant", "lamp", "rug", "window", "picture", "front_door"]

CORNER_MM: Final = 420
_CORNER_GAP_MM: Final = 50
_END_MM: Final = 180
_FRONT_DOOR_MM: Final = 960


@dataclass(frozen=True, slots=True)
class Ornament:
    """A piece of decor.

    Attributes:
        kind: what it is.
        room: where.
        frame: as for furniture (on walls), or at the centre of the piece (on the floor).
        size: width along the wall and depth (floor) or height (wall), mm.
        style: 0..5, selects a variant of the mesh.
    """

    kind: OrnamentKind
    room: str
    frame: WallFrame
    size: tuple[int, int]
    style: int

    @property
    def blocks(self) -> bool:
        """Whether it is an obstacle for the robot."""
        return self.kind in ("plant", "lamp")

    @property
    def footprint(self) -> Rect:
        """The rectangle that a floor piece covers, house frame."""
        half_x, half_y = self.size[0] // 2, self.size[1] // 2
        return self.frame.rect(-half_x, -half_y, half_x, half_y)


def ornaments(plan: FloorPlan, pieces: Collection[Piece], rng: KeyedRng) -> tuple[Ornament, ...]:
    """Draw the decor of a flat, clear of furniture, moving parts and the robot's stances."""
    found = list(_wall_pieces(plan, pieces, rng))
    entries = [p.frame.rect(-560, -1000, 560, 0) for p in found if p.kind == "front_door"]
    for room in plan.rooms:
        found += _corner_pieces(plan, room, pieces, entries, rng)
        rug = _rug(plan, room, pieces, rng)
        if rug is not None:
            found.append(rug)
    return tuple(found)


def _corner_pieces(
    plan: FloorPlan,
    room: str,
    pieces: Collection[Piece],
    entries: Sequence[Rect],
    rng: KeyedRng,
) -> Iterator[Ornament]:
    inside = plan.rooms[room].grown(-_CORNER_GAP_MM - CORNER_MM // 2)
    corners = [(x, y) for x in (inside.x0, inside.x1) for y in (inside.y0, inside.y1)]
    taken = [*entries, *(door.grown(450) for door in plan.doorways)]
    taken += [area for p in pieces for area in (p.footprint, *p.swings, *p.standing)]
    wanted = 2 if room in ("living_room", "study") else 1
    for x, y in rng.shuffled(corners):
        kind: OrnamentKind = "lamp" if room != "kitchen" and rng.chance(1, 2) else "plant"
        piece = Ornament(kind, room, WallFrame(x, y, 1), (CORNER_MM, CORNER_MM), rng.below(6))
        clear = not any(map(piece.footprint.grown(60).overlaps, taken))
        if clear and wanted and rng.chance(3, 4):
            wanted -= 1
            yield piece


def _rug(plan: FloorPlan, room: str, pieces: Collection[Piece], rng: KeyedRng) -> Ornament | None:
    """Return a rug in the middle of a room, wholly on free floor; None if none fits."""
    inside = plan.rooms[room]
    style = rng.below(6)
    if room == "kitchen" or rng.chance(1, 4):
        return None
    middle = WallFrame((inside.x0 + inside.x1) // 2, (inside.y0 + inside.y1) // 2, 1)
    for width, depth in ((2400, 1700), (1700, 2400), (2000, 1400), (1400, 2000), (1400, 900)):
        rug = Ornament("rug", room, middle, (width, depth), style)
        covered = rug.footprint.grown(40)
        if inside.holds(covered.grown(300)) and not any(
            covered.overlaps(p.footprint) for p in pieces
        ):
            return rug
    return None


def _wall_pieces(plan: FloorPlan, pieces: Collection[Piece], rng: KeyedRng) -> Iterator[Ornament]:
    door_due = True
    for room in sorted(plan.rooms, key=lambda name: (name != "hall", name != "living_room")):
        inside = plan.rooms[room]
        edges = (plan.size[0] - inside.x1, plan.size[1] - inside.y1, inside.x0, inside.y0)
        for quarter in range(4):
            outer = edges[quarter] <= 100
            gaps = _gaps(plan, room, quarter, [p for p in pieces if p.kind.tall], 350)
            bare = _gaps(plan, room, quarter, pieces, 900)
            style, lucky = rng.below(6), rng.chance(3, 4)
            doorway = max(bare, key=lambda gap: gap[1] - gap[0], default=(0, 0))
            if outer and door_due and room != "kitchen" and _room_for(doorway, _FRONT_DOOR_MM):
                door_due = False
                at = WallFrame(*inside.side(quarter, doorway[0] + _FRONT_DOOR_MM // 2), quarter)
                yield Ornament("front_door", room, at, (_FRONT_DOOR_MM, 2050), style)
                gaps = [_without(gap, doorway[0], doorway[0] + _FRONT_DOOR_MM) for gap in gaps]
            gap = max(gaps, key=lambda gap: gap[1] - gap[0], default=(0, 0))
            at = WallFrame(*inside.side(quarter, (gap[0] + gap[1]) // 2), quarter)
            if outer and _room_for(gap, 1300):
                width = 1200 + 100 * (style % 3) if _room_for(gap, 1700) else 1200
                yield Ornament("window", room, at, (width, 1150), style)
            elif lucky and _room_for(gap, 900):
                yield Ornament("picture", room, at, _PICTURES[style], style)


_PICTURES: Final = ((800, 560), (560, 760), (900, 600), (640, 640), (720, 520), (500, 700))


def _room_for(gap: tuple[int, int], width: int) -> bool:
    return gap[1] - gap[0] >= width


def _without(gap: tuple[int, int], low: int, high: int) -> tuple[int, int]:
    """Return the longer part of an interval after removing another from it."""
    if high + _END_MM <= gap[0] or gap[1] <= low - _END_MM:
        return gap
    left, right = (gap[0], low - _END_MM), (high + _END_MM, gap[1])
    return max(left, right, key=lambda rest: rest[1] - rest[0])


def _gaps(
    plan: FloorPlan, room: str, quarter: int, pieces: Collection[Piece], depth: int
) -> list[tuple[int, int]]:
    """Return the intervals of a wall without a doorway and without furniture within `depth`."""
    inside = plan.rooms[room]
    strip = inside.strip(quarter, depth, 1)
    taken = [d for d in plan.doorways if d.overlaps(strip) and _pierces(d, quarter)]
    taken += [p.footprint for p in pieces if p.footprint.overlaps(strip)]
    low, high = strip.span(quarter)
    gaps, start = [], low + _END_MM
    for span in sorted(r.span(quarter) for r in taken):
        gaps.append((start, span[0] - _END_MM))
        start = max(start, span[1] + _END_MM)
    gaps.append((start, high - _END_MM))
    return [gap for gap in gaps if gap[1] > gap[0]]


def _pierces(doorway: Rect, quarter: int) -> bool:
    """Whether a doorway passes through a wall of this orientation."""
    through_x = doorway.x1 - doorway.x0 < doorway.y1 - doorway.y0
    return through_x == (quarter % 2 == 0)
