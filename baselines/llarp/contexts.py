"""What each row has seen in its episode, so that the next step costs one token. Not for training.

Features of past steps are kept (not pictures, not tokens): when the observation module has been
trained, `refresh` projects them anew, so that the acting policy is exactly the one being trained.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from langrearrange.errors import UsageError

from .adapters import Heads
from .cache import SlotCache
from .packing import Carried
from .policy import LlarpPolicy
from .prefixes import Prefix, PrefixStore

FEATURE_DTYPE = torch.float16
"""Features are rounded to this once, before their first use: acting and training see the same."""


class Contexts:
    """The running episodes of `num_rows` rows.

    Args:
        policy: acts.
        num_rows: how many episodes run side by side.
        horizon: the most steps an episode may take.
        feature_shape, proprio_dim: of one observation.
        prefix_bytes: memory for instructions that were read.
        read_together: as `PrefixStore` has it.

    Attributes:
        features: (num_rows, horizon, ...), float16; proprio: (num_rows, horizon, proprio_dim).
        counts: (num_rows,), int64, on the CPU: steps of the running episodes.
        prefixes: the running episodes' instructions; None where none has begun.
        store: the instructions that were read.
    """

    def __init__(
        self,
        policy: LlarpPolicy,
        num_rows: int,
        horizon: int,
        feature_shape: Sequence[int],
        proprio_dim: int,
        prefix_bytes: int = 1 << 30,
        *,
        read_together: bool = True,
    ) -> None:
        device = policy.backbone.device
        self.policy = policy
        self.horizon = horizon
        self.store = PrefixStore(policy.backbone, prefix_bytes, together=read_together)
        self.cache = SlotCache(policy.backbone.keys, num_rows)
        self.features = torch.zeros(
            num_rows, horizon, *feature_shape, dtype=FEATURE_DTYPE, device=device
        )
        self.proprio = torch.zeros(num_rows, horizon, proprio_dim, device=device)
        self.counts = torch.zeros(num_rows, dtype=torch.long)
        self.prefixes: list[Prefix | None] = [None] * num_rows
        self._placed: list[Prefix | None] = [None] * num_rows

    def begin(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each of these rows."""
        for row, prefix in zip(rows, self.store.get_all(instructions), strict=True):
            self.prefixes[row] = prefix
            self._place(row, prefix)
            self.counts[row] = 0

    @torch.no_grad()
    def step(self, features: Tensor, proprio: Tensor, rows: Sequence[int] | None = None) -> Heads:
        """Take in an observation in each row and say what to do.

        Args:
            features: (n, ...), float16.
            proprio: (n, proprio_dim).
            rows: the n rows; None: all.
        """
        which = torch.arange(len(self.prefixes)) if rows is None else torch.as_tensor(rows)
        at = self.counts[which]
        if int(at.max()) >= self.horizon:
            raise UsageError(f"an episode of more than {self.horizon} steps; raise the horizon")
        self.features[which, at] = features
        self.proprio[which, at] = proprio
        heads = self._pass(features, proprio, rows)
        self.counts[which] += 1
        tokens = self.policy.tokens_per_step
        self.cache.lengths[which.to(self.cache.lengths.device)] += tokens
        return heads

    @torch.no_grad()
    def value_of(
        self, features: Tensor, proprio: Tensor, rows: Sequence[int] | None = None
    ) -> Tensor:
        """Return the value of an observation, (n,), without taking it in."""
        return self._pass(features, proprio, rows).value

    @torch.no_grad()
    def refresh(self) -> Carried:
        """Write the running episodes anew with the policy as it is now; return their steps."""
        running = [(row, p) for row, p in enumerate(self.prefixes) if p is not None]
        if self.policy.backbone.trainable:
            self.store.clear()
            read = self.store.of_all([prefix.ids for _, prefix in running])
            running = [(row, prefix) for (row, _), prefix in zip(running, read, strict=True)]
        for row, prefix in running:
            if prefix is not self._placed[row]:
                self._place(row, prefix)
            self.prefixes[row] = prefix
            self.cache.lengths[row] = len(prefix)
        most = int(self.counts.max())
        features, proprio = self.features[:, :most].clone(), self.proprio[:, :most].clone()
        if most == 0:
            empty = self.policy.backbone.keys.expand(-1, len(self.prefixes), -1, -1, -1)
            return Carried(features, proprio, self.counts.clone(), empty, empty)
        tokens = self.policy.tokens(features, proprio)
        positions, mask = self.cache.aim(tokens.shape[1])
        self.policy.backbone(tokens, mask, positions, self.cache)
        every = torch.arange(len(self.prefixes), device=positions.device)[:, None]
        # Indexing (layers, [rows, places], heads) moves rows and places to the front.
        keys = self.cache.keys[:, every, :, positions].permute(2, 0, 3, 1, 4)
        values = self.cache.values[:, every, :, positions].permute(2, 0, 3, 1, 4)
        self.cache.lengths += (self.counts * self.policy.tokens_per_step).to(positions.device)
        return Carried(features, proprio, self.counts.clone(), keys, values)

    def grow(self, num_rows: int) -> None:
        """Make room for at least so many rows; what runs goes on."""
        missing = num_rows - len(self.prefixes)
        if missing <= 0:
            return
        cache = self.cache
        grown = SlotCache(self.policy.backbone.keys, num_rows)
        grown.reserve(cache.capacity)
        old = len(self.prefixes)
        grown.keys[:, :old], grown.values[:, :old] = cache.keys, cache.values
        grown.lengths[:old] = cache.lengths
        self.cache = grown
        rest = self.features.shape[1:]
        self.features = torch.cat([self.features, self.features.new_zeros(missing, *rest)])
        rest = self.proprio.shape[1:]
        self.proprio = torch.cat([self.proprio, self.proprio.new_zeros(missing, *rest)])
        self.counts = torch.cat([self.counts, self.counts.new_zeros(missing)])
        self.prefixes += [None] * missing
        self._placed += [None] * missing

    def _place(self, row: int, prefix: Prefix) -> None:
        self.cache.put(row, prefix.keys, prefix.values)
        self._placed[row] = prefix

    def _pass(self, features: Tensor, proprio: Tensor, rows: Sequence[int] | None) -> Heads:
        device = self.cache.lengths.device
        which = None if rows is None else torch.as_tensor(rows, device=device)
        tokens = self.policy.tokens(features[:, None], proprio[:, None])
        positions, mask = self.cache.aim(tokens.shape[1], which)
        heads = self.policy.heads(self.policy.backbone(tokens, mask, positions, self.cache))
        return Heads(heads.logits[:, 0], heads.value[:, 0])
