"""Boxes + episode -> the reduced problem that is searched: which objects count, which steps exist.

Not for choosing among steps (`search`) and not for estimating what is left (`bound`).

Left out, because a plan without such steps is shorter and still works: objects that no box
constrains and that cannot be in the way of one that is; closing what no box wants closed; opening
or visiting the two empty drawers unless a box asks for it. "In the way": a pick takes the lowest
object index of its category in reach, so every lower instance of a constrained object's category
counts too. Slots are left out as well.

With standard reach, receptacles that are empty (of objects that count), away from the robot,
equally open and distinguished by no box are interchangeable: exchanging two of them maps plans to
plans, so one of each class is visited. Overlapping reach and travel costs would break this; see
`Home.standard`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, reduce
from operator import or_
from typing import Final, NamedTuple

from langrearrange.solver.boxes import ALL_PLACES, HAND_BIT, PLACES_OF_SPOT, Box
from langrearrange.world.skills import SKILL_INDEX, SKILLS, apply
from langrearrange.world.state import Layout, Outcome, Semantics, WorldState
from langrearrange.world.vocabulary import (
    CATEGORIES,
    CONTAINERS,
    NAV_INDEX,
    NAV_TARGETS,
    NUM_OPENABLES,
    NUM_RECEPTACLES,
    OPENABLE_INDEX,
    OPENABLE_OF_RECEPTACLE,
    OPENABLES,
    RECEPTACLE_INDEX,
    SPOT_INDEX,
    SPOT_OF_PLACE,
    SPOTS,
    START,
    handle_of,
)

Step = tuple[int, WorldState]
"""A skill index and the state it leads to."""

ALL_RECEPTACLES: Final = (1 << NUM_RECEPTACLES) - 1
NO_SPOT: Final = len(SPOTS)
SPOTS_OF_OPENABLES: Final = tuple(
    sum(1 << SPOT_INDEX[name] for o, name in enumerate(OPENABLES) if mask >> o & 1)
    for mask in range(1 << NUM_OPENABLES)
)
"""Bit mask over openables -> bit mask over their spots."""
_HOLDING_OPENABLES: Final = sum(1 << o for o in OPENABLE_OF_RECEPTACLE if o >= 0)
_STANDARD_PLACES: Final = tuple(
    (NAV_INDEX[name if name in NAV_INDEX else handle_of(name)], spot)
    for spot, name in enumerate(SPOTS)
)
"""(place, spot), one per spot: containers by their receptacle, empty drawers by their handle."""


class Home(NamedTuple):
    """What follows from a layout's fixtures, whatever its objects are.

    Attributes:
        standard: whether symmetry and the strong bound are sound: every stance reaches its own
            receptacle only, and every container comes with its handle.
        openables: mask of the openables that the house has.
        surfaces: mask of the receptacles that the house has.
        movable: mask of the locations, the hand among them, that something can be taken from.
        together: receptacle -> mask of the receptacles that one stance reaches together with it.
        placings: place -> skills that place something in reach.
        turns: place -> skills that open or close something in reach.
    """

    standard: bool
    openables: int
    surfaces: int
    movable: int
    together: tuple[int, ...]
    placings: tuple[tuple[int, ...], ...]
    turns: tuple[tuple[int, ...], ...]


def home_of(layout: Layout) -> Home:
    """Return what follows from the layout's fixtures; worked out once per home."""
    return _home_of(layout.reach, layout.operable, layout.present, layout.semantics)


