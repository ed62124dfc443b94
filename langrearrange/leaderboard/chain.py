"""A hash chain over the observations of an episode: proves which build and modality was played.

Not a proof that an agent looked at them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from langrearrange.env.spaces import STATE_SIZES
from langrearrange.env.state_observation import as_array, state_row
from langrearrange.env.task import Task
from langrearrange.env.text_observation import text


class ObservationChain:
    """Folds observations into one digest, in order.

    Example:
        >>> chain = ObservationChain()
        >>> chain.add({"instruction": "Find an apple."})
        >>> len(chain.hexdigest())
        32
    """

    def __init__(self) -> None:
        self._hasher = hashlib.blake2b(digest_size=16)

    def add(self, observation: Mapping[str, Any]) -> None:
        """Fold in one observation: field names, types, shapes and contents."""
        for name in sorted(observation):
            value = observation[name]
            if isinstance(value, str):
                head, body = f"{name}:str", value.encode()
            else:
                array = np.ascontiguousarray(value)
                head, body = f"{name}:{array.dtype.str}:{array.shape}", array.tobytes()
            self._hasher.update(f"{len(head)}:{head}:{len(body)}:".encode())
            self._hasher.update(body)

    def hexdigest(self) -> str:
        """Return the digest so far: 32 hexadecimal digits."""
        return self._hasher.hexdigest()


def observe(task: Task, modality: str) -> dict[str, Any] | None:
    """Return what the env shows of a task in a symbolic modality; None for pixels."""
    instruction = task.episode.instruction
    if modality == "text":
        return {"instruction": instruction, "text": text(task)}
    if modality == "state":
        arrays = zip(STATE_SIZES, map(as_array, state_row(task)), strict=True)
        return {"instruction": instruction, **dict(arrays)}
    return None
