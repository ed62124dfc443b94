"""The agent that draws every skill uniformly: the floor of every table."""

from __future__ import annotations

from langrearrange.env.observer import Observation
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.world import NUM_SKILLS


class RandomAgent:
    """Uniform over the 70 skills, and `stop` in the hard variant.

    Its draws depend on seed and sentence only, so that the order of episodes and the number of
    workers change nothing.
    """

    modality = "state"

    def __init__(self, seed: int = 0, hard: bool = False) -> None:
        self._seed, self._num_actions = seed, NUM_SKILLS + hard
        self._rng = KeyedRng(HOUSE_VERSION, "random agent", seed)

    def reset(self, instruction: str) -> None:
        """Begin an episode."""
        self._rng = KeyedRng(HOUSE_VERSION, "random agent", self._seed, instruction)

    def act(self, observation: Observation) -> int:
        """Return any skill."""
        return self._rng.below(self._num_actions)
