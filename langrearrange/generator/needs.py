"""Households for sentences that name a need: which needs each of them meets.

What is in a flat decides which needs it meets, so the needs are dealt into sets beforehand, every
need into as many sets as any other, and a household is drawn from a set that has the need that is
said, as if all others of the set had been said too: it does not tell which was. Not for drawing the
household (`generator.household`).
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from typing import Final, NamedTuple

from langrearrange.generator.decoys import Company
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
from langrearrange.world.vocabulary import CATEGORIES, CATEGORY_INDEX

NUM_SETS: Final = 2048
"""Sets of needs; each need is in a few hundred of them, and all in nearly the same number."""
_CHOICES: Final = 4
"""Sets drawn for each that is taken: one that leaves room for clutter, with needs in few sets."""
_FREE: Final = 14
"""Categories that may be there, clutter included: as many are room enough."""
_AHEAD: Final = 2
"""Sets that a need may be ahead of the mean and still be added: then sets are not small."""


class NeedSet(NamedTuple):
    """What a household meets.

    Attributes:
        things: categories that are there, as a bit mask.
        met: numbers of all needs that these meet.
        avoided: categories that must not be there, as a bit mask: with them a need could be met
            that is not, or no longer be met.
    """

    things: int
    met: tuple[int, ...]
    avoided: int

    @property
    def free(self) -> int:
        """How many categories may be there."""
        return len(CATEGORIES) - self.avoided.bit_count()


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

    def draw(self, said: Grounding, rng: KeyedRng) -> tuple[tuple[StartFact, ...], Company]:
        """Return the facts of a household where a sentence is said, and what must not be there."""
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
        return (*facts, *rest), Company(None, {}, 0, found.avoided)

    def _dealt(self, rng: KeyedRng) -> list[NeedSet]:
        counts, sets = [0] * len(self.values), []
        for _ in range(NUM_SETS):
            lacking = [sum(counts) + len(counts) * (_AHEAD - count) for count in counts]
            drawn = [self._grown(lacking, rng) for _ in range(_CHOICES)]
            gains = [(min(_FREE, found.free), _gain(found.met, lacking)) for found in drawn]
            sets.append(drawn[gains.index(max(gains))])
            for number in sets[-1].met:
                counts[number] += 1
        return sets

    def _grown(self, lacking: list[int], rng: KeyedRng) -> NeedSet:
        """Return a set with the need that lacks most, and with others while sets lack them."""
        first = lacking.index(max(lacking))
        own = CATEGORY_INDEX[rng.choice(self.values[first].categories)]
        things, served, ruled_out = 1 << own, self._served[own], self._ruled_out[own]
        met = served & ~ruled_out
        gain = _gain(_bits(met), lacking)
        for category in rng.shuffled(range(len(CATEGORIES))):
            more_served = served | self._served[category]
            more_ruled_out = ruled_out | self._ruled_out[category]
            more = more_served & ~more_ruled_out
            if more != met and more >> first & 1 and (gained := _gain(_bits(more), lacking)) > gain:
                things |= 1 << category
                served, ruled_out, met, gain = more_served, more_ruled_out, more, gained
        avoided = sum(
            1 << category
            for category in range(len(CATEGORIES))
            if self._ruled_out[category] & met or self._served[category] & ~served & ~ruled_out
        )
        return NeedSet(things, _bits(met), avoided)


def _gain(met: Sequence[int], lacking: Sequence[int]) -> int:
    return sum(lacking[number] for number in met)


@cache
def needs_of(file: TemplateFile) -> Needs | None:
    """Return the needs of a file's templates, None if they have none."""
    return Needs(file) if any(s.kind == "need" for t in file.templates for s in t.slots) else None


def _numbers(holds: Iterable[bool]) -> int:
    """Return the numbers of those that hold, as a bit mask."""
    return sum(1 << number for number, held in enumerate(holds) if held)


def _bits(mask: int) -> tuple[int, ...]:
    return tuple(number for number in range(mask.bit_length()) if mask >> number & 1)
