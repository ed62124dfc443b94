"""What `solve` promises: statuses, the lowest-index rule, bounds on work, cheap refusals."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from solver_problems import crowded_problem, random_problem
from solver_worlds import household

from langrearrange.errors import SolverError
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.solver import breadth_first, goal_boxes, solve
from langrearrange.solver.search import DEFAULT_LIMIT, DEFAULT_MAX_VISITS
from langrearrange.world import SKILLS, Outcome, apply, skill_index
from langrearrange.world.goals import compile_goal, parse_goal
from langrearrange.world.vocabulary import NAV_INDEX, RECEPTACLES

MOVE_APPLE = parse_goal("(exists (?x - apple) (and (on_top ?x left_counter) (hand_free)))")


def names(plan: tuple[int, ...]) -> list[str]:
    return [SKILLS[skill].id for skill in plan]


def test_moving_one_object_takes_four_skills() -> None:
    layout, initial = household([("apple", "sofa"), ("ball", "sofa")])
    solution = solve(MOVE_APPLE, layout, initial)
    assert solution.status == "solved"
    assert names(solution.plan) == [
        "nav(sofa)",
        "pick(apple)",
        "nav(left_counter)",
        "place(left_counter)",
    ]
    assert solution.lower_bound == 4


def test_a_goal_that_holds_already_has_the_empty_plan() -> None:
    layout, initial = household([("apple", "left_counter")])
    solution = solve(MOVE_APPLE, layout, initial)
    assert (solution.status, solution.plan) == ("solved", ())
    assert (solution.visits, solution.lower_bound) == (0, 0)
    assert not solution.too_long


def test_a_goal_without_any_plan_is_told_from_one_beyond_the_limit() -> None:
    layout, initial = household([("apple", "sofa")])
    nowhere = parse_goal("(and (robot_at sofa) (robot_at sink))")
    never = solve(nowhere, layout, initial)
    assert (never.status, never.lower_bound, never.too_long) == ("unsolvable", None, False)
    late = solve(MOVE_APPLE, layout, initial, limit=3)
    assert (late.status, late.lower_bound, late.too_long) == ("unsolvable", 4, True)


def test_the_reference_search_tells_the_same_apart() -> None:
    layout, initial = household([("apple", "sofa")])
    found = breadth_first(MOVE_APPLE, layout, initial)
    assert (found.status, found.lower_bound, len(found.plan)) == ("solved", 4, 4)
    for limit in (1, 2, 3):
        late = breadth_first(MOVE_APPLE, layout, initial, limit)
        assert (late.status, late.lower_bound) == ("unsolvable", limit + 1)
    nowhere = parse_goal("(and (robot_at sofa) (robot_at sink))")
    never = breadth_first(nowhere, layout, initial)
    assert (never.status, never.lower_bound) == ("unsolvable", None)
    little = breadth_first(MOVE_APPLE, layout, initial, max_states=20)
    assert (little.status, little.plan) == ("gave_up", ())
    done = breadth_first(parse_goal("(hand_free)"), layout, initial)
    assert (done.status, done.plan, done.lower_bound) == ("solved", (), 0)


@pytest.mark.parametrize("goal", ["(robot_at sink)", "(or (robot_at sink) (robot_at chair))"])
def test_a_place_that_the_home_lacks_is_known_to_be_beyond_reach_without_a_search(
    goal: str,
) -> None:
    layout, initial = household([("apple", "sofa")], present=1 << NAV_INDEX["sofa"])
    never = solve(parse_goal(goal), layout, initial)
    assert (never.status, never.lower_bound, never.visits) == ("unsolvable", None, 0)


def test_the_reference_search_counts_the_states_it_keeps() -> None:
    layout, initial = household([("apple", "sofa")], present=1 << NAV_INDEX["sofa"])
    for goal, visits in (("(hand_free)", 1), ("(robot_at sofa)", 2), ("(robot_at sink)", 3)):
        assert breadth_first(parse_goal(goal), layout, initial).visits == visits


def test_no_instance_means_unsolvable() -> None:
    layout, initial = household([("ball", "sofa")])
    assert solve(MOVE_APPLE, layout, initial).status == "unsolvable"


def test_too_few_visits_give_up_and_claim_nothing() -> None:
    layout, initial = household([(c, "sofa") for c in ("apple", "ball", "cup", "lego")])
    goal = parse_goal("(and (forall (?x - object) (not (on_top ?x sofa))) (hand_free))")
    assert solve(goal, layout, initial, max_visits=3).status == "gave_up"
    assert solve(goal, layout, initial).status == "solved"


def test_the_last_state_allowed_may_be_the_goal() -> None:
    layout, initial = household([("apple", "sofa")])
    found = solve(MOVE_APPLE, layout, initial)
    assert solve(MOVE_APPLE, layout, initial, max_visits=found.visits) == found
    little = solve(MOVE_APPLE, layout, initial, max_visits=found.visits - 1)
    assert (little.status, little.plan, little.visits) == ("gave_up", (), found.visits)


def test_the_default_limits_are_those_of_the_docs() -> None:
    page = (Path(__file__).parents[2] / "docs" / "official-episodes.md").read_text()
    told = (
        f"no plan of up to {DEFAULT_LIMIT} skills, or none found in {DEFAULT_MAX_VISITS:,} states"
    )
    assert told in page


def test_thirty_two_steps_are_too_many_and_thirty_one_are_not() -> None:
    surfaces = ("chair", "black_table", "brown_table", "tv_stand", "sink", "right_counter")
    goal = parse_goal("(and (hand_free) (forall (?x - object) (on_top ?x sofa)))")
    categories = ("apple", "ball", "cup", "lego", "pear", "plum", "can", "box")
    objects = [(c, surfaces[i % 6]) for i, c in enumerate(categories)]
    layout, initial = household(objects)
    assert solve(goal, layout, initial).too_long
    assert len(solve(goal, layout, initial, limit=32).plan) == 32
    layout, initial = household(objects[:7])
    assert len(solve(goal, layout, initial).plan) == 28


def test_an_instance_with_a_lower_index_must_be_moved_out_of_the_way() -> None:
    layout, initial = household([("apple", "sofa"), ("apple", "sofa"), ("apple", "sink")])
    goal = parse_goal(
        "(exists (?x - apple ?y - apple) (and (on_top ?x sofa) (undisturbed ?x) (on_top ?y chair)"
        " (initially (on_top ?y sofa)) (hand_free)))"
    )
    # Leaving apple 1 and moving apple 0 is direct.
    assert len(solve(goal, layout, initial).plan) == 4
    layout, state = household([("apple", "sofa"), ("ball", "sink"), ("apple", "sofa")])
    for skill in ("nav(sofa)", "pick(apple)", "nav(sink)", "place(sink)"):
        state, outcome = apply(layout, state, skill_index(skill))
        assert outcome is Outcome.OK
    goal = parse_goal(
        "(exists (?x - apple ?y - apple) (and (initially (on_top ?x sink)) (on_top ?x sofa)"
        " (initially (on_top ?y sofa)) (on_top ?y sink) (hand_free)))"
    )
    solution = solve(goal, layout, state)
    assert len(solution.plan) == len(breadth_first(goal, layout, state, 10).plan) == 7


def test_an_unwanted_instance_blocks_even_when_no_box_mentions_it() -> None:
    """The box demands apple 1 only; apple 0 on the same receptacle is picked first."""
    layout, initial = household([("apple", "sofa"), ("apple", "sofa")])
    moved = household([("apple", "sink"), ("apple", "sofa")])[1]
    goal = parse_goal("(exists (?x - apple) (and (initially (on_top ?x sofa)) (on_top ?x chair)))")
    boxes = goal_boxes(goal, layout, moved)
    assert [obj for box in boxes for obj, _ in box.objects] == [1]
    solution = solve(goal, layout, moved, start=initial)
    assert [name for name in names(solution.plan) if name == "pick(apple)"] == ["pick(apple)"] * 2
    wanted = breadth_first(goal, layout, moved, 12, start=initial)
    assert len(solution.plan) == len(wanted.plan) == 8


@pytest.mark.parametrize("opened", ["fridge", "left_drawer", "right_drawer"])
def test_of_containers_that_serve_alike_the_open_one_is_visited(opened: str) -> None:
    layout, initial = household([("apple", "sofa")], (opened,))
    goal = parse_goal("(and (hand_free) (exists (?x - apple ?r - container) (on_top ?x ?r)))")
    expected = ["nav(sofa)", "pick(apple)", f"nav({opened})", f"place({opened})"]
    assert names(solve(goal, layout, initial).plan) == expected


def test_planning_goes_on_from_the_middle_of_an_episode() -> None:
    layout, initial = household([("apple", "fridge")])
    full = solve(MOVE_APPLE, layout, initial).plan
    state = initial
    for done, skill in enumerate(full):
        assert len(solve(MOVE_APPLE, layout, initial, start=state).plan) == len(full) - done
        state, _ = apply(layout, state, skill)


def test_an_exploding_goal_is_refused_cheaply_with_advice() -> None:
    categories = ("apple", "pear", "plum", "peach", "lemon", "banana")
    layout, initial = household([(c, "sofa") for c in categories * 5])
    goal = parse_goal(
        "(forall (?x - object) (exists (?y - object ?r - receptacle)"
        " (and (on_top ?x ?r) (on_top ?y ?r) (near ?y))))"
    )
    began = time.process_time()
    with pytest.raises(SolverError, match="quantify over fewer"):
        solve(goal, layout, initial)
    assert time.process_time() - began < 1.0


def test_solving_does_not_depend_on_what_no_goal_speaks_of() -> None:
    layout, initial = household([("apple", "sofa")])
    clutter = [("ball", "sofa"), ("cup", "chair"), ("lego", "fridge"), ("can", "left_drawer")] * 6
    crowded_layout, crowded = household([("apple", "sofa"), *clutter])
    alone, among = solve(MOVE_APPLE, layout, initial), solve(MOVE_APPLE, crowded_layout, crowded)
    assert (alone.plan, alone.visits) == (among.plan, among.visits)


def test_solving_twice_gives_the_same_plan() -> None:
    for index in range(30):
        kind, goal, layout, initial = random_problem("twice", index)
        assert solve(goal, layout, initial) == solve(goal, layout, initial), kind


@pytest.mark.parametrize("index", range(60))
def test_small_problems_of_every_kind_agree_with_breadth_first_search(index: int) -> None:
    kind, goal, layout, initial = random_problem("small", index, small=True)
    solution, wanted = solve(goal, layout, initial), breadth_first(goal, layout, initial)
    assert wanted.status == solution.status, kind
    assert len(wanted.plan) == len(solution.plan), kind


@pytest.mark.parametrize("index", range(40))
def test_plans_that_move_several_of_a_category_are_shortest(index: int) -> None:
    kind, goal, layout, initial = crowded_problem("several", index)
    solution, wanted = solve(goal, layout, initial), breadth_first(goal, layout, initial)
    assert wanted.status == solution.status, kind
    assert len(wanted.plan) == len(solution.plan), kind


FIVE_OF_EACH = ("apple", "ball", "cup")
TOGETHER = "(and (on_top ?x {0}) (on_top ?y {0}) (on_top ?z {0}) (hand_free))"


@pytest.mark.parametrize("key", range(6))
def test_one_each_of_five_apples_balls_and_cups_on_any_one_place(key: int) -> None:
    """1,375 ways to meet the goal: solved, as well as the best of eleven goals with a place."""
    rng = KeyedRng(HOUSE_VERSION, "together", key)
    kinds = [(category, rng.sample(RECEPTACLES, 1 + key % 3)) for category in FIVE_OF_EACH]
    layout, initial = household([(c, rng.choice(r)) for c, r in kinds for _ in range(5)])
    some = "(exists (?x - apple ?y - ball ?z - cup {}) {})"
    goal = parse_goal(some.format("?r - receptacle", TOGETHER.format("?r")))
    solution = solve(goal, layout, initial)
    one_place = (parse_goal(some.format("", TOGETHER.format(r))) for r in RECEPTACLES)
    assert solution.status == "solved"
    assert len(solution.plan) == min(len(solve(g, layout, initial).plan) for g in one_place)
    assert compile_goal(goal, layout, initial)(initial) == (not solution.plan)


def test_many_boxes_count_as_more_visits() -> None:
    layout, initial = household(
        [(c, r) for c, r in zip(FIVE_OF_EACH, RECEPTACLES, strict=False)] * 5
    )
    goal = parse_goal(
        f"(exists (?r - receptacle ?x - apple ?y - ball ?z - cup) {TOGETHER.format('?r')})"
    )
    solution = solve(goal, layout, initial)
    assert solve(goal, layout, initial, max_visits=solution.visits).status == "solved"
    assert solve(goal, layout, initial, max_visits=solution.visits - 1).status == "gave_up"
