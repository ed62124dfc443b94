"""What clutter imitates, so that no household tells which of its things the sentence is about.

A shape is how a template treats one of its things; every piece of clutter is placed as one of them
would be, for a sentence of its own. Where others must be absent, for the sentence could mean them,
further sentences of the template are made possible in the same household. Not for drawing it
(`generator.household`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cache

from langrearrange.language import Absent, Only, Place, Template, TemplateFile, Value
from langrearrange.seeding import KeyedRng
from langrearrange.world.vocabulary import RECEPTACLES


@dataclass(frozen=True, slots=True)
class Shape:
    """How a sentence treats one of its things at t=0.

    Attributes:
        count: how many it takes for granted.
        told: how many of them, exactly, stand on each receptacle that it names.
        absences: on how many receptacles of its own choice none stands.
        only: whether there are no others.
        named: whether it names the category.
    """

    count: int = 1
    told: tuple[int, ...] = ()
    absences: int = 0
    only: bool = False
    named: bool = True


PLAIN = Shape()


@cache
def shapes_of(template: Template) -> tuple[Shape, ...]:
    """Return the shapes of a template's own things, for every start case; `PLAIN` if it has none.

    A remark's things are left out: its sentence names them and what is true of them.
    """
    shapes = []
    for case in template.cases:
        for slot in template.slots:
            facts = [
                fact
                for fact in (*template.start, *case.start)
                if isinstance(fact, Place | Absent | Only) and fact.categories == (slot.name,)
            ]
            placed = [(f.count, f.receptacle) for f in facts if isinstance(f, Place)]
            absent = [fact.receptacle for fact in facts if isinstance(fact, Absent)]
            if slot.is_object and "" not in absent:
                shape = Shape(
                    count=sum(count for count, _ in placed) or 1,
                    told=tuple(count for count, at in placed if _is_one_place(template, at)),
                    absences=sum(name not in RECEPTACLES for name in absent),
                    only=any(isinstance(fact, Only) for fact in facts),
                    named=slot.kind == "object",
                )
                shapes.append(shape)
    return tuple(shapes) or (PLAIN,)


def _is_one_place(template: Template, name: str) -> bool:
    """Whether a fact's place is a receptacle: in an area there may be more than it says."""
    return bool(name) and not any(s.name == name and s.kind == "area" for s in template.slots)


def guarded(file: TemplateFile, template: Template) -> tuple[str, tuple[Value, ...]] | None:
    """Return a slot whose values tolerate some categories nowhere, and what else it could mean.

    A template has one need: what else the sentence could be about are the needs of all templates.
    """
    needs = tuple(v for t in file.templates for s in t.slots if s.kind == "need" for v in s.domain)
    for slot in template.slots:
        values = needs if slot.kind == "need" else slot.domain
        if any(value.avoid for value in values):
            return slot.name, values
    return None


def partition(values: Sequence[Value], rng: KeyedRng) -> dict[str, tuple[Value, ...]]:
    """Return a random partition of values into sets that go together in one household.

    Each value is in one set, drawn without knowing which is said: seen from the household, all of
    a set are equally likely to be.

    Returns:
        Key of a value -> all of its set.
    """
    sets: list[list[Value]] = []
    for value in rng.shuffled(values):
        fitting = (group for group in sets if all(_together(value, other) for other in group))
        group = next(fitting, None)
        if group is None:
            sets.append(group := [])
        group.append(value)
    return dict(_members(sets))


def _members(sets: list[list[Value]]) -> Iterator[tuple[str, tuple[Value, ...]]]:
    for group in sets:
        for value in group:
            yield value.key, tuple(group)


def _together(one: Value, other: Value) -> bool:
    """Whether a household can serve both: neither rules out what the other needs."""
    return not (set(one.avoid) & set(other.categories) or set(other.avoid) & set(one.categories))
