"""A hash chain over the observations of an episode: it identifies build and modality of a run.

It does not prove that the agent used the observations.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from platform import machine
from typing import Any, Final, Literal, NamedTuple

import numpy as np

from langrearrange.env import MODALITIES, EnvConfig, Observations, observer_factory
from langrearrange.errors import SubmissionError, UsageError
from langrearrange.leaderboard.trace import Header

Pictures = Literal["some", "all", "none"]
SAMPLE: Final = 8
"""Episodes whose images are rendered again by default, evenly spaced."""


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
    """Recomputes the chains of one modality.

    Attributes:
        symbolic: see `Observer`.
        observations: what the agent was shown; None where chains are not compared.
        every: one of this many episodes is compared.
    """

    symbolic: bool
    observations: Observations | None
    every: int

    @property
    def compared(self) -> Pictures:
        """Which share of the episodes is compared."""
        if self.observations is None:
            return "none"
        return "all" if self.every == 1 else "some"


def verifier(
    header: Header, num_lines: int, pictures: Pictures = "some", trusted: Collection[str] = ()
) -> Verifier:
    """Return a verifier for the chains of a trace.

    Args:
        header: of the trace.
        num_lines: how many episodes it has.
        pictures: of how many episodes what is not symbolic is drawn again, about half a
            millisecond a picture; of `some`, eight, only if the run was made on a processor of
            this kind with the embedded simulator.
        trusted: modalities `module:factory` that may be imported.

    Raises:
        SubmissionError: the modality is not available here.
    """
    modality, played = header.agent.modality, header.played
    try:
        if modality not in MODALITIES and modality not in trusted:
            raise UsageError("name it with --observation if you trust its code")
        symbolic = bool(getattr(observer_factory(modality), "symbolic", True))
        alike = played.machine == machine() and played.simulator == "embedded"
        if not symbolic and (pictures == "none" or (pictures == "some" and not alike)):
            return Verifier(symbolic, None, 1)
        every = 1 if symbolic or pictures == "all" else max(1, num_lines // SAMPLE)
        return Verifier(symbolic, Observations(EnvConfig(observation=modality)), every)
    except Exception as error:  # whatever a third party's code raises
        raise SubmissionError(
            f"the trace is of modality '{modality}', which cannot be verified here: {error}"
        ) from error
