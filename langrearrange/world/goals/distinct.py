"""Which variables of a goal one object could serve for, so that the goal does not count them.

Not for evaluating goals. It reads the goal's form alone: `and` and `exists` are followed, what
stands under `or` or `forall` separates nothing.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from langrearrange.world.goals.ast import And, Atom, Goal, Initially, Not, Or, Quantified, Variable


class _Literal(NamedTuple):
    """An atom or its negation, at t=0 or now; variables have names that are unique in the goal."""

    positive: bool
    initially: bool
    predicate: str
    arguments: tuple[str, ...]


class _Some(NamedTuple):
    """An object variable bound by "there is one", and what must hold besides in its scope."""

    variable: Variable
    name: str
    literals: frozenset[_Literal]


class _Part(NamedTuple):
    literals: frozenset[_Literal]
    some: list[_Some]


def shared_variables(goal: Goal) -> tuple[tuple[str, str], ...]:
    """Return the pairs of variables that a single object could be.

    Such a pair is bound by `exists` (or `not forall`), in one conjunction, over object types with a
    category in common, and not separated. These separate ?x from ?y: `(not (= ?x ?y))`, a fact
    demanded of one and denied of the other, and two places at one time, as `(on_top ?x sofa)` and
    `(holding ?y)` or `(initially (on_top ?x sofa))` and `(initially (on_top ?y sink))`. What was
    there at the start, a condition, is nothing that the goal asks for beside another thing.
    """
    reader = _Reader()
    reader.read(goal, True, False, {})
    return tuple(dict.fromkeys(reader.pairs))


class _Reader:
    def __init__(self) -> None:
        self.pairs: list[tuple[str, str]] = []
        self._numbers = itertools.count()

    def read(self, goal: Goal, positive: bool, initially: bool, scope: Mapping[str, str]) -> _Part:
        match goal:
            case Atom(predicate, arguments):
                words = tuple(scope.get(argument, argument) for argument in arguments)
                return _Part(frozenset({_Literal(positive, initially, predicate, words)}), [])
            case Not(part):
                return self.read(part, not positive, initially, scope)
            case Initially(part):
                return _Part(self.read(part, positive, True, scope).literals, [])
            case And() | Or():
                parts = [self.read(part, positive, initially, scope) for part in goal.parts]
                some = [one for each in parts for one in each.some]
                if isinstance(goal, And) is not positive:
                    return _Part(frozenset(), some)
                for one, other in itertools.combinations(parts, 2):
                    self._compare(itertools.product(one.some, other.some))
                return _Part(frozenset().union(*(each.literals for each in parts)), some)
            case Quantified(quantifier, variables, body):
                names = {v.name: f"{v.name} {next(self._numbers)}" for v in variables}
                inner = self.read(body, positive, initially, {**scope, **names})
                if (quantifier == "exists") is not positive:
                    return _Part(frozenset(), inner.some)
                own = [_Some(v, names[v.name], inner.literals) for v in variables if v.over_objects]
                self._compare(itertools.combinations(own, 2))
                self._compare(itertools.product(own, inner.some))
                return _Part(inner.literals, own + inner.some)

    def _compare(self, pairs: Iterable[tuple[_Some, _Some]]) -> None:
        for one, other in pairs:
            if set(one.variable.members) & set(other.variable.members) and not _separated(
                one, other
            ):
                self.pairs.append((one.variable.name, other.variable.name))


def _separated(one: _Some, other: _Some) -> bool:
    unequal = {
        frozenset(literal.arguments)
        for literal in one.literals | other.literals
        if literal.predicate == "=" and not literal.positive
    }
    if {one.name, other.name} in unequal:
        return True
    ours, theirs = _about(one), _about(other)
    if any(literal._replace(positive=not literal.positive) in theirs for literal in ours):
        return True
    return any(
        a.initially == b.initially and _apart(_place(a), _place(b), unequal)
        for a, b in itertools.product(ours, theirs)
        if a.positive and b.positive and {a.predicate, b.predicate} <= {"on_top", "holding"}
    )


def _about(one: _Some) -> set[_Literal]:
    """What is said of a variable, in words that do not name it."""
    return {
        literal._replace(arguments=tuple("" if a == one.name else a for a in literal.arguments))
        for literal in one.literals
        if one.name in literal.arguments
    }


def _place(literal: _Literal) -> str:
    return literal.arguments[1] if literal.predicate == "on_top" else "hand"


def _apart(one: str, other: str, unequal: set[frozenset[str]]) -> bool:
    if one == other:
        return False
    variable = one.startswith("?") or other.startswith("?")
    return not variable or "hand" in (one, other) or {one, other} in unequal
