"""What a template file says, as frozen values; not for reading YAML and not for drawing episodes.

The way of a sentence: a `TemplateFile` holds `Template`s; a template's `TextSpace`
(`language.space`) numbers every (phrasing, grounding) it can say; `space[i]` is a `Grounding`
(`language.grounding`), which knows its sentence, goal, facts at t=0 and cluster.

Source: paper B.2 (template goal condition, placeholder constraints, language templates).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Literal

from langrearrange.world.vocabulary import receptacles_of

SlotKind = Literal["object", "group", "look", "need", "receptacle", "area", "relation"]
RelationKind = Literal["left_of", "right_of", "between"]
STATEMENT: Final = "statement"
"""In a phrasing's braces: where the remark goes."""


@dataclass(frozen=True, slots=True)
class Relation:
    """A spatial relation that picks out one receptacle; true and unique in some flats.

    Attributes:
        kind: left_of, right_of or between.
        anchors: receptacle ids, one (left_of, right_of) or two (between).
        referent: the receptacle meant.
    """

    kind: RelationKind
    anchors: tuple[str, ...]
    referent: str


@dataclass(frozen=True, slots=True)
class Value:
    """What a slot can be bound to. Equal keys are equal values within a slot.

    Attributes:
        key: unique within the slot's domain: `apple`, `fruit`, `sofa`, `kitchen`, `apple/1` (the
            second look of apple), `hot_tea` (a need, by its template), `right_of(tv_stand)`.
        pddl: what replaces `{slot}` in the goal: a category, a group, `(either ball book)`, a
            receptacle or the type of an area.
        categories: the categories of the object meant (one, except for groups and needs that
            several categories serve); empty for a place.
        receptacle: the receptacle or area meant; "" for objects.
        avoid: categories of which no instance may be in the flat, for otherwise the sentence could
            mean it (`also_fits` of a look, `arguable` of a need). Never one of `categories`.
        group: what statistics count as one (a look's category, a relation's kind); else the key.
        forms: form -> text, without capital: what `{form slot}` becomes. The plain `{slot}` is the
            form "". Forms by kind: see `language.lexicon.FORMS`.
    """

    key: str
    pddl: str
    categories: tuple[str, ...]
    receptacle: str
    avoid: tuple[str, ...]
    group: str
    forms: Mapping[str, str] = field(repr=False, compare=False, hash=False)

    @property
    def meant(self) -> tuple[str, ...]:
        """The categories or receptacles that the value means."""
        return self.categories or receptacles_of(self.receptacle)


@dataclass(frozen=True, slots=True)
class TemplateSlot:
    """A placeholder and what it may be bound to.

    Attributes:
        name: as in `{the name}` and in the goal.
        kind: object (a category, by name), group (several categories, by one word), look (a
            category, by a description), need (what serves, which no sentence names), receptacle
            (by name), area (several receptacles, by one word) or relation (a receptacle, by its
            place).
        domain: the values in a fixed order. A relation's are all that can be said, with receptacle
            and pddl "" since the flat decides what is meant: `TextSpace` is given those that hold.
    """

    name: str
    kind: SlotKind
    domain: tuple[Value, ...] = field(repr=False)

    @property
    def is_object(self) -> bool:
        """Whether the slot means objects (else a place)."""
        return self.kind in ("object", "group", "look", "need")


# -- facts of the start, with slot names (as written) and with values (grounded) -----------------


@dataclass(frozen=True, slots=True)
class Place:
    """Exactly `count` objects of the categories stand in the place at t=0.

    Attributes:
        categories: a slot name as written; when grounded, the admissible categories, drawn anew
            for each of the `count`.
        receptacle: a slot name or receptacle id; grounded: the id of a receptacle or area. "" =
            the sentence leaves the place open: the generator chooses it (and may add further
            instances as clutter, unless `Only` forbids).
        count: how many.
    """

    categories: tuple[str, ...]
    receptacle: str
    count: int


@dataclass(frozen=True, slots=True)
class Absent:
    """No object of these categories stands in the place at t=0 ("" = anywhere in the flat)."""

    categories: tuple[str, ...]
    receptacle: str


@dataclass(frozen=True, slots=True)
class Only:
    """The flat holds no further object of these categories than the `Place` facts demand."""

    categories: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Openness:
    """An openable (fridge or a drawer) is open or closed at t=0."""

    openable: str
    open: bool


StartFact = Place | Absent | Only | Openness


