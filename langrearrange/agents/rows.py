"""A batched agent made of single agents, one per row."""

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from langrearrange.agents.protocol import Agent, PrivilegedAgent
from langrearrange.dataset.episode import Episode
from langrearrange.env.actions import read_answer
from langrearrange.env.observer import Observation
from langrearrange.errors import AgentError
from langrearrange.world import NUM_SKILLS


class RowsOfAgents:
    """The default batched agent: every row has its own single agent.

    Args:
        make: returns a new single agent; called once per row, when the row is first used.

    Attributes:
        first: the agent of row 0.
        modality, perception: of the agents.
    """

    def __init__(self, make: Callable[[], Agent]) -> None:
        self._make = make
        self._agents: dict[int, Agent] = {}
        self.first = self._agent(0)
        self.modality = self.first.modality
        self.perception = getattr(self.first, "perception", "")

    @property
    def privileged(self) -> bool:
        """Whether the agents receive the episode."""
        return isinstance(self.first, PrivilegedAgent)

    def bind_rows(self, rows: Sequence[int], episodes: Sequence[Episode]) -> None:
        """Pass each row's next episode to its agent; AgentError if it has no `bind`."""
        for row, episode in zip(rows, episodes, strict=True):
            agent = self._agent(row)
            if not isinstance(agent, PrivilegedAgent):
                raise AgentError(f"{type(agent).__name__} has no bind() that accepts an episode")
            agent.bind(episode)

    def reset_rows(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each row."""
        for row, instruction in zip(rows, instructions, strict=True):
            self._agent(row).reset(instruction)

    def act_rows(self, rows: Sequence[int], observations: Observation) -> NDArray[np.int64]:
        """Return each agent's skill, shape (n,), int64; ActionError if one is invalid."""
        skills = []
        for i, row in enumerate(rows):
            observation = {name: values[i] for name, values in observations.items()}
            skills.append(read_answer(self._agent(row).act(observation), NUM_SKILLS + 1))
        return np.array(skills, np.int64)

    def close(self) -> None:
        """Close the agents that have a `close`. May be called more than once."""
        for agent in self._agents.values():
            close = getattr(agent, "close", None)
            if callable(close):
                close()

    def _agent(self, row: int) -> Agent:
        agent = self._agents.get(row)
        if agent is None:
            agent = self._agents[row] = self._make()
        return agent
