"""The exported PDDL word by word, on a household of three things."""

from __future__ import annotations

import re

import pytest
from solver_worlds import household

from langrearrange.errors import SolverError
from langrearrange.solver import pddl
from langrearrange.world import Layout, WorldState, apply, skill_index
from langrearrange.world.goals import parse_goal
from langrearrange.world.vocabulary import NAV_INDEX, OPENABLES, RECEPTACLES, SPOTS, handle_of

LAYOUT, START = household([("apple", "sofa"), ("apple", "fridge"), ("pear", "sofa")], ("fridge",))
SMALL_NAMES = ("sofa", "sink", "fridge")
SMALL = sum(1 << NAV_INDEX[name] for name in (*SMALL_NAMES, handle_of("fridge")))


def section(text: str, name: str) -> list[str]:
    """The lines of `(:name ...)`."""
    match = re.search(rf"\(:{name}\n(.*?)\n  \)\n", text, re.S)
    assert match
    return [line.strip() for line in match[1].split("\n")]


def small(opened: tuple[str, ...] = ()) -> tuple[Layout, WorldState]:
    """A home of three fixtures."""
    return household([("apple", "sofa"), ("pear", "fridge")], opened, present=SMALL)


@pytest.mark.parametrize(
    ("goal", "written"),
    [
        ("(hand_free)", "(hand_free)"),
        ("(not (hand_free))", "(not (hand_free))"),
        ("(and (hand_free) (open fridge))", "(and (hand_free) (not (closed fridge)))"),
        ("(or (closed fridge) (robot_at sofa))", "(or (closed fridge) (robot_at sofa))"),
        ("(and (hand_free) (hand_free))", "(hand_free)"),
        ("(exists (?x - apple) (on_top ?x sink))", "(exists (?x_0 - apple) (on_top ?x_0 sink))"),
        ("(forall (?x - fruit) (on_top ?x sink))", "(forall (?x_0 - fruit) (on_top ?x_0 sink))"),
        ("(exists (?x - object) (holding ?x))", "(exists (?x_0 - movable) (holding ?x_0))"),
        ("(exists (?x - (either apple pear)) (holding ?x))",
         "(or (exists (?x_0 - apple) (holding ?x_0)) (exists (?x_1 - pear) (holding ?x_1)))"),
        ("(forall (?x - (either apple pear)) (holding ?x))",
         "(and (forall (?x_0 - apple) (holding ?x_0)) (forall (?x_1 - pear) (holding ?x_1)))"),
        # What is said of the start is worked out, and the things are named.
        ("(exists (?x - apple) (and (initially (on_top ?x sofa)) (on_top ?x sink)))",
         "(on_top apple_0 sink)"),
        ("(forall (?x - apple) (imply (initially (on_top ?x sofa)) (on_top ?x sink)))",
         "(on_top apple_0 sink)"),
        ("(exists (?x - apple) (undisturbed ?x))",
         "(or (on_top apple_0 sofa) (on_top apple_1 fridge))"),
        ("(initially (open fridge))", "(or (hand_free) (not (hand_free)))"),
        ("(initially (closed fridge))", "(and (hand_free) (not (hand_free)))"),
        ("(not (initially (closed fridge)))", "(or (hand_free) (not (hand_free)))"),
        ("(exists (?x - ball) (holding ?x))", "(and (hand_free) (not (hand_free)))"),
        ("(forall (?x - ball) (holding ?x))", "(or (hand_free) (not (hand_free)))"),
        ("(exists (?x - pear) (near ?x))",
         "(exists (?x_0 - pear) (or (holding ?x_0) (exists (?near_1 - receptacle) (and "
         "(on_top ?x_0 ?near_1) (robot_at ?near_1) (not (closed ?near_1))))))"),
        ("(exists (?x - pear ?r - container) (and (on_top ?x ?r) (closed ?r)))",
         "(exists (?x_0 - pear) (exists (?r_1 - container) (and (on_top ?x_0 ?r_1) "
         "(closed ?r_1))))"),
    ],
)  # fmt: skip
def test_a_goal_is_written_as(goal: str, written: str) -> None:
    pair = pddl.export(parse_goal(goal), LAYOUT, START, "p")
    assert pair.problem.endswith(f"  (:goal {written})\n)\n")


def test_the_start_of_a_small_home_in_adl() -> None:
    layout, start = small()
    problem = pddl.export(parse_goal("(hand_free)"), layout, start, "train/000017").problem
    assert problem.startswith("(define (problem train_000017)\n  (:domain langrearrange)\n")
    assert section(problem, "init") == [
        "(robot_at start)", "(hand_free)", "(openable fridge)", "(closed fridge)",
        "(on_top apple_0 sofa)", "(on_top pear_0 fridge)",
    ]  # fmt: skip
    assert set(section(problem, "objects")) == {
        "start - spot", "sofa - surface", "sink - surface", "fridge - container",
        "apple_0 - apple", "pear_0 - pear",
    }  # fmt: skip
    opened = pddl.export(parse_goal("(hand_free)"), *small(("fridge",)), "p").problem
    assert "(closed fridge)" not in section(opened, "init")


def test_a_thing_in_the_hand_and_a_robot_at_a_handle() -> None:
    layout, start = small(("fridge",))
    state = start
    for skill in ("nav(sofa)", "pick(apple)", "nav(fridge_handle)"):
        state, _ = apply(layout, state, skill_index(skill))
    facts = section(pddl.export(parse_goal("(hand_free)"), layout, state, "p").problem, "init")
    assert "(robot_at fridge)" in facts
    assert "(holding apple_0)" in facts
    assert "(hand_free)" not in facts
    assert not any(fact.startswith("(on_top apple_0") for fact in facts)
    strips = section(
        pddl.export(parse_goal("(hand_free)"), layout, state, "p", "strips").problem, "init"
    )
    assert "(loose pear_0)" in strips
    assert "(loose apple_0)" not in strips
    assert {f"(off apple_0 {name})" for name in SMALL_NAMES} <= set(strips)


