"""Sentences with placeholders cut into pieces: `Put {the object} {in target}.`; not for values."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from langrearrange.language.lexicon import AGREEMENT_FORMS, FORMS, printable
from langrearrange.language.nodes import Node, suggest
from langrearrange.language.schema import STATEMENT, Segment, TemplateSlot

_HOLE: Final = re.compile(r"\{([^{}]*)\}")
_INSIDE: Final = re.compile(r"(?:([a-z]+) )?([a-z][a-z0-9_]*)\Z")
_GOAL_HOLE: Final = re.compile(r"\{([^{}\s]*)\}")
_COMMENT: Final = re.compile(r";[^\n]*")
_ARTICLE: Final = re.compile(r"\b(an?|the)\s+\Z", re.IGNORECASE)
_PREPOSITION: Final = re.compile(r"\b(in|on|into|onto)\s+\Z", re.IGNORECASE)


def parse_markup(
    node: Node, slots: Mapping[str, TemplateSlot], *, statements: bool = False
) -> tuple[Segment, ...]:
    """Cut a phrasing or remark into pieces.

    Args:
        node: the scalar.
        slots: the declared slots.
        statements: whether `{statement}` stands for a remark.

    Raises:
        TemplateError: an undeclared slot, an unknown form, a lone brace, a missing final mark, an
            article or preposition that the placeholder should bring itself.
    """
    text = printable(node)
    quote = node.text_column - node.column
    segments: list[Segment] = []
    position = 0
    for hole in _HOLE.finditer(text):
        literal = text[position : hole.start()]
        _check_literal(node, literal, position + quote)
        if literal:
            segments.append(Segment(literal))
        before = text[: hole.start()]
        capital = _begins_sentence(before, segments)
        segments.append(_hole(node, hole, slots, capital, statements, quote))
        _check_before(node, before, segments[-1], slots, hole.start() + quote)
        position = hole.end()
    _check_literal(node, text[position:], position + quote)
    if text[position:]:
        segments.append(Segment(text[position:]))
    _check_ends(node, text, segments, quote)
    return tuple(segments)


def _begins_sentence(before: str, segments: list[Segment]) -> bool:
    if not before or before.endswith((". ", "! ", "? ")):
        return True
    return len(segments) > 1 and segments[-1].text == " " and segments[-2].slot == STATEMENT


def _hole(
    node: Node,
    hole: re.Match[str],
    slots: Mapping[str, TemplateSlot],
    capital: bool,
    statements: bool,
    quote: int,
) -> Segment:
    shift = hole.start() + quote
    if statements and hole[1] == STATEMENT:
        return Segment("", STATEMENT, "", False)
    inside = _INSIDE.fullmatch(hole[1])
    if inside is None:
        node.fail(
            f"'{hole[0]}' is not a placeholder; write {{slot}} or {{form slot}} in small letters, "
            "as in {a object} (a capital comes by itself where a sentence begins)",
            shift=shift,
        )
    form, name = inside[1] or "", inside[2]
    if name not in slots:
        accepted = (*slots, STATEMENT) if statements else tuple(slots)
        node.fail(
            f"the placeholder '{hole[0]}' names the slot '{name}', which is not declared"
            + suggest(name, accepted, "Fix the spelling or add it under 'slots:'"),
            shift=shift,
        )
    forms = FORMS[slots[name].kind]
    if form not in forms:
        shown = ", ".join(f"{{{f} {name}}}" if f else f"{{{name}}}" for f in forms)
        node.fail(
            f"a slot of kind {slots[name].kind} has no form '{form or 'without a word'}'; "
            f"accepted: {shown or 'none, since no sentence names it'}",
            shift=shift,
        )
    return Segment("", name, form, capital)


def _check_literal(node: Node, literal: str, shift: int) -> None:
    for brace in "{}":
        if brace in literal:
            node.fail(
                f"a lone '{brace}'; placeholders look like {{a object}}, nothing else has braces",
                shift=shift + literal.index(brace),
            )


def _check_before(
    node: Node, before: str, segment: Segment, slots: Mapping[str, TemplateSlot], shift: int
) -> None:
    """Refuse "a {object}" ("a apple" would come out) and "in {the target}" ("in the sofa")."""
    slot = slots.get(segment.slot)
    if slot is None:
        return
    article = _ARTICLE.search(before)
    if article and slot.kind in ("object", "look") and segment.form in ("", "a", "the"):
        form = "the" if article[1].lower() == "the" else "a"
        node.fail(
            f"'{article[1]}' stands before {{{slot.name}}}; write {{{form} {slot.name}}}, which "
            "chooses the right article",
            shift=shift - len(article[0]),
        )
    preposition = _PREPOSITION.search(before)
    if preposition and slot.kind in ("receptacle", "area") and len(slot.domain) > 1:
        form = "into" if preposition[1].lower().endswith("to") else "in"
        node.fail(
            f"'{preposition[1]}' stands before {{{segment.form} {slot.name}}}; write "
            f"{{{form} {slot.name}}}, which says 'in the fridge' but 'on the sofa'",
            shift=shift - len(preposition[0]),
        )


def _check_ends(node: Node, text: str, segments: list[Segment], quote: int) -> None:
    if not text.endswith((".", "!", "?")) and segments[-1].slot != STATEMENT:
        node.fail("the sentence has no end; put '.', '?' or '!' behind it", shift=len(text) + quote)
    if not (text[0].isupper() or text[0] == "{"):
        node.fail("the sentence begins small; begin it with a capital letter", shift=quote)


def informative(segments: tuple[Segment, ...]) -> set[str]:
    """Return the slots that the pieces really name (a pronoun names nothing)."""
    return {s.slot for s in segments if s.slot and s.form not in AGREEMENT_FORMS}


def one_line(goal: str) -> str:
    """Return a goal without comments and line breaks."""
    return " ".join(_COMMENT.sub("", goal).split())


def parse_goal_markup(text: str) -> Iterator[Segment]:
    """Cut a goal into literal text and `{slot}` placeholders."""
    position = 0
    for hole in _GOAL_HOLE.finditer(text):
        if hole.start() > position:
            yield Segment(text[position : hole.start()])
        yield Segment("", hole[1])
        position = hole.end()
    if position < len(text):
        yield Segment(text[position:])
