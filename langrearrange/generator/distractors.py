"""How clutter is chosen, so that a household does not show which of its objects the sentence means.

Every kind of clutter is placed as the target of another sentence of the template would be
(`Shape`). Where a sentence could mean other objects too, and these must be absent, the targets of
further sentences are added to the household (`Distractors`). Not for drawing households
(`generator.household`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
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

Group = tuple[str, ...]
"""Categories that serve a value of a slot."""


@dataclass(frozen=True, slots=True)
class Shape:
    """What a template demands at t=0 of one of its objects.

    Attributes:
        count: number of instances that the sentence presupposes.
        fixed: exact numbers of instances on each receptacle that the sentence names.
        absences: for each place without instances, its possible values as masks of receptacles.
        only: whether there are no further instances.
        named: whether the sentence names the category, or a group of categories.
        placed: whether the sentence names the place or area.
    """

    count: int = 1
    fixed: tuple[int, ...] = ()
    absences: tuple[tuple[int, ...], ...] = ()
    only: bool = False
    named: bool = True
    placed: bool = False


PLAIN = Shape()
_DRAWS: Final = 4
"""Draws of the categories that serve a set of values; the least ambiguous one is used."""


@cache
def shapes_of(template: Template) -> tuple[Shape, ...]:
    """Return the shapes of a template's objects, for every start case; `PLAIN` if it has none.

    Objects of a remark are left out: its sentence names them and states where they are.
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
    """Whether a fact's place is a receptacle: an area may hold more instances than it says."""
    return bool(name) and not any(s.name == name and s.kind == "area" for s in template.slots)


def _places(template: Template, name: str) -> tuple[int, ...]:
    """Return a slot's possible places as bit masks; any receptacle, where the flat decides."""
    named = [
        value.receptacle for slot in template.slots if slot.name == name for value in slot.domain
    ]
    return tuple(map(mask_of, named if all(named) else RECEPTACLES))


def mask_of(place: str) -> int:
    """Return the receptacles of a receptacle or area, as a bit mask; "" is everywhere."""
    inside = receptacles_of(place) if place else RECEPTACLES
    return union(1 << RECEPTACLE_INDEX[name] for name in inside)


class Presence(NamedTuple):
    """Which categories a household has besides those of its facts.

    Attributes:
        own: index of the category that serves the sentence's value; None to draw any.
        others: indices of the categories that serve other values, and how many of each.
        avoided: bit mask of the categories that must be absent.
    """

    own: int | None
    others: dict[int, int]
    avoided: int


class Distractors:
    """Sets of values of a slot whose sentences are all possible in one household.

    Groups of values are dealt at random into sets of compatible ones, without regard to which is
    named. A household serves all values of one set and none outside it, so each is as likely as
    any other to be the one that the sentence names.
    """

    def __init__(self, values: Sequence[Value], count: int = 1) -> None:
        """Take the values of a slot, and how many objects each of them demands."""
        self.values = values
        self._count = count
        self._groups: dict[Group, list[Value]] = {}
        for value in values:
            self._groups.setdefault(value.categories, []).append(value)
        self._meanings = [(v.categories, bits(v.categories), bits(v.avoid)) for v in values]
        serving = {group: bits(group) for group in self._groups}
        self._avoids = {
            group: union(avoid for own, _, avoid in self._meanings if own == group)
            for group in self._groups
        }
        self._clashes = {
            one: {
                other
                for other in self._groups
                if self._avoids[one] & serving[other] or self._avoids[other] & serving[one]
            }
            for one in self._groups
        }

    def deal(self, rng: KeyedRng) -> list[list[Group]]:
        """Deal the groups into sets that one household can serve."""
        order = rng.shuffled(list(self._groups))
        order.sort(key=lambda group: -len(self._clashes[group]))  # this way there are few sets
        sets: list[list[Group]] = []
        for group in order:
            fitting = (found for found in sets if self._clashes[group].isdisjoint(found))
            found = next(fitting, None)
            if found is None:
                sets.append(found := [])
            found.append(group)
        return sets

    def draw(self, group: Group, rng: KeyedRng) -> Presence:
        """Draw a set that has the group, and the categories that serve each of its values."""
        mine = next(found for found in self.deal(rng) if group in found)
        draws = [{name: self._serving(name, rng) for name in mine} for _ in range(_DRAWS)]
        chosen = min(draws, key=lambda drawn: self._ambiguous(mine, drawn).bit_count())
        present = _present(chosen)
        avoided = union(self._avoids[name] for name in mine) | self._meant(mine, present)
        own = chosen.pop(group)
        counts = Counter(category for several in chosen.values() for category in several)
        others = {c: number if self._count > 1 else 1 for c, number in counts.items()}
        return Presence(own[0] if len(own) == 1 else None, others, avoided & ~present)

    def _serving(self, group: Group, rng: KeyedRng) -> list[int]:
        value = rng.choice(self._groups[group])
        return [CATEGORY_INDEX[rng.choice(value.categories)] for _ in range(self._count)]

    def _ambiguous(self, mine: Sequence[Group], chosen: dict[Group, list[int]]) -> int:
        """Return the chosen categories that a value outside the set could mean."""
        return _present(chosen) & self._meant(mine, _present(chosen))

    def _meant(self, mine: Sequence[Group], present: int) -> int:
        """Return what values outside the set could mean beside the categories that are present."""
        return union(
            serving
            for group, serving, avoid in self._meanings
            if not avoid & present and group not in mine
        )


@cache
def distractors_of(template: Template) -> tuple[str, Distractors] | None:
    """Return the template's slot that needs distractors, and these; None if no slot does.

    It is one whose values exclude some categories, or demand several objects.
    """
    for slot in template.slots:
        if slot.kind == "group" or any(value.avoid for value in slot.domain):
            placed = [fact.count for fact in template.start if isinstance(fact, Place)]
            count = max(placed, default=1) if slot.kind == "group" else 1
            return slot.name, Distractors(slot.domain, count)
    return None


def _present(chosen: dict[Group, list[int]]) -> int:
    return union(1 << category for several in chosen.values() for category in several)


def bits(names: Iterable[str]) -> int:
    """Return categories as a bit mask."""
    return union(1 << CATEGORY_INDEX[name] for name in names)


def union(masks: Iterable[int]) -> int:
    """Return the union of bit masks."""
    return reduce(or_, masks, 0)
