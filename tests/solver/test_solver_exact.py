"""The solver's answers against an unpruned breadth-first search and the compiled goal."""

from __future__ import annotations

from collections.abc import Sequence

from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from solver_worlds import World, goals, worlds

from langrearrange.errors import SolverError
from langrearrange.solver import breadth_first, goal_boxes, solve
from langrearrange.world import SKILLS, Layout, Outcome, WorldState, apply
from langrearrange.world.goals import Goal, compile_goal, to_pddl

MANY = settings(
    max_examples=120,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)
LIMIT = 12


def replay(layout: Layout, state: WorldState, plan: Sequence[int]) -> WorldState:
    for skill in plan:
        state, outcome = apply(layout, state, skill)
        assert outcome is Outcome.OK, SKILLS[skill].id
    return state


def check_against_reference(world: World, goal: Goal) -> None:
    try:
        boxes = goal_boxes(goal, world.layout, world.initial)
    except SolverError:
        assume(False)
    solution = solve(goal, world.layout, world.initial, LIMIT, boxes=boxes, start=world.start)
    wanted = breadth_first(goal, world.layout, world.initial, LIMIT, 3_000, start=world.start)
    assume(wanted.status != "gave_up" and solution.status != "gave_up")
    assert solution.status == wanted.status, to_pddl(goal)
    assert len(solution.plan) == len(wanted.plan), to_pddl(goal)
    if wanted.status == "solved":
        end = replay(world.layout, world.start, solution.plan)
        assert compile_goal(goal, world.layout, world.initial)(end)


@MANY
@given(st.data())
def test_plans_are_as_short_as_unpruned_breadth_first_search_finds(data: st.DataObject) -> None:
    world = data.draw(worlds())
    check_against_reference(world, data.draw(goals(world)))


@MANY
@given(st.data())
def test_plans_are_shortest_with_overlapping_reach_and_release_semantics(
    data: st.DataObject,
) -> None:
    world = data.draw(worlds(standard=False))
    check_against_reference(world, data.draw(goals(world)))
