"""Single agents as one batched agent: a row each. Not for agents that batch by themselves."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from langrearrange.agents.protocol import Agent, PrivilegedAgent
from langrearrange.dataset.episode import Episode
from langrearrange.env.actions import check_action
from langrearrange.env.observer import Observation
from langrearrange.errors import AgentError
from langrearrange.world import NUM_SKILLS


class RowsOfAgents:
    """The default batched agent: every row is a single agent of its own.

    Args:
        make: builds one single agent; called once a row, when the row is first used.
    """

    def __init__(self, make: Callable[[], Agent]) -> None:
        self._make = make
        self._agents: dict[int, Agent] = {}
        self.modality = self._agent(0).modality

    @property
    def privileged(self) -> bool:
        """Whether the agents want to be shown the episode."""
        return isinstance(self._agent(0), PrivilegedAgent)

    def bind_rows(self, rows: Sequence[int], episodes: Sequence[Episode]) -> None:
        """Show each row's agent its coming episode; AgentError if the agents do not take one."""
        for row, episode in zip(rows, episodes, strict=True):
            agent = self._agent(row)
            if not isinstance(agent, PrivilegedAgent):
                raise AgentError(f"{type(agent).__name__} takes no episode: it has no bind()")
            agent.bind(episode)

    def reset_rows(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each row."""
        for row, instruction in zip(rows, instructions, strict=True):
            self._agent(row).reset(instruction)

    def act_rows(self, rows: Sequence[int], observations: Observation) -> NDArray[np.int64]:
        """Ask each row's agent in turn; shape (n,), int64. ActionError for what is no skill."""
        skills = [
            check_action(
                self._agent(row).act({name: values[i] for name, values in observations.items()}),
                NUM_SKILLS + 1,
            )
            for i, row in enumerate(rows)
        ]
        return np.array(skills, np.int64)

    def close(self) -> None:
        """Close the agents that can be closed; harmless when called twice."""
        for agent in self._agents.values():
            close = getattr(agent, "close", None)
            if callable(close):
                close()

    def _agent(self, row: int) -> Agent:
        agent = self._agents.get(row)
        if agent is None:
            agent = self._agents[row] = self._make()
        return agent
