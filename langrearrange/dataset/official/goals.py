"""The release's goal expressions -> our goal language. Not for deciding whether a goal holds.

An expression is `{expr_type: AND|NAND|OR|NOR, quantifier: EXISTS|FORALL, inputs, sub_exprs}`; its
leaves are facts as text. The quantifier stands outside the connective, as the release expands it:
NAND under EXISTS means that some instance is not there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any, Final

from langrearrange.dataset.official.names import (
    OPENABLE_OF,
    RECEPTACLE_OF,
    SPOT_OF,
    category_of,
    known,
)
from langrearrange.errors import EpisodeError
from langrearrange.world.goals import parse_goal

_MAX_DEPTH: Final = 6
_MAX_PARTS: Final = 32
"""Formulas and facts of a whole goal, however they are shared; released ones have up to 8."""
_FACT: Final = re.compile(r"([a-z_]+)\(([^()]*)\)\Z")
_VARIABLE: Final = re.compile(r"[A-Z]\w{0,20}\Z", re.ASCII)
_CONNECTIVES: Final = {"AND": "and", "NAND": "and", "OR": "or", "NOR": "or"}
Scope = dict[str, str]
"""The release's variable -> ours."""


def goal_text(expression: object) -> str:
    """Return a released goal in our notation.

    Raises:
        EpisodeError: something in it is unknown, or it is nested deeper than any released goal.
        GoalError: the result is not a valid goal.
    """
    text = _formula(expression, {}, _MAX_DEPTH, iter(range(_MAX_PARTS)))
    parse_goal(text)
    return text


def fact_text(fact: str) -> str:
    """Return a fact without variables, such as one of the start, in our notation."""
    return _fact(fact, {})


def _formula(expression: object, scope: Scope, depth: int, budget: Iterator[int]) -> str:
    if next(budget, None) is None:
        raise EpisodeError(f"the goal has more than {_MAX_PARTS} parts")
    if type(expression) is str:
        return _fact(expression, scope)
    if type(expression) is not dict or depth == 0:
        raise EpisodeError("the goal is not an expression, or nested too deeply")
    connective = expression.get("expr_type")
    if type(connective) is not str or connective not in _CONNECTIVES:
        raise EpisodeError("the goal has a connective other than AND, NAND, OR, NOR")
    variables = _variables(expression.get("inputs"))
    inner = scope | {name: f"?{name.lower()}" for name, _ in variables}
    if len(set(inner.values())) < len(inner) or len(inner) < len(scope) + len(variables):
        raise EpisodeError("the goal binds a variable twice")
    parts = expression.get("sub_exprs")
    if type(parts) is not list or not 1 <= len(parts) <= _MAX_PARTS:
        raise EpisodeError(f"the goal has a formula without 1 to {_MAX_PARTS} parts")
    texts = [_formula(part, inner, depth - 1, budget) for part in parts]
    body = texts[0] if len(texts) == 1 else f"({_CONNECTIVES[connective]} {' '.join(texts)})"
    if connective in ("NAND", "NOR"):
        body = f"(not {body})"
    if not variables:
        return body
    quantifier = expression.get("quantifier")
    if quantifier not in ("EXISTS", "FORALL"):
        raise EpisodeError("the goal binds variables without EXISTS or FORALL")
    bound = " ".join(f"{inner[name]} - {category}" for name, category in variables)
    return f"({str(quantifier).lower()} ({bound}) {body})"


def _variables(inputs: Any) -> list[tuple[str, str]]:
    if inputs is None:
        return []
    if type(inputs) is not list or len(inputs) > _MAX_PARTS:
        raise EpisodeError("the goal's 'inputs' is not a short list")
    found = []
    for item in inputs:
        name = item.get("name") if type(item) is dict else None
        category = item.get("expr_type") if type(item) is dict else None
        if type(name) is not str or type(category) is not str or not _VARIABLE.match(name):
            raise EpisodeError("the goal has a variable without name or type")
        found.append((name, category_of(category)))
    return found


def _fact(fact: str, scope: Scope) -> str:
    match = _FACT.match(fact) if len(fact) <= 200 else None
    if match is None:
        raise EpisodeError(f"{fact[:60]!a} is not a fact such as on_top(X, receptacle)")
    predicate = match[1]
    arguments = [part.strip() for part in match[2].split(",")] if match[2].strip() else []
    match predicate, arguments:
        case "not_holding", []:
            return "(hand_free)"
        case "holding", [thing]:
            return f"(holding {known(scope, thing, 'variable')})"
        case "on_top" | "at", [thing, receptacle]:
            where = known(RECEPTACLE_OF, receptacle, "receptacle")
            return f"(on_top {known(scope, thing, 'variable')} {where})"
        case "robot_at" | "robot_at_obj", [thing] if thing in scope:
            return f"(near {scope[thing]})"
        case "robot_at", [place]:
            return f"(robot_at {known(SPOT_OF, place, 'place')})"
        case "opened_fridge" | "opened_cab", [marker]:
            return f"(open {known(OPENABLE_OF, marker, 'marker')})"
        case "closed_fridge" | "closed_cab", [marker]:
            return f"(closed {known(OPENABLE_OF, marker, 'marker')})"
    raise EpisodeError(f"unknown fact {fact[:60]!a}; accepted: those of the released goals")
