"""What goals mean, written down a second time: no folding, no unrolling ahead of time, no masks.

It judges the compiled goals and the solver's boxes. Not for parsing.
"""

from __future__ import annotations

import itertools

from reference_world import CONTAINERS, OPENABLES, RECEPTACLES, ReferenceWorld

from langrearrange.world.goals import And, Atom, Goal, Initially, Not, Or, Quantified, Variable

Binding = dict[str, int | str]
"""Variable -> number of an object or name of a receptacle."""


def reference_holds(
    goal: Goal, now: ReferenceWorld, start: ReferenceWorld, binding: Binding | None = None
) -> bool:
    """Whether a goal holds now, in an episode that began at `start`."""
    bound = binding or {}
    match goal:
        case Not(part):
            return not reference_holds(part, now, start, bound)
        case Initially(part):
            return reference_holds(part, start, start, bound)
        case And(parts):
            return all(reference_holds(part, now, start, bound) for part in parts)
        case Or(parts):
            return any(reference_holds(part, now, start, bound) for part in parts)
        case Quantified(quantifier, variables, body):
            truths = []
            for values in itertools.product(*(_domain(v, now) for v in variables)):
                inner = dict(bound)
                inner.update(zip([v.name for v in variables], values, strict=True))
                truths.append(reference_holds(body, now, start, inner))
            return all(truths) if quantifier == "forall" else any(truths)
        case Atom(predicate, arguments):
            return _atom(predicate, [bound.get(a, a) for a in arguments], now, start)


def _domain(variable: Variable, world: ReferenceWorld) -> list[int | str]:
    if not variable.over_objects:
        return [r for r in RECEPTACLES if r in variable.members and r in world.fixtures]
    return [i for i, name in enumerate(world.categories) if name in variable.members]


def _atom(
    predicate: str, values: list[int | str], now: ReferenceWorld, start: ReferenceWorld
) -> bool:
    if predicate == "hand_free":
        return now.held is None
    first = values[0]
    if predicate == "=":
        return first == values[1]
    if predicate == "robot_at":
        return now.place.removesuffix("_handle") == first
    if predicate in ("open", "closed"):
        assert first in OPENABLES
        return (first in now.opened) == (predicate == "open")
    assert isinstance(first, int)
    where = now.resting[first][0] if first in now.resting else "hand"
    if predicate == "on_top":
        return where == values[1]
    if predicate == "holding":
        return now.held == first
    if predicate == "undisturbed":
        return where == (start.resting[first][0] if first in start.resting else "hand")
    assert predicate == "near"
    shut = where in CONTAINERS and where not in now.opened
    return where == "hand" or (where in now.reach[now.place] and not shut)
