"""The solver's boxes, the compiled goal and the goal as written down apart: one meaning."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest
from crowded_worlds import CrowdedWorld, crowded_worlds, skills_in
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from reference_goals import reference_holds
from reference_world import OPENABLES, PLACES, RECEPTACLES, reference_world
from solver_worlds import goals, household, random_states, worlds

from langrearrange.errors import SolverError
from langrearrange.solver import Box, goal_boxes
from langrearrange.world import STANDARD_OPERABLE, STANDARD_REACH, Layout, WorldState
from langrearrange.world.goals import PREDICATES, Goal, compile_goal, parse_goal, to_pddl
from langrearrange.world.vocabulary import (
    IN_HAND,
    NAV_INDEX,
    NUM_OPENABLES,
    RECEPTACLE_INDEX,
    START,
)

ATOMS = (
    "(hand_free)",
    "(open fridge)",
    "(closed right_drawer)",
    "(open middle_drawer)",
    "(robot_at sofa)",
    "(robot_at fridge)",
    "(robot_at bottom_drawer)",
    "(exists (?x - apple) (on_top ?x sofa))",
    "(exists (?x - apple) (on_top ?x fridge))",
    "(forall (?x - apple) (on_top ?x left_drawer))",
    "(exists (?x - apple ?r - container) (on_top ?x ?r))",
    "(exists (?x - apple ?r - container) (and (on_top ?x ?r) (closed ?r)))",
    "(forall (?r - container) (open ?r))",
    "(exists (?r - surface) (robot_at ?r))",
    "(exists (?x - apple) (holding ?x))",
    "(forall (?x - apple) (holding ?x))",
    "(exists (?x - apple) (near ?x))",
    "(forall (?x - apple) (near ?x))",
    "(exists (?x - apple) (undisturbed ?x))",
    "(forall (?x - apple) (initially (near ?x)))",
    "(exists (?x - apple) (initially (on_top ?x fridge)))",
    "(exists (?x ?y - apple) (not (= ?x ?y)))",
    "(exists (?x - apple ?r - receptacle) (and (on_top ?x ?r) (not (= ?r sofa))))",
)
"""Every predicate, with constants and with variables, over what opens and what does not."""


def test_every_predicate_is_among_the_atoms() -> None:
    assert all(any(f"({name}" in text for text in ATOMS) for name in PREDICATES)


def overlapping() -> dict[str, Any]:
    """A home in which a stance reaches two more receptacles and a handle reaches none."""
    reach = list(STANDARD_REACH)
    reach[NAV_INDEX["sofa"]] |= 1 << RECEPTACLE_INDEX["fridge"] | 1 << RECEPTACLE_INDEX["chair"]
    reach[NAV_INDEX["left_drawer_handle"]] = 0
    return {"reach": tuple(reach), "operable": STANDARD_OPERABLE}


HOMES: dict[str, dict[str, Any]] = {
    "standard": {},
    "overlapping": overlapping(),
    "release": {"semantics": "release"},
}


def every_state(layout: Layout) -> Iterator[WorldState]:
    """All states of one object with nothing, everything, or one thing open."""
    masks = [mask for mask in range(1 << NUM_OPENABLES) if mask.bit_count() in (0, 1, 5)]
    for place, where, mask in itertools.product(range(START + 1), range(IN_HAND + 1), masks):
        yield WorldState(place, 0 if where == IN_HAND else -1, (where,), (0,), mask)


def assert_one_meaning(
    goal: Goal, boxes: tuple[Box, ...], layout: Layout, state: WorldState, initial: WorldState
) -> None:
    truth = reference_holds(goal, reference_world(layout, state), reference_world(layout, initial))
    assert any(box.holds(state) for box in boxes) == truth, (to_pddl(goal), state)
    assert compile_goal(goal, layout, initial)(state) == truth, (to_pddl(goal), state)


@pytest.mark.parametrize("home", HOMES)
@pytest.mark.parametrize("text", ATOMS)
def test_atoms_and_their_negations_hold_in_the_same_states(text: str, home: str) -> None:
    """In every state of a home with one apple."""
    layout, initial = household([("apple", "fridge")], **HOMES[home])
    goals_ = [parse_goal(text), parse_goal(f"(not {text})")]
    boxes = [goal_boxes(goal, layout, initial) for goal in goals_]
    tests = [compile_goal(goal, layout, initial) for goal in goals_]
    start, now = reference_world(layout, initial), reference_world(layout, initial)
    for state in every_state(layout):
        where = state.receptacles[0]
        now.place = PLACES[state.place]
        now.opened = {name for i, name in enumerate(OPENABLES) if state.open_mask >> i & 1}
        now.held = 0 if where == IN_HAND else None
        now.resting = {} if where == IN_HAND else {0: (RECEPTACLES[where], 0)}
        truth = reference_holds(goals_[0], now, start)
        assert [test(state) for test in tests] == [truth, not truth], state
        held = [any(box.holds(state) for box in found) for found in boxes]
        assert held == [truth, not truth], state


MANY = settings(
    max_examples=120,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@MANY
@given(st.data())
def test_random_formulas_have_one_meaning(data: st.DataObject) -> None:
    world = data.draw(worlds(standard=data.draw(st.booleans())))
    goal = data.draw(goals(world, depth=4))
    try:
        boxes = goal_boxes(goal, world.layout, world.initial)
    except SolverError:
        assume(False)
    for _ in range(5):
        state = data.draw(random_states(world))
        assert_one_meaning(goal, boxes, world.layout, state, world.initial)


CROWDED = (
    "(forall (?x - apple) (near ?x))",
    "(exists (?x - apple ?y - pear) (and (near ?x) (not (near ?y)) (not (undisturbed ?x))))",
    "(and (hand_free) (forall (?x - apple ?r - container) (not (on_top ?x ?r))))",
    "(exists (?r - receptacle) (forall (?x - pear) (or (on_top ?x ?r) (holding ?x))))",
    "(forall (?x - object) (imply (initially (near ?x)) (undisturbed ?x)))",
    "(exists (?x ?y - apple) (and (not (= ?x ?y)) (on_top ?x sofa) (on_top ?y sofa)))",
    "(exists (?x - fruit ?r - kitchen) (and (initially (on_top ?x ?r)) (on_top ?x sofa)))",
    "(forall (?x - apple ?r - (either tables drawers)) (not (on_top ?x ?r)))",
    "(or (and (initially (forall (?o - object) (not (on_top ?o sink))))"
    " (exists (?x - apple) (on_top ?x sink)))"
    " (and (initially (exists (?o - object) (on_top ?o sink)))"
    " (exists (?x - apple) (on_top ?x sofa))"
    " (forall (?o - object) (imply (initially (on_top ?o sink)) (undisturbed ?o)))))",
    "(exists (?x - fruit) (and (near ?x) (forall (?y - fruit) (or (= ?x ?y) (not (near ?y))))))",
)


@settings(MANY, max_examples=40)
@given(crowded_worlds(), st.sampled_from(CROWDED), st.data())
def test_goals_over_many_instances_have_one_meaning(
    world: CrowdedWorld, text: str, data: st.DataObject
) -> None:
    layout, state, _ = world
    goal = parse_goal(text)
    try:
        boxes = goal_boxes(goal, layout, state)
    except SolverError:  # too many instances for the solver
        assume(False)
    reference = reference_world(layout, state)
    for skill in data.draw(skills_in(world)):
        reference.act(skill)
        assert_one_meaning(goal, boxes, layout, reference.state(), state)
