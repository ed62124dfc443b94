"""Households for sentences that name a need: which needs each household meets.

The objects of a flat decide which needs it meets. Needs are therefore dealt into sets, each need
into nearly as many sets as any other. A household is drawn from a set with the need of the sentence
and serves all needs of the set alike, so it does not show which of them the sentence names. Not for
drawing the household (`generator.household`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from typing import Final, NamedTuple

from langrearrange.generator.distractors import Presence, bits, union
from langrearrange.language import (
    Absent,
    Grounding,
    Place,
    StartFact,
    Template,
    TemplateFile,
    TextSpace,
)
from langrearrange.seeding import EPISODE_VERSION, KeyedRng
from langrearrange.world.vocabulary import CATEGORIES

NUM_SETS: Final = 2048
"""Sets of needs; each need is in a few hundred of them."""
_DRAWS: Final = 4
"""Sets drawn for each that is kept: that with room for clutter and needs that are in few sets."""
_ROOM: Final = 14
"""Number of categories that may be present, clutter included, beyond which more do not count."""
_AHEAD: Final = 2
"""By how many sets a need may exceed the mean and still be added, so that sets are not small."""


class NeedSet(NamedTuple):
    """The needs that a household meets.

    Attributes:
        things: categories that are present, as a bit mask.
        met: numbers of all needs that these meet.
        avoided: categories that must be absent, as a bit mask: with one of them, other needs would
            be met.
    """

    things: int
    met: tuple[int, ...]
    avoided: int


class Needs:
    """The needs of a template file, dealt into sets; integers only, the same everywhere."""

    def __init__(self, file: TemplateFile) -> None:
        """Deal the needs of a file's templates, each of which has one."""
        slots = {t.id: (t, s) for t in file.templates for s in t.slots if s.kind == "need"}
        self.values = [value for _, slot in slots.values() for value in slot.domain]
        self._numbers = {template_id: number for number, template_id in enumerate(slots)}
        self._spaces = [TextSpace(template) for template, _ in slots.values()]
        named = [({*value.categories}, {*value.avoid}) for value in self.values]
        self._served = [_numbers(name in serve for serve, _ in named) for name in CATEGORIES]
        self._ruled_out = [_numbers(name in avoid for _, avoid in named) for name in CATEGORIES]
        self.sets = self._dealt(KeyedRng(EPISODE_VERSION, "needs"))
        self._having = [
            [found for found in self.sets if number in found.met]
            for number in range(len(self.values))
        ]

    def __contains__(self, template: Template) -> bool:
        """Whether a template's sentences name a need."""
        return template.id in self._numbers

    def draw(self, said: Grounding, rng: KeyedRng) -> tuple[tuple[StartFact, ...], Presence]:
        """Return the facts of a household for a sentence, and which categories must be absent."""
        own = self._numbers[said.template.id]
        found = rng.choice(self._having[own])
        present = [name for c, name in enumerate(CATEGORIES) if found.things >> c & 1]
        facts: list[StartFact] = []
        for number in found.met:
            space, serving = self._spaces[number], self.values[number].categories
            text = said if number == own else space[rng.below(len(space))]
            for fact in text.start_facts():
                about = isinstance(fact, Place | Absent) and fact.categories == serving
                if about and isinstance(fact, Place):
                    if fact.receptacle:
                        able = [name for name in present if name in serving]
                        facts.append(Place((rng.choice(able),), fact.receptacle, fact.count))
                elif about or number == own:
                    facts.append(fact)
        placed = {fact.categories for fact in facts if isinstance(fact, Place)}
        rest = (Place((name,), "", 1) for name in present if (name,) not in placed)
        return (*facts, *rest), Presence(None, {}, found.avoided)

    def _dealt(self, rng: KeyedRng) -> list[NeedSet]:
        counts, sets = [0] * len(self.values), []
        for _ in range(NUM_SETS):
            lacking = [sum(counts) + len(counts) * (_AHEAD - count) for count in counts]
            drawn = [self._grown(lacking, rng) for _ in range(_DRAWS)]
            room = [min(_ROOM, len(CATEGORIES) - found.avoided.bit_count()) for found in drawn]
            gains = [sum(lacking[number] for number in found.met) for found in drawn]
            sets.append(drawn[max(range(_DRAWS), key=lambda i: (room[i], gains[i]))])
            for number in sets[-1].met:
                counts[number] += 1
        return sets

    def _grown(self, lacking: Sequence[int], rng: KeyedRng) -> NeedSet:
        """Return a set with the need that is in the fewest sets, and others that are in few."""
        first = lacking.index(max(lacking))
        things = bits([rng.choice(self.values[first].categories)])
        own = things.bit_length() - 1
        served, ruled_out = self._served[own], self._ruled_out[own]
        met = served & ~ruled_out
        gain = sum(lacking[number] for number in _ones(met))
        for category in rng.shuffled(range(len(CATEGORIES))):
            more_served = served | self._served[category]
            more_ruled_out = ruled_out | self._ruled_out[category]
            more = more_served & ~more_ruled_out
            gained = sum(lacking[number] for number in _ones(more))
            if more != met and more >> first & 1 and gained > gain:
                things |= 1 << category
                served, ruled_out, met, gain = more_served, more_ruled_out, more, gained
        avoided = union(
            1 << category
            for category in range(len(CATEGORIES))
            if self._ruled_out[category] & met or self._served[category] & ~served & ~ruled_out
        )
        return NeedSet(things, tuple(_ones(met)), avoided)


@cache
def needs_of(file: TemplateFile) -> Needs | None:
    """Return the needs of a file's templates, None if they have none."""
    return Needs(file) if any(s.kind == "need" for t in file.templates for s in t.slots) else None


def _numbers(holds: Iterable[bool]) -> int:
    """Return the numbers of those that hold, as a bit mask."""
    return union(1 << number for number, held in enumerate(holds) if held)


def _ones(mask: int) -> Iterator[int]:
    return (number for number in range(mask.bit_length()) if mask >> number & 1)
