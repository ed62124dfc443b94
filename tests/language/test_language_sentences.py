"""Sentences: English articles, numbers and prepositions; goals; facts; the golden page."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from language_samples import grounding_of, texts

from langrearrange.language import (
    Absent,
    Grounding,
    Only,
    Openness,
    Place,
    TextSpace,
    load_lexicon,
    load_split,
)
from langrearrange.language.lexicon import indefinite
from langrearrange.world.goals import parse_goal
from langrearrange.world.vocabulary import AREAS, CATEGORIES, RECEPTACLES, english

GOLDEN = Path(__file__).resolve().parents[1] / "golden"
sys.path.insert(0, str(GOLDEN))
from make_sentences import golden_sentences  # noqa: E402

LEXICON = load_lexicon()
WRONG = re.compile(
    r"\b((in|into) the (sofa|chair|\w+ (table|counter|stand))|on(to)? the (sink|fridge|\w+ drawer)"
    r"|a scissors|the scissors is|(on|in|to) (on|in))\b",
    re.IGNORECASE,
)


def ground(split: str, template: str, phrasing: int, **wanted: str) -> Grounding:
    """Return the grounding with these values and the space's first ones elsewhere."""
    space = TextSpace(load_split(split).template(template))
    for index in range(phrasing, len(space), len(space.template.phrasings)):
        grounding = space[index]
        if all(grounding.values[name].key == key for name, key in wanted.items()):
            return grounding
    raise AssertionError(wanted)


@given(texts())
def test_a_sentence_is_one_line_of_english(number: tuple[int, int]) -> None:
    grounding = grounding_of(number)
    text = grounding.sentence
    assert 1 <= len(text) <= 256
    assert re.fullmatch(r"[A-Z][ -~]*[.!?]", text)
    assert "  " not in text
    assert not set("{}_") & set(text)
    for start in re.finditer(r"(?:[.!?]|\A) *(\w)", text):
        assert start[1].isupper()
    for article, word in re.findall(r"\b([Aa]n?) ([\w'-]+)", text):
        assert article.lower() == indefinite(word), text
    assert not WRONG.search(text), text


@given(texts())
def test_a_goal_parses_and_keeps_the_hand_free_where_things_move(number: tuple[int, int]) -> None:
    grounding = grounding_of(number)
    parse_goal(grounding.goal)
    assert "\n" not in grounding.goal
    assert ("on_top" in grounding.goal) == ("(hand_free)" in grounding.goal)


@given(texts(), st.booleans())
def test_facts_speak_of_what_the_sentence_names(number: tuple[int, int], last: bool) -> None:
    grounding = grounding_of(number)
    case = len(grounding.template.cases) - 1 if last else 0
    facts = grounding.start_facts(case)
    for fact in facts:
        if isinstance(fact, Place | Absent):
            assert fact.receptacle in ("", *RECEPTACLES, *AREAS)
        if isinstance(fact, Place | Absent | Only):
            assert set(fact.categories) <= set(CATEGORIES)
    placed = {fact.categories for fact in facts if isinstance(fact, Place)}
    gone = {fact.categories for fact in facts if isinstance(fact, Absent) and not fact.receptacle}
    for value in grounding.values.values():
        if value.categories:
            assert (value.categories in placed) != (value.categories in gone)
        assert not value.avoid or value.avoid in gone


@pytest.mark.parametrize(
    ("template", "phrasing", "values", "text"),
    [
        ("put", 0, {"object": "apple", "target": "sofa"}, "Put an apple on the sofa."),
        ("put", 1, {"object": "scissors", "target": "fridge"},
         "Find a pair of scissors and put them in the fridge."),
        ("put", 3, {"object": "rubiks_cube", "target": "sink"},
         "Place a Rubik's cube in the sink."),
        ("put", 0, {"object": "lego", "target": "tv_stand"}, "Put a Lego brick on the TV stand."),
        ("take_off", 1, {"object": "scissors", "source": "left_drawer"},
         "Move the scissors out of the left drawer."),
        ("take_off", 8, {"object": "scissors", "source": "chair"},
         "The scissors should not be on the chair. Put them elsewhere."),
        ("take_off", 3, {"object": "ball", "source": "brown_table"},
         "Get the ball off the brown table, please."),
        ("find", 7, {"object": "scissors"}, "Show me where a pair of scissors is."),
    ],
)  # fmt: skip
def test_words_agree(template: str, phrasing: int, values: dict[str, str], text: str) -> None:
    assert ground("train", template, phrasing, **values).sentence == text


def test_forms_of_scissors_agree_in_number() -> None:
    forms = LEXICON.objects["scissors"].forms
    assert forms["two"] == "two pairs of scissors"
    assert forms["both"] == "both pairs of scissors"
    assert (forms["it"], forms["they"], forms["is"]) == ("them", "they", "are")
    assert LEXICON.objects["knife"].forms["two"] == "two knives"


def test_skills_and_sentences_call_things_by_the_same_names() -> None:
    for category in CATEGORIES:
        assert LEXICON.objects[category].forms[""] == english(category)
    for receptacle in RECEPTACLES:
        assert LEXICON.receptacles[receptacle].forms[""] == english(receptacle)


def test_a_goal_over_lines_is_grounded_on_one_line() -> None:
    grounding = ground("multiple_objects", "all_from_to", 0, object="can", source="sofa")
    assert grounding.goal == (
        "(and (forall (?x - can) (imply (initially (on_top ?x sofa)) (on_top ?x chair))) "
        "(hand_free))"
    )


def test_facts_come_from_template_case_and_words() -> None:
    conditional = ground("conditional_instructions", "if_open", 0, first="cup", second="book")
    assert Openness("fridge", True) in conditional.start_facts(0)
    assert Openness("fridge", False) in conditional.start_facts(1)
    look = ground("referring_expressions", "put", 0, object="apple/0", target="sink")
    assert look.start_facts() == (
        Absent(("apple",), "sink"),
        Place(("apple",), "", 1),
        Absent(("strawberry",), ""),
    )
    tea = ground("context", "hot_tea", 0, target="brown_table")
    assert tea.start_facts() == (
        Absent(("cup", "mug"), "brown_table"),
        Place(("cup", "mug"), "", 1),
        Absent(("bowl", "can"), ""),
    )
    assert "(either cup mug)" in tea.goal


def test_a_remark_that_a_thing_is_nowhere_does_not_place_it() -> None:
    template = load_split("irrelevant_text").templates[0]
    space = TextSpace(template)
    index = [s.id for s in template.statements].index("none_at_all")
    grounding = space[sum(space.statement_sizes[:index])]
    assert grounding.cluster == "none_at_all"
    other = grounding.values["other"].categories
    assert Absent(other, "") in grounding.start_facts()
    assert not any(
        fact.categories == other for fact in grounding.start_facts() if isinstance(fact, Place)
    )


def test_golden_sentences_stand() -> None:
    assert golden_sentences() == (GOLDEN / "sentences.txt").read_text(encoding="ascii")
