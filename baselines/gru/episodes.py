"""Running episodes of the GRU policy: encoded words and a state a row."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

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
    """Running episodes whose memory is a GRU's state.

    Args:
        policy: acts.
        store: reads instructions.
        sizes: number of rows, and so on.
    """

    def __init__(self, policy: GruPolicy, store: WordStore, sizes: Sizes) -> None:
        super().__init__(policy, store, sizes)
        self.policy = policy
        self._state = policy.initial_memory(sizes.num_rows)[0][0]
        self._words = torch.zeros(
            sizes.num_rows, 0, policy.embed.embedding_dim, device=policy.device
        )
        self._lengths = torch.zeros(sizes.num_rows, dtype=torch.long, device=policy.device)

    def forward(
        self, features: Tensor, proprio: Tensor, rows: Tensor | None, *, keep: bool
    ) -> Heads:
        """Run the policy on one more observation in each of the rows."""
        which = self._which(None if rows is None else rows.tolist())
        seen = torch.cat([features.float(), proprio], -1)[:, None]
        heads, after = self._run(seen, which)
        if keep:
            self._state[which] = after[:, -1]
        return Heads(heads.logits[:, -1], heads.value[:, -1])

    def reset_memory(self, rows: Sequence[int]) -> None:
        """Encode the instructions of these rows, and set their state to zero."""
        self._state[rows] = 0.0
        self._read(rows)

    def replay(self, features: Tensor, proprio: Tensor) -> Memory:
        """Encode instructions and compute states again; return a copy of the states."""
        running = [row for row, one in enumerate(self.instructions) if one is not None]
        self._state.zero_()
        if running:
            self._read(running)
        which = torch.nonzero(self.counts)[:, 0]
        if features.shape[1] and len(which):
            seen = torch.cat([features[which].float(), proprio[which]], -1)
            after = self._run(seen, which)[1]
            last = (self.counts[which] - 1).to(after.device)
            self._state[which] = after[torch.arange(len(which)), last]
        return (self._state.clone()[None],)

    def grow_memory(self, missing: int) -> None:
        """Add rows with a state of zeros."""
        pad = torch.nn.functional.pad
        self._state = pad(self._state, (0, 0, 0, missing))
        self._words = pad(self._words, (0, 0, 0, 0, 0, missing))
        self._lengths = pad(self._lengths, (0, missing))

    def _run(self, seen: Tensor, which: Tensor) -> tuple[Heads, Tensor]:
        episode = torch.zeros(seen.shape[:2], dtype=torch.long, device=seen.device)
        places = torch.arange(self._words.shape[1], device=seen.device)
        real = places < self._lengths[which][:, None]
        words = Words(self._words[which], torch.where(real, 0, -1))
        return self.policy.run(seen, episode, episode.bool(), words, self._state[which])

    def _read(self, rows: Sequence[int]) -> None:
        sentences = [self.instructions[row].ids for row in rows]
        encoded = self.policy.words(sentences)
        missing = encoded.shape[1] - self._words.shape[1]
        if missing > 0:
            self._words = torch.nn.functional.pad(self._words, (0, 0, 0, missing))
        self._words[rows, : encoded.shape[1]] = encoded
        self._lengths[rows] = torch.tensor([len(s) for s in sentences], device=self._lengths.device)
