"""Running episodes of LLaRP: the keys and values of a row stay in a slot of its own."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..engine.episodes import RunningEpisodes, Sizes
from ..engine.packing import Memory
from ..engine.policy import Heads
from .cache import SlotCache
from .policy import LlarpPolicy
from .prefixes import Prefix, PrefixStore


class LlarpEpisodes(RunningEpisodes):
    """Running episodes whose memory is a key-value cache."""

    policy: LlarpPolicy

    def __init__(self, policy: LlarpPolicy, store: PrefixStore, sizes: Sizes) -> None:
        super().__init__(policy, store, sizes)
        self.cache = SlotCache(policy.backbone.keys, sizes.num_rows)
        self._cached: list[Prefix | None] = [None] * sizes.num_rows

    def forward(
        self, features: Tensor, proprio: Tensor, rows: Tensor | None, *, keep: bool
    ) -> Heads:
        """Run the policy on one more observation in each of the rows."""
        device = self.cache.lengths.device
        rows = None if rows is None else rows.to(device)
        tokens = self.policy.tokens(features[:, None], proprio[:, None])
        positions, mask = self.cache.aim(tokens.shape[1], rows)
        heads = self.policy.heads(self.policy.backbone(tokens, mask, positions, self.cache))
        if keep:
            self.cache.lengths[slice(None) if rows is None else rows] += tokens.shape[1]
        return Heads(heads.logits[:, 0], heads.value[:, 0])

    def reset_memory(self, rows: Sequence[int]) -> None:
        """Begin the slots of these rows with their instructions."""
        prefixes = [self.instructions[row] for row in rows]
        keys, values = [one.keys for one in prefixes], [one.values for one in prefixes]
        self.cache.put(torch.tensor(rows), keys, values)
        for row, prefix in zip(rows, prefixes, strict=True):
            self._cached[row] = prefix

    def replay(self, features: Tensor, proprio: Tensor) -> Memory:
        """Write the slots again; return keys and values of the steps, by row and step."""
        running = self.running
        if self.policy.backbone.trainable:
            read = self.store.of_all([self.instructions[row].ids for row in running])
            for row, prefix in zip(running, read, strict=True):
                self.instructions[row] = prefix
        stale = [row for row in running if self.instructions[row] is not self._cached[row]]
        if stale:
            self.reset_memory(stale)
        lengths = torch.tensor([len(self.instructions[row]) for row in running], dtype=torch.long)
        self.cache.lengths[running] = lengths.to(self.cache.lengths.device)
        if features.shape[1] == 0:
            return self.policy.initial_memory(self.num_rows)
        device, each = self.cache.lengths.device, self.policy.tokens_per_step
        self.cache.reserve(int(self.cache.lengths.max()) + features.shape[1] * each)
        for rows in self.alike():
            most = int(self.counts[rows].max())
            tokens = self.policy.tokens(features[rows, :most], proprio[rows, :most])
            positions, mask = self.cache.aim(most * each, rows.to(device))
            self.policy.backbone(tokens, mask, positions, self.cache)
        places = torch.arange(features.shape[1] * each, device=device)
        positions = self.cache.lengths[:, None] + places
        every = torch.arange(self.num_rows, device=device)[:, None]
        self.cache.lengths += (self.counts * each).to(device)
        # Indexing (layers, [rows, places], heads) moves rows and places to the front.
        return tuple(
            stored[:, every, :, positions].permute(2, 0, 3, 1, 4)
            for stored in (self.cache.keys, self.cache.values)
        )

    def grow_memory(self, missing: int) -> None:
        """Add slots."""
        self.cache.grow(missing)
        self._cached += [None] * missing
