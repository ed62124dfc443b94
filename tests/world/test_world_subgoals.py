from __future__ import annotations

import pytest

from langrearrange.errors import EpisodeError
from langrearrange.world import (
    Layout,
    Subgoal,
    apply,
    compile_subgoal,
    initial_state,
    parse_subgoal,
    skill_index,
)
from langrearrange.world.vocabulary import CATEGORY_INDEX, RECEPTACLE_INDEX

APPLES = Layout((CATEGORY_INDEX["apple"],) * 2)
START = initial_state([RECEPTACLE_INDEX["sink"]] * 2, [0, 1], 0)


@pytest.mark.parametrize(
    "text",
    ["held(apple)", "held(apple,sofa,1)", "delivered(rubiks_cube,left_drawer,2)", "opened(fridge)",
     "closed(bottom_drawer)"],
)  # fmt: skip
def test_a_written_subgoal_reads_back(text: str) -> None:
    assert str(parse_subgoal(text)) == text


@pytest.mark.parametrize(
    "text",
    ["", "held", "held(fork)", "held(apple,sofa)", "delivered(apple)", "opened(sofa)",
     "opened(fridge,sofa,1)", "held(apple,moon,1)", "held(apple) "],
)  # fmt: skip
def test_a_malformed_subgoal_is_refused(text: str) -> None:
    with pytest.raises(EpisodeError):
        parse_subgoal(text)


def test_subgoals_count_deliveries() -> None:
    names = [
        "held(apple)",
        "delivered(apple,sofa,1)",
        "held(apple,sofa,1)",
        "delivered(apple,sofa,2)",
    ]
    tests = [compile_subgoal(parse_subgoal(name), APPLES) for name in names]
    state = START
    seen: list[list[bool]] = []
    for skill in ("nav(sink)", "pick(apple)", "nav(sofa)", "place(sofa)",
                  "nav(sink)", "pick(apple)", "nav(sofa)", "place(sofa)"):  # fmt: skip
        state, _ = apply(APPLES, state, skill_index(skill))
        seen.append([test(state) for test in tests])
    assert seen[1] == [True, False, False, False]
    assert seen[3] == [False, True, False, False]
    assert seen[5] == [True, True, True, False]
    assert seen[7] == [False, True, False, True]


def test_opened_and_closed_follow_the_container() -> None:
    opened = compile_subgoal(parse_subgoal("opened(fridge)"), APPLES)
    closed = compile_subgoal(parse_subgoal("closed(fridge)"), APPLES)
    assert not opened(START)
    assert closed(START)
    state, _ = apply(APPLES, START, skill_index("nav(fridge)"))
    state, _ = apply(APPLES, state, skill_index("open(fridge)"))
    assert opened(state)
    assert not closed(state)


def test_a_subgoal_without_a_target_is_the_one_that_is_read_from_its_text() -> None:
    for made in (Subgoal("held", "apple"), Subgoal("opened", "fridge")):
        assert parse_subgoal(str(made)) == made