@lru_cache(maxsize=256)
def _home_of(
    reach: tuple[int, ...], operable: tuple[int, ...], present: int, semantics: Semantics
) -> Home:
    empty = Layout((), reach, operable, present, semantics)
    openables = sum(1 << o for o in range(NUM_OPENABLES) if empty.has_openable(o))
    surfaces = sum(1 << r for r in range(NUM_RECEPTACLES) if empty.has_receptacle(r))
    return Home(
        standard=empty.has_standard_reach
        and all(
            surfaces >> RECEPTACLE_INDEX[name] & 1 == openables >> OPENABLE_INDEX[name] & 1
            for name in CONTAINERS
        ),
        openables=openables,
        surfaces=surfaces,
        movable=reduce(or_, reach, HAND_BIT),
        together=tuple(
            reduce(or_, (mask for mask in reach if mask >> r & 1), 0)
            for r in range(NUM_RECEPTACLES)
        ),
        placings=tuple(_skills(("place",), mask)[::-1] for mask in reach),
        turns=tuple(_skills(("open", "close"), mask) for mask in operable),
    )


def _skills(kinds: tuple[str, ...], arguments: int) -> tuple[int, ...]:
    """Return the skills of some kinds whose argument is in a mask, by argument."""
    found = (skill for skill in SKILLS if skill.kind in kinds and arguments >> skill.argument & 1)
    return tuple(skill.index for skill in sorted(found, key=lambda skill: skill.argument))


@lru_cache(maxsize=1024)
def _turns_left_out(opened: int, closed: int) -> frozenset[int]:
    """Return the skills that open or close anything but the given openables."""
    wanted = {"open": opened, "close": closed}
    turns = (skill for skill in SKILLS if skill.kind in wanted)
    return frozenset(s.index for s in turns if not wanted[s.kind] >> s.argument & 1)


class Stance(NamedTuple):
    """A place to drive to, its spot and the bit of its class of interchangeable spots."""

    place: int
    spot: int
    class_bit: int


class Problem:
    """One episode reduced to what its goal needs.

    Attributes:
        home: what follows from the fixtures.
        objects: object indices that count, ascending; states and boxes name them by position.
        layout: the episode's layout with these objects alone.
        initial: the start state, without slots.
        boxes: those that can hold.
        stances: the places that navigation may lead to.
    """

    def __init__(self, layout: Layout, start: WorldState, boxes: tuple[Box, ...]) -> None:
        self.home = home_of(layout)
        self.objects = _objects_that_count(layout, start, boxes)
        position = {obj: k for k, obj in enumerate(self.objects)}
        categories = tuple(layout.categories[obj] for obj in self.objects)
        self.layout = Layout(
            categories, layout.reach, layout.operable, layout.present, layout.semantics
        )
        self.initial = WorldState(
            start.place,
            position.get(start.held, -1),
            tuple(start.receptacles[obj] for obj in self.objects),
            (),
            start.open_mask,
        )
        found = (
            Box(box.hand_free, tuple((position[obj], m) for obj, m in box.objects), *box[2:])
            for box in boxes
        )
        self.boxes = tuple(box for box in found if self._can_hold(box))
        self._picks = tuple(
            SKILL_INDEX[f"pick({CATEGORIES[category]})"] for category in sorted(set(categories))
        )
        self._left_out = self._skills_left_out()
        self.stances = self._choose_stances()

    def _can_hold(self, box: Box) -> bool:
        """Whether nothing that the house lacks keeps the box from ever holding."""
        home, open_mask, receptacles = self.home, self.initial.open_mask, self.initial.receptacles
        if ((box.opened & ~open_mask) | (box.closed & open_mask)) & ~home.openables:
            return False
        for k, mask in box.objects:
            moves = mask & (home.surfaces | HAND_BIT) and home.movable >> receptacles[k] & 1
            if not mask >> receptacles[k] & 1 and not moves:
                return False
        return True

    def _skills_left_out(self) -> frozenset[int]:
        opened = reduce(or_, (box.opened for box in self.boxes), _HOLDING_OPENABLES)
        # Where reach overlaps, closing one container can make a pick take from another.
        closed = reduce(
            or_, (b.closed for b in self.boxes), 0 if self.home.standard else _HOLDING_OPENABLES
        )
        return _turns_left_out(opened, closed)

    def _choose_stances(self) -> tuple[Stance, ...]:
        present = self.layout.present
        if not self.home.standard:
            places = (place for place in range(len(NAV_TARGETS)) if present >> place & 1)
            return tuple(Stance(place, SPOT_OF_PLACE[place], 0) for place in places)
        wanted, told_apart = ALL_RECEPTACLES, {SPOTS_OF_OPENABLES[_HOLDING_OPENABLES]}
        for box in self.boxes:
            wanted |= SPOTS_OF_OPENABLES[box.opened | box.closed]
            told_apart.add(SPOTS_OF_OPENABLES[box.opened])
            told_apart.add(SPOTS_OF_OPENABLES[box.closed])
            if box.places != ALL_PLACES:
                wanted |= spots_of(box.places)
                told_apart.add(spots_of(box.places))
            for _, mask in box.objects:
                told_apart.add(mask & ALL_RECEPTACLES)
        return _visited(present, wanted, frozenset(told_apart))

    def is_goal(self, state: WorldState) -> bool:
        """Return whether some box holds."""
        for box in self.boxes:
            if box.holds(state):
                return True
        return False

    def steps(self, state: WorldState) -> list[Step]:
        """Return the picks, placings, openings and closings possible here."""
        moves = self._picks if state.held < 0 else self.home.placings[state.place]
        result = []
        for skill in (*moves, *self.home.turns[state.place]):
            if skill not in self._left_out:
                after, outcome = apply(self.layout, state, skill)
                if outcome is Outcome.OK:
                    result.append((skill, after))
        return result

    def drives(self, state: WorldState, stances: Iterable[Stance]) -> list[Step]:
        """Return the navigations worth trying: of interchangeable ones the first of `stances`."""
        place, rest = state.place, state[1:]
        if not self.home.standard:
            return [(p, WorldState(p, *rest)) for p, _, _ in stances if p != place]
        occupied = 0
        for location in state.receptacles:
            occupied |= 1 << location
        open_spots = SPOTS_OF_OPENABLES[state.open_mask]
        here, seen = SPOT_OF_PLACE[place], 0
        result = []
        for target, spot, class_bit in stances:
            if spot == here:
                continue
            if not occupied & ALL_RECEPTACLES & 1 << spot:
                key = class_bit << (open_spots >> spot & 1)
                if seen & key:
                    continue
                seen |= key
            result.append((target, WorldState(target, *rest)))
        return result


