"""Rollouts as rows of steps: one row an env, the episodes of a row one after the other.

Rows are static in shape, cut into minibatches by env, and hold no padding between their steps.
What a policy makes of them is its own matter (`llarp.layout` adds instructions and keys).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from torch import Tensor

Memory = tuple[Tensor, ...]
"""What a policy remembers of running episodes, each (layers, rows, ...); may be empty."""


@dataclass(frozen=True, slots=True, eq=False)
class Segment:
    """The part of an episode inside a rollout: steps `start` to `stop` of one row.

    Attributes:
        instruction: as the policy's `InstructionStore` keeps it.
    """

    start: int
    stop: int
    instruction: Any


@dataclass(frozen=True, slots=True, eq=False)
class Carried:
    """The steps of each row's first episode that were taken before the rollout.

    Attributes:
        features: (rows, most, ...), float16; proprio: (rows, most, proprio_dim), float32.
        counts: (rows,), int64: how many of them are real.
        memory: what the policy remembers after them.
    """

    features: Tensor
    proprio: Tensor
    counts: Tensor
    memory: Memory

    def of(self, rows: Tensor) -> Carried:
        """Return those of some rows."""
        memory = tuple(part[:, rows] for part in self.memory)
        return Carried(self.features[rows], self.proprio[rows], self.counts[rows], memory)


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

    def of(self, rows: Tensor) -> Rows:
        """Return some of the rows."""
        segments = [self.segments[row] for row in rows.tolist()]
        return Rows(self.features[rows], self.proprio[rows], segments, self.carried.of(rows))
