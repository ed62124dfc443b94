"""Markup cut into pieces: segments counted by hand, capitals, and what is put back together."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from language_samples import TEMPLATES, node_of

from langrearrange.errors import TemplateError
from langrearrange.language import load_split
from langrearrange.language.lexicon import FORMS
from langrearrange.language.markup import (
    informative,
    one_line,
    parse_goal_markup,
    parse_markup,
)
from langrearrange.language.schema import STATEMENT, Segment, Template, TemplateFile, TemplateSlot

TRAIN = load_split("train")
OBJECT, PLACE = TRAIN.template("put").slots
SLOTS: dict[str, TemplateSlot] = {"object": OBJECT, "target": PLACE}


def parse(text: str, *, statements: bool = False, quote: str = '"') -> tuple[Segment, ...]:
    node = node_of(f"{quote}{text}{quote}")
    return parse_markup(node, SLOTS, statements=statements)


def mistake(text: str) -> str:
    with pytest.raises(TemplateError) as caught:
        parse(text)
    return str(caught.value)


def written(segments: tuple[Segment, ...]) -> str:
    """Put pieces together again as they are written."""
    return "".join(
        s.text or "{" + (f"{s.form} " if s.form else "") + s.slot + "}" for s in segments
    )


def test_a_sentence_is_cut_into_literals_and_placeholders() -> None:
    assert parse("Put {a object} {in target} now.") == (
        Segment("Put "),
        Segment("", "object", "a", False),
        Segment(" "),
        Segment("", "target", "in", False),
        Segment(" now."),
    )


def test_a_placeholder_that_begins_a_sentence_is_raised() -> None:
    def capitals(text: str, statements: bool = False) -> list[bool]:
        return [s.capital for s in parse(text, statements=statements) if s.slot]

    assert capitals("{the object} {is object} wanted.") == [True, False]
    for mark in ".!?":
        assert capitals(f"Come{mark} {{the object}} goes {{in target}}.") == [True, False]
    assert capitals("Come, {the object} goes {in target}.") == [False, False]
    # A remark is a sentence: what follows it begins the next.
    assert capitals("{statement} {the object} goes {in target}.", True) == [False, True, False]


def test_pronouns_name_nothing() -> None:
    segments = parse("Take {a object} and put {it object} {in target}.")
    assert informative(segments) == {"object", "target"}
    assert informative(segments[2:]) == {"target"}
    assert informative((Segment("only words"),)) == set()


@pytest.mark.parametrize("pair", TEMPLATES, ids=lambda pair: f"{pair[0].split}-{pair[1].id}")
def test_shipped_phrasings_and_goals_are_kept_whole(
    pair: tuple[TemplateFile, Template],
) -> None:
    template = pair[1]
    for phrasing in template.phrasings:
        assert written(phrasing.segments) == phrasing.text
        assert all(segment.text or segment.slot for segment in phrasing.segments)
    assert written(template.goal_segments) == one_line(template.goal)
    for statement in template.statements:
        assert written(statement.segments) == statement.text


@given(st.lists(st.sampled_from(["(a b)", " ", "{x}", "{target}", "?x - ", "{", "}"]), max_size=9))
def test_a_goal_is_cut_without_loss(parts: list[str]) -> None:
    text = "".join(parts)
    segments = tuple(parse_goal_markup(text))
    assert written(segments) == text
    assert all(bool(s.text) != bool(s.slot) or s == Segment("") for s in segments)


def test_a_goal_of_nothing_but_a_placeholder_has_one_piece() -> None:
    assert tuple(parse_goal_markup("{x}")) == (Segment("", "x"),)
    assert tuple(parse_goal_markup("{x}{y} z")) == (
        Segment("", "x"), Segment("", "y"), Segment(" z"),
    )  # fmt: skip
    assert tuple(parse_goal_markup("")) == ()


def test_comments_and_line_breaks_leave_a_goal() -> None:
    assert one_line("(and ; both\n  (hand_free)\n\n  (closed fridge)) ; end") == (
        "(and (hand_free) (closed fridge))"
    )


@pytest.mark.parametrize(
    ("text", "column", "words"),
    [
        ("Put {a objekt} away.", 6, "names the slot 'objekt', which is not declared"),
        ("Put a {object} away.", 6, "write {a object}"),
        ("Put the  {a object} away.", 2, "doubled blanks"),
        ("Put The {a object} away.", 6, "write {the object}"),
        ("Put {a object} on {the target}.", 17, "write {in target}"),
        ("Put {a object} into {the target}.", 17, "write {into target}"),
        ("Put {a object} onto {target}.", 17, "write {into target}"),
        ("Put {a object} {in target}", 28, "has no end"),
        ("put {a object} {in target}.", 2, "begins small"),
        ("Put {a object} here} now.", 21, "a lone '}'"),
        ("Put {a object} now {", 21, "a lone '{'"),
        ("Put {statement} {a object}.", 6, "'statement', which is not declared"),
        ("Put {many object} away.", 6, "has no form 'many'"),
    ],
)
def test_a_mistake_is_told_at_its_column(text: str, column: int, words: str) -> None:
    told = mistake(text)
    assert words in told
    if "doubled" not in words:
        assert told.startswith(f"f.yaml:1:{column}: "), told


def test_columns_follow_the_quote() -> None:
    for quote, column in (('"', 6), ("'", 6), ("", 5)):
        with pytest.raises(TemplateError, match=rf"^f\.yaml:1:{column}: the placeholder"):
            parse("Put {a objekt} away.", quote=quote)


def test_the_forms_of_a_kind_are_listed_as_they_are_written() -> None:
    told = mistake("Put {many object} {in target}.")
    shown = [f"{{{form} object}}" if form else "{object}" for form in FORMS["object"]]
    assert told.endswith(f"accepted: {', '.join(shown)}")


def test_articles_and_prepositions_that_belong_to_the_words_are_left_alone() -> None:
    for text in (
        "Put an {another object} away.",
        "Put a {plural object} heap {in target}.",
        "Is {the object} in or at {the target}?",
        "Data {object} {in target}.",
    ):
        assert written(parse(text)) == text


def test_a_preposition_may_stand_before_the_only_place() -> None:
    fridge = next(value for value in PLACE.domain if value.key == "fridge")
    only = TemplateSlot("target", "receptacle", (fridge,))
    node = node_of('"Put {a object} in {the target}."')
    segments = parse_markup(node, {"object": OBJECT, "target": only})
    assert written(segments) == "Put {a object} in {the target}."


def test_a_remark_ends_the_sentence_itself() -> None:
    assert parse("Put {a object} {in target}. {statement}", statements=True)[-1].slot == STATEMENT
