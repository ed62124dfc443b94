"""Boxes of usual goals: as few as can be, and exactly these."""

from __future__ import annotations

from itertools import permutations

import pytest
from solver_worlds import household

from langrearrange.errors import SolverError
from langrearrange.solver import Box, boxes, goal_boxes
from langrearrange.solver.boxes import ALL_LOCATIONS, ALL_PLACES, HAND_BIT
from langrearrange.world import STANDARD_REACH
from langrearrange.world.goals import parse_goal
from langrearrange.world.vocabulary import NAV_INDEX, OPENABLE_INDEX, RECEPTACLE_INDEX, RECEPTACLES

LAYOUT, START = household([("apple", "sofa"), ("apple", "fridge"), ("pear", "sofa")])
PEAR = 2


def found(goal: str) -> tuple[Box, ...]:
    return goal_boxes(parse_goal(goal), LAYOUT, START)


def at(*names: str) -> int:
    return sum(1 << RECEPTACLE_INDEX[name] for name in names)


def turned(*names: str) -> int:
    return sum(1 << OPENABLE_INDEX[name] for name in names)


def standing(*names: str) -> int:
    return sum(1 << NAV_INDEX[name] for name in names)


def box(
    *objects: tuple[int, int], free: bool = False, places: int = ALL_PLACES, opened: int = 0,
    closed: int = 0,
) -> Box:  # fmt: skip
    return Box(free, objects, places, opened, closed)


FRIDGE = standing("fridge", "fridge_handle")
ELSEWHERE = ALL_LOCATIONS & ~at("sofa")


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        ("(exists (?x - apple) (on_top ?x sink))", [box((0, at("sink"))), box((1, at("sink")))]),
        # Of one thing, alternatives are one mask.
        ("(exists (?x - pear) (or (on_top ?x sink) (on_top ?x sofa)))",
         [box((PEAR, at("sink", "sofa")))]),
        ("(exists (?x - pear) (not (on_top ?x sofa)))", [box((PEAR, ELSEWHERE))]),
        ("(forall (?x - apple) (not (on_top ?x sofa)))", [box((0, ELSEWHERE), (1, ELSEWHERE))]),
        ("(exists (?x - pear) (holding ?x))", [box((PEAR, HAND_BIT))]),
        # A free hand takes the hand out of every mask.
        ("(and (hand_free) (exists (?x - pear) (not (on_top ?x sofa))))",
         [box((PEAR, ELSEWHERE & ~HAND_BIT), free=True)]),
        ("(and (hand_free) (exists (?x - pear) (not (holding ?x))))", [box(free=True)]),
        ("(and (hand_free) (exists (?x - pear) (holding ?x)))", []),
        ("(not (hand_free))", [box((i, HAND_BIT)) for i in range(3)]),
        # Two cannot be held at once.
        ("(forall (?x - apple) (holding ?x))", []),
        ("(robot_at sofa)", [box(places=standing("sofa"))]),
        ("(robot_at fridge)", [box(places=FRIDGE)]),
        ("(not (robot_at fridge))", [box(places=ALL_PLACES & ~FRIDGE)]),
        ("(or (robot_at sofa) (robot_at sink))", [box(places=standing("sofa", "sink"))]),
        ("(and (robot_at sofa) (robot_at sink))", []),
        ("(open fridge)", [box(opened=turned("fridge"))]),
        ("(not (open fridge))", [box(closed=turned("fridge"))]),
        ("(and (closed fridge) (open left_drawer))",
         [box(opened=turned("left_drawer"), closed=turned("fridge"))]),
        ("(and (open fridge) (closed fridge))", []),
        ("(or (open fridge) (closed fridge))", [box()]),
        # What decides nothing goes; a box within another one too.
        ("(or (and (open fridge) (robot_at sofa)) (and (closed fridge) (robot_at sofa)))",
         [box(places=standing("sofa"))]),
        ("(or (exists (?x - pear) (on_top ?x sink))"
         " (and (open fridge) (exists (?x - pear) (on_top ?x sink))))",
         [box((PEAR, at("sink")))]),
        # What was true at the start is known.
        ("(exists (?x - apple) (undisturbed ?x))", [box((0, at("sofa"))), box((1, at("fridge")))]),
        ("(exists (?x - apple) (and (initially (on_top ?x sofa)) (on_top ?x sink)))",
         [box((0, at("sink")))]),
        ("(and (initially (closed fridge)) (open left_drawer))",
         [box(opened=turned("left_drawer"))]),
        ("(and (initially (open fridge)) (open left_drawer))", []),
        ("(exists (?x - pear ?r - container) (and (on_top ?x ?r) (closed ?r)))",
         [box((PEAR, at(name)), closed=turned(name))
          for name in ("fridge", "left_drawer", "right_drawer")]),
        ("(exists (?x - ball) (on_top ?x sink))", []),
        ("(forall (?x - ball) (on_top ?x sink))", [box()]),
    ],
)  # fmt: skip
def test_the_boxes_of_a_goal(goal: str, expected: list[Box]) -> None:
    assert sorted(found(goal)) == sorted(expected)


