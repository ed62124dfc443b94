"""Rollouts as rows of steps: one row an env, the episodes of a row one after the other.

Rows are static in shape, cut into minibatches by env, and hold no padding between their steps.
What a policy makes of them is its own matter (`llarp.layout` adds instructions and keys).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor

Memory = tuple[Tensor, ...]
"""What a policy remembers of running episodes, each (layers, rows, ...); may be empty."""


def spread(counts: Tensor) -> tuple[Tensor, Tensor]:
    """Return of the parts of n things, one thing after the other, whose they are and their place.

    Args:
        counts: (n,), int64: parts of each.

    Returns:
        Two of shape (counts.sum(),), int64. `spread([2, 1])` is [0, 0, 1] and [0, 1, 0].
    """
    owner = torch.repeat_interleave(counts)
    return owner, torch.arange(len(owner)) - (counts.cumsum(0) - counts)[owner]


class Segment(NamedTuple):
    """The part of an episode inside a rollout: steps `start` to `stop` of a row.

    Attributes:
        instruction: as the policy's `InstructionStore` keeps it.
    """

    row: int
    start: int
    stop: int
    instruction: Any


class Tokens(NamedTuple):
    """Tokens of instructions, those of a row one after the other; each (tokens,), int64.

    Attributes:
        segment: whose instruction; place: in it; column: in the row.
    """

    segment: Tensor
    place: Tensor
    column: Tensor


@dataclass(frozen=True, slots=True, eq=False)
class Segments:
    """The segments of rows, row after row, those of a row in order and without gaps.

    Attributes:
        rows: (n,), int64: row of each; every row has at least one, which starts at 0.
        starts, stops: (n,), int64; like `rows` on the CPU.
        instructions: of each.
    """

    rows: Tensor
    starts: Tensor
    stops: Tensor
    instructions: Sequence[Any]

    @staticmethod
    def collect(segments: Iterable[Segment]) -> Segments:
        """Return segments that come in any order."""
        ordered = sorted(segments, key=lambda segment: segment[:2])
        rows, starts, stops = torch.tensor([segment[:3] for segment in ordered]).unbind(1)
        return Segments(rows, starts, stops, [segment.instruction for segment in ordered])

    def __iter__(self) -> Iterator[Segment]:
        columns = (self.rows.tolist(), self.starts.tolist(), self.stops.tolist())
        return map(Segment, *columns, self.instructions)

    @property
    def lengths(self) -> Tensor:
        """Tokens of each instruction, (n,), int64."""
        return torch.tensor([len(instruction) for instruction in self.instructions])

    @property
    def numbers(self) -> Tensor:
        """Which of its row each is, (n,), int64."""
        return spread(self.rows.bincount())[1]

    def of(self, rows: Tensor) -> Segments:
        """Return those of some rows, which are numbered anew."""
        all_counts = self.rows.bincount()
        counts = all_counts[rows]
        row, number = spread(counts)
        which = (all_counts.cumsum(0) - all_counts)[rows][row] + number
        said = [self.instructions[i] for i in which.tolist()]
        return Segments(row, self.starts[which], self.stops[which], said)

    def of_steps(self, num_steps: int) -> Tensor:
        """Return which segment each step is of, (rows, num_steps); the last one's goes on."""
        begins = torch.zeros(int(self.rows[-1]) + 1, num_steps, dtype=torch.long)
        begins[self.rows, self.starts] = 1
        return (begins.flatten().cumsum(0) - 1).view_as(begins)

    def tokens(self) -> Tokens:
        """Return where the tokens of the instructions stand."""
        lengths = self.lengths
        segment, place = spread(lengths)
        ends = lengths.cumsum(0)
        first = torch.arange(len(ends)) - self.numbers
        before = ends - lengths - (ends - lengths)[first]
        return Tokens(segment, place, before[segment] + place)


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
        segments: of all rows.
        carried: what the first episode of each row brings along.
    """

    features: Tensor
    proprio: Tensor
    segments: Segments
    carried: Carried

    def of(self, rows: Tensor) -> Rows:
        """Return some of the rows."""
        segments, carried = self.segments.of(rows), self.carried.of(rows)
        return Rows(self.features[rows], self.proprio[rows], segments, carried)
