"""Goals in words: every predicate and form, and whether they name what the sentence names."""

from __future__ import annotations

import pytest
from hypothesis import given
from language_samples import grounding_of, texts

from langrearrange.language.plain import in_words
from langrearrange.world.goals import PREDICATES, parse_goal
from langrearrange.world.vocabulary import english


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        ("(on_top ?x sofa)", "x is on the sofa"),
        ("(not (on_top ?x fridge))", "x is not in the fridge"),
        ("(on_top ?x ?r)", "x is on r"),
        ("(holding ?x)", "x is held"),
        ("(near ?x)", "x is in reach"),
        ("(undisturbed ?x)", "x is where it was"),
    ],
)
def test_atoms_about_things(goal: str, text: str) -> None:
    whole = f"(exists (?x - scissors) (exists (?r - surface) {goal}))"
    assert in_words(parse_goal(whole)) == f"some pair of scissors x: some surface r: {text}"


@pytest.mark.parametrize(
    ("goal", "text"),
    [
        ("(robot_at tv_stand)", "the robot is at the TV stand"),
        ("(initially (open left_drawer))", "the left drawer was open"),
        ("(not (and (hand_free) (closed fridge)))",
         "not (the hand is free and the fridge is closed)"),
        ("(imply (initially (open fridge)) (hand_free))",
         "if the fridge was open, the hand is free"),
        ("(or (open fridge) (and (hand_free) (robot_at sink)))",
         "the fridge is open or (the hand is free and the robot is at the sink)"),
        ("(and (forall (?x - (either cup mug)) (near ?x)) (hand_free))",
         "(every cup or mug x: x is in reach) and the hand is free"),
        ("(exists (?x - fruit ?y - fruit) (and (not (= ?x ?y)) (near ?x) (near ?y)))",
         "some fruit x and some fruit y: "
         "x is not the same as y and x is in reach and y is in reach"),
    ],
)  # fmt: skip
def test_formulas(goal: str, text: str) -> None:
    assert in_words(parse_goal(goal)) == text


def test_every_predicate_can_be_said() -> None:
    from langrearrange.language import plain

    assert set(plain._SAID) == set(PREDICATES)


@given(texts())
def test_goals_name_what_their_sentences_name(number: tuple[int, int]) -> None:
    grounding = grounding_of(number)
    said = in_words(parse_goal(grounding.goal))
    assert not set("?_\n") & set(said)
    for slot in grounding.template.slots:
        value = grounding.values[slot.name]
        if f"{{{slot.name}}}" in grounding.template.goal and value.receptacle:
            assert english(value.receptacle) in said
