"""A goal as a PDDL formula over one episode's objects, for the ADL export.

Not for the STRIPS export, whose goal is made of boxes. `initially` and `undisturbed` are folded to
what they mean in this episode; quantifiers around them, and those over areas, are spelled out; the
rest keeps its form.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Sequence

from langrearrange.world.goals import (
    And,
    Atom,
    Goal,
    Initially,
    Not,
    Or,
    Quantified,
    Variable,
    compile_goal,
    domain,
    walk,
)
from langrearrange.world.state import Layout, WorldState
from langrearrange.world.vocabulary import AREAS, IN_HAND, RECEPTACLES

Formula = str | bool
"""PDDL text, or a constant that has not been written yet."""
_Scope = dict[str, str]
"""Goal variable -> how it is written: a renamed variable or a constant."""
_Binding = dict[str, int]
"""Goal variable -> index, for those that are spelled out."""


def goal_formula(
    goal: Goal, layout: Layout, initial: WorldState, object_names: Sequence[str]
) -> str:
    """Return the goal as PDDL.

    Args:
        goal: the parsed goal.
        layout: the episode's layout.
        initial: the state at t=0.
        object_names: PDDL name of every object.
    """
    formula = _Writer(layout, initial, object_names).write(goal, {}, {})
    if formula is True:
        return "(or (hand_free) (not (hand_free)))"
    if formula is False:
        return "(and (hand_free) (not (hand_free)))"
    return formula


class _Writer:
    def __init__(self, layout: Layout, initial: WorldState, object_names: Sequence[str]) -> None:
        self._layout = layout
        self._initial = initial
        self._names = object_names
        self._variables = itertools.count()

    def write(self, goal: Goal, scope: _Scope, binding: _Binding) -> Formula:
        match goal:
            case Atom():
                return self._atom(goal, scope, binding)
            case Not(part):
                inner = self.write(part, scope, binding)
                return not inner if isinstance(inner, bool) else f"(not {inner})"
            case Initially(part):
                return compile_goal(part, self._layout, self._initial, binding)(self._initial)
            case And(parts) | Or(parts):
                written = (self.write(part, scope, binding) for part in parts)
                return _join(written, isinstance(goal, And))
            case Quantified():
                return self._quantified(goal, list(goal.variables), scope, binding)

    def _quantified(
        self, goal: Quantified, variables: list[Variable], scope: _Scope, binding: _Binding
    ) -> Formula:
        """Write the quantifier one variable at a time."""
        if not variables:
            return self.write(goal.body, scope, binding)
        variable, rest = variables[0], variables[1:]
        conjunction = goal.quantifier == "forall"

        def inside(written: str, known: _Binding) -> Formula:
            return self._quantified(goal, rest, scope | {variable.name: written}, binding | known)

        values = domain(variable, self._layout)
        if not values or _speaks_of_start(goal.body) or not AREAS.keys().isdisjoint(variable.types):
            names = self._names if variable.over_objects else RECEPTACLES
            return _join((inside(names[v], {variable.name: v}) for v in values), conjunction)
        parts = []
        for type_name in variable.types:  # (either a b) is more than many tools can read
            name = f"{variable.name}_{next(self._variables)}"
            inner = inside(name, {})
            if isinstance(inner, bool):
                return inner
            pddl_type = "movable" if type_name == "object" else type_name
            parts.append(f"({goal.quantifier} ({name} - {pddl_type}) {inner})")
        return _join(parts, conjunction)

    def _atom(self, atom: Atom, scope: _Scope, binding: _Binding) -> Formula:
        arguments = tuple(scope.get(argument, argument) for argument in atom.arguments)
        match atom.predicate:
            case "=" if not any(argument.startswith("?") for argument in arguments):
                return arguments[0] == arguments[1]
            case "open":
                return f"(not (closed {arguments[0]}))"
            case "undisturbed":
                home = self._initial.receptacles[binding[atom.arguments[0]]]
                if home == IN_HAND:
                    return f"(holding {arguments[0]})"
                return f"(on_top {arguments[0]} {RECEPTACLES[home]})"
            case "near":
                place = f"?near_{next(self._variables)}"
                return (
                    f"(or (holding {arguments[0]}) (exists ({place} - receptacle)"
                    f" (and (on_top {arguments[0]} {place}) (robot_at {place})"
                    f" (not (closed {place})))))"
                )
        return f"({' '.join((atom.predicate, *arguments))})"


def _speaks_of_start(goal: Goal) -> bool:
    return any(
        isinstance(part, Initially) or (isinstance(part, Atom) and part.predicate == "undisturbed")
        for part in walk(goal)
    )


def _join(parts: Iterable[Formula], conjunction: bool) -> Formula:
    written = []
    for part in parts:
        if isinstance(part, bool):
            if part is not conjunction:
                return part
        elif part not in written:
            written.append(part)
    if not written:
        return conjunction
    if len(written) == 1:
        return written[0]
    return f"({'and' if conjunction else 'or'} {' '.join(written)})"
