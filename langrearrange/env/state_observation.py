"""The `state` observation: perfect perception from where the robot stands, as small arrays.

Does not contain objects in closed containers or elsewhere; nothing is remembered.
"""

from collections.abc import Sequence
from functools import cache
from itertools import accumulate
from typing import Final

import numpy as np
from gymnasium import spaces
from numpy.typing import NDArray

from langrearrange.dataset.episode import MAX_OBJECTS
from langrearrange.env.config import EnvConfig
from langrearrange.env.observer import Observation, SymbolicObserver
from langrearrange.env.spaces import STATE_SIZES
from langrearrange.env.task import Task
from langrearrange.world import CLOSED_RECEPTACLES, OUTCOMES, Layout, WorldState
from langrearrange.world.vocabulary import NUM_CATEGORIES, NUM_NAV_TARGETS, NUM_OPENABLES

StateRow = tuple[bytes, bytes, bytes, bytes, bytes]
"""One env's arrays as int8 bytes: place, held, visible, openables, outcome (`STATE_SIZES`)."""
_BOUNDS: Final = {"visible": (0, MAX_OBJECTS), "openables": (-1, 1)}
"""Least and largest number of an array; 0 and 1 of the others."""
_ENDS: Final = dict(zip(STATE_SIZES, accumulate(STATE_SIZES.values()), strict=True))
_PARTS: Final = {name: slice(end - STATE_SIZES[name], end) for name, end in _ENDS.items()}
"""Where each array is in the row of all."""


class StateObserver(SymbolicObserver):
    """The `state` modality: the arrays of `STATE_SIZES`, int8."""

    def __init__(self, config: EnvConfig) -> None:
        self.fields = {
            name: spaces.Box(*_BOUNDS.get(name, (0, 1)), (length,), np.int8)
            for name, length in STATE_SIZES.items()
        }

    def observe(self, row: int, task: Task) -> Observation:
        """Return the arrays of one env."""
        numbers = as_array(b"".join(state_row(task)))
        return {name: numbers[part] for name, part in _PARTS.items()}

    def observe_batch(self, tasks: Sequence[Task]) -> Observation:
        """Return arrays of shape (num_envs, length)."""
        columns = zip(*map(state_row, tasks), strict=True)
        return {
            name: as_array(b"".join(column)).reshape(-1, length)
            for (name, length), column in zip(STATE_SIZES.items(), columns, strict=True)
        }


def _one_hot(length: int) -> tuple[bytes, ...]:
    return tuple(bytes(i == j for j in range(length)) for i in range(length))


_PLACE: Final = _one_hot(NUM_NAV_TARGETS + 1)
_HELD: Final = _one_hot(NUM_CATEGORIES + 1)
_OUTCOME: Final = dict(zip(OUTCOMES, _one_hot(len(OUTCOMES)), strict=True))


def visible_counts(layout: Layout, state: WorldState) -> bytearray:
    """Return how many instances of each category are in reach and not in a closed container.

    Returns:
        33 counts; the held object is not among them.
    """
    counts = bytearray(NUM_CATEGORIES)
    reach = layout.reach[state.place] & ~CLOSED_RECEPTACLES[state.open_mask]
    if reach:
        for category, receptacle in zip(layout.categories, state.receptacles, strict=True):
            if reach >> receptacle & 1:
                counts[category] += 1
    return counts


def known_openables(layout: Layout, state: WorldState) -> tuple[int, ...]:
    """Return 1 (open), -1 (closed) or 0 (unknown from here) for each of the five openables."""
    return _known(layout.operable[state.place], state.open_mask)


@cache  # at most 2^5 * 2^5 rows
def _known(operable: int, open_mask: int) -> tuple[int, ...]:
    return tuple(
        (operable >> i & 1) * (1 if open_mask >> i & 1 else -1) for i in range(NUM_OPENABLES)
    )


@cache
def _openables_row(operable: int, open_mask: int) -> bytes:
    return np.array(_known(operable, open_mask), np.int8).tobytes()


def state_row(task: Task) -> StateRow:
    """Return the arrays of one env; see `STATE_SIZES`."""
    layout, state = task.layout, task.state
    held = layout.categories[state.held] if state.held >= 0 else NUM_CATEGORIES
    return (
        _PLACE[state.place],
        _HELD[held],
        bytes(visible_counts(layout, state)),
        _openables_row(layout.operable[state.place], state.open_mask),
        _OUTCOME[task.outcome],
    )


def as_array(row: bytes) -> NDArray[np.int8]:
    """Return a fresh, writable int8 array of a row."""
    return np.frombuffer(bytearray(row), np.int8)
