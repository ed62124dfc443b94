"""Goal AST + episode -> a fast test of states: quantifiers unrolled, constants folded, once."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from functools import lru_cache
from typing import Final

from langrearrange.errors import GoalError
from langrearrange.world.goals.ast import And, Atom, Goal, Initially, Not, Or, Quantified, Variable
from langrearrange.world.goals.atoms import PREDICATES, Binding, Test, ground
from langrearrange.world.goals.factor import factored
from langrearrange.world.state import Layout, WorldState
from langrearrange.world.vocabulary import CATEGORY_INDEX, RECEPTACLE_INDEX

MAX_GROUND_ATOMS: Final = 20_000
"""Work bound of one goal in one episode; beyond it the goal is refused, not slow."""


def compile_goal(
    goal: Goal, layout: Layout, initial: WorldState, binding: Binding | None = None
) -> Test:
    """Return a function state -> bool for one episode.

    Args:
        goal: the parsed goal.
        layout: the episode's layout (its objects give the variables their values).
        initial: the state at t=0 (for `initially` and `undisturbed`).
        binding: indices of the goal's free variables; None: it has none.

    Returns:
        A pure test. It is built once per episode and evaluated only when the state changed.

    Raises:
        GoalError: more than MAX_GROUND_ATOMS ground atoms.
    """
    compiled = _Compiler(layout, initial).build(goal, binding or {})
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


def branches(
    goal: And | Or | Quantified, layout: Layout, binding: Binding
) -> Iterator[tuple[Goal, Binding]]:
    """Yield the parts of a formula, each with its binding: a quantifier has one for every value."""
    if not isinstance(goal, Quantified):
        for part in goal.parts:
            yield part, binding
        return
    names = [variable.name for variable in goal.variables]
    for values in itertools.product(*(domain(variable, layout) for variable in goal.variables)):
        yield goal.body, {**binding, **dict(zip(names, values, strict=True))}


def is_conjunction(goal: And | Or | Quantified) -> bool:
    """Whether all branches must hold; else one of them."""
    return isinstance(goal, And) or (isinstance(goal, Quantified) and goal.quantifier == "forall")


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
                indices = ground(goal, binding)
                return PREDICATES[goal.predicate].test(self._layout, self._initial, *indices)
            case Not(part):
                inner = self.build(part, binding)
                return not inner if isinstance(inner, bool) else _negate(inner)
            case Initially(part):
                inner = self.build(part, binding)
                return inner if isinstance(inner, bool) else inner(self._initial)
            case And() | Or() | Quantified():
                if isinstance(goal, Quantified):
                    goal = factored(goal)
                parts = [self.build(*part) for part in branches(goal, self._layout, binding)]
                return _join(parts, is_conjunction(goal))


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
        return tests.pop()
    if len(tests) == 2:
        first, second = tests
        if conjunction:
            return lambda s: first(s) and second(s)
        return lambda s: first(s) or second(s)
    fixed = tuple(tests)
    if conjunction:
        return lambda s: all(test(s) for test in fixed)
    return lambda s: any(test(s) for test in fixed)
