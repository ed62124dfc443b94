"""What clutter imitates, so that no household tells which of its things the sentence is about.

A shape is how a template treats one of its things; every piece of clutter is placed as one of them
would be, for a sentence of its own. Where others must be absent, for the sentence could mean them,
further sentences are made possible in the same household. Not for drawing it
(`generator.household`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, reduce
from operator import or_
from typing import Final, NamedTuple

from langrearrange.language import Absent, Only, Place, Template, Value
from langrearrange.seeding import KeyedRng
from langrearrange.world.vocabulary import (
    CATEGORY_INDEX,
    RECEPTACLE_INDEX,
    RECEPTACLES,
    receptacles_of,
)


@dataclass(frozen=True, slots=True)
class Shape:
    """How a sentence treats one of its things at t=0.

    Attributes:
        count: how many it takes for granted.
        fixed: how many of them, exactly, stand on each receptacle that it names.
        absences: for each place of its choice where none stands: all that it could be, as bit masks
            of receptacles.
        only: whether there are no others.
        named: whether it names the category, or a group of them.
        placed: whether it says where they stand, or in which area.
    """

    count: int = 1
    fixed: tuple[int, ...] = ()
    absences: tuple[tuple[int, ...], ...] = ()
    only: bool = False
    named: bool = True
    placed: bool = False


PLAIN = Shape()
_SERVINGS: Final = 4
"""Choices of what serves each value of a set, of which that is taken that fits others least."""


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
                    count=1 if slot.kind == "group" else sum(n for n, _ in placed) or 1,
                    fixed=tuple(count for count, at in placed if _is_one_place(template, at)),
                    absences=tuple(_places(template, at) for at in absent if at not in RECEPTACLES),
                    only=any(isinstance(fact, Only) for fact in facts),
                    named=slot.kind in ("object", "group"),
                    placed=any(at for _, at in placed),
                )
                shapes.append(shape)
    return tuple(shapes) or (PLAIN,)


def _is_one_place(template: Template, name: str) -> bool:
    """Whether a fact's place is a receptacle: in an area there may be more than it says."""
    return bool(name) and not any(s.name == name and s.kind == "area" for s in template.slots)


def _places(template: Template, name: str) -> tuple[int, ...]:
    """Return what a slot's places can be, as bit masks; any receptacle, where the flat decides."""
    named = [
        value.receptacle for slot in template.slots if slot.name == name for value in slot.domain
    ]
    return tuple(map(mask_of, named if all(named) else RECEPTACLES))


def mask_of(place: str) -> int:
    """Return the receptacles of a receptacle or area, as a bit mask; "" is everywhere."""
    inside = receptacles_of(place) if place else RECEPTACLES
    return sum(1 << RECEPTACLE_INDEX[name] for name in inside)


class Company(NamedTuple):
    """What goes together in one household; categories by index, sets of them as bit masks.

    Attributes:
        own: a category of what is said, None where it says several at once.
        others: categories of all other things that could be said, and how many of each.
        needs: categories that any of all this could mean.
        avoided: those that must not be there.
    """

    own: int | None
    others: dict[int, int]
    needs: int
    avoided: int


class Decoys:
    """What else a sentence could mean in a household where nothing else may be taken for its thing.

    The groups of a slot's values are dealt at random into sets that go together, without knowing
    which is said, and all of a set are made possible in one household: seen from there, each is
    as likely as any other. Nothing outside the set is.
    """

    def __init__(self, values: Sequence[Value], count: int = 1) -> None:
        """Take what such a sentence could mean, and how many things each value takes."""
        self.values = values
        self._count = count
        self._groups: dict[tuple[str, ...], list[Value]] = {}  # by the categories that serve
        for value in values:
            self._groups.setdefault(value.categories, []).append(value)
        self._needs = {name: _bits(v.categories for v in g) for name, g in self._groups.items()}
        self._avoids = {name: _bits(v.avoid for v in g) for name, g in self._groups.items()}
        self._clashes = {
            name: {other for other in self._groups if not self._together(name, other)}
            for name in self._groups
        }
        self._meanings = [(v.categories, _bits([v.categories]), _bits([v.avoid])) for v in values]

    def draw(self, group: tuple[str, ...], rng: KeyedRng) -> Company:
        """Draw what goes together with the values that these categories serve."""
        order = rng.shuffled(list(self._groups))
        order.sort(key=lambda name: -len(self._clashes[name]))  # then few sets take them all
        sets: list[list[tuple[str, ...]]] = []
        for name in order:
            fitting = (found for found in sets if self._clashes[name].isdisjoint(found))
            found = next(fitting, None)
            if found is None:
                sets.append(found := [])
            found.append(name)
        mine = next(found for found in sets if group in found)
        served = [{name: self._chosen(name, rng) for name in mine} for _ in range(_SERVINGS)]
        chosen = min(served, key=lambda found: self._mistaken(mine, found).bit_count())
        needs = sum_of(self._needs[name] for name in mine)
        banned = sum_of(self._avoids[name] for name in mine)
        present = _present(chosen)
        avoided = banned | self._meant(mine, present)
        own = chosen.pop(group)
        counts = Counter(category for several in chosen.values() for category in several)
        others = {c: number if self._count > 1 else 1 for c, number in counts.items()}
        return Company(own[0] if len(own) == 1 else None, others, needs, avoided & ~present)

    def _chosen(self, group: tuple[str, ...], rng: KeyedRng) -> list[int]:
        value = rng.choice(self._groups[group])
        return [CATEGORY_INDEX[rng.choice(value.categories)] for _ in range(self._count)]

    def _mistaken(
        self, mine: Sequence[tuple[str, ...]], chosen: Mapping[tuple[str, ...], list[int]]
    ) -> int:
        """Return what is there that a value of another set could mean."""
        return _present(chosen) & self._meant(mine, _present(chosen))

    def _meant(self, mine: Sequence[tuple[str, ...]], present: int) -> int:
        """Return what values of other sets could mean, were it there with what is present."""
        return sum_of(
            needs
            for group, needs, avoid in self._meanings
            if not avoid & present and group not in mine
        )

    def _together(self, one: tuple[str, ...], other: tuple[str, ...]) -> bool:
        """Whether a household can serve both: neither rules out what the other needs."""
        return not (
            self._avoids[one] & self._needs[other] or self._avoids[other] & self._needs[one]
        )


@cache
def decoys_of(template: Template) -> tuple[str, Decoys] | None:
    """Return a slot that asks more of a household than one thing of a category, and its values.

    Its values tolerate some categories nowhere, or take several things.
    """
    for slot in template.slots:
        if slot.kind == "group" or any(value.avoid for value in slot.domain):
            placed = [fact.count for fact in template.start if isinstance(fact, Place)]
            count = max(placed, default=1) if slot.kind == "group" else 1
            return slot.name, Decoys(slot.domain, count)
    return None


def _present(chosen: Mapping[tuple[str, ...], list[int]]) -> int:
    return sum_of(1 << category for several in chosen.values() for category in several)


def _bits(names: Iterable[Iterable[str]]) -> int:
    return sum_of(1 << CATEGORY_INDEX[name] for group in names for name in group)


def sum_of(masks: Iterable[int]) -> int:
    """Return the union of bit masks."""
    return reduce(or_, masks, 0)
