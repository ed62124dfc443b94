"""Rollouts as rows of tokens: which episode each token is of, and what it may attend to.

One row is one env's rollout: static in shape, cut into minibatches by env, with no padding among
its steps. What the env's episodes need beside their steps stands before them:

    [instructions of all its episodes | steps carried from the last rollout | this rollout's steps]
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from .prefixes import Prefix


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """The part of an episode that lies in a rollout: steps `start` to `stop` of one row."""

    start: int
    stop: int
    prefix: Prefix


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """The steps of each row's first episode that were taken before the rollout.

    Attributes:
        features: (rows, most, ...), float16; proprio: (rows, most, proprio_dim), float32.
        counts: (rows,), int64: how many of them are real.
        keys, values: (layers, rows, heads, most * tokens_per_step, head_dim).
    """

    features: Tensor
    proprio: Tensor
    counts: Tensor
    keys: Tensor
    values: Tensor

    def of(self, rows: Tensor) -> Carried:
        """Return those of some rows."""
        return Carried(
            self.features[rows],
            self.proprio[rows],
            self.counts[rows],
            self.keys[:, rows],
            self.values[:, rows],
        )


@dataclass(frozen=True, slots=True, eq=False)
class Rows:
    """Whole rollouts of some envs.

    Attributes:
        features: (rows, steps, ...), float16; proprio: (rows, steps, proprio_dim), float32.
        segments: of each row, in order, without gaps.
        carried: what the first episode of each row brings along.
    """

    features: Tensor
    proprio: Tensor
    segments: Sequence[Sequence[Segment]]
    carried: Carried


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where each token of each row stands.

    Attributes:
        episode: (rows, tokens), int64: which of the row's episodes, -1 for filling.
        position: (rows, tokens), int64: place within the episode, instruction included.
        prefix_ids: (rows, num_prefix), int64: tokens of the instructions, 0 for filling.
        num_prefix: how many places the instructions take.
        num_context: how many places come before this rollout's steps.
    """

    episode: Tensor
    position: Tensor
    prefix_ids: Tensor
    num_prefix: int
    num_context: int

    def mask(self, *, bidirectional_prefix: bool) -> Tensor:
        """Return what attends to what, (rows, queries, keys), bool.

        A token sees those of its own episode up to itself; filling sees itself alone.
        """
        episode, position = self.episode, self.position
        earlier = position[:, None, :] <= position[:, :, None]
        if bidirectional_prefix:
            prefix = torch.arange(episode.shape[1], device=episode.device) < self.num_prefix
            earlier = earlier | (prefix[:, None] & prefix[None, :])
        same = (episode[:, None, :] == episode[:, :, None]) & (episode[:, None, :] >= 0)
        itself = torch.eye(episode.shape[1], dtype=torch.bool, device=episode.device)
        return (same & earlier) | itself

    def constant_keys(self, rows: Rows, like: Tensor) -> tuple[Tensor, Tensor]:
        """Return keys and values of the context, (layers, rows, heads, num_context, head_dim)."""
        layers, _, heads, _, head_dim = like.shape
        shape = (layers, len(rows.segments), heads, self.num_context, head_dim)
        keys, values = like.new_zeros(shape), like.new_zeros(shape)
        for row, segments in enumerate(rows.segments):
            at = 0
            for segment in segments:
                end = at + len(segment.prefix)
                keys[:, row, :, at:end] = segment.prefix.keys
                values[:, row, :, at:end] = segment.prefix.values
                at = end
        keys[:, :, :, self.num_prefix :] = rows.carried.keys
        values[:, :, :, self.num_prefix :] = rows.carried.values
        return keys, values


def lay_out(rows: Rows, tokens_per_step: int) -> Layout:
    """Return where the tokens of these rows stand."""
    num_rows, num_steps = rows.features.shape[:2]
    most = rows.carried.features.shape[1] * tokens_per_step
    num_prefix = max(sum(len(s.prefix) for s in segments) for segments in rows.segments)
    num_context = num_prefix + most
    size = num_context + num_steps * tokens_per_step
    episode = torch.full((num_rows, size), -1)
    position = torch.zeros(num_rows, size, dtype=torch.long)
    prefix_ids = torch.zeros(num_rows, num_prefix, dtype=torch.long)
    counts = (rows.carried.counts * tokens_per_step).tolist()
    for row, segments in enumerate(rows.segments):
        at = 0
        for number, segment in enumerate(segments):
            length = len(segment.prefix)
            prefix_ids[row, at : at + length] = torch.tensor(segment.prefix.ids)
            episode[row, at : at + length] = number
            position[row, at : at + length] = torch.arange(length)
            at += length
            before = length
            if number == 0:
                carried = slice(num_prefix, num_prefix + counts[row])
                episode[row, carried] = 0
                position[row, carried] = length + torch.arange(counts[row])
                before += counts[row]
            start = num_context + segment.start * tokens_per_step
            stop = num_context + segment.stop * tokens_per_step
            episode[row, start:stop] = number
            position[row, start:stop] = before + torch.arange(stop - start)
    device = rows.features.device
    return Layout(
        episode.to(device), position.to(device), prefix_ids.to(device), num_prefix, num_context
    )
