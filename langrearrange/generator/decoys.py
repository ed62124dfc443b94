"""What clutter imitates, so that no household tells which of its things the sentence is about.

A shape is how a template treats one of its things; every piece of clutter is placed as one of them
would be, for a sentence of its own. Where others must be absent, for the sentence could mean them,
further sentences of the template are made possible in the same household. Not for drawing it
(`generator.household`).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from langrearrange.language import Absent, Only, Place, Template, TemplateSlot, Value
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
                    told=tuple(count for count, receptacle in placed if receptacle),
                    absences=sum(name not in RECEPTACLES for name in absent),
                    only=any(isinstance(fact, Only) for fact in facts),
                    named=slot.kind == "object",
                )
                shapes.append(shape)
    return tuple(shapes) or (PLAIN,)


def guarded_slot(template: Template) -> TemplateSlot | None:
    """Return the template's slot whose values tolerate some categories nowhere, if there is one."""
    for slot in template.slots:
        if any(value.avoid for value in slot.domain):
            return slot
    return None


def partition(slot: TemplateSlot, rng: KeyedRng) -> dict[str, tuple[Value, ...]]:
    """Return a random partition of a slot's values into sets that go together in one household.

    Each value is in one set, drawn without knowing which is said: seen from the household, all of
    a set are equally likely to be.

    Returns:
        Key of a value -> all of its set.
    """
    sets: list[list[Value]] = []
    for value in rng.shuffled(slot.domain):
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
