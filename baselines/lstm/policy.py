"""LSTM-Flan and LSTM-LLaMA (paper C.3): a sentence summarised once, an image a step, an LSTM.

The engine trains it as it trains LLaRP.
"""

from collections.abc import Sequence
from typing import Literal, get_args

import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

from langrearrange.errors import UsageError

from ..engine.attention import CrossAttention
from ..engine.packing import Rows
from ..engine.policy import ActionModule, Heads, Policy
from .text import Sentence, States, TextEncoder

SummaryKind = Literal["last", "mean", "perceiver"]
LstmState = tuple[Tensor, Tensor]
"""Hidden and cell state of an LSTM, each (layers, n, hidden_size)."""


class Summary(nn.Module):
    """Token states -> one vector a sentence.

    Args:
        width: of the states.
        kind: `last` (state of the final token: LSTM-Flan), `mean`, or `perceiver` (a learned query
            attends to all tokens: LSTM-LLaMA).
    """

    def __init__(self, width: int, kind: SummaryKind) -> None:
        super().__init__()
        if kind not in get_args(SummaryKind):
            raise UsageError(f"summary={kind!r}; accepted: {', '.join(get_args(SummaryKind))}")
        self.kind = kind
        if kind == "perceiver":
            self.query = nn.Parameter(torch.randn(1, 1, width) / width**0.5)
            self.norm = nn.LayerNorm(width)
            self.attend = CrossAttention(width)

    def forward(self, states: States) -> Tensor:
        """Return (n, width)."""
        hidden, real = states
        if self.kind == "last":
            last = real.sum(1) - 1
            return hidden[torch.arange(len(hidden), device=hidden.device), last]
        if self.kind == "mean":
            return (hidden * real[..., None]).sum(1) / real.sum(1, keepdim=True)
        query = self.query.expand(len(hidden), -1, -1)
        return self.attend(query, query, self.norm(hidden), ~real)[:, 0]  # type: ignore[no-any-return]


class LstmPolicy(Policy):
    """Text encoder, linear observation module, LSTM, action module.

    Args:
        text: frozen (LSTM-LLaMA), or with weights that take a gradient (LSTM-Flan: fine-tuned).
        summary: how a sentence becomes one vector.
        feature_dim, proprio_dim: of one observation.
        num_actions: 70, or 71 in the hard variant.
        hidden_size, num_layers: of the LSTM; the paper does not give them.
    """

    def __init__(
        self,
        text: TextEncoder,
        summary: Summary,
        feature_dim: int,
        proprio_dim: int,
        num_actions: int,
        hidden_size: int = 512,
        num_layers: int = 2,
    ) -> None:
        super().__init__()
        self.backbone = text
        self.summary = summary
        self.observation = nn.Linear(feature_dim + proprio_dim, hidden_size)
        self.lstm = nn.LSTM(
            hidden_size + text.width, hidden_size, num_layers=num_layers, batch_first=True
        )
        self.action = ActionModule(hidden_size, num_actions)

    def initial_memory(self, num_rows: int) -> LstmState:
        """Return the state before an episode's first step: zeros."""
        lstm = self.lstm
        start = torch.zeros(lstm.num_layers, 1, lstm.hidden_size, device=self.device)
        return start.repeat(1, num_rows, 1), start.repeat(1, num_rows, 1)

    def summarise(self, sentences: Sequence[Sentence]) -> Tensor:
        """Return one vector a sentence, (n, width)."""
        return self.summary(self.backbone.states(sentences))  # type: ignore[no-any-return]

    def run(
        self, features: Tensor, proprio: Tensor, summary: Tensor, lengths: Tensor, state: LstmState
    ) -> tuple[Tensor, LstmState]:
        """Run over n stretches of episodes.

        Args:
            features: (n, steps, feature_dim).
            proprio: (n, steps, proprio_dim).
            summary: (n, width).
            lengths: (n,), int64, on the CPU: steps of each that are real, at least 1.
            state: hidden and cell state before them, each (layers, n, hidden_size).

        Returns:
            Outputs (n, steps, hidden_size), 0 after the real ones, and the state after them.
        """
        seen = self.observation(torch.cat([features.float(), proprio], -1))
        inputs = torch.cat([seen, summary[:, None].expand(-1, seen.shape[1], -1)], -1)
        packed = pack_padded_sequence(inputs, lengths, batch_first=True, enforce_sorted=False)
        outputs, after = self.lstm(packed, state)
        padded, _ = pad_packed_sequence(outputs, batch_first=True, total_length=seen.shape[1])
        return padded, after

    def heads(self, hidden: Tensor) -> Heads:
        """Return logits and values of outputs (..., hidden_size)."""
        return self.action(hidden)  # type: ignore[no-any-return]

    def evaluate(self, rows: Rows) -> Heads:
        """Return logits (rows, steps, num_actions) and values (rows, steps) of whole rollouts.

        What a row's first episode remembers of the last rollout enters as a constant.
        """
        num_rows, num_steps = rows.features.shape[:2]
        segments, device = rows.segments, rows.features.device
        lengths = segments.stops - segments.starts
        offsets = torch.arange(int(lengths.max()), device=device)
        steps = (segments.starts.to(device)[:, None] + offsets).clamp(max=num_steps - 1)
        which = segments.rows.to(device)[:, None]
        distinct = {one.ids: one for one in segments.instructions}
        place = {ids: i for i, ids in enumerate(distinct)}
        summary = self.summarise(list(distinct.values()))
        outputs, _ = self.run(
            rows.features[which, steps],
            rows.proprio[which, steps],
            summary[[place[one.ids] for one in segments.instructions]],
            lengths,
            self._state_before(rows),
        )
        real = offsets < lengths.to(device)[:, None]
        hidden = outputs.new_zeros(num_rows, num_steps, outputs.shape[-1])
        hidden = hidden.index_put((which.expand_as(steps)[real], steps[real]), outputs[real])
        return self.heads(hidden)

    def _state_before(self, rows: Rows) -> LstmState:
        segments = rows.segments
        hidden, cell = self.initial_memory(len(segments.rows))
        carried = (segments.starts == 0) & (rows.carried.counts.cpu() > 0)[segments.rows]
        for own, before in zip((hidden, cell), rows.carried.memory, strict=True):
            own[:, carried] = before[:, segments.rows[carried]]
        return hidden, cell
