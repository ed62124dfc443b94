"""A hash chain over the observations of an episode: proves which build and modality was played.

Not a proof that an agent looked at them.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from typing import Any, NamedTuple

import numpy as np

from langrearrange.env import EnvConfig, Observations, observer_factory
from langrearrange.errors import SubmissionError, UsageError


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


class Verifier(NamedTuple):
    """What recomputes the chains of one modality.

    Attributes:
        symbolic: see `Observer`.
        observations: what the agent was shown; None where chains are not compared.
    """

    symbolic: bool
    observations: Observations | None


def verifier(modality: str, *, pixels: bool = False) -> Verifier:
    """Return what recomputes the chains of a trace's modality.

    Args:
        modality: registered, or `module:factory`, which is then imported.
        pixels: compare what is not symbolic as well, about half a millisecond a picture.

    Raises:
        SubmissionError: the modality cannot be had here.
    """
    module, colon, _ = modality.partition(":")
    try:
        if colon and module.partition(".")[0] in sys.stdlib_module_names:
            raise UsageError("the standard library has no observers")  # called, it may do harm
        symbolic = bool(getattr(observer_factory(modality), "symbolic", True))
        config = EnvConfig(observation=modality)
        return Verifier(symbolic, Observations(config) if symbolic or pixels else None)
    except Exception as error:  # whatever a third party's code raises
        raise SubmissionError(
            f"the trace is of modality '{modality}', which cannot be verified here: {error}"
        ) from error
