"""Taking quantifiers apart keeps what a goal means and saves combinations."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from reference_goals import reference_holds
from reference_world import reference_world

from langrearrange.world import Layout, WorldState
from langrearrange.world.goals import Quantified, factored, parse_goal, to_pddl
from langrearrange.world.vocabulary import CATEGORY_INDEX, IN_HAND

VARIABLES = {"?x": "apple", "?y": "ball", "?z": "fruit", "?r": "receptacle", "?s": "container"}
OBJECTS, PLACES = ("?x", "?y", "?z"), ("?r", "?s")


def bound(names: list[str], body: str, quantifier: str) -> str:
    return f"({quantifier} ({' '.join(f'{n} - {VARIABLES[n]}' for n in names)}) {body})"


@pytest.mark.parametrize(
    ("text", "apart"),
    [
        ("(exists (?x - apple ?y - ball) (and (near ?x) (holding ?y) (hand_free)))",
         "(and (hand_free) (exists (?x - apple) (near ?x)) (exists (?y - ball) (holding ?y)))"),
        ("(exists (?x - apple ?y - ball ?r - surface) (and (on_top ?x ?r) (on_top ?y ?r)))",
         "(exists (?r - surface) (and (exists (?x - apple) (on_top ?x ?r))"
         " (exists (?y - ball) (on_top ?y ?r))))"),
        ("(exists (?x - apple) (exists (?y - ball) (and (near ?x) (near ?y))))",
         "(and (exists (?x - apple) (near ?x)) (exists (?y - ball) (near ?y)))"),
        ("(forall (?x - apple ?y - ball) (or (near ?x) (near ?y)))",
         "(or (forall (?x - apple) (near ?x)) (forall (?y - ball) (near ?y)))"),
        ("(exists (?x - apple ?y - ball) (near ?x))",
         "(and (exists (?x - apple) (near ?x)) (exists (?y - ball) (and)))"),
        ("(exists (?x ?y - apple) (and (near ?x) (near ?y) (not (= ?x ?y))))",
         "(exists (?x ?y - apple) (and (not (= ?x ?y)) (near ?x) (near ?y)))"),
        ("(exists (?x - apple) (and (near ?x) (hand_free)))",
         "(exists (?x - apple) (and (near ?x) (hand_free)))"),
    ],
)  # fmt: skip
def test_quantifiers_are_taken_apart_where_conditions_are_independent(
    text: str, apart: str
) -> None:
    goal = parse_goal(text)
    assert isinstance(goal, Quantified)
    wanted = parse_goal(apart)
    assert to_pddl(parse_goal(to_pddl(factored(goal)))) == to_pddl(wanted)


@st.composite
def parts(draw: st.DrawFn) -> str:
    x, y = draw(st.sampled_from(OBJECTS)), draw(st.sampled_from(OBJECTS))
    r, s = draw(st.sampled_from(PLACES)), draw(st.sampled_from(PLACES))
    text = draw(
        st.sampled_from(
            [f"(on_top {x} {r})", f"(holding {x})", f"(= {x} {y})", f"(= {r} {s})", "(hand_free)",
             f"(or (near {x}) (on_top {y} {r}))", f"(initially (on_top {x} {s}))"]
        )
    )  # fmt: skip
    return f"(not {text})" if draw(st.booleans()) else text


states = st.tuples(st.lists(st.integers(0, IN_HAND - 1), min_size=4, max_size=4),
                   st.integers(-1, 3), st.integers(0, 31))  # fmt: skip


@given(
    st.sampled_from(["exists", "forall"]),
    st.sampled_from(["and", "or"]),
    st.permutations(list(VARIABLES)),
    st.integers(0, 5),
    st.lists(parts(), min_size=1, max_size=4),
    st.lists(st.sampled_from(["apple", "ball", "pear"]), min_size=0, max_size=4),
    st.tuples(states, states),
)
def test_what_is_taken_apart_means_the_same(
    quantifier: str,
    connective: str,
    names: list[str],
    outer: int,
    conditions: list[str],
    categories: list[str],
    drawn: tuple[tuple[list[int], int, int], tuple[list[int], int, int]],
) -> None:
    text = f"({connective} {' '.join(conditions)})"
    for group in (names[outer:], names[:outer]):
        text = bound(group, text, quantifier) if group else text
    goal = parse_goal(text)
    assert isinstance(goal, Quantified)
    layout = Layout(tuple(CATEGORY_INDEX[name] for name in categories))
    worlds = []
    for where, held, open_mask in drawn:
        count = len(categories)
        held = held if held < count else -1
        places = tuple(IN_HAND if i == held else where[i] for i in range(count))
        worlds.append(
            reference_world(layout, WorldState(16, held, places, tuple(range(count)), open_mask))
        )
    now, start = worlds
    assert reference_holds(factored(goal), now, start) == reference_holds(goal, now, start)
