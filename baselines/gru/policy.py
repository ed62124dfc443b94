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
from torch.nn.utils.rnn import pad_sequence

from ..engine.packing import Memory, Rows, Segments
from ..engine.policy import ActionModule, Heads, Policy
from ..engine.recurrent import run_gru

VOCABULARY: Final = 8192
HEADS: Final = 4


class Words(NamedTuple):
    """Words of n rows, projected for both attentions, and of which episode they are.

    Attributes:
        look, recall: keys and values for each attention, (n, words, 2 * width).
        episode: (n, words), int64; -1 for padding.
    """

    look: Tensor
    recall: Tensor
    episode: Tensor


class WordAttention(nn.Module):
    """Attention of steps to the words of their own episode; only matrix products, no dropout."""

    def __init__(self, query_dim: int, word_dim: int, width: int) -> None:
        super().__init__()
        self.query = nn.Linear(query_dim, width)
        self.keys = nn.Linear(word_dim, 2 * width)

    def forward(self, steps: Tensor, words: Tensor, other: Tensor) -> Tensor:
        """Return (rows, steps, width).

        Args:
            steps: (rows, steps, query_dim).
            words: keys and values of the rows' words, (rows, words, 2 * width), from `keys`.
            other: (rows, 1, steps, words), bool: the word is not of the step's episode.
        """
        rows, num_steps = steps.shape[:2]
        query = self.query(steps).view(rows, num_steps, HEADS, -1).transpose(1, 2)
        key, value = words.view(rows, words.shape[1], 2, HEADS, -1).permute(2, 0, 3, 1, 4)
        scores = query @ key.transpose(-1, -2) / math.sqrt(query.shape[-1])
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

    def words(self, sentences: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
        """Return encoded words (n, most, word_dim), and which are real, (n, most)."""
        ids = pad_sequence([torch.tensor(s) for s in sentences], True, -1).to(self.device)
        real = ids >= 0
        embedded = self.embed(ids.clamp(min=0)) * real[..., None]
        mixed = self.mix(embedded.transpose(1, 2)).transpose(1, 2).relu()
        return (embedded + mixed) * real[..., None], real

    def read(self, sentences: Sequence[Sequence[int]]) -> Words:
        """Return the words of rows with one sentence each."""
        encoded, real = self.words(sentences)
        return self._projected(encoded, torch.where(real, 0, -1))

    def _projected(self, encoded: Tensor, episode: Tensor) -> Words:
        return Words(self.look.keys(encoded), self.recall.keys(encoded), episode)

    def states(
        self, seen: Tensor, other: Tensor, first: Tensor, words: Words, state: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Return what is looked at, and the state after each step, both (rows, steps, hidden_size).

        Args are those of `run`, but `other` is that of `WordAttention`.
        """
        looked = self.observation(seen)
        inputs = self.inputs(torch.cat([looked, self.look(looked, words.look, other)], -1))
        return looked, run_gru(inputs, first, state, self.recurrent)

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
        other = episode[:, None, :, None] != words.episode[:, None, None, :]
        looked, after = self.states(seen, other, first, words, state)
        recalled = self.recall(after, words.recall, other)
        heads = self.action(torch.cat([looked, after, recalled], -1))
        return Heads(heads.logits + self.shortcut(recalled), heads.value), after

    def initial_memory(self, num_rows: int) -> Memory:
        """Return the state before an episode's first step: zeros, (1, num_rows, hidden_size)."""
        return (torch.zeros(1, num_rows, self.hidden_size, device=self.device),)

    def evaluate(self, rows: Rows) -> Heads:
        """Return logits (rows, steps, num_actions) and values (rows, steps) of whole rollouts.

        What a row's first episode remembers of the last rollout enters as a constant.
        """
        segments, num_steps = rows.segments, rows.features.shape[1]
        which = segments.of_steps(num_steps)
        begins = segments.starts[which] == torch.arange(num_steps)
        episode = segments.numbers[which]
        first = begins & ((episode > 0) | (rows.carried.counts.cpu() == 0)[:, None])
        device = rows.features.device
        seen = torch.cat([rows.features.float(), rows.proprio], -1)
        state = rows.carried.memory[0][0]
        return self.run(
            seen, episode.to(device), first.to(device), self._words_of(segments), state
        )[0]

    def _words_of(self, segments: Segments) -> Words:
        """Return the words of all episodes of each row, one after the other."""
        sentences = [one.ids for one in segments.instructions]
        numbers = {ids: number for number, ids in enumerate(dict.fromkeys(sentences))}
        encoded, _ = self.words(list(numbers))
        segment, place, column = segments.tokens()
        shape = (int(segments.rows[-1]) + 1, int(column.max()) + 1)
        index, episode = torch.zeros(shape, dtype=torch.long), torch.full(shape, -1)
        at = segments.rows[segment], column
        start = torch.tensor([numbers[ids] for ids in sentences]) * encoded.shape[1]
        index[at], episode[at] = start[segment] + place, segments.numbers[segment]
        words = encoded.flatten(0, 1)[index.to(encoded.device)]
        return self._projected(words, episode.to(encoded.device))
