"""A template with its slots bound: its sentence, goal, facts at t=0 and cluster."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from langrearrange.language.schema import (
    STATEMENT,
    Absent,
    Only,
    Openness,
    Place,
    Segment,
    StartFact,
    Template,
    Value,
)
from langrearrange.world.vocabulary import CATEGORIES

ANYTHING = "anything"
"""In a start fact, instead of a slot: objects of every category."""


@dataclass(frozen=True, slots=True)
class Grounding:
    """One element of a text space: everything a template says once its slots are bound.

    Attributes:
        template: the template.
        phrasing: index of the phrasing.
        statement: index of the statement (0 where the template has none).
        values: slot name -> value, template's slots first, then the statement's.
    """

    template: Template
    phrasing: int
    statement: int
    values: Mapping[str, Value]

    @property
    def sentence(self) -> str:
        """The instruction: capital first letter, final punctuation, 1-256 printable ASCII."""
        pieces = []
        for segment in self.template.phrasings[self.phrasing].segments:
            if segment.slot == STATEMENT:
                remark = self.template.statements[self.statement].segments
                pieces += [_say(part, self.values) for part in remark]
            else:
                pieces.append(_say(segment, self.values))
        return "".join(pieces)

    @property
    def goal(self) -> str:
        """The grounded goal in PDDL."""
        return "".join(
            self.values[segment.slot].pddl if segment.slot else segment.text
            for segment in self.template.goal_segments
        )

    @property
    def cluster(self) -> str:
        """The held-out unit for statistics (design 3.7), unique within the split."""
        parts = {name: value.group for name, value in self.values.items()} | {
            "template": self.template.id,
            "phrasing": f"phrasing_{self.phrasing}",
            "statement": self.template.statements[self.statement].id,
        }
        return "/".join(parts[name] for name in self.template.cluster)

    def start_facts(self, case: int = 0) -> tuple[StartFact, ...]:
        """Return what must be true at t=0, grounded, beside "the goal is not yet true".

        Args:
            case: index into `template.cases`.

        Returns:
            The facts of the template, the statement and the case; then a `Place(categories, "",
            1)` for every object slot that is neither placed nor absent from the whole flat, and an
            `Absent(avoid, "")` for every value that could be mistaken.
        """
        written = (
            *self.template.start,
            *self.template.statements[self.statement].start,
            *self.template.cases[case].start,
        )
        facts = [self._ground(fact) for fact in written]
        settled = {
            fact.categories[0]
            for fact in written
            if isinstance(fact, Place) or (isinstance(fact, Absent) and not fact.receptacle)
        }
        for name, value in self.values.items():
            if value.categories and name not in settled:
                facts.append(Place(value.categories, "", 1))
            if value.avoid:
                facts.append(Absent(value.avoid, ""))
        return tuple(facts)

    def _ground(self, fact: StartFact) -> StartFact:
        match fact:
            case Place(categories, receptacle, count):
                return Place(self._categories(categories), self._receptacle(receptacle), count)
            case Absent(categories, receptacle):
                return Absent(self._categories(categories), self._receptacle(receptacle))
            case Only(categories):
                return Only(self._categories(categories))
            case Openness():
                return fact

    def _categories(self, names: tuple[str, ...]) -> tuple[str, ...]:
        if names == (ANYTHING,):
            return CATEGORIES
        return tuple(c for name in names for c in self.values[name].categories)

    def _receptacle(self, name: str) -> str:
        return self.values[name].receptacle if name in self.values else name


def _say(segment: Segment, values: Mapping[str, Value]) -> str:
    if not segment.slot:
        return segment.text
    text = values[segment.slot].forms[segment.form]
    return text[0].upper() + text[1:] if segment.capital else text
