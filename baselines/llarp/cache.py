"""Keys and values of a frozen transformer, kept between calls. Not for choosing what is kept.

A Hugging Face model calls only `update(keys, values, layer)` of its cache, and returns a 4-D
boolean mask untouched; so small objects replace its own caches, which cannot write each row at a
position of its own.
"""

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from ..engine.packing import spread

BUCKET = 8
"""Views of the cache grow in steps of so many tokens, so that kernels see few shapes."""


class KeyCache(ABC):
    """What a Hugging Face model needs of a cache."""

    @abstractmethod
    def update(
        self, keys: Tensor, values: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Take a layer's new keys and values, (batch, heads, tokens, head_dim); return all."""

    def get_seq_length(self, *args: Any) -> int:
        """Return 0: positions are always given, never derived from the cache."""
        return 0


class Capture(KeyCache):
    """Returns what a model computes unchanged, and keeps the keys of each layer."""

    def __init__(self) -> None:
        self._keys: dict[int, Tensor] = {}

    def update(
        self, keys: Tensor, values: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Return the new keys and values."""
        self._keys[layer_idx] = keys
        return keys, values

    def keys(self) -> Tensor:
        """Return the keys, (layers, batch, heads, tokens, head_dim)."""
        return torch.stack([self._keys[layer] for layer in range(len(self._keys))])


class ConstantKeys(KeyCache):
    """Puts given keys and values before those of the queries; for passes that need a gradient.

    Args:
        keys, values: each (layers, batch, heads, tokens, head_dim), outside the graph.
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        self.keys, self.values = keys, values

    def update(
        self, keys: Tensor, values: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Return the constant keys and values followed by the new ones."""
        return (
            torch.cat([self.keys[layer_idx], keys], dim=2),
            torch.cat([self.values[layer_idx], values], dim=2),
        )


class PrefillDone(Exception):
    """The last layer's keys and values are known; the rest of the pass is not needed."""


class Prefill(ConstantKeys):
    """Keeps new keys and values after given ones, and ends the pass when it has the last layer's.

    A layer's output is needed by the next layer alone, so the last layer's is never computed.

    Args:
        keys, values: each (layers, 1, heads, tokens, head_dim).
    """

    def __init__(self, keys: Tensor, values: Tensor) -> None:
        super().__init__(keys, values)
        self._kept: dict[int, Tensor] = {}

    def update(
        self, keys: Tensor, values: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Keep a layer's keys and values; raise PrefillDone after the last layer."""
        self._kept[layer_idx] = torch.stack([keys[0], values[0]])
        if len(self._kept) == len(self.keys):
            raise PrefillDone
        return super().update(keys, values, layer_idx)

    def kept(self) -> Tensor:
        """Return the new keys and values, (2, layers, heads, tokens, head_dim)."""
        return torch.stack([self._kept[layer] for layer in range(len(self.keys))], 1)


class SlotCache(KeyCache):
    """One slot a row: its tokens left-aligned, with a length of its own.

    Tokens are stored without padding and never move: writes scatter at `lengths`, and reads mask
    the stale positions after it.

    Args:
        keys: a model's keys, any (layers, 1, heads, tokens, head_dim): shape, type and device.
        num_rows: how many slots.

    Attributes:
        keys, values: (layers, num_rows, heads, capacity, head_dim).
        lengths: (num_rows,), int64: tokens of each row.
    """

    def __init__(self, keys: Tensor, num_rows: int) -> None:
        layers, _, heads, _, head_dim = keys.shape
        self.keys = keys.new_zeros(layers, num_rows, heads, 0, head_dim)
        self.values = self.keys.clone()
        self.lengths = torch.zeros(num_rows, dtype=torch.long, device=keys.device)
        self._view = 0
        self._rows: Tensor | None = None
        self._at = self.lengths

    @property
    def capacity(self) -> int:
        """Tokens that a slot can hold now."""
        return self.keys.shape[3]

    def reserve(self, capacity: int) -> None:
        """Grow every slot to hold at least `capacity` tokens; the contents stay."""
        missing = -(-capacity // BUCKET) * BUCKET - self.capacity
        if missing > 0:
            self.keys = torch.nn.functional.pad(self.keys, (0, 0, 0, missing))
            self.values = torch.nn.functional.pad(self.values, (0, 0, 0, missing))

    def grow(self, num_rows: int) -> None:
        """Add so many empty slots behind the others."""
        pad = torch.nn.functional.pad
        self.keys = pad(self.keys, (0, 0, 0, 0, 0, 0, 0, num_rows))
        self.values = pad(self.values, (0, 0, 0, 0, 0, 0, 0, num_rows))
        self.lengths = pad(self.lengths, (0, num_rows))

    def put(self, rows: Tensor, keys: Sequence[Tensor], values: Sequence[Tensor]) -> None:
        """Restart rows with these tokens, of each (layers, heads, tokens, head_dim)."""
        counts = torch.tensor([tokens.shape[2] for tokens in keys])
        self.reserve(int(counts.max()))
        owner, place = spread(counts)
        # Indexing (layers, [rows, places], heads) moves rows and places to the front.
        self.keys[:, rows[owner], :, place] = torch.cat([*keys], 2).permute(2, 0, 1, 3)
        self.values[:, rows[owner], :, place] = torch.cat([*values], 2).permute(2, 0, 1, 3)
        self.lengths[rows] = counts.to(self.lengths.device)

    def aim(self, num_queries: int, rows: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Prepare the next pass of the model, which writes after the last token of each row.

        Args:
            num_queries: new tokens of each row.
            rows: which rows, int64; None: all.

        Returns:
            positions: (rows, num_queries), int64.
            mask: (rows, 1, num_queries, view), bool: each token sees its row up to itself.
        """
        lengths = self.lengths if rows is None else self.lengths[rows]
        steps = torch.arange(num_queries, device=lengths.device)
        self._rows, self._at = rows, lengths[:, None] + steps
        longest = int(lengths.max()) + num_queries
        self.reserve(longest)
        self._view = min(self.capacity, -(-longest // BUCKET) * BUCKET)
        places = torch.arange(self._view, device=lengths.device)
        return self._at, (places <= self._at[..., None])[:, None]

    def update(
        self, keys: Tensor, values: Tensor, layer_idx: int, *args: Any, **kwargs: Any
    ) -> tuple[Tensor, Tensor]:
        """Write a layer's new keys and values and return those of the rows so far."""
        every = torch.arange(self.keys.shape[1], device=keys.device)
        rows = every if self._rows is None else self._rows
        layer_keys, layer_values = self.keys[layer_idx], self.values[layer_idx]
        layer_keys[rows[:, None], :, self._at] = keys.transpose(1, 2)
        layer_values[rows[:, None], :, self._at] = values.transpose(1, 2)
        if self._rows is None:
            return layer_keys[:, :, : self._view], layer_values[:, :, : self._view]
        return layer_keys[rows, :, : self._view], layer_values[rows, :, : self._view]
