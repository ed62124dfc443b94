"""The agent that chooses skills uniformly at random; a lower bound."""

from langrearrange.env.observer import Observation
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.world import NUM_SKILLS


class RandomAgent:
    """Uniform over the 70 skills, and `stop` in the hard variant.

    Its choices depend on seed and sentence only, not on the order of episodes or the number of
    workers.
    """

    modality = "state"

    def __init__(self, seed: int = 0, hard: bool = False) -> None:
        self._seed, self._num_actions = seed, NUM_SKILLS + hard
        self._rng = KeyedRng(HOUSE_VERSION, "random agent", seed)

    def reset(self, instruction: str) -> None:
        """Begin an episode."""
        self._rng = KeyedRng(HOUSE_VERSION, "random agent", self._seed, instruction)

    def act(self, observation: Observation) -> int:
        """Return a random skill."""
        return self._rng.below(self._num_actions)
