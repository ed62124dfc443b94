"""From a sentence back to what it means: every reading that a template file allows.

The proof that a sentence has one meaning. Not a parser of English: it knows the file's templates
and the lexicon's words, and nothing else.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Final, TypeAlias

from langrearrange.errors import TemplateError
from langrearrange.language.grounding import Grounding
from langrearrange.language.schema import (
    STATEMENT,
    Relation,
    Segment,
    Statement,
    Template,
    TemplateFile,
    Value,
)
from langrearrange.language.space import TextSpace, differ, relation_domain

Bound: TypeAlias = dict[str, int]
"""Slot name -> bit mask over its domain: the values still possible."""


def read_back(
    sentence: str, file: TemplateFile, relations: Sequence[Relation] = ()
) -> list[Grounding]:
    """Return every (template, phrasing, grounding) that says this sentence, capitals aside.

    Args:
        sentence: an instruction.
        file: the templates to read by.
        relations: what a relation means in this flat or split; without them relations are read
            but their receptacle is "".

    Returns:
        Readings in file order. One for a sentence of a good split; none for foreign text.
    """
    return list(_reader(file, tuple(relations)).read(sentence.lower()))


@lru_cache(maxsize=32)
def _reader(file: TemplateFile, relations: tuple[Relation, ...]) -> _Reader:
    return _Reader(file, relations)


@dataclass(frozen=True, slots=True)
class _Piece:
    """A literal (slot "") or a hole; `texts`: what may stand in the hole -> mask of values."""

    literal: str
    slot: str
    texts: Mapping[str, int]
    lengths: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class _Pattern:
    """A phrasing with its remark put in place."""

    template: Template
    phrasing: int
    statement: int
    pieces: tuple[_Piece, ...]
    domains: Mapping[str, tuple[Value, ...]]
    distinct: tuple[tuple[str, ...], ...]
    ending: str


class _Reader:
    def __init__(self, file: TemplateFile, relations: tuple[Relation, ...]) -> None:
        self._by_word: dict[str, list[_Pattern]] = {}
        self._anywhere: list[_Pattern] = []
        for template in file.templates:
            for pattern in _patterns(template, relations):
                head, blank, _ = pattern.pieces[0].literal.partition(" ")
                if blank:
                    self._by_word.setdefault(head, []).append(pattern)
                else:
                    self._anywhere.append(pattern)

    def read(self, text: str) -> Iterator[Grounding]:
        head = text.partition(" ")[0]
        for pattern in (*self._by_word.get(head, ()), *self._anywhere):
            if text.endswith(pattern.ending):
                everything = {name: (1 << len(d)) - 1 for name, d in pattern.domains.items()}
                for bound in _match(pattern.pieces, 0, text, 0, everything):
                    yield from _groundings(pattern, bound)


def _patterns(template: Template, relations: tuple[Relation, ...]) -> Iterator[_Pattern]:
    domains = {
        slot.name: relation_domain(slot, template, relations)
        if slot.kind == "relation" and relations
        else slot.domain
        for slot in template.all_slots
    }
    hole = cache(lambda slot, form: _hole(domains[slot], slot, form))  # phrasings share them
    for phrasing in template.phrasings:
        said = any(segment.slot == STATEMENT for segment in phrasing.segments)
        for index, statement in enumerate(template.statements):
            names = [slot.name for slot in (*template.slots, *statement.slots)]
            joined = _joined(phrasing.segments, statement)
            made = tuple(
                hole(part.slot, part.form) if part.slot else _Piece(part.text.lower(), "", {}, ())
                for part in joined
            )
            yield _Pattern(
                template,
                phrasing.index,
                index,
                made,
                {name: domains[name] for name in names},
                statement.distinct,
                made[-1].literal,
            )
            if not said:
                break


def _joined(segments: tuple[Segment, ...], statement: Statement) -> list[Segment]:
    """Put the remark in the place of `{statement}` and merge neighbouring literals."""
    flat: list[Segment] = []
    for segment in segments:
        flat += statement.segments if segment.slot == STATEMENT else (segment,)
    merged: list[Segment] = []
    for segment in flat:
        if merged and not segment.slot and not merged[-1].slot:
            merged[-1] = Segment(merged[-1].text + segment.text)
        else:
            merged.append(segment)
    return merged


def _hole(domain: Sequence[Value], slot: str, form: str) -> _Piece:
    """Return the hole of a slot in a form: every text that may stand in it."""
    texts: dict[str, int] = {}
    for i, value in enumerate(domain):
        text = value.forms[form].lower()
        texts[text] = texts.get(text, 0) | 1 << i
    return _Piece("", slot, texts, tuple(sorted({len(text) for text in texts})))


def _match(
    pieces: tuple[_Piece, ...], index: int, text: str, position: int, bound: Bound
) -> Iterator[Bound]:
    """Yield every way in which the pieces from `index` on fill the text from `position` on."""
    while index < len(pieces) and not pieces[index].slot:
        literal = pieces[index].literal
        if not text.startswith(literal, position):
            return
        position += len(literal)
        index += 1
    if index == len(pieces):
        if position == len(text):
            yield bound
        return
    piece = pieces[index]
    for length in piece.lengths:
        mask = piece.texts.get(text[position : position + length], 0) & bound[piece.slot]
        if mask and position + length <= len(text):
            yield from _match(
                pieces, index + 1, text, position + length, bound | {piece.slot: mask}
            )


def _groundings(pattern: _Pattern, bound: Bound) -> Iterator[Grounding]:
    options = [
        [value for i, value in enumerate(domain) if bound[name] >> i & 1]
        for name, domain in pattern.domains.items()
    ]
    for choice in itertools.product(*options):
        values = dict(zip(pattern.domains, choice, strict=True))
        if all(differ([values[name] for name in group]) for group in pattern.distinct):
            yield Grounding(pattern.template, pattern.phrasing, pattern.statement, values)


def check_one_reading(file: TemplateFile) -> None:
    """Refuse a file in which a sentence of one phrasing is also a sentence of another.

    A few sentences of every phrasing and every remark are read back, which finds phrasings that
    clash whatever fills them; `check` reads back every sentence of a data set.

    Raises:
        TemplateError: with the lines of both phrasings.
    """
    for template in file.templates:
        space = TextSpace(template, _STAND_INS)
        for grounding in _sample(template, space):
            text = grounding.sentence
            for other in read_back(text, file, _STAND_INS if template.needs_relations else ()):
                if (other.template, other.phrasing) != (template, grounding.phrasing):
                    line = other.template.phrasings[other.phrasing].line
                    raise TemplateError(
                        f"{file.path}:{template.phrasings[grounding.phrasing].line}:1: "
                        f"'{text}' can also be read as a sentence of template "
                        f"'{other.template.id}' (line {line}); reword one of the two"
                    )


_STAND_INS: Final = (
    Relation("left_of", ("sofa",), "chair"),
    Relation("right_of", ("sofa",), "sink"),
    Relation("between", ("sofa", "chair"), "fridge"),
)


def _sample(template: Template, space: TextSpace) -> Iterator[Grounding]:
    """Yield two sentences of every phrasing, going round the remarks meanwhile."""
    num_phrasings, sizes = len(template.phrasings), space.statement_sizes
    starts = (0, *itertools.accumulate(sizes))
    for turn in range(max(2 * num_phrasings, len(sizes))):
        statement, phrasing = turn % len(sizes), turn % num_phrasings
        choice = (turn * 7919 + 17) % (sizes[statement] // num_phrasings)
        yield space[starts[statement] + choice * num_phrasings + phrasing]
