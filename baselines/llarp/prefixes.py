"""Keys and values of instructions, read from where they differ from one that is stored."""

from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import torch
from torch import Tensor

from ..engine.instructions import Instruction, InstructionStore
from .backbone import Backbone

MAX_TOKENS: Final = 256
"""Tokens read in one pass: attention within it costs the square."""


@dataclass(frozen=True, slots=True, eq=False)
class Prefix(Instruction):
    """An instruction with its keys and values, each (layers, heads, tokens, head_dim)."""

    keys: Tensor
    values: Tensor

    @property
    def num_bytes(self) -> int:
        """Memory of keys and values."""
        return 2 * self.keys.numel() * self.keys.element_size()


class PrefixStore(InstructionStore[Prefix]):
    """Instruction -> keys and values.

    Args:
        backbone: reads what is missing.
        max_bytes: as `InstructionStore` has it.
        together: read all that a call misses in one pass, each from where it differs from a
            stored one. False reads each alone and whole: slower, but what is stored then depends
            on the instruction only, to the last bit.

    Attributes:
        tokens_read: tokens that went through the backbone.
    """

    def __init__(
        self, backbone: Backbone, max_bytes: int = 1 << 30, *, together: bool = True
    ) -> None:
        super().__init__(backbone.token_ids, max_bytes)
        self._backbone = backbone
        self._together = together
        self._beginnings: dict[tuple[int, ...], Prefix] = {}
        self.tokens_read = 0

    def read(self, missing: Sequence[tuple[int, ...]]) -> Iterator[Prefix]:
        """Yield instructions that are not stored, in order."""
        left = deque((ids, self._begun(ids)) for ids in missing)
        while left:
            batch, size = [left.popleft()], 0
            while left and self._together:
                size += _unread(*batch[-1])
                if size + _unread(*left[0]) > MAX_TOKENS:
                    break
                batch.append(left.popleft())
            self.tokens_read += sum(_unread(*one) for one in batch)
            read = self._backbone.prefill([ids for ids, _ in batch], [begun for _, begun in batch])
            for (ids, _), kept in zip(batch, read, strict=True):
                prefix = Prefix(ids, kept[0], kept[1])
                if self._together:
                    self._beginnings |= {ids[:end]: prefix for end in range(1, len(ids) + 1)}
                yield prefix

    def weights_changed(self) -> None:
        """Drop everything if the backbone is trained."""
        if self._backbone.trainable:
            self.clear()

    def clear(self) -> None:
        """Drop everything."""
        super().clear()
        self._beginnings.clear()

    def forget(self, instruction: Prefix) -> None:
        """Take note that an instruction was dropped."""
        super().forget(instruction)
        for end in range(1, len(instruction) + 1):
            if self._beginnings.get(instruction.ids[:end]) is instruction:
                del self._beginnings[instruction.ids[:end]]

    def _begun(self, ids: tuple[int, ...]) -> Tensor | None:
        """Return keys and values of the longest beginning shared with a stored instruction."""
        if self._backbone.bidirectional_prefix:  # every token depends on the last one
            return None
        for end in range(len(ids) - 1, 0, -1):
            like = self._beginnings.get(ids[:end])
            if like is not None:
                return torch.stack([like.keys[:, :, :end], like.values[:, :, :end]])
        return None


def _unread(ids: tuple[int, ...], begun: Tensor | None) -> int:
    return len(ids) - (0 if begun is None else begun.shape[3])
