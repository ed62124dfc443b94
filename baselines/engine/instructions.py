"""Instructions as a policy reads them, each read once; the least recently used go first."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar


@dataclass(frozen=True, slots=True, eq=False)
class Instruction:
    """An instruction as tokens; policies add what they computed of it.

    Attributes:
        ids: its tokens.
    """

    ids: tuple[int, ...]

    def __len__(self) -> int:
        return len(self.ids)

    @property
    def num_bytes(self) -> int:
        """Memory of what was computed."""
        return 0


Read = TypeVar("Read", bound=Instruction)


class InstructionStore(ABC, Generic[Read]):
    """Tokens -> instruction, within a memory budget.

    Args:
        token_ids: text -> tokens.
        max_bytes: budget; what was asked for last is kept even if it exceeds it.

    Attributes:
        hits, misses: how often an instruction was stored, or had to be read.
        num_bytes: memory in use.
    """

    def __init__(
        self, token_ids: Callable[[str], tuple[int, ...]], max_bytes: int = 1 << 30
    ) -> None:
        self.token_ids, self._max_bytes = token_ids, max_bytes
        self._stored: OrderedDict[tuple[int, ...], Read] = OrderedDict()
        self.num_bytes = self.hits = self.misses = 0

    def __len__(self) -> int:
        return len(self._stored)

    @property
    def hit_rate(self) -> float:
        """Share of hits; 0 before anything was asked for."""
        return self.hits / max(1, self.hits + self.misses)

    @abstractmethod
    def read(self, missing: Sequence[tuple[int, ...]]) -> Iterable[Read]:
        """Yield instructions that are not stored, in order."""

    def get(self, text: str) -> Read:
        """Return one instruction."""
        return self.get_all([text])[0]

    def get_all(self, texts: Sequence[str]) -> list[Read]:
        """Return several instructions."""
        return self.of_all([self.token_ids(text) for text in texts])

    def of_all(self, sentences: Sequence[tuple[int, ...]]) -> list[Read]:
        """Return several instructions, given as tokens."""
        distinct = dict.fromkeys(sentences)
        missing = [ids for ids in distinct if ids not in self._stored]
        self.misses += len(missing)
        self.hits += len(sentences) - len(missing)
        found = {ids: self._stored[ids] for ids in distinct if ids in self._stored}
        for instruction in self.read(missing):
            found[instruction.ids] = self._stored[instruction.ids] = instruction
            self.num_bytes += instruction.num_bytes
        for ids in distinct:
            self._stored.move_to_end(ids)
        while self.num_bytes > self._max_bytes and len(self._stored) > 1:
            self.forget(self._stored.popitem(last=False)[1])
        return [found[ids] for ids in sentences]

    def forget(self, instruction: Read) -> None:
        """Take note that an instruction was dropped."""
        self.num_bytes -= instruction.num_bytes

    def weights_changed(self) -> None:
        """Drop what depends on weights that are trained; by default nothing does."""

    def clear(self) -> None:
        """Drop everything."""
        self._stored.clear()
        self.num_bytes = 0
