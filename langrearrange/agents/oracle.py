"""The privileged agent that replays the stored optimal plan; an upper bound."""

from collections.abc import Iterator

from langrearrange.dataset.episode import Episode
from langrearrange.env.observer import Observation
from langrearrange.errors import AgentError
from langrearrange.world import NUM_SKILLS, skill_index


class OracleAgent:
    """Plays `episode.plan`, then `stop` (which only the Hard env asks for). Tier T0."""

    modality = "state"

    def __init__(self) -> None:
        self._episode: Episode | None = None
        self._skills: Iterator[int] = iter(())

    def bind(self, episode: Episode) -> None:
        """Receive the next episode."""
        self._episode = episode

    def reset(self, instruction: str) -> None:
        """Begin the bound episode; AgentError if the instruction is another one."""
        if self._episode is None or self._episode.instruction != instruction:
            raise AgentError(
                "the oracle has not received this episode; call bind(episode) before "
                "reset. It is privileged: it cannot run in another process or on a ranked board."
            )
        self._skills = iter([skill_index(skill) for skill in self._episode.plan])

    def act(self, observation: Observation) -> int:
        """Return the next skill of the plan, then `stop`."""
        return next(self._skills, NUM_SKILLS)