def test_the_start_of_a_small_home_in_strips() -> None:
    problem = pddl.export(parse_goal("(hand_free)"), *small(), "p", "strips").problem
    assert set(section(problem, "init")) == {
        "(pending)", "(robot_at start)", "(hand_free)", "(openable fridge)", "(closed fridge)",
        "(on_top apple_0 sofa)", "(on_top pear_0 fridge)", "(open sofa)", "(open sink)",
        "(away sofa)", "(away sink)", "(away fridge)", "(off apple_0 sink)",
        "(off apple_0 fridge)", "(loose apple_0)", "(off pear_0 sofa)", "(off pear_0 sink)",
        "(loose pear_0)",
    }  # fmt: skip
    assert problem.endswith("(:goal (and (goal_met)))\n)\n")
    opened = section(
        pddl.export(parse_goal("(hand_free)"), *small(("fridge",)), "p", "strips").problem, "init"
    )
    assert "(open fridge)" in opened


@pytest.mark.parametrize(
    ("goal", "conditions"),
    [
        ("(hand_free)", "(pending) (hand_free)"),
        ("(and (open fridge) (hand_free))", "(pending) (hand_free) (open fridge)"),
        ("(closed fridge)", "(pending) (closed fridge)"),
        ("(robot_at sofa)", "(pending) (robot_at sofa)"),
        ("(not (robot_at sofa))", "(pending) (away sofa)"),
        ("(exists (?x - pear) (holding ?x))", "(pending) (holding pear_0)"),
        ("(exists (?x - pear) (on_top ?x sink))", "(pending) (on_top pear_0 sink)"),
        ("(exists (?x - pear) (or (on_top ?x sink) (on_top ?x sofa)))",
         "(pending) (off pear_0 fridge) (loose pear_0)"),
        ("(and (hand_free) (exists (?x - pear) (or (on_top ?x sink) (on_top ?x sofa))))",
         "(pending) (hand_free) (off pear_0 fridge)"),
        ("(exists (?x - pear) (not (on_top ?x sink)))", "(pending) (off pear_0 sink)"),
    ],
)  # fmt: skip
def test_what_a_goal_demands_in_strips(goal: str, conditions: str) -> None:
    domain = pddl.export(parse_goal(goal), *small(), "p", "strips").domain
    (found,) = re.findall(r"achieve_\d+\s+:parameters \(\)\s+:precondition \(and (.*)\)\n", domain)
    assert found == conditions
    named = {word for word in re.findall(r"[a-z_0-9]+", conditions)} & {*SPOTS, "pear_0"}
    constants = {line.split(" ")[0] for line in section(domain, "constants")}
    assert constants == named | {"start"}


def test_every_box_is_an_action() -> None:
    domain = pddl.export(
        parse_goal("(exists (?x - apple) (on_top ?x sink))"), LAYOUT, START, "p", "strips"
    ).domain
    assert re.findall(r":action (achieve_\d+)", domain) == ["achieve_0", "achieve_1"]


def test_a_plan_is_written_and_read_in_the_exports_words() -> None:
    layout, start = small()
    plan = [
        skill_index(skill)
        for skill in ("nav(fridge)", "open(fridge)", "pick(pear)", "nav(sink)", "place(sink)",
                      "nav(fridge_handle)", "close(fridge)")
    ]  # fmt: skip
    goal = parse_goal("(and (closed fridge) (exists (?x - pear) (on_top ?x sink)))")
    text = (
        "(nav start fridge)\n(open_fixture fridge)\n(pick pear_0 fridge)\n(nav fridge sink)\n"
        "(place pear_0 sink)\n(nav sink fridge)\n(close_fixture fridge)\n"
    )
    assert pddl.plan_text(plan, goal, layout, start) == text
    assert pddl.plan_text(plan, goal, layout, start, "strips") == f"{text}(achieve_0)\n"
    assert pddl.plan_text(plan, goal, layout, start, object_names=["a", "b"]) == text.replace(
        "pear_0", "b"
    )
    read = pddl.parse_plan(f"; a comment\n\n{text.upper()}(achieve_0) ; done\n", layout)
    assert read == tuple(skill_index("nav(fridge)") if s == plan[5] else s for s in plan)
    assert pddl.parse_plan("pick pear_0, fridge", layout) == (skill_index("pick(pear)"),)
    # From a container to its handle there is nowhere to go.
    there = [skill_index("nav(fridge)"), skill_index("nav(fridge_handle)")]
    assert pddl.plan_text(there, goal, layout, start) == "(nav start fridge)\n"


@pytest.mark.parametrize(
    "name", ["apple", "start", "sofa", "fridge", "closed", "Apple", "1a", "a-b"]
)
def test_names_that_mean_something_else_are_refused(name: str) -> None:
    layout, start = small()
    goal = parse_goal("(hand_free)")
    with pytest.raises(SolverError, match=f"object name '{name}' cannot stand in PDDL"):
        pddl.export(goal, layout, start, "p", object_names=[name, "b"])
    with pytest.raises(SolverError, match="object name 'b' cannot stand"):
        pddl.export(goal, layout, start, "p", object_names=["b", "b"])
    pddl.export(goal, layout, start, "p", object_names=["a1", "b_2"])


def test_objects_are_named_by_category_in_order() -> None:
    assert pddl.default_object_names(LAYOUT) == ("apple_0", "apple_1", "pear_0")
    assert set(SPOTS) == {*RECEPTACLES, *OPENABLES}
