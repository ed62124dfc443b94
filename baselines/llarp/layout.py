"""Rows as a transformer reads them: which episode each token is of, and what it attends to.

What the episodes of a row need beside their steps stands before them:

    [instructions of all its episodes | steps carried from the last rollout | this rollout's steps]
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..engine.packing import Rows


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """Where each token of each row stands.

    Attributes:
        episode: (rows, tokens), int64: which of the row's episodes, -1 for padding.
        position: (rows, tokens), int64: place within the episode, instruction included.
        prefix_ids: (rows, num_prefix), int64: tokens of the instructions, 0 for padding.
        num_prefix: number of places for instructions.
        num_context: number of places before this rollout's steps.
    """

    episode: Tensor
    position: Tensor
    prefix_ids: Tensor
    num_prefix: int
    num_context: int

    def mask(self, *, bidirectional_prefix: bool) -> Tensor:
        """Return what attends to what, (rows, queries, keys), bool.

        A token attends to its own episode up to itself; padding attends to itself alone.
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
            for prefix in (segment.instruction for segment in segments):
                end = at + len(prefix)
                keys[:, row, :, at:end] = prefix.keys
                values[:, row, :, at:end] = prefix.values
                at = end
        keys[:, :, :, self.num_prefix :], values[:, :, :, self.num_prefix :] = rows.carried.memory
        return keys, values


def lay_out(rows: Rows, tokens_per_step: int) -> Layout:
    """Return where the tokens of these rows stand."""
    num_rows, num_steps = rows.features.shape[:2]
    most = rows.carried.features.shape[1] * tokens_per_step
    num_prefix = max(sum(len(s.instruction) for s in segments) for segments in rows.segments)
    num_context = num_prefix + most
    size = num_context + num_steps * tokens_per_step
    episode = torch.full((num_rows, size), -1)
    position = torch.zeros(num_rows, size, dtype=torch.long)
    prefix_ids = torch.zeros(num_rows, num_prefix, dtype=torch.long)
    counts = (rows.carried.counts * tokens_per_step).tolist()
    for row, segments in enumerate(rows.segments):
        at = 0
        for number, segment in enumerate(segments):
            length = len(segment.instruction)
            prefix_ids[row, at : at + length] = torch.tensor(segment.instruction.ids)
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