def _objects_that_count(layout: Layout, start: WorldState, boxes: Iterable[Box]) -> tuple[int, ...]:
    constrained = {obj for box in boxes for obj, _ in box.objects}
    if start.held >= 0:
        constrained.add(start.held)
    result: set[int] = set()
    for category in {layout.categories[obj] for obj in constrained}:
        instances = layout.instances[category]
        last = max(obj for obj in instances if obj in constrained)
        result.update(obj for obj in instances if obj <= last)
    return tuple(sorted(result))


@lru_cache(maxsize=1024)
def spots_of(places: int) -> int:
    """Return the mask of the spots (bit 13: no spot) that have one of the places."""
    spots = sum(1 << s for s, stances in enumerate(PLACES_OF_SPOT) if places & stances)
    return spots | (places >> START & 1) << NO_SPOT


@lru_cache(maxsize=4096)
def _visited(present: int, wanted: int, told_apart: frozenset[int]) -> tuple[Stance, ...]:
    """Split the wanted spots until no mask tells two of one class apart."""
    chosen = [(p, s) for p, s in _STANDARD_PLACES if present >> p & 1 and wanted >> s & 1]
    classes = [sum(1 << spot for _, spot in chosen)]
    for mask in (ALL_RECEPTACLES, *told_apart):
        classes = [part for c in classes for part in (c & mask, c & ~mask) if part]
    bits = {s: 1 << 2 * i for i, c in enumerate(classes) for s in range(NO_SPOT) if c >> s & 1}
    return tuple(Stance(place, spot, bits[spot]) for place, spot in chosen)
