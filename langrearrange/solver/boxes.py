"""Goal AST + episode -> boxes: a disjunction of masks per variable. Not for searching.

A box allows every object a set of locations, the robot a set of places and every openable open,
closed or both; the goal holds in a state when one box does. Masks absorb negation and
disjunctions over one variable ("not on the sofa" is one mask), so that usual goals are few boxes.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from langrearrange.errors import SolverError
from langrearrange.world.goals import (
    And,
    Atom,
    Binding,
    Goal,
    Initially,
    Not,
    Or,
    Quantified,
    branches,
    compile_goal,
    factored,
    ground,
    is_conjunction,
)
from langrearrange.world.state import Layout, WorldState
from langrearrange.world.vocabulary import (
    IN_HAND,
    NUM_NAV_TARGETS,
    NUM_OPENABLES,
    NUM_RECEPTACLES,
    OPENABLE_OF_RECEPTACLE,
    SPOT_OF_PLACE,
    SPOTS,
)

MAX_BOXES: Final = 2048
"""A goal of more boxes is refused."""
MAX_WORK: Final = 60_000
"""Bound on facts plus pairs of boxes looked at, so that an exploding goal is refused cheaply."""

HAND_BIT: Final = 1 << IN_HAND
ALL_LOCATIONS: Final = (1 << (NUM_RECEPTACLES + 1)) - 1
ALL_PLACES: Final = (1 << (NUM_NAV_TARGETS + 1)) - 1
PLACES_OF_SPOT: Final = tuple(
    sum(1 << place for place, spot in enumerate(SPOT_OF_PLACE) if spot == wanted)
    for wanted in range(len(SPOTS))
)
"""Spot index -> bit mask of the robot places that count as standing there."""


class Box(NamedTuple):
    """One way in which a goal can hold.

    Attributes:
        hand_free: whether nothing may be held.
        objects: (object index, bit mask of allowed locations: 0..10 receptacles, 11 the hand) of
            every constrained object, ascending.
        places: bit mask of allowed robot places (0..16).
        opened: bit mask of openables that must be open.
        closed: bit mask of openables that must be closed.
    """

    hand_free: bool
    objects: tuple[tuple[int, int], ...]
    places: int
    opened: int
    closed: int

    def holds(self, state: WorldState) -> bool:
        """Return whether the state is in the box."""
        if (
            (self.hand_free and state.held >= 0)
            or not self.places >> state.place & 1
            or self.opened & ~state.open_mask
            or self.closed & state.open_mask
        ):
            return False
        for obj, mask in self.objects:
            if not mask >> state.receptacles[obj] & 1:
                return False
        return True


def goal_boxes(goal: Goal, layout: Layout, initial: WorldState) -> tuple[Box, ...]:
    """Return the boxes of a goal: it holds in a state exactly when one of them does.

    Args:
        goal: the parsed goal.
        layout: the episode's layout.
        initial: the state at t=0 (for `initially` and `undisturbed`).

    Returns:
        The boxes; none for a goal that can never hold.

    Raises:
        SolverError: more than MAX_BOXES boxes, or more than MAX_WORK work to find them.
    """
    builder = _Builder(layout, initial)
    return tuple(map(builder.finish, _without_subsumed(builder.build(goal, True, {}))))


_Masks = dict[int, int]
"""A box under construction: variable -> allowed values. A missing variable is unconstrained."""
_FREE: Final = 1
"""The one value the hand variable is ever restricted to; "something is held" is spelled out."""
_CLOSED, _OPEN, _EITHER = 1, 2, 3
"""Allowed values of an openable."""


class _Builder:
    """Variables: objects 0..n-1, the robot's place n, the openables n+1.., the hand n+6."""

    def __init__(self, layout: Layout, initial: WorldState) -> None:
        self._layout = layout
        self._initial = initial
        count = layout.num_objects
        self._robot, self._openable, self._hand = count, count + 1, count + 1 + NUM_OPENABLES
        self._full = [ALL_LOCATIONS] * count + [ALL_PLACES] + [_EITHER] * (NUM_OPENABLES + 1)
        self._work = 0

    # -- formulas --------------------------------------------------------------------------------

    def build(self, goal: Goal, positive: bool, binding: Binding) -> list[_Masks]:
        """Return the boxes of the goal (or of its negation)."""
        match goal:
            case Atom():
                self._spend(1)
                return self._atom(goal, positive, binding)
            case Not(part):
                return self.build(part, not positive, binding)
            case Initially(part):
                self._spend(1)
                test = compile_goal(part, self._layout, self._initial, binding)
                return [{}] if test(self._initial) is positive else []
            case And() | Or() | Quantified():
                if isinstance(goal, Quantified):
                    goal = factored(goal)
                parts = branches(goal, self._layout, binding)
                built = (self.build(part, positive, inner) for part, inner in parts)
                met = is_conjunction(goal) is positive
                return self._meet_all(built) if met else self._join_all(built)

    # -- atoms -----------------------------------------------------------------------------------

    def _atom(self, atom: Atom, positive: bool, binding: Binding) -> list[_Masks]:
        match atom.predicate, ground(atom, binding):
            case "hand_free", _:
                if positive:
                    return [{self._hand: _FREE}]
                return [{obj: HAND_BIT} for obj in range(self._layout.num_objects)]
            case "robot_at", [spot]:
                return self._literal(self._robot, PLACES_OF_SPOT[spot], positive)
            case ("open" | "closed") as wanted, [openable]:
                turned = _OPEN if wanted == "open" else _CLOSED
                return self._literal(self._openable + openable, turned, positive)
            case "on_top", [obj, receptacle]:
                return self._literal(obj, 1 << receptacle, positive)
            case "holding", [obj]:
                return self._literal(obj, HAND_BIT, positive)
            case "undisturbed", [obj]:
                return self._literal(obj, 1 << self._initial.receptacles[obj], positive)
            case "=", [one, other]:
                return [{}] if (one == other) is positive else []
            case "near", [obj]:
                return self._near(obj) if positive else self._not_near(obj)
        raise SolverError(f"the solver has no masks for the predicate '{atom.predicate}'")

    def _literal(self, variable: int, mask: int, positive: bool) -> list[_Masks]:
        mask = mask if positive else self._full[variable] & ~mask
        return [{variable: mask}] if mask else []

    def _near(self, obj: int) -> list[_Masks]:
        boxes = [{obj: HAND_BIT}]
        for receptacle, places in enumerate(_places_near(self._layout.reach)):
            if places:
                box = {obj: 1 << receptacle, self._robot: places}
                if (openable := OPENABLE_OF_RECEPTACLE[receptacle]) >= 0:
                    box[self._openable + openable] = _OPEN
                boxes.append(box)
        return boxes

    def _not_near(self, obj: int) -> list[_Masks]:
        boxes = []
        for receptacle, places in enumerate(_places_near(self._layout.reach)):
            boxes.append({obj: 1 << receptacle, self._robot: ALL_PLACES & ~places})
            if (openable := OPENABLE_OF_RECEPTACLE[receptacle]) >= 0:
                boxes.append({obj: 1 << receptacle, self._openable + openable: _CLOSED})
        return boxes

    # -- boxes -----------------------------------------------------------------------------------

    def _join_all(self, parts: Iterable[list[_Masks]]) -> list[_Masks]:
        joined: list[_Masks] = []
        for part in parts:
            joined += part
            if len(joined) > 4 * MAX_BOXES:
                joined = self.simplify(joined)
        return self.simplify(joined) if len(joined) > 1 else joined

    def _meet_all(self, parts: Iterable[list[_Masks]]) -> list[_Masks]:
        result: list[_Masks] = [{}]
        for part in parts:
            self._spend(len(result) * len(part))
            if result == [{}]:
                result = part
            else:
                met = [c for a in result for b in part if (c := _meet(a, b)) is not None]
                result = self.simplify(met)
            if not result:
                break
        return result

    def simplify(self, boxes: list[_Masks]) -> list[_Masks]:
        """Drop contradictions and duplicates, merge boxes that differ in one variable only."""
        tidy = [box for masks in boxes if (box := self._tidy(masks)) is not None]
        if len(tidy) < 2:
            return tidy
        self._spend(len(tidy))
        merged = _merge(tidy)
        if len(merged) < len(tidy):
            merged = [box for masks in merged if (box := self._tidy(masks)) is not None]
        tidy = merged
        if not all(tidy):
            return [{}]
        if len(tidy) > 32:
            tidy = _without_subsumed(tidy)
        if len(tidy) > MAX_BOXES:
            raise SolverError(
                f"the goal splits into more than {MAX_BOXES} boxes over "
                f"{self._layout.num_objects} objects; quantify over fewer or narrower types, or "
                "nest 'exists' less deeply under 'forall'"
            )
        return tidy

    def _tidy(self, box: _Masks) -> _Masks | None:
        """Return the box in normal form; None if it contains no state."""
        free = self._hand in box
        in_hand = 0
        result: _Masks = {}
        for variable, mask in box.items():
            if variable < self._robot:
                if free:
                    mask &= ~HAND_BIT
                    if mask == ALL_LOCATIONS & ~HAND_BIT:
                        continue
                in_hand += mask == HAND_BIT
            if not mask or in_hand > 1:
                return None
            if mask != self._full[variable]:
                result[variable] = mask
        return result

    def finish(self, box: _Masks) -> Box:
        """Return the public form of a box."""
        objects, turned = [], {_OPEN: 0, _CLOSED: 0}
        for variable, mask in box.items():
            if variable < self._robot:
                objects.append((variable, mask))
            elif self._robot < variable < self._hand:
                turned[mask] |= 1 << variable - self._openable
        return Box(
            hand_free=self._hand in box,
            objects=tuple(sorted(objects)),
            places=box.get(self._robot, ALL_PLACES),
            opened=turned[_OPEN],
            closed=turned[_CLOSED],
        )

    def _spend(self, work: int) -> None:
        self._work += work
        if self._work > MAX_WORK:
            raise SolverError(
                f"turning the goal into boxes takes more than {MAX_WORK} operations over "
                f"{self._layout.num_objects} objects; quantify over fewer or narrower types"
            )


