"""Instructions that were read once are not read again: their keys and values, least recent out."""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass

from torch import Tensor

from .backbone import Backbone


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

    Valid as long as the backbone's weights stay: `clear` it when they changed. Each instruction is
    read alone and unpadded, so that what is stored does not depend on what was asked together.

    Args:
        backbone: reads the misses.
        max_bytes: budget; the instruction just asked for is kept even if it exceeds it alone.

    Attributes:
        hits, misses: how often an instruction was there, or had to be read.
    """

    def __init__(self, backbone: Backbone, max_bytes: int = 1 << 30) -> None:
        self._backbone = backbone
        self._max_bytes = max_bytes
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
        return self.of_ids(self._backbone.token_ids(instruction))

    def of_ids(self, ids: tuple[int, ...]) -> Prefix:
        """Return the keys and values of these tokens."""
        found = self._stored.get(ids)
        if found is not None:
            self.hits += 1
            self._stored.move_to_end(ids)
            return found
        self.misses += 1
        prefix = Prefix(ids, *self._backbone.prefill(ids))
        self._stored[ids] = prefix
        self._bytes += prefix.num_bytes
        while self._bytes > self._max_bytes and len(self._stored) > 1:
            self._bytes -= self._stored.popitem(last=False)[1].num_bytes
        return prefix

    def clear(self) -> None:
        """Forget everything: the backbone's weights changed."""
        self._stored.clear()
        self._bytes = 0
