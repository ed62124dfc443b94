"""The PDDL export against programs that are not ours, and its promises about names and form."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from solver_judges import (
    check_same_optimum,
    fast_downward,
    pyperplan_plan,
    validator_accepts,
)
from solver_problems import Exercise, random_problem
from solver_worlds import goals, household, worlds

from langrearrange.errors import SolverError
from langrearrange.solver import pddl, solve
from langrearrange.world import WorldState
from langrearrange.world.goals import parse_goal
from langrearrange.world.vocabulary import CATEGORIES, GROUPS, SPOTS


@pytest.mark.parametrize("index", range(12))
def test_a_validator_accepts_our_plans_and_refuses_them_without_the_last_step(
    index: int, tmp_path: Path
) -> None:
    kind, goal, layout, initial = random_problem("validated", index)
    plan = solve(goal, layout, initial).plan
    pair = pddl.export(goal, layout, initial, f"train/{index:06d}")
    if plan:
        text = pddl.plan_text(plan, goal, layout, initial)
        assert validator_accepts(pair, text, tmp_path) == (True, False), kind


def _check_random_formula(data: st.DataObject, folder: Path) -> None:
    world = data.draw(worlds(from_start=True))
    goal = data.draw(goals(world))
    try:
        plan = solve(goal, world.layout, world.initial, 12).plan
    except SolverError:
        assume(False)
    assume(plan)
    pair = pddl.export(goal, world.layout, world.initial, "fuzz")
    text = pddl.plan_text(plan, goal, world.layout, world.initial)
    assert validator_accepts(pair, text, folder) == (True, False)


FEW = settings(
    max_examples=12,
    deadline=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
)


@FEW
@given(st.data())
def test_a_validator_agrees_on_random_formulas(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    _check_random_formula(data, tmp_path_factory.mktemp("pair"))


@pytest.mark.slow
@settings(FEW, max_examples=300)
@given(st.data())
def test_a_validator_agrees_on_many_random_formulas(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    _check_random_formula(data, tmp_path_factory.mktemp("pair"))


def _check_against_pyperplan(problem: Exercise, folder: Path) -> None:
    solution = solve(problem.goal, problem.layout, problem.initial)
    found = pyperplan_plan(pddl.export(*problem[1:], "p", "strips"), folder)
    check_same_optimum(problem, solution, found)


@pytest.mark.parametrize("index", range(24))
def test_pyperplan_finds_the_same_optimum_plus_the_achieving_step(
    index: int, tmp_path: Path
) -> None:
    _check_against_pyperplan(random_problem("pyperplan", index, small=True), tmp_path)


def _with_work_to_do(*key: str | int, most: int = 31) -> Exercise:
    """Draw problems in a whole flat until one takes between 1 and `most` steps."""
    for attempt in range(1000):
        problem = random_problem(*key, attempt)
        if 1 <= len(solve(problem.goal, problem.layout, problem.initial).plan) <= most:
            return problem
    raise AssertionError("no such problem")


@pytest.mark.slow
@pytest.mark.parametrize("index", range(80))
def test_pyperplan_finds_the_same_optimum_in_whole_flats(index: int, tmp_path: Path) -> None:
    _check_against_pyperplan(_with_work_to_do("pyperplan", index, most=5), tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("batch", range(10))
def test_fast_downward_finds_the_same_optimum_wherever_it_finishes(
    batch: int, tmp_path: Path
) -> None:
    finished = 0
    for index in range(32):
        problem = _with_work_to_do("fast downward", batch, index)
        solution = solve(problem.goal, problem.layout, problem.initial)
        verdict = fast_downward(pddl.export(*problem[1:], "p", "strips"), tmp_path)
        if verdict.finished:
            finished += 1
            check_same_optimum(problem, solution, verdict.plan)
    assert finished >= 30


@pytest.mark.parametrize("dialect", ["adl", "strips"])
def test_plans_come_back_from_their_pddl_text(dialect: pddl.Dialect) -> None:
    for index in range(30):
        _, goal, layout, initial = random_problem("back", index)
        plan = solve(goal, layout, initial).plan
        if solve(goal, layout, initial).status == "solved":
            text = pddl.plan_text(plan, goal, layout, initial, dialect)
            assert pddl.parse_plan(text, layout) == plan
            assert text.count("\n") == len(plan) + (dialect == "strips")


def test_a_line_that_is_no_action_is_named() -> None:
    layout, _ = household([("apple", "sofa")])
    for line in ("(fly sofa)", "(pick pear_0 sofa)", "(nav start)"):
        with pytest.raises(SolverError, match=re.escape(line)):
            pddl.parse_plan(line, layout)


def test_no_name_serves_twice() -> None:
    layout, initial = household([("box", "sofa"), ("box", "sink"), ("can", "fridge")])
    goal = parse_goal("(exists (?x - box) (and (on_top ?x sofa) (closed fridge)))")
    pair = pddl.export(goal, layout, initial, "p", "strips")
    types = {*CATEGORIES, *GROUPS, "spot", "fixture", "receptacle", "surface", "container"}
    things = {"start", *SPOTS, "box_0", "box_1", "can_0"}
    actions = re.findall(r":action (\w+)", pair.domain)
    predicate_list = pair.domain[pair.domain.index("(:predicates") : pair.domain.index("(:action")]
    predicates = re.findall(r"\((\w+)", predicate_list)
    names = [*types, *things, *actions, *predicates, "movable", "object"]
    assert len(names) == len(set(names))


def test_the_strips_pair_uses_no_negation_and_no_quantifier() -> None:
    _, goal, layout, initial = random_problem("conditional", 1)
    pair = pddl.export(goal, layout, initial, "p", "strips")
    assert not re.search(r"forall|exists|imply|\(or ", pair.domain + pair.problem)
    assert not re.search(r":precondition[^\n]*\(not ", pair.domain)
    assert "(not " not in pair.problem


def test_one_adl_domain_serves_all_episodes() -> None:
    pairs = [pddl.export(*random_problem("shared", index)[1:], "p") for index in range(5)]
    assert len({pair.domain for pair in pairs}) == 1


def test_constant_goals_are_written_as_constants(tmp_path: Path) -> None:
    layout, initial = household([("apple", "sofa")])
    for text, holds in (("(and)", True), ("(or)", False)):
        pair = pddl.export(parse_goal(text), layout, initial, "p")
        assert validator_accepts(pair, "(nav start sofa)\n", tmp_path) == (holds, holds)


def test_episode_ids_become_pddl_names() -> None:
    assert pddl.pddl_name("train/000017#2") == "train_000017_2"
    assert pddl.pddl_name("000017") == "p_000017"


def test_what_the_domain_cannot_say_is_refused() -> None:
    layout, initial = household([("apple", "sofa")], semantics="release")
    goal = parse_goal("(hand_free)")
    with pytest.raises(SolverError, match="release"):
        pddl.export(goal, layout, initial, "p")
    layout, initial = household([("apple", "sofa")])
    with pytest.raises(SolverError, match="accepted: adl, strips"):
        pddl.export(goal, layout, initial, "p", "hddl")  # type: ignore[arg-type]
    for names in (["apple"], ["sofa"], ["Apple-1"]):
        with pytest.raises(SolverError, match="object name"):
            pddl.export(goal, layout, initial, "p", object_names=names)


def test_a_plan_that_misses_the_goal_has_no_achieving_step() -> None:
    layout, initial = household([("apple", "sofa")])
    goal = parse_goal("(robot_at sofa)")
    assert isinstance(initial, WorldState)
    with pytest.raises(SolverError, match="does not reach"):
        pddl.plan_text((), goal, layout, initial, "strips")