@dataclass(frozen=True, slots=True)
class StartCase:
    """A way the start may be, that the sentence does not tell (fridge open or closed; one or two).

    Each block of ranks within the template holds every case once, in keyed order. A template
    without cases has one, with name "" and no facts.
    """

    name: str
    start: tuple[StartFact, ...]


@dataclass(frozen=True, slots=True)
class Segment:
    """A piece of a phrasing, a remark or a goal: literal text (slot "") or a placeholder.

    Attributes:
        text: the literal, "" for a placeholder.
        slot: name of the slot, or `statement`.
        form: the form of the slot's value: "", "a", "the", "in"...
        capital: whether the first letter is raised (the placeholder begins a sentence).
    """

    text: str
    slot: str = ""
    form: str = ""
    capital: bool = False


@dataclass(frozen=True, slots=True)
class Phrasing:
    """One way to say a template: 11 of them share a goal (paper B.2).

    Attributes:
        index: position in the template, from 0.
        text: as written, with placeholders.
        segments: the same, in pieces.
        line: where it stands in the file, from 1.
    """

    index: int
    text: str
    segments: tuple[Segment, ...] = field(repr=False)
    line: int = 0


@dataclass(frozen=True, slots=True)
class Statement:
    """A true remark that does not touch the goal (irrelevant_text), with slots of its own.

    A template without statements has one, with id "" and nothing in it.

    Attributes:
        id: unique within the template; the cluster of its episodes.
        segments: the remark, a full sentence.
        slots: its own slots, bound after the template's.
        distinct: the template's and its own groups of slots whose values differ, as far as all
            slots of this statement are concerned.
        start: what makes it true.
        text: as written.
    """

    id: str = ""
    segments: tuple[Segment, ...] = ()
    slots: tuple[TemplateSlot, ...] = ()
    distinct: tuple[tuple[str, ...], ...] = ()
    start: tuple[StartFact, ...] = ()
    text: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Template:
    """A goal, what its placeholders may be, and the ways to say it (paper B.2); equal by identity.

    Attributes:
        id: unique within the file.
        concept: what is asked for, one word for it in every split. Training's are the paper's nine
            (Table 7): move, put, remove, place_two, swap, close, open, go_to, find.
        slots: in the order written; it is the order of the text space.
        distinct: groups of slot names whose values (categories or receptacles) differ pairwise.
        start: facts at t=0, with slot names, valid in all cases. Beyond them: the goal is not yet
            true.
        cases: at least one.
        goal: goal text as written, with `{slot}` placeholders.
        goal_segments: the same, in pieces.
        same_object_ok: whether one object may serve for two variables of the goal.
        phrasings: at least one.
        statements: at least one (the empty one, except in irrelevant_text).
        cluster: what the cluster of an episode is made of (design 3.7): `template`, `phrasing`,
            `statement` or slot names (their value's `group`).
        line: where the template stands in the file.
    """

    id: str
    concept: str
    slots: tuple[TemplateSlot, ...]
    distinct: tuple[tuple[str, ...], ...]
    start: tuple[StartFact, ...]
    cases: tuple[StartCase, ...]
    goal: str
    goal_segments: tuple[Segment, ...] = field(repr=False)
    same_object_ok: bool
    phrasings: tuple[Phrasing, ...]
    statements: tuple[Statement, ...]
    cluster: tuple[str, ...]
    line: int = 0

    def slot(self, name: str) -> TemplateSlot:
        """Return the template's own slot of this name; KeyError when there is none."""
        for slot in self.slots:
            if slot.name == name:
                return slot
        raise KeyError(name)

    def kind(self, slot: str) -> str:
        """Return the kind of a slot; of `statement`, the word itself."""
        return self.slot(slot).kind if slot != STATEMENT else slot

    @property
    def all_slots(self) -> tuple[TemplateSlot, ...]:
        """The template's own slots, then those of its statements."""
        return (*self.slots, *(slot for s in self.statements for slot in s.slots))

    @property
    def needs_relations(self) -> bool:
        """Whether the text space depends on what relations the flats offer."""
        return any(slot.kind == "relation" for slot in self.slots)


@dataclass(frozen=True, slots=True, eq=False)
class TemplateFile:
    """One YAML file of templates: what a split can say; equal by identity.

    Attributes:
        path: where it was read.
        split: name of the split it was written for.
        templates: in the order written.
        sha256: of the file's and the lexicon's bytes, hexadecimal: part of a split's spec.
    """

    path: Path
    split: str
    templates: tuple[Template, ...]
    sha256: str

    def template(self, template_id: str) -> Template:
        """Return a template by id; KeyError when there is none."""
        for template in self.templates:
            if template.id == template_id:
                return template
        raise KeyError(template_id)
