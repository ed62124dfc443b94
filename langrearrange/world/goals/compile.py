"""Goal AST + episode -> a fast test of states: quantifiers unrolled, constants folded, once."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from functools import lru_cache
from typing import Final

from langrearrange.errors import GoalError
from langrearrange.world.goals.ast import And, Atom, Goal, Initially, Not, Or, Quantified, Variable
from langrearrange.world.state import CLOSED_RECEPTACLES, Layout, WorldState
from langrearrange.world.vocabulary import (
    CATEGORY_INDEX,
    IN_HAND,
    OPENABLE_INDEX,
    OPENABLE_OF_RECEPTACLE,
    RECEPTACLE_INDEX,
    SPOT_INDEX,
    SPOT_OF_PLACE,
)

Test = Callable[[WorldState], bool]
Binding = dict[str, int]
MAX_GROUND_ATOMS: Final = 20_000
"""Work bound of one goal in one episode; beyond it the goal is refused, not slow."""


def compile_goal(goal: Goal, layout: Layout, initial: WorldState) -> Test:
    """Return a function state -> bool for one episode.

    Args:
        goal: the parsed goal.
        layout: the episode's layout (its objects give the variables their values).
        initial: the state at t=0 (for `initially` and `undisturbed`).

    Returns:
        A pure test. It is built once per episode and evaluated only when the state changed.

    Raises:
        GoalError: more than MAX_GROUND_ATOMS ground atoms.
    """
    compiled = _Compiler(layout, initial).build(goal, {})
    if isinstance(compiled, bool):
        return lambda state: compiled
    return compiled


def domain(variable: Variable, layout: Layout) -> tuple[int, ...]:
    """Return what a variable ranges over here: object indices or receptacle indices, ascending."""
    members = _member_indices(variable)
    if variable.over_objects:
        if len(members) == 1:
            return layout.instances[members[0]]
        return tuple(sorted(i for category in members for i in layout.instances[category]))
    return tuple(r for r in members if layout.has_receptacle(r))


@lru_cache(maxsize=1024)
def _member_indices(variable: Variable) -> tuple[int, ...]:
    table = CATEGORY_INDEX if variable.over_objects else RECEPTACLE_INDEX
    return tuple(table[name] for name in variable.members)


class _Compiler:
    def __init__(self, layout: Layout, initial: WorldState) -> None:
        self._layout = layout
        self._initial = initial
        self._atoms = 0

    def build(self, goal: Goal, binding: Binding) -> Test | bool:
        match goal:
            case Atom():
                self._atoms += 1
                if self._atoms > MAX_GROUND_ATOMS:
                    raise GoalError(
                        f"the goal unrolls to more than {MAX_GROUND_ATOMS} facts over "
                        f"{self._layout.num_objects} objects; quantify over fewer or narrower types"
                    )
                return self._atom(goal, binding)
            case Not(part):
                inner = self.build(part, binding)
                return not inner if isinstance(inner, bool) else _negate(inner)
            case Initially(part):
                inner = self.build(part, binding)
                return inner if isinstance(inner, bool) else inner(self._initial)
            case And(parts) | Or(parts):
                return _join([self.build(p, binding) for p in parts], isinstance(goal, And))
            case Quantified(quantifier, variables, body):
                domains = [domain(v, self._layout) for v in variables]
                names = [v.name for v in variables]
                unrolled = [
                    self.build(body, binding | dict(zip(names, values, strict=True)))
                    for values in itertools.product(*domains)
                ]
                return _join(unrolled, quantifier == "forall")

    def _atom(self, atom: Atom, binding: Binding) -> Test:
        layout = self._layout
        match atom.predicate:
            case "hand_free":
                return lambda s: s.held < 0
            case "robot_at":
                spot = _value(atom.arguments[0], binding, SPOT_INDEX)
                return lambda s: SPOT_OF_PLACE[s.place] == spot
            case "open" | "closed":
                bit = self._openable(atom.arguments[0], binding)
                wanted = atom.predicate == "open"
                return lambda s: bool(s.open_mask >> bit & 1) is wanted
        obj = binding[atom.arguments[0]]
        match atom.predicate:
            case "on_top":
                receptacle = _value(atom.arguments[1], binding, RECEPTACLE_INDEX)
                return lambda s: s.receptacles[obj] == receptacle
            case "holding":
                return lambda s: s.held == obj
            case "undisturbed":
                home = self._initial.receptacles[obj]
                return lambda s: s.receptacles[obj] == home
            case "near":
                reach = layout.reach

                def near(s: WorldState) -> bool:
                    where = s.receptacles[obj]
                    visible = reach[s.place] & ~CLOSED_RECEPTACLES[s.open_mask]
                    return where == IN_HAND or bool(visible >> where & 1)

                return near
        raise GoalError(f"predicate '{atom.predicate}' has no meaning")  # parse admits none such

    def _openable(self, argument: str, binding: Binding) -> int:
        if argument in binding:
            return OPENABLE_OF_RECEPTACLE[binding[argument]]
        return OPENABLE_INDEX[argument]


def _value(argument: str, binding: Binding, constants: dict[str, int]) -> int:
    return binding[argument] if argument in binding else constants[argument]


def _negate(test: Test) -> Test:
    return lambda s: not test(s)


def _join(parts: list[Test | bool], conjunction: bool) -> Test | bool:
    tests: list[Test] = []
    for part in parts:
        if isinstance(part, bool):
            if part is not conjunction:
                return not conjunction
        else:
            tests.append(part)
    if not tests:
        return conjunction
    if len(tests) == 1:
        return tests[0]
    if len(tests) == 2:
        first, second = tests
        if conjunction:
            return lambda s: first(s) and second(s)
        return lambda s: first(s) or second(s)
    fixed = tuple(tests)
    if conjunction:
        return lambda s: all(test(s) for test in fixed)
    return lambda s: any(test(s) for test in fixed)
