"""A small recurrent policy: words by hash, attention to them, a GRU. For fast experiments.

A step attends to the instruction twice: with what is seen, before the GRU, and with the GRU's
state, before the action module. All but the GRU's recurrence runs on whole rollouts at once.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final, NamedTuple

import torch
from torch import Tensor, nn

from ..engine.instructions import Instruction
from ..engine.packing import Memory, Rows, Segment
from ..engine.policy import ActionModule, Heads, Policy

VOCABULARY: Final = 8192
HEADS: Final = 4


class Words(NamedTuple):
    """Encoded words of n rows: (n, words, width), which are real and of which episode (n, words).

    `episode` is -1 for padding.
    """

    encoded: Tensor
    episode: Tensor


class WordAttention(nn.Module):
    """Attention of steps to the words of their own episode; only matrix products, no dropout."""

    def __init__(self, query_dim: int, word_dim: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_dim, width)
        self.keys = nn.Linear(word_dim, 2 * width)

    def forward(self, steps: Tensor, episode: Tensor, words: Words) -> Tensor:
        """Return (rows, steps, width).

        Args:
            steps: (rows, steps, query_dim).
            episode: (rows, steps), int64: which episode of its row a step belongs to.
            words: of the rows.
        """
        rows, num_steps = episode.shape
        query = self.query(steps).view(rows, num_steps, HEADS, -1).transpose(1, 2)
        both = self.keys(words.encoded).view(rows, words.episode.shape[1], 2, HEADS, -1)
        key, value = both.permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
        other = episode[:, None, :, None] != words.episode[:, None, None, :]
        attended = scores.masked_fill(other, -1e9).softmax(-1) @ value
        return attended.transpose(1, 2).flatten(2)  # type: ignore[no-any-return]


class GruPolicy(Policy):
    """Word encoder, observation module, GRU, action module.

    Args:
        input_dim: numbers of an observation: features and proprioception.
        num_actions: 70, or 71 in the hard variant.
        hidden_size: of the GRU.
        word_dim: width of a word.
    """

    def __init__(
        self, input_dim: int, num_actions: int, hidden_size: int = 256, word_dim: int = 64
    ) -> None:
        super().__init__()
        self.hidden_size = hidden_size
        self.embed = nn.Embedding(VOCABULARY, word_dim)
        self.mix = nn.Conv1d(word_dim, word_dim, 3, padding=1)
        self.observation = nn.Sequential(nn.Linear(input_dim, hidden_size), nn.ReLU())
        self.look = WordAttention(hidden_size, word_dim, hidden_size // 2)
        self.inputs = nn.Linear(hidden_size + hidden_size // 2, 3 * hidden_size)
        self.recurrent = nn.Linear(hidden_size, 3 * hidden_size)
        self.recall = WordAttention(hidden_size, word_dim, hidden_size // 2)
        self.action = ActionModule(2 * hidden_size + hidden_size // 2, num_actions, hidden_size)
        # Straight from attended words to skills: "apple" finds pick(apple) in few steps.
        self.shortcut = nn.Linear(hidden_size // 2, num_actions, bias=False)
        nn.init.zeros_(self.shortcut.weight)

    def words(self, sentences: Sequence[Sequence[int]]) -> Tensor:
        """Return encoded words (n, most, word_dim), 0 behind a sentence's end."""
        most = max(map(len, sentences))
        ids = torch.tensor([[*s, *[-1] * (most - len(s))] for s in sentences], device=self.device)
        real = (ids >= 0)[..., None]
        embedded = self.embed(ids.clamp(min=0)) * real
        mixed = self.mix(embedded.transpose(1, 2)).transpose(1, 2).relu()
        return (embedded + mixed) * real  # type: ignore[no-any-return]

    def run(
        self, seen: Tensor, episode: Tensor, first: Tensor, words: Words, state: Tensor
    ) -> tuple[Heads, Tensor]:
        """Run over steps of rows.

        Args:
            seen: (rows, steps, input_dim).
            episode: (rows, steps), int64: which episode of its row.
            first: (rows, steps), bool: the state is 0 before this step.
            words: of the rows.
            state: (rows, hidden_size) before the first step.

        Returns:
            Heads of (rows, steps), and the state after each step (rows, steps, hidden_size).
        """
        looked = self.observation(seen)
        inputs = self.inputs(torch.cat([looked, self.look(looked, episode, words)], -1))
        going_on = (~first)[..., None].to(inputs.dtype)
        states = []
        for t in range(seen.shape[1]):
            state = self._cell(inputs[:, t], state * going_on[:, t])
            states.append(state)
        after = torch.stack(states, 1)
        recalled = self.recall(after, episode, words)
        heads = self.action(torch.cat([looked, after, recalled], -1))
        return Heads(heads.logits + self.shortcut(recalled), heads.value), after

    def _cell(self, inputs: Tensor, state: Tensor) -> Tensor:
        """Return a GRU's next state (Cho et al. 2014)."""
        size = self.hidden_size
        own = self.recurrent(state)
        gates = (inputs[:, : 2 * size] + own[:, : 2 * size]).sigmoid()
        new = (inputs[:, 2 * size :] + gates[:, :size] * own[:, 2 * size :]).tanh()
        return new + gates[:, size:] * (state - new)  # type: ignore[no-any-return]

    def initial_memory(self, num_rows: int) -> Memory:
        """Return the state before an episode's first step: zeros, (1, num_rows, hidden_size)."""
        return (torch.zeros(1, num_rows, self.hidden_size, device=self.device),)

    def evaluate(self, rows: Rows) -> Heads:
        """Return logits (rows, steps, num_actions) and values (rows, steps) of whole rollouts.

        What a row's first episode remembers of the last rollout enters as a constant.
        """
        num_rows, num_steps = rows.features.shape[:2]
        episode = torch.zeros(num_rows, num_steps, dtype=torch.long)
        first = torch.zeros(num_rows, num_steps, dtype=torch.bool)
        for row, segments in enumerate(rows.segments):
            for number, segment in enumerate(segments):
                episode[row, segment.start :] = number
                first[row, segment.start] = number > 0 or int(rows.carried.counts[row]) == 0
        device = rows.features.device
        seen = torch.cat([rows.features.float(), rows.proprio], -1)
        words = self._words_of(rows.segments)
        return self.run(
            seen, episode.to(device), first.to(device), words, rows.carried.memory[0][0]
        )[0]

    def _words_of(self, segments: Sequence[Sequence[Segment]]) -> Words:
        """Return the words of all episodes of each row, one after the other."""
        said = [[s.instruction for s in of_row] for of_row in segments]
        distinct: dict[tuple[int, ...], Instruction] = {
            one.ids: one for of_row in said for one in of_row
        }
        number = {ids: i for i, ids in enumerate(distinct)}
        encoded = self.words(list(distinct))
        flat = encoded.flatten(0, 1)
        most = max(sum(map(len, of_row)) for of_row in said)
        index = torch.zeros(len(said), most, dtype=torch.long)
        episode = torch.full((len(said), most), -1)
        for row, of_row in enumerate(said):
            at = 0
            for i, one in enumerate(of_row):
                start = number[one.ids] * encoded.shape[1]
                index[row, at : at + len(one)] = torch.arange(start, start + len(one))
                episode[row, at : at + len(one)] = i
                at += len(one)
        return Words(flat[index.to(flat.device)], episode.to(flat.device))
