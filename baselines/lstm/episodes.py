"""Running episodes of an LSTM policy: a row's summary of the instruction and its LSTM state."""

from collections.abc import Sequence

import torch
from torch import Tensor

from ..engine.episodes import RunningEpisodes, Sizes
from ..engine.packing import Memory
from ..engine.policy import Heads
from .policy import LstmPolicy, LstmState
from .text import SentenceStore


class LstmEpisodes(RunningEpisodes):
    """Running episodes whose memory is an LSTM state."""

    policy: LstmPolicy

    def __init__(self, policy: LstmPolicy, store: SentenceStore, sizes: Sizes) -> None:
        super().__init__(policy, store, sizes)
        self._summary = torch.zeros(sizes.num_rows, policy.backbone.width, device=policy.device)
        self._state = policy.initial_memory(sizes.num_rows)

    def forward(
        self, features: Tensor, proprio: Tensor, rows: Tensor | None, *, keep: bool
    ) -> Heads:
        """Run the policy on one more observation in each of the rows."""
        which = torch.arange(self.num_rows) if rows is None else rows
        lengths = torch.ones(len(which), dtype=torch.long)
        outputs, after = self._run(features[:, None], proprio[:, None], which, lengths)
        if keep:
            self._keep(which, after)
        return self.policy.heads(outputs[:, 0])

    def reset_memory(self, rows: Sequence[int]) -> None:
        """Read the instructions of these rows, and set their state to zero."""
        self._summary[rows] = self.policy.summarise([self.instructions[row] for row in rows])
        self._keep(torch.tensor(rows), self.policy.initial_memory(len(rows)))

    def replay(self, features: Tensor, proprio: Tensor) -> Memory:
        """Compute summaries and states again; return a copy of the states."""
        self._state = self.policy.initial_memory(self.num_rows)
        if running := self.running:
            sentences = [self.instructions[row] for row in running]
            self._summary[running] = self.policy.summarise(sentences)
        if features.shape[1]:
            which = torch.nonzero(self.counts)[:, 0]
            steps = features[which], proprio[which]
            self._keep(which, self._run(*steps, which, self.counts[which])[1])
        return tuple(part.clone() for part in self._state)

    def grow_memory(self, missing: int) -> None:
        """Add rows with a state of zeros."""
        self._summary = torch.nn.functional.pad(self._summary, (0, 0, 0, missing))
        new = self.policy.initial_memory(missing)
        hidden, cell = (torch.cat(pair, 1) for pair in zip(self._state, new, strict=True))
        self._state = hidden, cell

    def _run(
        self, features: Tensor, proprio: Tensor, which: Tensor, lengths: Tensor
    ) -> tuple[Tensor, LstmState]:
        hidden, cell = (part[:, which].contiguous() for part in self._state)
        return self.policy.run(features, proprio, self._summary[which], lengths, (hidden, cell))

    def _keep(self, which: Tensor, state: LstmState) -> None:
        for own, new in zip(self._state, state, strict=True):
            own[:, which] = new
