"""Rows as a transformer reads them: which episode each token is of, and what it attends to.

What the episodes of a row need beside their steps stands before them:

    [instructions of all its episodes | steps carried from the last rollout | this rollout's steps]
"""

from dataclasses import dataclass

import torch
from torch import Tensor

from ..engine.packing import Rows, spread


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
        shape = (layers, len(self.episode), heads, self.num_context, head_dim)
        segments, (segment, _, column) = rows.segments, rows.segments.tokens()
        result = []
        for name, carried in zip(("keys", "values"), rows.carried.memory, strict=True):
            stored = like.new_zeros(shape)
            read = torch.cat([getattr(prefix, name) for prefix in segments.instructions], 2)
            # Indexing (layers, [rows, columns], heads) moves rows and columns to the front.
            stored[:, segments.rows[segment], :, column] = read.permute(2, 0, 1, 3)
            stored[:, :, :, self.num_prefix :] = carried
            result.append(stored)
        return result[0], result[1]


def lay_out(rows: Rows, tokens_per_step: int) -> Layout:
    """Return where the tokens of these rows stand."""
    num_rows, num_steps = rows.features.shape[:2]
    segments, (segment, place, column) = rows.segments, rows.segments.tokens()
    most = rows.carried.features.shape[1] * tokens_per_step
    num_prefix = int(column.max()) + 1
    num_context = num_prefix + most
    size = num_context + num_steps * tokens_per_step
    episode = torch.full((num_rows, size), -1)
    position = torch.zeros(num_rows, size, dtype=torch.long)
    prefix_ids = torch.zeros(num_rows, num_prefix, dtype=torch.long)

    at = segments.rows[segment], column
    prefix_ids[at] = torch.tensor([i for one in segments.instructions for i in one.ids])
    episode[at], position[at] = segments.numbers[segment], place

    first, lengths = segments.numbers == 0, segments.lengths
    counts = (rows.carried.counts * tokens_per_step).cpu()
    row, place = spread(counts)
    at = row, num_prefix + place
    episode[at], position[at] = 0, lengths[first][row] + place

    before = lengths + torch.where(first, counts[segments.rows], 0)
    segment, place = spread((segments.stops - segments.starts) * tokens_per_step)
    at = segments.rows[segment], num_context + (segments.starts * tokens_per_step)[segment] + place
    episode[at], position[at] = segments.numbers[segment], before[segment] + place
    device = rows.features.device
    return Layout(
        episode.to(device), position.to(device), prefix_ids.to(device), num_prefix, num_context
    )
