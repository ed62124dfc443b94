"""Which values are actions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from langrearrange.env import check_action, check_actions
from langrearrange.errors import ActionError


@pytest.mark.parametrize(
    "action", [5, np.int64(5), np.int8(5), np.uint16(5), np.array(5), np.array(5, np.uint8)]
)
def test_ints_numpy_integers_and_0d_integer_arrays_are_actions(action: object) -> None:
    checked = check_action(action, 70)
    assert checked == 5
    assert type(checked) is int


BAD = [
    True,
    False,
    np.True_,
    3.0,
    np.float32(3),
    float("nan"),
    "3",
    None,
    [3],
    np.array([3]),
    np.array(3.0),
    np.array(True),
    70,
    -1,
    np.int64(70),
    2**70,
]


@pytest.mark.parametrize("action", BAD, ids=repr)
def test_anything_else_raises_one_sentence_that_says_what_is_accepted(action: object) -> None:
    with pytest.raises(ActionError, match=r"accepted: .*0\.\.69") as caught:
        check_action(action, 70)
    assert "\n" not in str(caught.value)


def test_stop_is_an_action_of_the_hard_variant_only() -> None:
    assert check_action(70, 71) == 70
    with pytest.raises(ActionError, match="70 is stop"):
        check_action(71, 71)


@pytest.mark.parametrize(
    "actions", [np.array([1, 2]), np.array([1, 2], np.uint8), [1, np.int64(2)], (1, np.array(2))]
)
def test_a_batch_is_an_integer_array_or_a_sequence_of_actions(actions: Any) -> None:
    assert check_actions(actions, 2, 70) == [1, 2]


@pytest.mark.parametrize(
    ("actions", "message"),
    [
        (np.array([1, 70]), "env 1: action 70"),
        (np.array([-1, 0]), "env 0: action -1"),
        (np.array([1.0, 2.0]), "env 0"),
        (np.array([True, False]), "env 0"),
        ([1, True], "env 1: action True"),
        ([1], "1 actions for 2 envs"),
        (np.array([[1, 2]]), "1 actions for 2 envs"),
        (np.zeros((2, 1), int), "env 0"),
        (3, "accepted: an integer array"),
        (None, "accepted: an integer array"),
    ],
)
def test_a_bad_batch_says_which_env(actions: object, message: str) -> None:
    with pytest.raises(ActionError, match=message):
        check_actions(actions, 2, 70)


@pytest.mark.parametrize(("num_actions", "accepted"), [(70, "0..69"), (71, "0..70 (70 is stop)")])
def test_stop_is_named_where_it_is_accepted_only(num_actions: int, accepted: str) -> None:
    with pytest.raises(ActionError) as caught:
        check_action(num_actions, num_actions)
    assert f"accepted: {accepted}, see" in str(caught.value)
