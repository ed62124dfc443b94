"""The agent protocol: what an agent must have, alone and batched. Not for any particular agent."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.episode import Episode
from langrearrange.env.observer import Observation
from langrearrange.errors import AgentError


class AgentTimeoutError(AgentError):
    """An agent took longer than it may; the episode fails."""


class AgentRefusalError(AgentError):
    """An agent answered, but not with a skill; the episode fails."""


@runtime_checkable
class Agent(Protocol):
    """An agent that plays one episode at a time.

    Attributes:
        modality: the observations it wants, and all that it gets: a name of
            `langrearrange.env.MODALITIES`, or `module:factory` (see `langrearrange.env.Observer`).
    """

    modality: str

    def reset(self, instruction: str) -> None:
        """Begin an episode. Nothing else about the episode is ever told."""
        ...

    def act(self, observation: Observation) -> int:
        """Return the next skill, 0..69 (70 is `stop` in the Hard env)."""
        ...


@runtime_checkable
class BatchedAgent(Protocol):
    """An agent that plays many episodes side by side; a row is one of them.

    Attributes:
        modality: as for `Agent`.
    """

    modality: str

    def reset_rows(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each of the rows, which need not be contiguous."""
        ...

    def act_rows(self, rows: Sequence[int], observations: Observation) -> NDArray[np.int64]:
        """Choose a skill for each of the rows.

        Args:
            rows: the n rows that want a skill now.
            observations: as the vector env gives them, restricted to these rows: every array has
                a leading axis of n, every text field is a sequence of n strings.

        Returns:
            Skills, shape (n,), int64, in the order of `rows`.
        """
        ...


@runtime_checkable
class PrivilegedAgent(Protocol):
    """An agent that is shown the episode itself. In-process only, tier T0, its row is marked."""

    def bind(self, episode: Episode) -> None:
        """Receive the coming episode, before `reset`."""
        ...


@runtime_checkable
class PrivilegedBatchedAgent(Protocol):
    """The batched form of `PrivilegedAgent`."""

    def bind_rows(self, rows: Sequence[int], episodes: Sequence[Episode]) -> None:
        """Receive the coming episodes, before `reset_rows`."""
        ...
