"""What an agent sees and does, as Gymnasium spaces: names, shapes, bounds. Not how they are filled.

Every observation is a Dict, whatever the mode, and holds the `instruction`.
"""

from __future__ import annotations

import multiprocessing
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from gymnasium import spaces
from gymnasium.error import CustomSpaceError
from gymnasium.vector.utils import create_shared_memory

from langrearrange.dataset.episode import MAX_INSTRUCTION, MAX_OBJECTS
from langrearrange.world import OUTCOMES
from langrearrange.world.vocabulary import NUM_CATEGORIES, NUM_NAV_TARGETS, NUM_OPENABLES

if TYPE_CHECKING:
    from langrearrange.env.config import EnvConfig

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


def _box(low: float, high: float, shape: tuple[int, ...], dtype: Any) -> spaces.Box:
    return spaces.Box(low, high, shape, dtype)


def observation_space(config: EnvConfig) -> spaces.Dict:
    """Return the space of one env's observations; see the env's docstring for the fields."""
    size = config.image_size
    fields: dict[str, spaces.Space[Any]] = {"instruction": InstructionText()}
    if config.observation == "rgb":
        pose = np.array([MAX_DISTANCE_M, MAX_DISTANCE_M, np.pi], np.float32)
        fields["rgb"] = _box(0, 255, (size, size, 3), np.uint8)
        fields["joints"] = _box(-np.pi, np.pi, (NUM_JOINTS,), np.float32)
        fields["holding"] = _box(0, 1, (1,), np.int8)
        fields["pose"] = spaces.Box(-pose, pose, dtype=np.float32)
        if config.feedback:
            fields["feedback"] = InstructionText()
    elif config.observation == "state":
        for name, length in STATE_SIZES.items():
            low, high = {"visible": (0, MAX_OBJECTS), "openables": (-1, 1)}.get(name, (0, 1))
            fields[name] = _box(low, high, (length,), np.int8)
    else:
        fields["text"] = InstructionText(MAX_TEXT, newlines=True)
    if "depth" in config.extras:
        fields["depth"] = _box(0, MAX_DEPTH_M, (size, size, 1), np.float32)
    if "segmentation" in config.extras:
        fields["segmentation"] = _box(-1, 2**31 - 1, (size, size), np.int32)
    if "action_mask" in config.extras:
        fields["action_mask"] = _box(0, 1, (config.num_actions,), np.int8)
    return spaces.Dict(fields)


def action_space(config: EnvConfig) -> spaces.Discrete[np.int64]:
    """Return Discrete(70), or Discrete(71) for the hard variant."""
    return spaces.Discrete(config.num_actions)
