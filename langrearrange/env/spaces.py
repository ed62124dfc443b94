"""The Text space of sentences, and the sizes and bounds that observation spaces share."""

import multiprocessing
from types import ModuleType
from typing import Any, Final

from gymnasium import spaces
from gymnasium.error import CustomSpaceError
from gymnasium.vector.utils import create_shared_memory

from langrearrange.dataset.episode import MAX_INSTRUCTION
from langrearrange.world import OUTCOMES
from langrearrange.world.vocabulary import NUM_CATEGORIES, NUM_NAV_TARGETS, NUM_OPENABLES

NUM_JOINTS: Final = 7
MAX_DISTANCE_M: Final = 50.0
"""Bound of the base pose relative to the start; our flats are smaller."""
MAX_DEPTH_M: Final = 100.0
MAX_TEXT: Final = 8192
PRINTABLE: Final = "".join(map(chr, range(0x20, 0x7F)))
"""The printable ASCII characters."""

STATE_SIZES: Final = {
    "place": NUM_NAV_TARGETS + 1,
    "held": NUM_CATEGORIES + 1,
    "visible": NUM_CATEGORIES,
    "openables": NUM_OPENABLES,
    "outcome": len(OUTCOMES),
}
"""Arrays of the state observation and their lengths, int8; flattened in this order."""


class InstructionText(spaces.Text):
    """A Text space that refuses to be put into shared memory.

    AsyncVectorEnv of Gymnasium 1.4 reads a shared Text once, when the env is made, and then returns
    blanks without an error. It works with `shared_memory=False`; this space makes it say so.
    """

    def __init__(
        self, max_length: int = MAX_INSTRUCTION, *, newlines: bool = False, seed: int | None = None
    ) -> None:
        """Hold 1 to `max_length` printable ASCII characters (and line ends, if `newlines`)."""
        self.newlines = newlines
        charset = PRINTABLE + "\n" if newlines else PRINTABLE
        super().__init__(max_length, min_length=1, charset=charset, seed=seed)

    def contains(self, x: Any) -> bool:
        """Return whether x is such a text."""
        return (
            isinstance(x, str)
            and self.min_length <= len(x) <= self.max_length
            and self.character_set.issuperset(x)
        )

    def __repr__(self) -> str:
        return f"InstructionText({self.max_length}, newlines={self.newlines})"


@create_shared_memory.register(InstructionText)
def _refuse_shared_memory(
    space: InstructionText, n: int = 1, ctx: ModuleType = multiprocessing
) -> Any:
    raise CustomSpaceError(
        "sentences cannot be read through shared memory; pass shared_memory=False "
        "(gym.make_vec: vector_kwargs={'shared_memory': False})"
    )