@lru_cache(maxsize=256)
def _places_near(reach: tuple[int, ...]) -> tuple[int, ...]:
    """Return receptacle -> bit mask of the robot places that reach it."""
    return tuple(
        sum(1 << place for place, mask in enumerate(reach) if mask >> receptacle & 1)
        for receptacle in range(NUM_RECEPTACLES)
    )


def _meet(a: _Masks, b: _Masks) -> _Masks | None:
    result = dict(a)
    for variable, mask in b.items():
        if variable in result:
            mask &= result[variable]
            if not mask:
                return None
        result[variable] = mask
    return result


def _merge(boxes: Sequence[_Masks]) -> list[_Masks]:
    """Unite boxes that agree in all variables but one, once per variable."""
    table = {frozenset(box.items()): box for box in boxes}
    for variable in sorted({v for box in boxes for v in box}):
        holders = [(key, box[variable]) for key, box in table.items() if variable in box]
        if len(holders) < 2:
            continue
        groups: dict[frozenset[tuple[int, int]], list[frozenset[tuple[int, int]]]] = {}
        for key, mask in holders:
            groups.setdefault(key - {(variable, mask)}, []).append(key)
        for keys in groups.values():
            if len(keys) > 1:
                united = dict(table[keys[0]])
                for key in keys:
                    united[variable] |= table.pop(key)[variable]
                table[frozenset(united.items())] = united
    return list(table.values())


def _without_subsumed(boxes: list[_Masks]) -> list[_Masks]:
    """Drop boxes contained in another one, which has a subset of variables and wider masks."""
    if len(boxes) < 2:
        return boxes
    groups: dict[frozenset[int], list[_Masks]] = {}
    for box in boxes:
        groups.setdefault(frozenset(box), []).append(box)
    # By lowest variable, which the inner box must share.
    kept: dict[int, list[tuple[frozenset[int], list[_Masks]]]] = {}
    result = []
    for names, group in sorted(groups.items(), key=lambda item: len(item[0])):
        outer = [
            b for v in names for among, held in kept.get(v, ()) if among <= names for b in held
        ]
        fresh: list[_Masks] = []
        for box in group:
            if not any(_contains(other, box) for other in (*outer, *fresh)):
                fresh.append(box)
        kept.setdefault(min(names), []).append((names, fresh))
        result += fresh
    return result


def _contains(outer: _Masks, inner: _Masks) -> bool:
    """Whether a box over some of another's variables contains it."""
    for variable, mask in outer.items():
        if inner[variable] & ~mask:
            return False
    return True
