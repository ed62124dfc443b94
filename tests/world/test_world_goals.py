from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.errors import GoalError
from langrearrange.world import Layout, WorldState, apply, in_reach, initial_state
from langrearrange.world.goals import (
    And,
    Atom,
    Goal,
    Initially,
    Not,
    Or,
    Quantified,
    Source,
    compile_goal,
    domain,
    parse_goal,
    to_pddl,
)
from langrearrange.world.vocabulary import (
    OPENABLE_INDEX,
    RECEPTACLE_INDEX,
    SPOT_INDEX,
    SPOT_OF_PLACE,
)

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
    ("()", "no formula"),
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


def slow_holds(
    goal: Goal, layout: Layout, state: WorldState, initial: WorldState, env: dict[str, int]
) -> bool:
    """The definition of truth, spelled out: no folding, no unrolling ahead of time."""
    match goal:
        case Not(part):
            return not slow_holds(part, layout, state, initial, env)
        case Initially(part):
            return slow_holds(part, layout, initial, initial, env)
        case And(parts):
            return all([slow_holds(p, layout, state, initial, env) for p in parts])
        case Or(parts):
            return any([slow_holds(p, layout, state, initial, env) for p in parts])
        case Quantified(quantifier, variables, body):
            values = itertools.product(*(domain(v, layout) for v in variables))
            names = [v.name for v in variables]
            truths = [
                slow_holds(body, layout, state, initial, env | dict(zip(names, vs, strict=True)))
                for vs in values
            ]
            return all(truths) if quantifier == "forall" else any(truths)
        case Atom(predicate, arguments):
            return slow_atom(predicate, arguments, layout, state, initial, env)


def slow_atom(
    predicate: str,
    arguments: tuple[str, ...],
    layout: Layout,
    state: WorldState,
    initial: WorldState,
    env: dict[str, int],
) -> bool:
    match predicate, arguments:
        case "hand_free", ():
            return state.held == -1
        case "robot_at", (spot,):
            return SPOT_OF_PLACE[state.place] == env.get(spot, SPOT_INDEX.get(spot))
        case (("open" | "closed"), (name,)):
            containers = ("fridge", "left_drawer", "right_drawer")
            container = containers[env[name] - RECEPTACLE_INDEX["fridge"]] if name in env else name
            is_open = bool(state.open_mask >> OPENABLE_INDEX[container] & 1)
            return is_open == (predicate == "open")
        case "on_top", (x, r):
            return state.receptacles[env[x]] == env.get(r, RECEPTACLE_INDEX.get(r))
        case "holding", (x,):
            return state.held == env[x]
        case "undisturbed", (x,):
            return state.receptacles[env[x]] == initial.receptacles[env[x]]
        case "near", (x,):
            return in_reach(layout, state, env[x])
    raise AssertionError(predicate)


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
    state = initial
    for action in actions:
        assert holds(state) == slow_holds(goal, layout, state, initial, {})
        state, _ = apply(layout, state, action)
    assert holds(state) == slow_holds(goal, layout, state, initial, {})


def test_a_goal_that_unrolls_too_far_is_refused() -> None:
    layout = Layout((17,) * 40)
    initial = initial_state([0] * 40, list(range(40)), 0)
    goal = parse_goal("(exists (?x ?y ?z - object) (and (near ?x) (near ?y) (near ?z)))")
    with pytest.raises(GoalError, match="narrower types"):
        compile_goal(goal, layout, initial)


def test_undisturbed_does_not_look_at_slots() -> None:
    layout = Layout((17, 15))
    initial = initial_state([0, 0], [1, 0], 0)
    moved = initial._replace(slots=(5, 0))
    assert compile_goal(parse_goal("(forall (?x - apple) (undisturbed ?x))"), layout, initial)(
        moved
    )
