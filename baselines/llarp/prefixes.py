"""Instructions that were read once are not read again: their keys and values, least recent out."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from .backbone import Backbone

MOST_TOGETHER: Final = 256
"""Tokens read in one pass: attention within it costs the square."""


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
        together: read all misses of a call in one pass, from where they part with a sentence that
            is there. False reads each alone and whole: slower, but what is stored then depends on
            the sentence only, to the last bit.

    Attributes:
        hits, misses: how often an instruction was there, or had to be read.
        tokens_read: tokens that went through the backbone.
    """

    def __init__(
        self, backbone: Backbone, max_bytes: int = 1 << 30, *, together: bool = True
    ) -> None:
        self._backbone = backbone
        self._max_bytes = max_bytes
        self._together = together
        self._stored: OrderedDict[tuple[int, ...], Prefix] = OrderedDict()
        self._beginnings: dict[tuple[int, ...], Prefix] = {}
        self._bytes = 0
        self.hits = self.misses = self.tokens_read = 0

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
        for prefix in self._read(missing):
            found[prefix.ids] = self._stored[prefix.ids] = prefix
            self._bytes += prefix.num_bytes
        for ids in distinct:
            self._stored.move_to_end(ids)
        while self._bytes > self._max_bytes and len(self._stored) > 1:
            self._forget(self._stored.popitem(last=False)[1])
        return [found[ids] for ids in sentences]

    def clear(self) -> None:
        """Forget everything: the backbone's weights changed."""
        self._stored.clear()
        self._beginnings.clear()
        self._bytes = 0

    def _read(self, missing: Sequence[tuple[int, ...]]) -> Iterator[Prefix]:
        """Yield what was not there, read."""
        left = deque((ids, self._begun(ids)) for ids in missing)
        while left:
            part, size = [left.popleft()], 0
            while left and self._together:
                size += _unread(*part[-1])
                if size + _unread(*left[0]) > MOST_TOGETHER:
                    break
                part.append(left.popleft())
            self.tokens_read += sum(_unread(*one) for one in part)
            read = self._backbone.prefill([ids for ids, _ in part], [begun for _, begun in part])
            for (ids, _), kept in zip(part, read, strict=True):
                prefix = Prefix(ids, kept[0], kept[1])
                if self._together:
                    self._beginnings |= {ids[:end]: prefix for end in range(1, len(ids) + 1)}
                yield prefix

    def _begun(self, ids: tuple[int, ...]) -> Tensor | None:
        """Return keys and values of the longest beginning that some sentence here shares."""
        if self._backbone.bidirectional_prefix:  # every token depends on the last one
            return None
        for end in range(len(ids) - 1, 0, -1):
            like = self._beginnings.get(ids[:end])
            if like is not None:
                return torch.stack([like.keys[:, :, :end], like.values[:, :, :end]])
        return None

    def _forget(self, prefix: Prefix) -> None:
        self._bytes -= prefix.num_bytes
        for end in range(1, len(prefix) + 1):
            if self._beginnings.get(prefix.ids[:end]) is prefix:
                del self._beginnings[prefix.ids[:end]]


def _unread(ids: tuple[int, ...], begun: Tensor | None) -> int:
    return len(ids) - (0 if begun is None else begun.shape[3])
