"""Ids and English names of actions are read back, however they are written."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.errors import ActionError
from langrearrange.world import ACTION_IDS, ACTION_NAMES, SKILLS, parse_action, skill_index
from langrearrange.world.vocabulary import CATEGORIES, english


def test_every_action_has_a_unique_id_and_name() -> None:
    assert ACTION_IDS == (*(skill.id for skill in SKILLS), "stop")
    assert ACTION_NAMES == (*(skill.name for skill in SKILLS), "stop")
    assert len(set(ACTION_IDS)) == len(set(ACTION_NAMES)) == 71


STYLES = st.sampled_from(
    [str, str.upper, str.title, "  {}\n".format, "{}.".format, "'{}'".format, "`{}`".format,
     lambda text: text.replace(" the ", " "), lambda text: text.replace(" ", "  ")]
)  # fmt: skip


@given(st.integers(0, 70), st.booleans(), STYLES, STYLES)
def test_an_action_is_read_in_upper_or_lower_case_with_or_without_articles(
    action: int, by_id: bool, first: object, second: object
) -> None:
    assert callable(first)
    assert callable(second)
    text = second(first((ACTION_IDS if by_id else ACTION_NAMES)[action]))
    assert parse_action(text) == action


@pytest.mark.parametrize(
    ("text", "skill"),
    [
        ("go to the fridge", "nav(fridge)"),
        ("Go to the fridge handle", "nav(fridge_handle)"),
        ("go to the middle drawer", "nav(middle_drawer_handle)"),
        ("navigate to the TV stand", "nav(tv_stand)"),
        ("walk to tv_stand", "nav(tv_stand)"),
        ("pick up a pair of scissors", "pick(scissors)"),
        ("Pick up the Rubik's Cube.", "pick(rubiks_cube)"),
        ("pick up rubiks cube", "pick(rubiks_cube)"),
        ("take a Lego brick", "pick(lego)"),
        ("pick up the lego", "pick(lego)"),
        ("put it down on the sofa", "place(sofa)"),
        ("put the toy airplane into the sink", "place(sink)"),
        ("Put the pair of scissors in the right drawer", "place(right_drawer)"),
        ("place the Rubik's cube onto the left counter", "place(left_counter)"),
        ("place at the chair", "place(chair)"),
        ("OPEN(FRIDGE)", "open(fridge)"),
        ("close bottom drawer", "close(bottom_drawer)"),
    ],
)
def test_other_ways_to_say_it(text: str, skill: str) -> None:
    assert parse_action(text) == skill_index(skill)


@pytest.mark.parametrize("category", CATEGORIES)
def test_what_is_put_down_may_be_named(category: str) -> None:
    assert parse_action(f"put the {english(category)} on the sofa") == skill_index("place(sofa)")


@pytest.mark.parametrize(
    ("text", "hint"),
    [
        ("go to the soffa", "did you mean 'go to the sofa'?"),
        ("nav(sofaa)", r"did you mean 'nav\(sofa\)'?"),
        ("pick up the dragon", "'pick up the dragon' is not an action"),
        ("", "'' is not an action; accepted: an id such as"),
        ("3", "'3' is not an action"),
        ("go to the sofa and pick up the apple", "is not an action"),
        ("Ich gehe zum Sofa", "'Ich gehe zum Sofa' is not an action"),
        ("open the sofa", "is not an action"),
        ("nav(sofa), nav(fridge)", "is not an action"),
        ("x" * 9999, f"'{'x' * 200}' is not an action"),
    ],
)
def test_an_unknown_answer_is_shown_as_given_with_the_closest_action(text: str, hint: str) -> None:
    with pytest.raises(ActionError, match=hint):
        parse_action(text)
