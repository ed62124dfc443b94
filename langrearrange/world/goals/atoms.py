"""The predicates of the goal language: the sorts of their arguments and what they mean in a state.

Not for formulas (`compile`); the solver writes the same meanings as masks (`solver.boxes`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final, NamedTuple

from langrearrange.world.goals.ast import Atom
from langrearrange.world.state import Layout, WorldState, in_reach
from langrearrange.world.vocabulary import (
    OPENABLE_INDEX,
    OPENABLE_OF_RECEPTACLE,
    RECEPTACLE_INDEX,
    SPOT_INDEX,
    SPOT_OF_PLACE,
)

Test = Callable[[WorldState], bool]
Binding = Mapping[str, int]
"""Variable -> index of an object or a receptacle."""


class Predicate(NamedTuple):
    """A predicate.

    Attributes:
        sorts: sort of each argument: `object`, or a key of `CONSTANTS`.
        test: (layout, state at t=0, index of each argument) -> a test of states, or a constant.
    """

    sorts: tuple[str, ...]
    test: Callable[..., Test | bool]


def _on_top(layout: Layout, initial: WorldState, obj: int, receptacle: int) -> Test:
    return lambda state: state.receptacles[obj] == receptacle


def _undisturbed(layout: Layout, initial: WorldState, obj: int) -> Test:
    return _on_top(layout, initial, obj, initial.receptacles[obj])


def _holding(layout: Layout, initial: WorldState, obj: int) -> Test:
    return lambda state: state.held == obj


def _hand_free(layout: Layout, initial: WorldState) -> Test:
    return lambda state: state.held < 0


def _robot_at(layout: Layout, initial: WorldState, spot: int) -> Test:
    return lambda state: SPOT_OF_PLACE[state.place] == spot


def _near(layout: Layout, initial: WorldState, obj: int) -> Test:
    return lambda state: in_reach(layout, state, obj)


def _open(layout: Layout, initial: WorldState, openable: int) -> Test:
    return lambda state: bool(state.open_mask >> openable & 1)


def _closed(layout: Layout, initial: WorldState, openable: int) -> Test:
    return lambda state: not state.open_mask >> openable & 1


def _equal(layout: Layout, initial: WorldState, one: int, other: int) -> bool:
    return one == other


PREDICATES: Final = {
    "on_top": Predicate(("object", "receptacle"), _on_top),
    "holding": Predicate(("object",), _holding),
    "hand_free": Predicate((), _hand_free),
    "robot_at": Predicate(("spot",), _robot_at),
    "near": Predicate(("object",), _near),
    "open": Predicate(("openable",), _open),
    "closed": Predicate(("openable",), _closed),
    "undisturbed": Predicate(("object",), _undisturbed),
    "=": Predicate(("thing", "thing"), _equal),
}
"""Paper B.1 names on_top; the rest are ours."""

CONSTANTS: Final = {
    "receptacle": RECEPTACLE_INDEX,
    "spot": SPOT_INDEX,
    "openable": OPENABLE_INDEX,
    "thing": RECEPTACLE_INDEX,
}
"""Sort -> its constants and their indices; objects have no names in goals, only variables.

A `thing` is an object or a receptacle; two that are compared are of one kind.
"""


def ground(atom: Atom, binding: Binding) -> list[int]:
    """Return the index of each argument of an atom, its variables bound to indices."""
    sorts, indices = PREDICATES[atom.predicate].sorts, []
    for position, argument in enumerate(atom.arguments):
        if argument not in binding:
            indices.append(CONSTANTS[sorts[position]][argument])
        elif sorts[position] == "openable":
            indices.append(OPENABLE_OF_RECEPTACLE[binding[argument]])
        else:
            indices.append(binding[argument])
    return indices
