"""Quantifiers over several variables, taken apart where the conditions are independent.

    (exists (?r ?x ?y) (and (p ?x ?r) (q ?y ?r)))
 -> (exists (?r) (and (exists (?x) (p ?x ?r)) (exists (?y) (q ?y ?r))))

Not for evaluating goals: it saves unrolling every combination of values. The meaning stays, for
empty types too; `forall` over `or` is the same by duality.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import NamedTuple

from langrearrange.world.goals.ast import And, Atom, Goal, Initially, Not, Or, Quantified, Variable


def factored(goal: Quantified) -> And | Or | Quantified:
    """Return an equivalent goal in which no quantifier binds variables that do without each other.

    Parts that compare with `=` come first in what stays together.
    """
    return _factored(goal) if len(goal.variables) > 1 or _is_nested(goal) else goal


def _is_nested(goal: Quantified) -> bool:
    return isinstance(goal.body, Quantified) and goal.body.quantifier == goal.quantifier


@lru_cache(maxsize=8192)
def _factored(goal: Quantified) -> And | Or | Quantified:
    variables, body = goal.variables, goal.body
    while isinstance(body, Quantified) and body.quantifier == goal.quantifier:
        variables, body = variables + body.variables, body.body
    connective: type[And] | type[Or] = And if goal.quantifier == "exists" else Or
    parts = body.parts if isinstance(body, connective) else (body,)
    names = {variable.name for variable in variables}
    named = [_Named(part, _names(part) & names) for part in parts]
    named.sort(key=lambda named: not _compares(named.part))
    return _scoped(goal, connective, variables, named)


class _Named(NamedTuple):
    part: Goal
    names: set[str]


def _scoped(
    goal: Quantified,
    connective: type[And] | type[Or],
    variables: Sequence[Variable],
    parts: Sequence[_Named],
) -> And | Or | Quantified:
    """Bind the variables, each group of those that occur together by itself."""
    groups = _groups(variables, parts)
    outside = [part for part, names in parts if not names]
    inside: list[Quantified] = []
    for group in groups:
        own = [part for part in parts if part.names.intersection(v.name for v in group)]
        first, rest = _split(group, own)
        body: Goal
        if rest:
            group, body = [first], _scoped(goal, connective, rest, _unbound(own, first))
        else:
            body = own[0].part if len(own) == 1 else connective(tuple(part for part, _ in own))
        inside.append(Quantified(goal.quantifier, tuple(group), body))
    if len(inside) == 1 and not outside:
        return inside[0]
    return connective((*outside, *inside))


def _split(group: list[Variable], parts: Sequence[_Named]) -> tuple[Variable, list[Variable]]:
    """Return the variable that takes the others apart when bound first; no others if none does."""
    best, most, rest = group[0], 1, []
    for first in group if len(group) > 2 else ():
        others = [variable for variable in group if variable != first]
        if (count := len(_groups(others, _unbound(parts, first)))) > most:
            best, most, rest = first, count, others
    return best, rest


def _groups(variables: Sequence[Variable], parts: Sequence[_Named]) -> list[list[Variable]]:
    """Split the variables into those that parts connect."""
    groups = [({variable.name}, [variable]) for variable in variables]
    for _, names in parts:
        met = [group for group in groups if group[0] & names]
        if len(met) > 1:
            joined = set().union(*(group[0] for group in met))
            groups = [group for group in groups if group not in met]
            groups.append((joined, [v for v in variables if v.name in joined]))
    return [group for _, group in groups]


def _unbound(parts: Sequence[_Named], bound: Variable) -> list[_Named]:
    return [_Named(part, names - {bound.name}) for part, names in parts]


def _compares(goal: Goal) -> bool:
    return (
        _compares(goal.part)
        if isinstance(goal, Not)
        else isinstance(goal, Atom) and goal.predicate == "="
    )


def _names(goal: Goal) -> set[str]:
    match goal:
        case Atom():
            return {*goal.arguments}
        case Not(part) | Initially(part) | Quantified(_, _, part):
            return _names(part)
        case And(parts) | Or(parts):
            return set().union(*map(_names, parts))
