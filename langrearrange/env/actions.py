"""What counts as an action: for `step` integers only, as an agent's answer words as well."""

from collections.abc import Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import ActionError
from langrearrange.world import NUM_SKILLS, parse_action


def read_answer(answer: Any, num_actions: int) -> int:
    """Return the action that an agent answered with: an index, an id or an English name.

    Args:
        answer: what `check_action` takes, or a text that `world.parse_action` does.
        num_actions: 70, or 71 in the hard variant.

    Raises:
        ActionError: anything else; the message has the answer as given.
    """
    return check_action(parse_action(answer) if isinstance(answer, str) else answer, num_actions)


def check_action(action: Any, num_actions: int) -> int:
    """Return the action as an int.

    `Discrete.contains` is not used here, since it accepts True as 1.

    Args:
        action: an int, a numpy integer or a 0-d integer array.
        num_actions: 70, or 71 in the hard variant.

    Raises:
        ActionError: anything else (True, 3.0, "3", NaN), or out of range.
    """
    if type(action) is not int:
        if isinstance(action, np.ndarray) and action.shape == ():
            action = action[()]
        if isinstance(action, bool) or not isinstance(action, (int, np.integer)):
            raise ActionError(
                f"action {action!r:.200} ({type(action).__name__}) is not a skill index; accepted: "
                f"an int, a numpy integer or a 0-d integer array in {_range(num_actions)}"
                + _number_of(action)
            )
        action = int(action)
    if not 0 <= action < num_actions:
        raise ActionError(
            f"action {action} is out of range; accepted: {_range(num_actions)}, see "
            "langrearrange.world.SKILLS for their names"
        )
    return action  # type: ignore[no-any-return]


def check_actions(actions: Any, num_envs: int, num_actions: int) -> Sequence[int | None]:
    """Return one action per env as ints, None for an env that is not to be stepped.

    Args:
        actions: an integer array of shape (num_envs,), or a sequence of None or what
            `check_action` takes.
        num_envs: how many are needed.
        num_actions: 70, or 71 in the hard variant.

    Raises:
        ActionError: wrong number of actions, or an invalid action; the message says which.
    """
    if isinstance(actions, np.ndarray) and actions.dtype.kind in "iu":
        array: NDArray[Any] = actions
        if array.shape == (num_envs,) and 0 <= array.min() and array.max() < num_actions:
            return array.tolist()  # type: ignore[no-any-return]
    if not isinstance(actions, (list, tuple)) and np.ndim(actions) == 0:
        raise ActionError(f"actions {actions!r}; accepted: an integer array of shape ({num_envs},)")
    if len(actions) != num_envs:
        raise ActionError(f"{len(actions)} actions for {num_envs} envs; give one action per env")
    checked = []
    for i, action in enumerate(actions):
        try:
            checked.append(None if action is None else check_action(action, num_actions))
        except ActionError as error:
            raise ActionError(f"env {i}: {error}") from None
    return checked


def _number_of(action: Any) -> str:
    """Return, for the end of a message, how an action given in words is passed."""
    try:
        number = parse_action(action) if isinstance(action, str) else None
    except ActionError as error:
        return f"; {error}"
    if number is None:
        return ""
    return f"; pass {number}, which is langrearrange.world.parse_action({action!r})"


def _range(num_actions: int) -> str:
    stop = f" ({NUM_SKILLS} is stop)" if num_actions > NUM_SKILLS else ""
    return f"0..{num_actions - 1}{stop}"
