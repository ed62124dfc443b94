"""Instructions that were read once are not read again: their keys and values, least recent out."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from torch import Tensor

from .backbone import Backbone

MOST_TOGETHER: Final = 64
"""Sentences read in one pass."""


@dataclass(frozen=True, slots=True, eq=False)
class Prefix:
    """An instruction as the backbone keeps it.

    Attributes:
        ids: its tokens.
        keys, values: each (layers, heads, tokens, head_dim).
    """

    ids: tuple[int, ...]
    keys: Tensor
    values: Tensor

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def num_bytes(self) -> int:
        """Memory of keys and values."""
        return 2 * self.keys.numel() * self.keys.element_size()


class PrefixStore:
    """Instruction -> keys and values, by token ids, within a budget of memory.

    Valid as long as the backbone's weights stay: `clear` it when they changed.

    Args:
        backbone: reads the misses.
        max_bytes: budget; what was asked for last is kept even if it exceeds it.
        together: read all misses of a call in one pass. False reads each alone: slower, but what
            is stored then depends on the sentence only, to the last bit.

    Attributes:
        hits, misses: how often an instruction was there, or had to be read.
    """

    def __init__(
        self, backbone: Backbone, max_bytes: int = 1 << 30, *, together: bool = True
    ) -> None:
        self._backbone = backbone
        self._max_bytes = max_bytes
        self._together = together
        self._stored: OrderedDict[tuple[int, ...], Prefix] = OrderedDict()
        self._bytes = 0
        self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._stored)

    @property
    def num_bytes(self) -> int:
        """Memory in use."""
        return self._bytes

    def get(self, instruction: str) -> Prefix:
        """Return the instruction's keys and values."""
        return self.get_all([instruction])[0]

    def get_all(self, instructions: Sequence[str]) -> list[Prefix]:
        """Return the keys and values of several instructions."""
        return self.of_all([self._backbone.token_ids(text) for text in instructions])

    def of_ids(self, ids: tuple[int, ...]) -> Prefix:
        """Return the keys and values of these tokens."""
        return self.of_all([ids])[0]

    def of_all(self, sentences: Sequence[tuple[int, ...]]) -> list[Prefix]:
        """Return the keys and values of several sentences of tokens."""
        distinct = dict.fromkeys(sentences)
        missing = [ids for ids in distinct if ids not in self._stored]
        self.misses += len(missing)
        self.hits += len(sentences) - len(missing)
        found = {ids: self._stored[ids] for ids in distinct if ids in self._stored}
        size = MOST_TOGETHER if self._together else 1
        for start in range(0, len(missing), size):
            part = missing[start : start + size]
            for ids, kept in zip(part, self._backbone.prefill(part), strict=True):
                found[ids] = self._stored[ids] = Prefix(ids, *kept)
                self._bytes += found[ids].num_bytes
        for ids in distinct:
            self._stored.move_to_end(ids)
        while self._bytes > self._max_bytes and len(self._stored) > 1:
            self._bytes -= self._stored.popitem(last=False)[1].num_bytes
        return [found[ids] for ids in sentences]

    def clear(self) -> None:
        """Forget everything: the backbone's weights changed."""
        self._stored.clear()
        self._bytes = 0
