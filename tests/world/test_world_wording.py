"""English for objects, and the sentence about every action and outcome."""

from __future__ import annotations

import itertools
import string

import pytest

from langrearrange.world import NUM_SKILLS, OUTCOMES, SKILLS, Outcome
from langrearrange.world.vocabulary import CATEGORIES, CATEGORY_INDEX
from langrearrange.world.wording import counted, listed, outcome_of, told

PEACH = CATEGORY_INDEX["peach"]


@pytest.mark.parametrize(
    ("number", "category", "words"),
    [
        (1, "apple", "an apple"),
        (2, "apple", "two apples"),
        (1, "orange", "an orange"),
        (1, "lego", "a Lego brick"),
        (3, "rubiks_cube", "three Rubik's cubes"),
        (1, "scissors", "a pair of scissors"),
        (2, "scissors", "two pairs of scissors"),
        (4, "knife", "four knives"),
        (10, "box", "ten boxes"),
        (11, "strawberry", "11 strawberries"),
        (1, "cleanser", "a cleanser bottle"),
    ],
)
def test_objects_are_counted_in_english(number: int, category: str, words: str) -> None:
    assert counted(number, category) == words


def test_lists_have_one_conjunction() -> None:
    assert [listed("abc"[:n]) for n in range(4)] == ["", "a", "a and b", "a, b and c"]
    assert listed(["a", "b"], "or") == "a or b"


@pytest.mark.parametrize(
    ("skill", "outcome", "held", "words"),
    [
        ("nav(tv_stand)", "ok", "", "You went to the TV stand."),
        ("nav(sink)", "absent", "", "You could not go to the sink: this home has no such thing."),
        ("pick(orange)", "ok", "", "You picked up an orange."),
        ("pick(scissors)", "hand_full", "peach",
         "You could not pick up a pair of scissors: you are already holding a peach."),
        ("pick(cup)", "not_near", "",
         "You could not pick up a cup: you cannot reach one from here."),
        ("pick(cup)", "closed", "",
         "You could not pick up a cup: the fridge is closed; open it first."),
        ("place(sofa)", "ok", "peach", "You put the peach on the sofa."),
        ("place(sink)", "hand_empty", "",
         "You could not put anything in the sink: your hand is empty."),
        ("place(sofa)", "not_near", "peach",
         "You could not put the peach on the sofa: you cannot reach the sofa from here."),
        ("place(fridge)", "closed", "peach",
         "You could not put the peach in the fridge: the fridge is closed; open it first."),
        ("open(fridge)", "ok", "", "You opened the fridge."),
        ("open(left_drawer)", "already_open", "",
         "You could not open the left drawer: it is already open."),
        ("close(fridge)", "ok", "", "You closed the fridge."),
        ("stop", "ok", "", "You stopped."),
        ("", "none", "", "The episode begins."),
    ],
)  # fmt: skip
def test_the_sentence_about_an_action_is_as_frozen(
    skill: str, outcome: str, held: str, words: str
) -> None:
    action = next((s.index for s in SKILLS if s.id == skill), NUM_SKILLS if skill else -1)
    index = CATEGORY_INDEX[held] if held else -1
    assert told(action, Outcome(outcome), index, ["fridge"]) == words


def test_every_sentence_is_finished_and_tells_its_outcome() -> None:
    invalid = [outcome for outcome in OUTCOMES if outcome.invalid]
    for skill, outcome, held in itertools.product(SKILLS, [*invalid, Outcome.OK], (-1, PEACH)):
        if (outcome is Outcome.HAND_FULL and held < 0) or (skill.kind == "place" and held < 0):
            continue
        words = told(skill.index, outcome, held, ["left_drawer", "fridge"])
        assert outcome_of(words) is outcome
        assert words[0] in string.ascii_uppercase
        assert words[-1] == "."
        assert len(words) <= 256
        assert not {"{", "}", "  ", "_"} & {*words, words[words.find("  ") :][:2]}
    assert outcome_of(told(-1, Outcome.NONE)) is Outcome.NONE
    assert outcome_of(told(NUM_SKILLS, Outcome.OK)) is Outcome.OK


def test_articles_fit_every_category() -> None:
    words = {counted(1, category) for category in CATEGORIES}
    assert {w for w in words if w.startswith("an ")} == {"an apple", "an orange"}
    assert {w for w in words if not w.startswith(("a ", "an "))} == set()
