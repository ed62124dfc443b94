"""Subgoals: landmarks of the plan, false at the start, reached in order, never repeated."""

from __future__ import annotations

import pytest
from solver_problems import random_problem
from solver_worlds import household

from langrearrange.solver import solve, subgoals
from langrearrange.world import (
    NUM_SKILLS,
    Layout,
    WorldState,
    apply,
    compile_subgoal,
    parse_subgoal,
)
from langrearrange.world.goals import Goal, compile_goal, parse_goal


def written(goal: str, objects: list[tuple[str, str]], opened: tuple[str, ...] = ()) -> list[str]:
    layout, initial = household(objects, opened)
    parsed = parse_goal(goal)
    plan = solve(parsed, layout, initial).plan
    return [str(fact) for fact in subgoals(parsed, layout, initial, plan)]


def test_one_object_is_held_and_delivered() -> None:
    goal = "(exists (?x - apple) (and (on_top ?x sink) (hand_free)))"
    assert written(goal, [("apple", "sofa")]) == ["held(apple)", "delivered(apple,sink,1)"]


def test_containers_on_the_way_are_opened_first() -> None:
    goal = "(and (closed fridge) (hand_free) (exists (?x - apple) (on_top ?x sink)))"
    assert written(goal, [("apple", "fridge")]) == [
        "opened(fridge)",
        "held(apple)",
        "delivered(apple,sink,1)",
    ]
    assert written(goal, [("apple", "fridge")], ("fridge",)) == [
        "held(apple)",
        "closed(fridge)",
        "delivered(apple,sink,1)",
    ]


def test_opening_one_of_two_containers_is_no_landmark() -> None:
    either = "(exists (?x - apple) (and (hand_free) (or (on_top ?x fridge) (on_top ?x {}))))"
    for other in ("left_drawer", "sofa"):
        assert written(either.format(other), [("apple", "sink")]) == ["held(apple)"]
    assert written(either.format("fridge"), [("apple", "sink")]) == [
        "held(apple)",
        "opened(fridge)",
        "delivered(apple,fridge,1)",
    ]


def test_the_second_of_two_is_counted() -> None:
    goal = "(and (hand_free) (forall (?x - apple) (on_top ?x sink)))"
    assert written(goal, [("apple", "sofa"), ("apple", "chair")]) == [
        "held(apple)",
        "delivered(apple,sink,1)",
        "held(apple,sink,1)",
        "delivered(apple,sink,2)",
    ]


def test_what_stands_there_already_is_counted_in() -> None:
    goal = "(and (hand_free) (forall (?x - apple) (on_top ?x sink)))"
    assert written(goal, [("apple", "sink"), ("apple", "chair")]) == [
        "held(apple,sink,1)",
        "delivered(apple,sink,2)",
    ]


def test_which_of_two_categories_does_not_matter() -> None:
    goal = "(exists (?x - fruit) (and (on_top ?x sink) (hand_free)))"
    assert written(goal, [("apple", "sofa"), ("pear", "chair")]) == []


def test_navigation_gives_none() -> None:
    assert written("(robot_at sofa)", [("apple", "sofa")]) == []
    assert written("(exists (?x - apple) (near ?x))", [("apple", "sofa")]) == []


def test_finding_what_a_container_hides_means_opening_it() -> None:
    assert written("(exists (?x - apple) (near ?x))", [("apple", "fridge")]) == ["opened(fridge)"]


@pytest.mark.parametrize("index", range(80))
def test_every_subgoal_is_false_at_first_and_reached_in_order_by_the_plan(index: int) -> None:
    order = 0
    kind, goal, layout, initial = random_problem("subgoals", index)
    plan = solve(goal, layout, initial).plan
    facts = subgoals(goal, layout, initial, plan)
    assert len(set(facts)) == len(facts)
    states: list[WorldState] = [initial]
    for skill in plan:
        states.append(apply(layout, states[-1], skill)[0])
    for fact in facts:
        test = compile_subgoal(parse_subgoal(str(fact)), layout)
        first = next((i for i, state in enumerate(states) if test(state)), None)
        assert first is not None, (kind, str(fact))
        assert first > order, (kind, str(fact), "true at the start or out of order")
        order = first


@pytest.mark.parametrize("index", range(40))
def test_every_subgoal_is_a_landmark_no_plan_avoids(index: int) -> None:
    """Forbidding the fact leaves no plan: searched without pruning in a small household."""
    kind, goal, layout, initial = random_problem("landmarks", index, small=True)
    solution = solve(goal, layout, initial)
    for fact in subgoals(goal, layout, initial, solution.plan):
        assert not _reachable_without(str(fact), goal, layout, initial), (
            kind,
            str(fact),
        )


def _reachable_without(fact_text: str, goal: Goal, layout: Layout, initial: WorldState) -> bool:
    """Whether a state of the goal can be reached through states in which the fact is false."""
    avoid = compile_subgoal(parse_subgoal(fact_text), layout)
    holds = compile_goal(goal, layout, initial)
    first = initial._replace(slots=(0,) * layout.num_objects)
    seen, pending = {first}, [first]
    while pending:
        state = pending.pop()
        if holds(state):
            return True
        for skill in range(NUM_SKILLS):
            child = apply(layout, state, skill)[0]._replace(slots=first.slots)
            if child not in seen and not avoid(child):
                seen.add(child)
                pending.append(child)
    return False
