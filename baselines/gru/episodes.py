"""Running episodes of the GRU policy: encoded words and a state a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor
from torch.nn import functional

from ..engine.episodes import RunningEpisodes, Sizes
from ..engine.instructions import Instruction, InstructionStore
from ..engine.packing import Memory
from ..engine.policy import Heads
from .policy import GruPolicy, Words


class WordStore(InstructionStore[Instruction]):
    """Instructions as numbers of their words; nothing more is computed once."""

    def read(self, missing: Sequence[tuple[int, ...]]) -> Iterable[Instruction]:
        """Return instructions that are not stored."""
        return map(Instruction, missing)


class GruEpisodes(RunningEpisodes):
    """Running episodes whose memory is a GRU's state."""

    policy: GruPolicy

    def __init__(self, policy: GruPolicy, store: WordStore, sizes: Sizes) -> None:
        super().__init__(policy, store, sizes)
        self._state = policy.initial_memory(sizes.num_rows)[0][0]
        empty = torch.zeros(sizes.num_rows, 0, policy.look.keys.out_features, device=policy.device)
        self._words = Words(empty, empty, empty[..., 0].long())

    def forward(
        self, features: Tensor, proprio: Tensor, rows: Tensor | None, *, keep: bool
    ) -> Heads:
        """Run the policy on one more observation in each of the rows."""
        which = slice(None) if rows is None else rows
        heads, after = self._run(torch.cat([features.float(), proprio], -1)[:, None], which)
        if keep:
            self._state[which] = after[:, -1]
        return Heads(heads.logits[:, -1], heads.value[:, -1])

    def reset_memory(self, rows: Sequence[int]) -> None:
        """Encode the instructions of these rows, and set their state to zero."""
        self._state[rows] = 0.0
        words = self.policy.read([self.instructions[row].ids for row in rows])
        self._pad(words.episode.shape[1] - self._words.episode.shape[1], 0)
        self._words.episode[rows] = -1
        for own, new in zip(self._words, words, strict=True):
            own[rows, : new.shape[1]] = new

    def replay(self, features: Tensor, proprio: Tensor) -> Memory:
        """Encode instructions and compute states again; return a copy of the states."""
        self._state.zero_()
        self._words = Words(*(part[:, :0] for part in self._words))
        if running := self.running:
            self.reset_memory(running)
        for rows in self.alike():
            last = self.counts[rows] - 1
            steps = slice(int(last.max()) + 1)
            seen = torch.cat([features[rows, steps].float(), proprio[rows, steps]], -1)
            words = Words(*(part[rows] for part in self._words))
            other, first = words.episode[:, None, None] != 0, seen.new_zeros(seen.shape[:2]).bool()
            after = self.policy.states(seen, other, first, words, self._state[rows])[1]
            self._state[rows] = after[torch.arange(len(rows)), last]
        return (self._state.clone()[None],)

    def grow_memory(self, missing: int) -> None:
        """Add rows with a state of zeros."""
        self._state = functional.pad(self._state, (0, 0, 0, missing))
        self._pad(0, missing)

    def _pad(self, words: int, rows: int) -> None:
        """Make room for so many more words and rows, of no episode."""
        if max(words, rows) > 0:
            room = (0, max(words, 0), 0, rows)
            parts = ((part, (0, 0) * (part.ndim - 2) + room) for part in self._words)
            self._words = Words(*(functional.pad(part, size, value=-1) for part, size in parts))

    def _run(self, seen: Tensor, which: Tensor | slice) -> tuple[Heads, Tensor]:
        words = Words(*(part[which] for part in self._words))
        episode = torch.zeros(seen.shape[:2], dtype=torch.long, device=seen.device)
        return self.policy.run(seen, episode, episode.bool(), words, self._state[which])