ANYWHERE = "(exists (?x - pear) (or (on_top ?x sofa) (not (on_top ?x sofa))))"


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        (ANYWHERE, [box()]),
        (f"(and (open fridge) {ANYWHERE})", [box(opened=turned("fridge"))]),
        (f"(or (open fridge) {ANYWHERE})", [box()]),
        ("(or (robot_at sofa) (not (robot_at sofa)))", [box()]),
    ],
)
def test_alternatives_that_leave_everything_open_constrain_nothing(
    goal: str, expected: list[Box]
) -> None:
    assert list(found(goal)) == expected


LOOSE = "(exists (?x - pear) (not (holding ?x)))"
"""Says nothing of a pear when the hand is free."""


def test_what_says_nothing_hides_no_other_part() -> None:
    expected = box(free=True, places=standing("sofa"), opened=turned("fridge"))
    for parts in permutations(("(hand_free)", LOOSE, "(open fridge)", "(robot_at sofa)")):
        assert list(found(f"(and {' '.join(parts)})")) == [expected]


def test_near_is_held_or_in_reach_and_not_shut_away() -> None:
    expected = [box((PEAR, HAND_BIT))]
    for name in RECEPTACLES:
        stances = sum(1 << place for place, reach in enumerate(STANDARD_REACH) if reach & at(name))
        opened = turned(name) if name in OPENABLE_INDEX else 0
        expected.append(box((PEAR, at(name)), places=stances, opened=opened))
    assert sorted(found("(exists (?x - pear) (near ?x))")) == sorted(expected)


def test_not_near_is_elsewhere_or_shut_away() -> None:
    expected = []
    for name in RECEPTACLES:
        stances = sum(1 << place for place, reach in enumerate(STANDARD_REACH) if reach & at(name))
        expected.append(box((PEAR, at(name)), places=ALL_PLACES & ~stances))
        if name in OPENABLE_INDEX:
            expected.append(box((PEAR, at(name)), closed=turned(name)))
    assert sorted(found("(exists (?x - pear) (not (near ?x)))")) == sorted(expected)


def test_the_limits_are_as_told() -> None:
    assert (boxes.MAX_BOXES, boxes.MAX_WORK) == (2048, 60_000)


@pytest.mark.parametrize(("limit", "accepted"), [(12, True), (11, False)])
def test_as_many_boxes_as_accepted(
    monkeypatch: pytest.MonkeyPatch, limit: int, accepted: bool
) -> None:
    """Near a pear: in the hand, or in reach on one of eleven."""
    monkeypatch.setattr(boxes, "MAX_BOXES", limit)
    if accepted:
        assert len(found("(exists (?x - pear) (near ?x))")) == 12
    else:
        with pytest.raises(SolverError, match="more than 11 boxes over 3 objects"):
            found("(exists (?x - pear) (near ?x))")


def test_work_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    goal = "(and (open fridge) (open left_drawer) (robot_at sofa))"
    monkeypatch.setattr(boxes, "MAX_WORK", 30)
    assert len(found(goal)) == 1
    monkeypatch.setattr(boxes, "MAX_WORK", 2)
    with pytest.raises(SolverError, match="more than 2 operations over 3 objects"):
        found(goal)
