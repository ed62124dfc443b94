"""Sealed sets, generated from a secret key: the standard eleven, bound by one commitment.

Not for playing them. Sets in folders or with other settings are not sealed.
"""

from __future__ import annotations

from functools import cached_property

from msgspec.structs import replace

from langrearrange.errors import SubmissionError
from langrearrange.generator import PUBLISHED, GeneratedSplit, SplitSpec
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.provenance import commitment, provenance_of
from langrearrange.leaderboard.groups import BOARD_SPLITS
from langrearrange.seeding import digest


class SealedSplit(GeneratedSplit):
    """A split of a sealed round, computed from its key.

    Attributes:
        round: commitment of the round.
    """

    def __init__(self, spec: SplitSpec, round: str) -> None:
        super().__init__(spec)
        self.round = round


class SealedRound:
    """The eleven splits of the board with the standard settings, under a key.

    Args:
        key: the secret.
        promised: commitment published before; "" to learn it.

    Raises:
        SubmissionError: the key does not open the commitment.
    """

    def __init__(self, key: str, promised: str = "") -> None:
        self.specs = {
            spec.name: spec
            for split in BOARD_SPLITS
            for spec in [replace(PUBLISHED[split], name=f"sealed_{split}", split="", key=key)]
        }
        if promised and promised != self.commitment:
            raise SubmissionError(
                f"this key does not open the commitment {promised[:80]!a}; with this version of "
                f"templates, models and flats it opens {self.commitment}"
            )

    @cached_property
    def commitment(self) -> str:
        """64 hex digits over key, settings, versions, templates, models and flats of all sets."""
        made = (commitment(s, provenance_of(blueprint_of(s))) for s in self.specs.values())
        return digest("round", *made).hex()

    def open(self, split: str) -> SealedSplit:
        """Return a set by its name, `sealed_context`; SubmissionError for any other."""
        if split not in self.specs:
            raise SubmissionError(f"{split[:80]!a} is not a set of a sealed round")
        return SealedSplit(self.specs[split], self.commitment)
