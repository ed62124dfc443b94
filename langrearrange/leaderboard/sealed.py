"""Sealed sets, generated from a secret key: the standard eleven, bound by one commitment.

Not for files (`rounds`). Sets in folders or with other settings are not sealed.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from msgspec.structs import replace

from langrearrange.dataset import Episode, EpisodeSource, Provenance
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
        self._made: dict[int, Episode] = {}

    def get(self, position: int, variant: int = 0) -> Episode:
        """Return the episode at a position; all are kept, since every trace needs them."""
        if variant:
            return super().get(position, variant)
        if position not in self._made:
            self._made[position] = super().get(position)
        return self._made[position]


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
            for spec in [replace(PUBLISHED[split], name=sealed_name(split), split="", key=key)]
        }
        self._opened: dict[str, SealedSplit] = {}
        if promised and promised != self.commitment:
            raise SubmissionError(
                f"this key does not open the commitment {promised[:80]!a}; with this version of "
                f"templates, models and flats it opens {self.commitment}"
            )

    @cached_property
    def provenances(self) -> dict[str, Provenance]:
        """Name of each set -> what its episodes depend on besides the key."""
        return {name: provenance_of(blueprint_of(spec)) for name, spec in self.specs.items()}

    @cached_property
    def commitment(self) -> str:
        """64 hex digits over key, settings, versions, templates, models and flats of all sets."""
        made = (commitment(self.specs[name], facts) for name, facts in self.provenances.items())
        return digest("round", *made).hex()

    def open(self, split: str) -> SealedSplit:
        """Return a set by its name, `sealed_context`; SubmissionError for any other."""
        if split not in self.specs:
            raise SubmissionError(f"{split[:80]!a} is not a set of a sealed round")
        if split not in self._opened:
            self._opened[split] = SealedSplit(self.specs[split], self.commitment)
        return self._opened[split]


def sealed_name(split: str) -> str:
    """Return the name of the set of a round that is like a published split."""
    return f"sealed_{split}"


def round_of(sources: Iterable[EpisodeSource]) -> str:
    """Return the commitment of the round that all these sets are of, or ""."""
    found = {source.round if isinstance(source, SealedSplit) else "" for source in sources}
    return found.pop() if len(found) == 1 else ""
