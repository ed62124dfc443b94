"""The lower bound on small states worked out by hand, never above the truth, and what it saves."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from solver_worlds import goals, household, worlds

from langrearrange.errors import SolverError
from langrearrange.generator import load_spec, make_episode
from langrearrange.solver import breadth_first, goal_boxes, solve
from langrearrange.solver.bound import NEVER, make_bound
from langrearrange.solver.problem import Problem
from langrearrange.world import (
    STANDARD_OPERABLE,
    STANDARD_REACH,
    Layout,
    WorldState,
    apply,
    skill_index,
)
from langrearrange.world.goals import parse_goal
from langrearrange.world.vocabulary import NAV_INDEX, RECEPTACLE_INDEX


def after(layout: Layout, state: WorldState, skills: Sequence[str]) -> WorldState:
    for skill in skills:
        state = apply(layout, state, skill_index(skill))[0]
    return state


def bound(
    goal: str, objects: list[tuple[str, str]], *skills: str, opened: tuple[str, ...] = (),
    **layout: Any,
) -> int:  # fmt: skip
    """The bound of the state that the skills lead to."""
    made, initial = household(objects, opened, **layout)
    boxes = goal_boxes(parse_goal(goal), made, initial)
    state = after(made, initial, skills)
    problem = Problem(made, state, boxes)
    return make_bound(problem, problem.boxes)(problem.initial)


def on(category: str, receptacle: str, hand: str = " (hand_free)") -> str:
    return f"(exists (?x - {category}) (and (on_top ?x {receptacle}){hand}))"


ON_SINK = on("apple", "sink")
ALL_ON_SINK = "(and (hand_free) (forall (?x - apple) (on_top ?x sink)))"
GONE = "(and (hand_free) (forall (?x - apple) (not (on_top ?x sofa))))"


@pytest.mark.parametrize(
    ("goal", "objects", "skills", "opened", "expected"),
    [
        # pick, place, and the drive that carries it; the drive to it where it is needed
        (ON_SINK, [("apple", "sofa")], (), (), 4),
        (ON_SINK, [("apple", "sofa")], ("nav(sofa)",), (), 3),
        (ON_SINK, [("apple", "sofa")], ("nav(sofa)", "pick(apple)"), (), 2),
        (ON_SINK, [("apple", "sofa")], ("nav(sofa)", "pick(apple)", "nav(sink)"), (), 1),
        (ON_SINK, [("apple", "sink")], (), (), 0),
        # a container is opened to take out, and to put in where nothing else will do
        (ON_SINK, [("apple", "fridge")], (), (), 5),
        (ON_SINK, [("apple", "fridge")], (), ("fridge",), 4),
        (on("apple", "fridge"), [("apple", "sofa")], ("nav(sofa)",), (), 4),
        (on("apple", "fridge"), [("apple", "sofa")], ("nav(sofa)",), ("fridge",), 3),
        # two of one place: the robot comes back in between
        (ALL_ON_SINK, [("apple", "sofa"), ("apple", "sofa")], (), (), 8),
        (ALL_ON_SINK, [("apple", "sofa"), ("apple", "chair")], (), (), 8),
        (ALL_ON_SINK, [("apple", "sofa"), ("apple", "sofa")], ("nav(sofa)",), (), 7),
        # anywhere else
        (GONE, [("apple", "sofa")], ("nav(sofa)",), (), 3),
        (GONE, [("apple", "sofa"), ("apple", "sofa")], ("nav(sofa)",), (), 7),
        # openings and closings that the goal asks for
        ("(open fridge)", [], (), (), 2),
        ("(open fridge)", [], ("nav(fridge)",), (), 1),
        ("(closed fridge)", [], (), ("fridge",), 2),
        ("(and (open fridge) (open middle_drawer))", [], (), (), 4),
        ("(and (closed fridge) " + ON_SINK + ")", [("apple", "fridge")], (), (), 6),
        ("(and (open fridge) (closed fridge))", [], (), (), NEVER),
        # where the robot stands at the end
        ("(robot_at sofa)", [], (), (), 1),
        ("(robot_at sofa)", [], ("nav(sofa)",), (), 0),
        ("(and (robot_at sofa) " + ON_SINK + ")", [("apple", "chair")], (), (), 5),
        ("(and (robot_at sink) " + ON_SINK + ")", [("apple", "chair")], (), (), 4),
        # what is held: wanted in the hand, in the way, or no matter
        ("(exists (?x - apple) (holding ?x))", [("apple", "sofa")], (), (), 2),
        ("(exists (?x - apple) (holding ?x))", [("apple", "sofa")],
         ("nav(sofa)", "pick(apple)"), (), 0),
        ("(hand_free)", [("apple", "sofa")], ("nav(sofa)", "pick(apple)"), (), 1),
        (ON_SINK, [("apple", "sink"), ("pear", "sofa")], ("nav(sofa)", "pick(pear)"), (), 1),
        (ON_SINK, [("apple", "sofa"), ("pear", "sofa")], ("nav(sofa)", "pick(pear)"), (), 4),
        # of several ways the cheapest counts
        ("(or (open fridge) (robot_at sofa))", [], (), (), 1),
        (on("(either apple pear)", "sink"), [("apple", "fridge"), ("pear", "sofa")], (), (), 4),
    ],
)  # fmt: skip
def test_what_is_left_is_counted(
    goal: str,
    objects: list[tuple[str, str]],
    skills: tuple[str, ...],
    opened: tuple[str, ...],
    expected: int,
) -> None:
    objects = objects or [("book", "chair")]
    assert bound(goal, objects, *skills, opened=opened) == expected
    if expected < NEVER:  # and no less than that will do, as far as it was worked out
        made, initial = household(objects, opened)
        best = solve(parse_goal(goal), made, initial, start=after(made, initial, skills))
        assert len(best.plan) == expected


def mask(*names: str) -> int:
    return sum(1 << RECEPTACLE_INDEX[name] for name in names)


def wide(**stances: tuple[str, ...]) -> dict[str, Any]:
    """A layout whose stances reach further than their own receptacle."""
    reach = list(STANDARD_REACH)
    for name, names in stances.items():
        reach[NAV_INDEX[name]] |= mask(*names)
    return {"reach": tuple(reach), "operable": STANDARD_OPERABLE}


@pytest.mark.parametrize(
    ("goal", "objects", "skills", "layout", "expected"),
    [
        # no drive is counted between what one stance reaches together
        (ON_SINK, [("apple", "sofa")], (), wide(chair=("sofa", "sink")), 3),
        (ON_SINK, [("apple", "sofa")], ("nav(chair)",), wide(chair=("sofa", "sink")), 2),
        (ON_SINK, [("apple", "sofa")], ("nav(chair)",), wide(chair=("sofa",)), 3),
        (ON_SINK, [("apple", "sofa")], ("nav(chair)", "pick(apple)"), wide(chair=("sofa",)), 2),
        (ALL_ON_SINK, [("apple", "sofa"), ("apple", "tv_stand")], (), wide(chair=("sofa",)), 6),
        (ALL_ON_SINK, [("apple", "sofa"), ("apple", "tv_stand")], (),
         wide(chair=("sofa", "sink")), 5),
        # out of reach of what is to be turned: one drive at least
        ("(open fridge)", [("apple", "sofa")], (), wide(chair=("sofa",)), 2),
        ("(open fridge)", [("apple", "sofa")], ("nav(fridge)",), wide(chair=("sofa",)), 1),
        (ON_SINK, [("apple", "fridge")], (), wide(chair=("fridge", "sink")), 4),
        (ON_SINK, [("apple", "fridge")], ("nav(chair)",), wide(chair=("fridge", "sink")), 4),
        ("(robot_at sofa)", [("apple", "sofa")], (), wide(chair=("sofa",)), 1),
        ("(and (robot_at sofa) " + ON_SINK + ")", [("apple", "chair")], (),
         wide(chair=("sink",)), 3),
        # the release takes things out of a closed fridge and puts them into closed drawers
        (ON_SINK, [("apple", "fridge")], (), {"semantics": "release"}, 3),
        (ON_SINK, [("apple", "left_drawer")], (), {"semantics": "release"}, 4),
        (on("apple", "left_drawer"), [("apple", "sofa")], (), {"semantics": "release"}, 3),
    ],
)  # fmt: skip
def test_with_overlapping_reach_less_is_certain(
    goal: str,
    objects: list[tuple[str, str]],
    skills: tuple[str, ...],
    layout: dict[str, Any],
    expected: int,
) -> None:
    assert bound(goal, objects, *skills, **layout) == expected
    made, initial = household(objects, **layout)
    best = solve(parse_goal(goal), made, initial, start=after(made, initial, skills))
    assert len(best.plan) >= expected


@settings(
    max_examples=80,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
@given(st.data())
def test_the_bound_is_never_above_the_truth_along_a_shortest_plan(data: st.DataObject) -> None:
    world = data.draw(worlds(standard=data.draw(st.booleans())))
    goal = data.draw(goals(world))
    try:
        boxes = goal_boxes(goal, world.layout, world.initial)
    except SolverError:
        assume(False)
    best = breadth_first(goal, world.layout, world.initial, 10, 2_000, start=world.start)
    assume(best.status == "solved")
    state = world.start
    for left in range(len(best.plan), -1, -1):
        problem = Problem(world.layout, state, boxes)
        assert make_bound(problem, problem.boxes)(problem.initial) <= left
        if left:
            state = apply(world.layout, state, best.plan[-left])[0]


@pytest.mark.parametrize(
    ("split", "visits"),
    [
        ("train", 180), ("multiple_rearrangements", 560), ("conditional_instructions", 200),
        ("multiple_objects", 450),
    ],
)  # fmt: skip
def test_few_states_are_looked_at(split: str, visits: int) -> None:
    """Twenty episodes; a weaker bound or less pruning finds the same plans, but slower."""
    found = 0
    for index in range(20):
        e = make_episode(load_spec(split), index)
        found += solve(parse_goal(e.goal), e.layout(), e.initial_state()).visits
    assert found <= visits
