"""The goal language as frozen values: what a parsed PDDL goal is made of.

    and or not imply exists forall, (initially phi) = phi at t=0, (= ?x ?y), and atoms (`atoms`).

Types of variables are categories, their groups, `object`, receptacle types (`receptacle`,
`container`, `surface`, an area such as `kitchen`) or `(either a b)`. `imply` is read as
`(or (not a) b)`.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, Literal

from langrearrange.world.vocabulary import (
    AREAS,
    CATEGORIES,
    CONTAINERS,
    GROUPS,
    RECEPTACLES,
    SURFACES,
)

OBJECT_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "object": CATEGORIES,
    **GROUPS,
    **{category: (category,) for category in CATEGORIES},
}
"""Type name -> the categories it covers."""
RECEPTACLE_TYPES: Final[dict[str, tuple[str, ...]]] = {
    "receptacle": RECEPTACLES,
    "container": CONTAINERS,
    "surface": SURFACES,
    **AREAS,
}
"""Type name -> the receptacles it covers."""


@dataclass(frozen=True, slots=True)
class Atom:
    """A predicate over variables (`?x`) and constants: `(on_top ?x sofa)`, `(= ?x ?y)`."""

    predicate: str
    arguments: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Not:
    """Negation."""

    part: Goal


@dataclass(frozen=True, slots=True)
class And:
    """Conjunction; true when empty."""

    parts: tuple[Goal, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """Disjunction; false when empty."""

    parts: tuple[Goal, ...]


@dataclass(frozen=True, slots=True)
class Initially:
    """The part as it was at t=0: a constant once the episode is known."""

    part: Goal


@dataclass(frozen=True, slots=True)
class Variable:
    """A typed variable.

    Attributes:
        name: with its question mark, `?x`.
        types: one type name, or several of one kind for `(either a b)`.
    """

    name: str
    types: tuple[str, ...]

    @property
    def over_objects(self) -> bool:
        """True for a variable over objects, False for one over receptacles."""
        return self.types[0] in OBJECT_TYPES

    @property
    def members(self) -> tuple[str, ...]:
        """The categories (or receptacles) the variable ranges over, in vocabulary order."""
        table = OBJECT_TYPES if self.over_objects else RECEPTACLE_TYPES
        everything = table["object" if self.over_objects else "receptacle"]
        wanted = {member for name in self.types for member in table[name]}
        return tuple(member for member in everything if member in wanted)


@dataclass(frozen=True, slots=True)
class Quantified:
    """`exists` or `forall` over one or more variables; they need not differ in value."""

    quantifier: Literal["exists", "forall"]
    variables: tuple[Variable, ...]
    body: Goal


Goal = Atom | Not | And | Or | Initially | Quantified


def walk(goal: Goal) -> Iterator[Goal]:
    """Yield the goal and every part of it, outermost first."""
    yield goal
    match goal:
        case Not(part) | Initially(part):
            yield from walk(part)
        case And(parts) | Or(parts):
            for part in parts:
                yield from walk(part)
        case Quantified(_, _, body):
            yield from walk(body)
        case Atom():
            pass


def to_pddl(goal: Goal) -> str:
    """Write the goal back in the notation it is parsed from (one line)."""
    match goal:
        case Atom(predicate, arguments):
            return f"({' '.join((predicate, *arguments))})"
        case Not(part):
            return f"(not {to_pddl(part)})"
        case Initially(part):
            return f"(initially {to_pddl(part)})"
        case And(parts):
            return f"({' '.join(('and', *map(to_pddl, parts)))})"
        case Or(parts):
            return f"({' '.join(('or', *map(to_pddl, parts)))})"
        case Quantified(quantifier, variables, body):
            bound = " ".join(
                f"{v.name} - {v.types[0] if len(v.types) == 1 else _either(v.types)}"
                for v in variables
            )
            return f"({quantifier} ({bound}) {to_pddl(body)})"


def _either(types: tuple[str, ...]) -> str:
    return f"(either {' '.join(types)})"
