"""The running episodes of many rows: what each has seen, so that a step costs one step. No envs.

Features of past steps are kept (not images, not tokens): after an update `refresh` recomputes
the memory from them, so that the acting policy is exactly the one being trained.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, NamedTuple

import torch
from torch import Tensor

from langrearrange.errors import UsageError

from .encoder import FEATURE_DTYPE
from .instructions import InstructionStore
from .packing import Carried, Memory
from .policy import Heads, Policy


class Sizes(NamedTuple):
    """Sizes of running episodes.

    Attributes:
        num_rows: episodes at a time.
        horizon: the most steps of an episode.
        feature_shape: of one observation.
        proprio_dim: numbers of proprioception.
    """

    num_rows: int
    horizon: int
    feature_shape: Sequence[int]
    proprio_dim: int


class RunningEpisodes:
    """The running episodes of many rows; a learner adds its policy's memory.

    Args:
        policy: acts.
        store: reads instructions.
        sizes: number of rows, and so on.

    Attributes:
        policy: acts; a learner annotates its own kind.
        features: (num_rows, horizon, ...), float16; proprio: (num_rows, horizon, proprio_dim).
        counts: (num_rows,), int64, on the CPU: steps taken in each episode.
        instructions: of each episode, as `store` keeps them; None before the first.
    """

    def __init__(self, policy: Policy, store: InstructionStore[Any], sizes: Sizes) -> None:
        num_rows, horizon, feature_shape, proprio_dim = sizes
        self.policy, self.store = policy, store
        self.horizon = horizon
        device = policy.device
        shape = (num_rows, horizon, *feature_shape)
        self.features = torch.zeros(shape, dtype=FEATURE_DTYPE, device=device)
        self.proprio = torch.zeros(num_rows, horizon, proprio_dim, device=device)
        self.counts = torch.zeros(num_rows, dtype=torch.long)
        self.instructions: list[Any] = [None] * num_rows

    @property
    def num_rows(self) -> int:
        """Number of rows."""
        return len(self.instructions)

    @property
    def running(self) -> list[int]:
        """Rows that have an episode."""
        return [row for row, instruction in enumerate(self.instructions) if instruction is not None]

    def alike(self) -> Iterator[Tensor]:
        """Yield rows with about as many steps, so that little of what is computed is padding.

        Yields:
            (n,), int64, on the CPU: rows whose steps differ by less than a factor of two.
        """
        sizes = self.counts.double().log2().ceil()
        for size in sizes[self.counts > 0].unique():
            yield torch.nonzero(sizes == size)[:, 0]

    @torch.no_grad()
    def begin(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each of these rows."""
        read = self.store.get_all(instructions)
        for row, instruction in zip(rows, read, strict=True):
            self.instructions[row] = instruction
        if read:
            self.counts[list(rows)] = 0
            self.reset_memory(list(rows))

    @torch.no_grad()
    def step(self, features: Tensor, proprio: Tensor, rows: Sequence[int] | None = None) -> Heads:
        """Take in an observation in each row and return logits (n, num_actions) and values (n,).

        Args:
            features: (n, ...), float16.
            proprio: (n, proprio_dim).
            rows: the n rows; None: all.

        Raises:
            UsageError: an episode is longer than the horizon.
        """
        which = self._which(rows)
        at = self.counts[which]
        if int(at.max()) >= self.horizon:
            raise UsageError(f"an episode of more than {self.horizon} steps; raise the horizon")
        self.features[which, at] = features
        self.proprio[which, at] = proprio
        heads = self.forward(features, proprio, None if rows is None else which, keep=True)
        self.counts[which] += 1
        return heads

    @torch.no_grad()
    def value_of(
        self, features: Tensor, proprio: Tensor, rows: Sequence[int] | None = None
    ) -> Tensor:
        """Return the value of an observation, (n,), without taking it in."""
        which = None if rows is None else self._which(rows)
        return self.forward(features, proprio, which, keep=False).value

    @torch.no_grad()
    def refresh(self) -> Carried:
        """Recompute the memory with the current policy; return the steps so far."""
        self.store.weights_changed()
        most = int(self.counts.max())
        features, proprio = self.features[:, :most].clone(), self.proprio[:, :most].clone()
        memory = self.replay(features, proprio)
        return Carried(features, proprio, self.counts.clone(), memory)

    @torch.no_grad()
    def grow(self, num_rows: int) -> None:
        """Make room for at least so many rows; running episodes stay."""
        missing = num_rows - self.num_rows
        if missing <= 0:
            return
        for name in ("features", "proprio", "counts"):
            old = getattr(self, name)
            setattr(self, name, torch.cat([old, old.new_zeros(missing, *old.shape[1:])]))
        self.instructions += [None] * missing
        self.grow_memory(missing)

    def _which(self, rows: Sequence[int] | None) -> Tensor:
        return torch.arange(self.num_rows) if rows is None else torch.as_tensor(rows)

    def forward(
        self, features: Tensor, proprio: Tensor, rows: Tensor | None, *, keep: bool
    ) -> Heads:
        """Run the policy on one more observation in each row; every learner implements this.

        Args:
            features: (n, ...), float16.
            proprio: (n, proprio_dim).
            rows: the n rows, int64, on the CPU; None: all.
            keep: whether the observation becomes part of the memory.
        """
        raise NotImplementedError

    def reset_memory(self, rows: Sequence[int]) -> None:
        """Forget the last episode of these rows; their `instructions` are the new ones."""

    def replay(self, features: Tensor, proprio: Tensor) -> Memory:
        """Recompute the memory from the steps so far; return a copy for `Carried`.

        Args:
            features: (num_rows, most, ...); of row i the first `counts[i]` are real.
            proprio: (num_rows, most, proprio_dim), likewise.
        """
        return ()

    def grow_memory(self, missing: int) -> None:
        """Make room for so many more rows behind the others."""
