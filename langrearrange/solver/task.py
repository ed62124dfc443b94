"""Boxes + episode -> the reduced task that is searched: which objects count, which steps exist.

Not for choosing among steps (`search`) and not for estimating what is left (`bound`).

Left out, because deleting such steps from a plan leaves a shorter plan that still works:
objects that no box constrains and that cannot be in the way of one that is; closing what no box
wants closed; opening or visiting the two empty drawers unless a box asks for it. "In the way": a
pick takes the lowest object index of its category in reach, so every lower instance of a
constrained object's category counts too.

With standard reach, receptacles that are empty (of objects that count), away from the robot,
equally open and told apart by no box are interchangeable: exchanging two of them maps plans to
plans, so one of each class is visited. Overlapping reach and travel costs would break this; see
`Task.standard`.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache, reduce
from operator import or_
from typing import Final, NamedTuple

from langrearrange.solver.boxes import ALL_PLACES, HAND_BIT, PLACES_OF_SPOT, Box
from langrearrange.world.skills import SKILLS
from langrearrange.world.state import CLOSED_RECEPTACLES, Layout, Semantics, WorldState
from langrearrange.world.vocabulary import (
    CONTAINERS,
    IN_HAND,
    NAV_INDEX,
    NAV_TARGETS,
    NUM_OPENABLES,
    NUM_RECEPTACLES,
    OPENABLE_OF_RECEPTACLE,
    OPENABLES,
    RECEPTACLE_INDEX,
    SPOT_INDEX,
    SPOT_OF_PLACE,
    SPOTS,
    START,
    handle_of,
)


class SearchState(NamedTuple):
    """A state of the reduced task.

    Attributes:
        place: where the robot stands (0..16).
        held: position, among the objects that count, of the held one; -1 for none.
        open_mask: bit mask over openables.
        locations: location (0..10 receptacles, 11 the hand) of every object that counts.
    """

    place: int
    held: int
    open_mask: int
    locations: tuple[int, ...]


class Row(NamedTuple):
    """A box in the terms of the search: objects by position, places also as spots.

    Attributes:
        hand_free: nothing may be held.
        objects: (position, mask of allowed locations).
        places: mask of allowed robot places.
        opened: mask of openables that must be open.
        closed: mask of openables that must be closed.
        spots: mask of spots (bit 13: no spot) that have an allowed place.
        opened_spots: `opened`, as spots.
        closed_spots: `closed`, as spots.
    """

    hand_free: bool
    objects: tuple[tuple[int, int], ...]
    places: int
    opened: int
    closed: int
    spots: int
    opened_spots: int
    closed_spots: int


Step = tuple[int, SearchState]
"""A skill index and the state it leads to."""

_SKILL: Final = {(skill.kind, skill.argument): skill.index for skill in SKILLS}
_PLACE_SKILL: Final = tuple(_SKILL["place", r] for r in range(NUM_RECEPTACLES))
_OPEN_SKILL: Final = tuple(_SKILL["open", o] for o in range(NUM_OPENABLES))
_CLOSE_SKILL: Final = tuple(_SKILL["close", o] for o in range(NUM_OPENABLES))
_FRIDGE_BIT: Final = 1 << RECEPTACLE_INDEX["fridge"]
ALL_RECEPTACLES: Final = (1 << NUM_RECEPTACLES) - 1
NO_SPOT: Final = len(SPOTS)
SPOT_OF_OPENABLE: Final = tuple(SPOT_INDEX[name] for name in OPENABLES)
SPOTS_OF_OPENABLES: Final = tuple(
    sum(1 << SPOT_OF_OPENABLE[o] for o in range(NUM_OPENABLES) if mask >> o & 1)
    for mask in range(1 << NUM_OPENABLES)
)
"""Bit mask over openables -> bit mask over their spots."""
_HOLDING_OPENABLES: Final = sum(1 << o for o in OPENABLE_OF_RECEPTACLE if o >= 0)
_STANDARD_PLACES: Final = tuple(
    (NAV_INDEX[name if name in NAV_INDEX else handle_of(name)], spot)
    for spot, name in enumerate(SPOTS)
)
"""(place, spot), one per spot: containers by their receptacle, empty drawers by their handle."""


def is_standard(layout: Layout) -> bool:
    """Whether symmetry and the strong bound are sound: standard reach, no container by halves."""
    return _home(layout).standard


class _Home(NamedTuple):
    """What a layout's fixtures come to, whatever its objects are.

    Attributes:
        standard: see `is_standard`.
        openables: mask of the openables that the house has.
        surfaces: mask of the receptacles that the house has.
        movable: mask of the locations, the hand among them, that something can be taken from.
    """

    standard: bool
    openables: int
    surfaces: int
    movable: int


def _home(layout: Layout) -> _Home:
    return _home_of(layout.reach, layout.operable, layout.present, layout.semantics)


@lru_cache(maxsize=256)
def _home_of(
    reach: tuple[int, ...], operable: tuple[int, ...], present: int, semantics: Semantics
) -> _Home:
    empty = Layout((), reach, operable, present, semantics)
    standard = empty.has_standard_reach and all(
        empty.has_receptacle(RECEPTACLE_INDEX[name]) == empty.has_openable(OPENABLES.index(name))
        for name in CONTAINERS
    )
    openables = sum(1 << o for o in range(NUM_OPENABLES) if empty.has_openable(o))
    surfaces = sum(1 << r for r in range(NUM_RECEPTACLES) if empty.has_receptacle(r))
    return _Home(standard, openables, surfaces, reduce(or_, reach, HAND_BIT))


class Task:
    """One episode reduced to what its goal needs.

    Attributes:
        standard: whether the layout admits symmetry and the strong bound.
        objects: object indices that count, ascending.
        rows: the boxes.
        initial: the start state.
        layout: the episode's layout.
    """

    def __init__(self, layout: Layout, start: WorldState, boxes: tuple[Box, ...]) -> None:
        self.layout = layout
        self._home = _home(layout)
        self.standard = self._home.standard
        self.objects = _objects_that_count(layout, start, boxes)
        position = {obj: k for k, obj in enumerate(self.objects)}
        self.rows = tuple(_row(box, position) for box in boxes)
        self.initial = SearchState(
            start.place,
            position.get(start.held, -1),
            start.open_mask,
            tuple(start.receptacles[obj] for obj in self.objects),
        )
        picks: dict[int, tuple[int, ...]] = {}
        for obj, k in position.items():
            category = layout.categories[obj]
            picks[category] = (*picks.get(category, ()), k)
        self._picks = tuple(
            (_SKILL["pick", category], picks[category]) for category in sorted(picks)
        )
        self._choose_openables()
        self.rows = tuple(row for row in self.rows if self._can_hold(row))
        self._choose_places()

    def _choose_openables(self) -> None:
        exists = self._home.openables
        opened = closed = 0
        for row in self.rows:
            opened |= row.opened
            closed |= row.closed
        # Where reach overlaps, closing one container can make a pick take from another.
        self._opens = exists & (opened | _HOLDING_OPENABLES)
        self._closes = exists & (closed if self.standard else closed | _HOLDING_OPENABLES)
        shut = CLOSED_RECEPTACLES
        if self.layout.semantics == "release":
            self._pick_shut = tuple(mask & ~_FRIDGE_BIT for mask in shut)
            self._place_shut: tuple[int, ...] = (0,) * len(shut)
        else:
            self._pick_shut = self._place_shut = shut

    def _can_hold(self, row: Row) -> bool:
        """Whether nothing that the house lacks keeps the box from ever holding."""
        turned = (row.opened & ~self.initial.open_mask) | (row.closed & self.initial.open_mask)
        if turned & ~self._home.openables:
            return False
        destinations = self._home.surfaces | HAND_BIT
        movable, locations = self._home.movable, self.initial.locations
        for k, mask in row.objects:
            moves = mask & destinations and movable >> locations[k] & 1
            if not mask >> locations[k] & 1 and not moves:
                return False
        return True

    def _choose_places(self) -> None:
        present = self.layout.present
        if not self.standard:
            self._places = tuple(p for p in range(len(NAV_TARGETS)) if present >> p & 1)
            return
        wanted = ALL_RECEPTACLES
        for row in self.rows:
            wanted |= row.opened_spots | row.closed_spots
            if row.places != ALL_PLACES:
                wanted |= row.spots
        chosen = [(p, s) for p, s in _STANDARD_PLACES if present >> p & 1 and wanted >> s & 1]
        classes = _classes(sum(1 << spot for _, spot in chosen), self.rows)
        self._spots = tuple((place, spot, 1 << 2 * classes[spot]) for place, spot in chosen)
        self._places = tuple(place for place, _ in chosen)

    @property
    def surfaces(self) -> int:
        """Bit mask of the receptacles that the house has."""
        return self._home.surfaces

    @property
    def places(self) -> tuple[int, ...]:
        """The places that navigation may lead to."""
        return self._places

    def must_open(self, receptacles: int, *, placing: bool) -> int:
        """Return the openables to be opened before picking from (placing on) these receptacles."""
        shut = (self._place_shut if placing else self._pick_shut)[0]
        result = 0
        for receptacle, openable in enumerate(OPENABLE_OF_RECEPTACLE):
            if openable >= 0 and (receptacles & shut) >> receptacle & 1:
                result |= 1 << openable
        return result

    def is_goal(self, state: SearchState) -> bool:
        """Return whether some box holds."""
        place, held, open_mask, locations = state
        for row in self.rows:
            if row.hand_free and held >= 0:
                continue
            if not row.places >> place & 1:
                continue
            if open_mask & row.opened != row.opened or open_mask & row.closed:
                continue
            for k, mask in row.objects:
                if not mask >> locations[k] & 1:
                    break
            else:
                return True
        return False

    def steps(self, state: SearchState) -> list[Step]:
        """Return the picks, placings, openings and closings possible here."""
        place, held, open_mask, locations = state
        result: list[Step] = []
        reach = self.layout.reach[place]
        if held < 0:
            usable = reach & ~self._pick_shut[open_mask]
            for skill, candidates in self._picks:
                for k in candidates:
                    if usable >> locations[k] & 1:
                        moved = (*locations[:k], IN_HAND, *locations[k + 1 :])
                        result.append((skill, SearchState(place, k, open_mask, moved)))
                        break  # the lowest index in reach, as the skill does
        else:
            usable = reach & ~self._place_shut[open_mask] & self._home.surfaces
            while usable:
                target = usable.bit_length() - 1
                usable ^= 1 << target
                moved = (*locations[:held], target, *locations[held + 1 :])
                result.append((_PLACE_SKILL[target], SearchState(place, -1, open_mask, moved)))
        operable = self.layout.operable[place]
        if operable:
            turned = (operable & self._opens & ~open_mask) | (operable & self._closes & open_mask)
            for openable in range(NUM_OPENABLES):
                if turned >> openable & 1:
                    opening = not open_mask >> openable & 1
                    skill = (_OPEN_SKILL if opening else _CLOSE_SKILL)[openable]
                    result.append((skill, state._replace(open_mask=open_mask ^ 1 << openable)))
        return result

    def drives(self, state: SearchState) -> list[Step]:
        """Return the navigations worth trying."""
        place, held, open_mask, locations = state
        if not self.standard:
            return [
                (p, SearchState(p, held, open_mask, locations)) for p in self._places if p != place
            ]
        occupied = 0
        for location in locations:
            occupied |= 1 << location
        occupied &= ALL_RECEPTACLES
        open_spots = SPOTS_OF_OPENABLES[open_mask]
        here, seen = SPOT_OF_PLACE[place], 0
        result = []
        for target, spot, class_bit in self._spots:
            if spot == here:
                continue
            if not occupied >> spot & 1:
                key = class_bit << (open_spots >> spot & 1)
                if seen & key:
                    continue
                seen |= key
            result.append((target, SearchState(target, held, open_mask, locations)))
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


def _row(box: Box, position: dict[int, int]) -> Row:
    return Row(
        box.hand_free,
        tuple((position[obj], mask) for obj, mask in box.objects),
        box.places,
        box.opened,
        box.closed,
        _spots_of(box.places),
        SPOTS_OF_OPENABLES[box.opened],
        SPOTS_OF_OPENABLES[box.closed],
    )


@lru_cache(maxsize=1024)
def _spots_of(places: int) -> int:
    """Return the mask of the spots (bit 13: no spot) that have one of the places."""
    spots = sum(1 << s for s, stances in enumerate(PLACES_OF_SPOT) if places & stances)
    return spots | (places >> START & 1) << NO_SPOT


def _classes(spots: int, rows: Iterable[Row]) -> dict[int, int]:
    """Split the spots until no mask of any box tells two of one class apart."""
    holding = SPOTS_OF_OPENABLES[_HOLDING_OPENABLES]
    masks = {ALL_RECEPTACLES, holding}
    for row in rows:
        masks.update((row.spots, row.opened_spots, row.closed_spots))
        for _, mask in row.objects:
            masks.add(mask & ALL_RECEPTACLES)
    return _split(spots, frozenset(masks))


@lru_cache(maxsize=4096)
def _split(spots: int, masks: frozenset[int]) -> dict[int, int]:
    """Return spot -> number of its class; goals of the same places split them the same way."""
    classes = [spots]
    for mask in masks:
        classes = [part for c in classes for part in (c & mask, c & ~mask) if part]
    return {s: i for i, c in enumerate(classes) for s in range(len(SPOTS)) if c >> s & 1}
