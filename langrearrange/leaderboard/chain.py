"""A hash chain over the observations of an episode: proves which build and modality was played.

Not a proof that an agent looked at them.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Any

import numpy as np

from langrearrange.env.config import EnvConfig
from langrearrange.env.observations import Observer, make_observer
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
                body = value.encode()
                self._hasher.update(f"{name}:str:{len(body)}:".encode() + body)
            else:
                array = np.ascontiguousarray(value)
                self._hasher.update(f"{name}:{array.dtype.str}:{array.shape}:".encode())
                self._hasher.update(array.data)

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


class Eyes:
    """Sees what an agent of a modality saw, to fold it into a chain.

    Args:
        modality: of the agent.
        pixels: whether to draw pictures again, about half a millisecond each; without, runs on
            pixels have no chain to compare. Bit-identical on x86-64 machines only.
    """

    def __init__(self, modality: str, *, pixels: bool = False) -> None:
        self.modality = modality
        self.checks = pixels or not modality.startswith("rgb")
        self._observer: Observer | None = None
        if pixels and modality.startswith("rgb"):
            config = EnvConfig(observation="rgb", feedback=modality.endswith("+feedback"))
            self._observer = make_observer(config)

    def begin(self, task: Task) -> None:
        """Take note that another episode is played from now on."""
        if self._observer is not None:
            self._observer.begin(0, task)

    def see(self, task: Task) -> dict[str, Any] | None:
        """Return the observation; None where nothing is checked."""
        if self._observer is not None:
            return self._observer.one(0, task)
        return observe(task, self.modality)

    def close(self) -> None:
        """Free what drawing needs; harmless when called twice."""
        if self._observer is not None:
            self._observer.close()
            self._observer = None
