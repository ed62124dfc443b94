"""A goal counts only where no object can serve for two of its variables."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_goals import reference_holds
from reference_world import RECEPTACLES, reference_world

from langrearrange.world import Layout, WorldState
from langrearrange.world.goals import Quantified, parse_goal, shared_variables
from langrearrange.world.vocabulary import CATEGORY_INDEX, IN_HAND, NUM_RECEPTACLES

TWO = "(exists (?x ?y - apple) (and {} (on_top ?x fridge)))"
SHARED = [
    TWO.format("(on_top ?y fridge)"),
    TWO.format("(near ?y)"),
    TWO.format("(or (not (= ?x ?y)) (hand_free))"),
    TWO.format("(initially (on_top ?y sink))"),
    TWO.format("(not (on_top ?y sofa))"),
    TWO.format("(exists (?r - receptacle) (on_top ?y ?r))"),
    "(exists (?x - apple ?y - fruit) (and (holding ?x) (near ?y)))",
    "(and (exists (?x - apple) (on_top ?x sofa)) (exists (?y - object) (on_top ?y sofa)))",
    "(exists (?x - apple) (and (on_top ?x sofa) (exists (?y - apple) (undisturbed ?y))))",
    "(not (forall (?x ?y - apple) (or (on_top ?x sofa) (on_top ?y sofa))))",
    "(forall (?r - surface) (exists (?x ?y - apple) (and (on_top ?x ?r) (on_top ?y ?r))))",
]
SEPARATED = [
    TWO.format("(not (= ?y ?x)) (on_top ?y fridge)"),
    TWO.format("(not (or (= ?x ?y) (near ?y)))"),
    TWO.format("(on_top ?y sofa)"),
    TWO.format("(holding ?y)"),
    TWO.format("(not (on_top ?y fridge))"),
    TWO.format("(initially (on_top ?x sink)) (initially (on_top ?y sofa))"),
    "(exists (?x ?y - apple ?r ?s - surface) (and (on_top ?x ?r) (on_top ?y ?s) (not (= ?s ?r))))",
    "(exists (?x - apple ?y - ball) (and (near ?x) (near ?y)))",
    "(or (exists (?x - apple) (on_top ?x sofa)) (exists (?y - apple) (on_top ?y sofa)))",
    "(exists (?x - apple) (and (on_top ?x sofa) (forall (?y - apple) (undisturbed ?y))))",
    "(forall (?x ?y - apple) (imply (on_top ?x sofa) (on_top ?y sofa)))",
    "(not (forall (?x ?y - apple) (or (on_top ?x sofa) (on_top ?y sofa) (= ?x ?y))))",
    "(exists (?x - apple ?r ?s - surface) (on_top ?x ?r))",
]


@pytest.mark.parametrize("text", SHARED)
def test_variables_that_one_object_could_be_are_named(text: str) -> None:
    assert shared_variables(parse_goal(text)) == (("?x", "?y"),)


@pytest.mark.parametrize("text", SEPARATED)
def test_variables_that_must_differ_or_are_not_both_wanted_are_not_named(text: str) -> None:
    assert shared_variables(parse_goal(text)) == ()


FACTS = (
    "(on_top {} sofa)", "(on_top {} fridge)", "(on_top {} ?r)", "(holding {})", "(near {})",
    "(undisturbed {})", "(initially (on_top {} sofa))", "(initially (on_top {} sink))",
)  # fmt: skip
literals = st.tuples(
    st.sampled_from(FACTS), st.sampled_from(["?x", "?y"]), st.sampled_from(["{}", "(not {})"])
).map(lambda drawn: drawn[2].format(drawn[0].format(drawn[1])))
locations = st.lists(st.integers(0, NUM_RECEPTACLES), min_size=2, max_size=2)


def _state(where: list[int], place: int, open_mask: int) -> WorldState:
    held = where.index(IN_HAND) if IN_HAND in where else -1
    where = [w if w != IN_HAND or i == held else 0 for i, w in enumerate(where)]
    return WorldState(place, held, tuple(where), (0, 1), open_mask)


@given(
    st.lists(literals, min_size=1, max_size=4),
    st.tuples(locations, locations, st.integers(0, 16), st.integers(0, 31), st.integers(0, 10)),
)
def test_where_no_pair_is_named_no_state_serves_with_one_object(
    parts: list[str], world: tuple[list[int], list[int], int, int, int]
) -> None:
    goal = parse_goal(f"(exists (?x ?y - apple ?r - receptacle) (and {' '.join(parts)}))")
    assert isinstance(goal, Quantified)
    if shared_variables(goal):
        return
    start, now, place, open_mask, receptacle = world
    layout = Layout((CATEGORY_INDEX["apple"],) * 2)
    first = reference_world(layout, _state(start, 16, open_mask))
    then = reference_world(layout, _state(now, place, open_mask))
    for one in (0, 1):
        binding: dict[str, int | str] = {"?x": one, "?y": one, "?r": RECEPTACLES[receptacle]}
        assert not reference_holds(goal.body, then, first, binding)
