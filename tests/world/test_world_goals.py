from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_goals import reference_holds
from reference_world import reference_world

from langrearrange.errors import GoalError
from langrearrange.world import Layout, apply, initial_state
from langrearrange.world.goals import (
    Source,
    compile_goal,
    parse_goal,
    to_pddl,
)
from langrearrange.world.vocabulary import CATEGORY_INDEX

BAD = [
    ("", "1:1: the goal is empty"),
    ("hand_free", "stands alone"),
    ("(and (hand_free)", r"1:1: this '\(' is never closed"),
    ("(hand_free))", "1:12: a goal is one expression"),
    (")", "closes nothing"),
    ("(on_top ?x sofa)", r"1:9: variable \?x is not bound"),
    ("(exists (?x - aple) (near ?x))", "1:15: unknown type 'aple'; did you mean 'apple'"),
    ("(exists (?x) (near ?x))", "has no type"),
    ("(exists (?x - apple ?x - pear) (near ?x))", "bound twice"),
    ("(exists (?x - (either apple container)) (near ?x))", "mixes"),
    ("(exists (?x - container) (near ?x))", r"\?x is a container, but an object is expected"),
    ("(exists (?r - receptacle) (open ?r))", "type it '- container'"),
    ("(open chair)", "unknown openable 'chair'"),
    ("(exists (?x - apple) (on_top ?x soffa))", "did you mean 'sofa'"),
    ("(on_top apple sofa)", "bind one first"),
    ("(near)", "takes 1 arguments, 0 given"),
    ("(not)", "takes 1 part"),
    ("(flies ?x)", "unknown predicate"),
    ("((hand_free))", "begins with a word"),
    ("()", "not a formula"),
    ("(" * 50 + ")" * 50, "nested deeper"),
]


@pytest.mark.parametrize(("text", "message"), BAD)
def test_a_bad_goal_is_refused_with_place_and_remedy(text: str, message: str) -> None:
    with pytest.raises(GoalError, match=message):
        parse_goal(text)


def test_messages_count_lines_and_columns_from_the_source() -> None:
    with pytest.raises(GoalError, match=r"^train\.yaml:12:4: unknown predicate 'fly'"):
        parse_goal("(and (hand_free)\n  (fly sofa))", Source("train.yaml", 11, 20))


def test_comments_and_case_do_not_matter() -> None:
    assert parse_goal("(AND (hand_free) ; free\n (open Fridge))") == parse_goal(
        "(and (hand_free) (open fridge))"
    )


atoms = st.sampled_from(
    [
        "(hand_free)", "(open fridge)", "(closed left_drawer)", "(robot_at sofa)",
        "(robot_at middle_drawer)", "(exists (?x - apple) (on_top ?x sofa))",
        "(exists (?x - fruit) (holding ?x))", "(forall (?x - object) (undisturbed ?x))",
        "(exists (?x - (either apple pear)) (near ?x))",
        "(exists (?x - apple ?r - container) (and (on_top ?x ?r) (open ?r)))",
        "(forall (?x - apple) (imply (initially (on_top ?x sink)) (on_top ?x sofa)))",
        "(exists (?x ?y - apple) (and (not (= ?x ?y)) (undisturbed ?x) (undisturbed ?y)))",
        "(exists (?x - fruit ?r - receptacle) (and (on_top ?x ?r) (not (= sofa ?r))))",
    ]
)  # fmt: skip
formulas = st.recursive(
    atoms,
    lambda part: st.one_of(
        part.map(lambda a: f"(not {a})"),
        part.map(lambda a: f"(initially {a})"),
        st.tuples(part, part).map(lambda p: f"(and {p[0]} {p[1]})"),
        st.tuples(part, part).map(lambda p: f"(or {p[0]} {p[1]})"),
        st.tuples(part, part).map(lambda p: f"(imply {p[0]} {p[1]})"),
    ),
    max_leaves=6,
)


@given(formulas)
def test_writing_and_parsing_a_goal_gives_it_back(text: str) -> None:
    goal = parse_goal(text)
    assert parse_goal(to_pddl(goal)) == goal


@given(
    formulas,
    st.lists(st.tuples(st.sampled_from([15, 17, 18]), st.integers(0, 10)), max_size=4),
    st.integers(0, 31),
    st.lists(
        st.sampled_from([5, 9, 12, 13, 14, 31, 33, 34, 49, 53, 56, 57, 60, 61, 62, 66]), max_size=12
    ),
)
def test_a_compiled_goal_means_what_its_definition_says(
    text: str, objects: list[tuple[int, int]], open_mask: int, actions: list[int]
) -> None:
    layout = Layout(tuple(category for category, _ in objects))
    initial = initial_state([r for _, r in objects], list(range(len(objects))), open_mask)
    goal = parse_goal(text)
    holds = compile_goal(goal, layout, initial)
    state, start = initial, reference_world(layout, initial)
    for action in actions:
        assert holds(state) == reference_holds(goal, reference_world(layout, state), start)
        state, _ = apply(layout, state, action)
    assert holds(state) == reference_holds(goal, reference_world(layout, state), start)


def test_a_goal_that_unrolls_too_far_is_refused() -> None:
    layout = Layout((17,) * 40)
    initial = initial_state([0] * 40, list(range(40)), 0)
    goal = parse_goal("(exists (?x ?y ?z - object) (or (near ?x) (near ?y) (near ?z)))")
    with pytest.raises(GoalError, match="narrower types"):
        compile_goal(goal, layout, initial)


def test_undisturbed_does_not_look_at_slots() -> None:
    layout = Layout((17, 15))
    initial = initial_state([0, 0], [1, 0], 0)
    moved = initial._replace(slots=(5, 0))
    assert compile_goal(parse_goal("(forall (?x - apple) (undisturbed ?x))"), layout, initial)(
        moved
    )


@pytest.mark.parametrize("word", ["and", "or", "not", "initially", "imply", "exists", "forall"])
def test_forty_levels_are_read_and_one_more_is_refused(word: str) -> None:
    def nested(levels: int) -> str:
        goal = "(hand_free)"
        for level in range(levels - 1):
            if word == "imply":
                goal = f"(imply (hand_free) {goal})"
            elif word in ("exists", "forall"):
                goal = f"({word} (?x{level} - apple) {goal})"
            else:
                goal = f"({word} {goal})"
        return goal

    parse_goal(nested(40))
    with pytest.raises(GoalError, match="nested deeper than 40"):
        parse_goal(nested(41))


def test_a_goal_may_unroll_to_20_000_facts_and_no_more() -> None:
    """A hundred apples and a hundred pears make ten thousand pairs of facts."""
    categories = [CATEGORY_INDEX["apple"]] * 100 + [CATEGORY_INDEX["pear"]] * 100
    layout, state = Layout(tuple(categories)), initial_state([0] * 200, range(200), 0)
    pairs = "(exists (?x - apple ?y - pear) (or (holding ?x) (holding ?y)))"
    assert not compile_goal(parse_goal(pairs), layout, state)(state)
    with pytest.raises(GoalError, match="more than 20000 facts over 200 objects"):
        compile_goal(parse_goal(f"(and {pairs} (hand_free))"), layout, state)
