"""What each row of an LSTM policy remembers of its episode; the form of `llarp.contexts`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from langrearrange.errors import UsageError

from ..llarp.adapters import Heads
from ..llarp.contexts import FEATURE_DTYPE
from ..llarp.packing import Carried
from .policy import LstmPolicy, Memory
from .text import Sentence, SentenceStore


class LstmContexts:
    """The running episodes of `num_rows` rows.

    Args:
        policy: acts.
        num_rows: how many episodes run side by side.
        horizon: the most steps an episode may take.
        feature_shape, proprio_dim: of one observation.
        prefix_bytes: memory for instructions that were read.

    Attributes:
        features, proprio, counts: of the running episodes' steps, as in `llarp.contexts`.
        prefixes: the running episodes' instructions; None where none has begun.
        store: the instructions that were read.
    """

    def __init__(
        self,
        policy: LstmPolicy,
        num_rows: int,
        horizon: int,
        feature_shape: Sequence[int],
        proprio_dim: int,
        prefix_bytes: int = 1 << 30,
    ) -> None:
        device = policy.backbone.device
        self.policy = policy
        self.horizon = horizon
        self.store = SentenceStore(policy.backbone, prefix_bytes)
        self.features = torch.zeros(
            num_rows, horizon, *feature_shape, dtype=FEATURE_DTYPE, device=device
        )
        self.proprio = torch.zeros(num_rows, horizon, proprio_dim, device=device)
        self.counts = torch.zeros(num_rows, dtype=torch.long)
        self.prefixes: list[Sentence | None] = [None] * num_rows
        self._summary = torch.zeros(num_rows, policy.backbone.width, device=device)
        self._hidden = policy.start.repeat(1, num_rows, 1)
        self._cell = self._hidden.clone()

    @torch.no_grad()
    def begin(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each of these rows."""
        sentences = [self.store.get(instruction) for instruction in instructions]
        which = list(rows)
        if not which:
            return
        self._summary[which] = self.policy.summarise(sentences)
        self._hidden[:, which] = 0
        self._cell[:, which] = 0
        self.counts[which] = 0
        for row, sentence in zip(which, sentences, strict=True):
            self.prefixes[row] = sentence

    @torch.no_grad()
    def step(self, features: Tensor, proprio: Tensor, rows: Sequence[int] | None = None) -> Heads:
        """Take in an observation in each row and say what to do; see `llarp.contexts`."""
        which = torch.arange(len(self.prefixes)) if rows is None else torch.as_tensor(rows)
        at = self.counts[which]
        if int(at.max()) >= self.horizon:
            raise UsageError(f"an episode of more than {self.horizon} steps; raise the horizon")
        self.features[which, at] = features
        self.proprio[which, at] = proprio
        outputs, (hidden, cell) = self._pass(features, proprio, which)
        self._hidden[:, which], self._cell[:, which] = hidden, cell
        self.counts[which] += 1
        return self.policy.heads(outputs)

    @torch.no_grad()
    def value_of(
        self, features: Tensor, proprio: Tensor, rows: Sequence[int] | None = None
    ) -> Tensor:
        """Return the value of an observation, (n,), without taking it in."""
        which = torch.arange(len(self.prefixes)) if rows is None else torch.as_tensor(rows)
        return self.policy.heads(self._pass(features, proprio, which)[0]).value

    @torch.no_grad()
    def refresh(self) -> Carried:
        """Remember the running episodes anew with the policy as it is now; return their steps."""
        rows = [row for row, prefix in enumerate(self.prefixes) if prefix is not None]
        self._hidden.zero_()
        self._cell.zero_()
        most = int(self.counts.max())
        features, proprio = self.features[:, :most].clone(), self.proprio[:, :most].clone()
        if rows:
            sentences = [prefix for prefix in self.prefixes if prefix is not None]
            self._summary[rows] = self.policy.summarise(sentences)
        if most:
            which = torch.nonzero(self.counts)[:, 0]
            _, (hidden, cell) = self.policy.run(
                features[which],
                proprio[which],
                self._summary[which],
                self.counts[which],
                self._memory(which),
            )
            self._hidden[:, which], self._cell[:, which] = hidden, cell
        memory = self._hidden.clone(), self._cell.clone()
        return Carried(features, proprio, self.counts.clone(), *memory)

    @torch.no_grad()
    def grow(self, num_rows: int) -> None:
        """Make room for at least so many rows; what runs goes on."""
        missing = num_rows - len(self.prefixes)
        if missing <= 0:
            return
        for name in ("features", "proprio", "counts", "_summary"):
            old = getattr(self, name)
            setattr(self, name, torch.cat([old, old.new_zeros(missing, *old.shape[1:])]))
        for name in ("_hidden", "_cell"):
            setattr(
                self,
                name,
                torch.cat([getattr(self, name), self.policy.start.repeat(1, missing, 1)], 1),
            )
        self.prefixes += [None] * missing

    def _pass(self, features: Tensor, proprio: Tensor, which: Tensor) -> tuple[Tensor, Memory]:
        lengths = torch.ones(len(which), dtype=torch.long)
        outputs, memory = self.policy.run(
            features[:, None],
            proprio[:, None],
            self._summary[which],
            lengths,
            self._memory(which),
        )
        return outputs[:, 0], memory

    def _memory(self, which: Tensor) -> Memory:
        return self._hidden[:, which].contiguous(), self._cell[:, which].contiguous()
