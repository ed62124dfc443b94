"""The agent protocols: single and batched, with and without access to episodes."""

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.episode import Episode
from langrearrange.env.observer import Observation
from langrearrange.errors import AgentError, RunError


class AgentTimeoutError(AgentError):
    """An agent exceeded a time limit; the episode fails."""


class AgentRefusalError(AgentError):
    """An agent's answer contains no skill; the episode fails.

    Args:
        message: what was answered and what is accepted.
        kind: of bad answer; the first of each kind is reported.
    """

    def __init__(self, message: str, kind: str = "") -> None:
        super().__init__(message)
        self.kind = kind


class RunStoppedError(AgentError, RunError):
    """An agent cannot go on in any episode; the run stops and can be resumed."""


@runtime_checkable
class Agent(Protocol):
    """An agent that plays one episode at a time.

    Attributes:
        modality: the observations that it receives: a name of
            `langrearrange.env.MODALITIES`, or `module:factory` (see `langrearrange.env.Observer`).
    """

    modality: str

    def reset(self, instruction: str) -> None:
        """Begin an episode; the agent learns nothing else about it."""

    def act(self, observation: Observation) -> int | str:
        """Return the next skill: 0..69 (70 is `stop` in the Hard env), its id or English name."""


@runtime_checkable
class BatchedAgent(Protocol):
    """An agent that plays many episodes in parallel; a row is one of them.

    Attributes:
        modality: as for `Agent`.
    """

    modality: str

    def reset_rows(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each of the rows, which need not be contiguous."""

    def act_rows(
        self, rows: Sequence[int], observations: Observation
    ) -> NDArray[np.int64] | Sequence[int | str]:
        """Choose a skill for each of the rows.

        Args:
            rows: the n rows that need a skill.
            observations: as the vector env gives them, restricted to these rows: every array has
                a leading axis of n, every text field is a sequence of n strings.

        Returns:
            Skills in the order of `rows`: shape (n,), int64, or a sequence of n indices, ids or
            English names.
        """


@runtime_checkable
class PrivilegedAgent(Protocol):
    """An agent that receives the episode itself. In-process only, tier T0, marked in tables."""

    def bind(self, episode: Episode) -> None:
        """Receive the next episode, before `reset`."""


@runtime_checkable
class PrivilegedBatchedAgent(Protocol):
    """The batched form of `PrivilegedAgent`."""

    def bind_rows(self, rows: Sequence[int], episodes: Sequence[Episode]) -> None:
        """Receive the next episodes, before `reset_rows`."""
