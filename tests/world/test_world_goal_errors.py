"""Every mistake in a goal is told at its column, with what is accepted or what to do."""

from __future__ import annotations

import re

import pytest

from langrearrange.errors import GoalError
from langrearrange.world.goals import Source, parse_goal
from langrearrange.world.goals.ast import Variable

# The caret stands below the column of the message.
MISTAKES = [
    ("(and sofa)",
     "     ^", "'sofa' is not a formula; write it in parentheses"),
    ("(and ((hand_free)))",
     "      ^", "a formula begins with a word such as and, exists or on_top"),
    ("(and ())",
     "     ^", "'()' is not a formula; write (and) for an always true one"),
    ("(not (hand_free) (hand_free))",
     "^", "'not' takes 1 part, 2 given"),
    ("(imply (hand_free))",
     "^", "'imply' takes 2 parts, 1 given"),
    ("(exists (?x - apple))",
     "^", "'exists' takes 2 parts, 1 given"),
    ("(exists ?x (hand_free))",
     "        ^", "expected typed variables, for example (?x - apple)"),
    ("(exists () (hand_free))",
     "        ^", "expected typed variables, for example (?x - apple)"),
    ("(exists ((?x) - apple) (hand_free))",
     "         ^", "expected a variable such as ?x"),
    ("(exists (x - apple) (hand_free))",
     "         ^", "'x' is not a variable; variables look like ?x"),
    ("(exists (?1 - apple) (hand_free))",
     "         ^", "'?1' is not a variable; variables look like ?x"),
    ("(exists (?x ?x - apple) (hand_free))",
     "            ^", "variable ?x is bound twice; choose another name"),
    ("(exists (?x - apple) (exists (?x - pear) (hand_free)))",
     "                              ^", "variable ?x is bound twice; choose another name"),
    ("(exists (?x - apple ?x - pear) (hand_free))",
     "                    ^", "variable ?x is bound twice; choose another name"),
    ("(exists (- apple) (hand_free))",
     "         ^", "'-' stands between variables and their type: (?x ?y - apple)"),
    ("(exists (?x -) (hand_free))",
     "            ^", "'-' stands between variables and their type: (?x ?y - apple)"),
    ("(exists (?x - apple ?y) (hand_free))",
     "                    ^", "variable ?y has no type; add '- apple' or '- object'"),
    ("(exists (?x - (or apple pear)) (hand_free))",
     "              ^", "a type is a word or (either a b)"),
    ("(exists (?x - (either)) (hand_free))",
     "              ^", "a type is a word or (either a b)"),
    ("(exists (?x - (either apple (pear))) (hand_free))",
     "                            ^", "(either ...) takes type names"),
    ("(exists (?x - (either apple sofa)) (hand_free))",
     "                            ^", "unknown type 'sofa'"),
    ("(exists (?x - (either apple receptacle)) (hand_free))",
     "              ^", "(either ...) mixes object and receptacle types; use one kind"),
    ("(exists (?x - apple) (on_top ?x))",
     "                     ^",
     "'on_top' takes 2 arguments, 1 given: (on_top <object> <receptacle>)"),
    ("(exists (?x - apple) (on_top (?x) sofa))",
     "                             ^", "expected a variable or an object name"),
    ("(exists (?x - apple) (on_top ?x ?y))",
     "                                ^",
     "variable ?y is not bound here (bound: ?x); add a quantifier"),
    ("(holding ?x)",
     "         ^", "variable ?x is not bound here (bound: none); add a quantifier"),
    ("(holding apple)",
     "         ^", "'apple' is not a variable; bind one first: (exists (?x - apple) ...)"),
    ("(holding sofa)",
     "         ^", "'sofa' is not a variable such as ?x"),
    ("(robot_at sofaa)",
     "          ^", "unknown spot 'sofaa'; did you mean 'sofa'?"),
    ("(open chair)",
     "      ^", "unknown openable 'chair'; accepted: fridge, left_drawer"),
    ("(exists (?x - apple) (open ?x))",
     "                           ^", "?x is an apple, but an openable is expected here"),
    ("(exists (?x - pear ?r - sink) (holding ?x))",
     "                        ^", "unknown type 'sink'"),
    ("(exists (?r - receptacle) (holding ?r))",
     "                                   ^", "?r is a receptacle, but an object is expected here"),
    ("(exists (?r - receptacle) (closed ?r))",
     "                                  ^",
     "?r ranges over things that do not open; type it '- container'"),
    ("(exists (?x - apple) (= ?x))",
     "                     ^", "'=' takes 2 arguments, 1 given: (= <thing> <thing>)"),
    ("(exists (?x - apple) (= ?x apple))",
     "                           ^", "unknown thing 'apple'; accepted: chair, black_table"),
    ("(exists (?x - apple) (= ?x ?y))",
     "                           ^", "variable ?y is not bound here (bound: ?x)"),
    ("(exists (?x - apple ?r - surface) (= ?x ?r))",
     "                                  ^", "'=' compares an object with a receptacle"),
    ("(exists (?x - apple) (= ?x sofa))",
     "                     ^", "'=' compares an object with a receptacle"),
    ("(= sofa sink)",
     "^", "'=' compares a variable with another or with a receptacle"),
    ("(hold ?x)",
     " ^", "unknown predicate 'hold'; did you mean 'holding'?"),
    ("(zzz)",
     " ^", "unknown predicate 'zzz'; accepted: "),
]  # fmt: skip


@pytest.mark.parametrize(("text", "caret", "words"), MISTAKES, ids=[m[0] for m in MISTAKES])
def test_a_mistake_is_told_at_its_column(text: str, caret: str, words: str) -> None:
    with pytest.raises(GoalError) as caught:
        parse_goal(text)
    place, message = str(caught.value).split(": ", 1)
    assert place.split(":")[-2:] == ["1", str(len(caret))]
    assert message.startswith(words)


def test_columns_are_counted_from_where_the_goal_stands_in_its_file() -> None:
    with pytest.raises(GoalError, match=r"^a\.yaml:7:24: 'sofa' is not a formula"):
        parse_goal("(and sofa)", Source("a.yaml", 7, 19))
    with pytest.raises(GoalError, match=r"^a\.yaml:8:3: 'sofa' is not a formula"):
        parse_goal("(and\n  sofa)", Source("a.yaml", 7, 19))
    with pytest.raises(GoalError, match=r"^a\.yaml:7:19: the goal is empty"):
        parse_goal(" ; nothing\n", Source("a.yaml", 7, 19))


def test_a_longer_list_of_what_is_accepted_is_cut() -> None:
    with pytest.raises(GoalError) as caught:
        parse_goal("(exists (?x - zzz) (hand_free))")
    names = re.split("accepted: ", str(caught.value))[1].split(", ")
    assert len(names) == 17
    assert names[-1] == "..."


def test_a_variable_may_be_bound_again_beside_but_not_below() -> None:
    parse_goal("(and (exists (?x - apple) (holding ?x)) (exists (?x - pear) (holding ?x)))")


def test_types_are_read_in_vocabulary_order_with_their_members() -> None:
    assert Variable("?x", ("apple",)).members == ("apple",)
    assert Variable("?r", ("container",)).members == ("fridge", "left_drawer", "right_drawer")
    assert Variable("?x", ("apple",)).over_objects
    assert not Variable("?r", ("container",)).over_objects
