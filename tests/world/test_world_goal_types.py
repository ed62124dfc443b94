"""`(either ...)` with one member and with none."""

import pytest

from langrearrange.errors import GoalError
from langrearrange.world.goals import parse_goal


def test_either_of_one_is_that_one() -> None:
    plain = parse_goal("(exists (?x - apple) (near ?x))")
    assert parse_goal("(exists (?x - (either apple)) (near ?x))") == plain


@pytest.mark.parametrize("kind", ["(either)", "()", "(apple pear)", "(both apple pear)"])
def test_a_type_is_a_word_or_either(kind: str) -> None:
    with pytest.raises(GoalError, match=r"a type is a word or \(either a b\)"):
        parse_goal(f"(exists (?x - {kind}) (near ?x))")
