"""Behaviour cloning: makes a policy likely to do what was advised. Trains LLaRP and LSTM alike.

Episodes are packed whole into rows of the engine's form (`llarp.packing`), so that one pass learns
from many of them and a policy sees exactly what it would see when acting.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from langrearrange.errors import UsageError

from ..llarp.errors import TrainingError
from ..llarp.packing import Carried, Rows, Segment
from .demonstrations import NO_ADVICE, DemonstrationError, Demonstrations


class Batch(NamedTuple):
    """Rows, and what was advised at each of their steps, (rows, steps) int64, -1 for nothing."""

    rows: Rows
    advice: Tensor


@dataclass(frozen=True, slots=True, kw_only=True)
class CloneSettings:
    """How to clone.

    Attributes:
        lr: learning rate of AdamW, down to a tenth along a cosine.
        weight_decay: of matrices.
        rows_per_batch: rows a gradient step.
        grad_clip: largest norm of the gradient.
        label_smoothing: share of the target that is spread over all skills; keeps entropy for PPO.
    """

    lr: float = 1e-3
    weight_decay: float = 0.01
    rows_per_batch: int = 16
    grad_clip: float = 1.0
    label_smoothing: float = 0.0

    def __post_init__(self) -> None:
        if self.rows_per_batch < 1 or not self.lr > 0 or not 0 <= self.label_smoothing < 1:
            raise UsageError("rows_per_batch >= 1, lr > 0 and 0 <= label_smoothing < 1 are needed")


class Cloner:
    """Trains what takes a gradient in a policy.

    Args:
        policy: `LlarpPolicy` or `LstmPolicy`.
        store: reads instructions for it: its contexts' `store`.
        settings: how.
        rng: orders the episodes; on the CPU.
        row_steps: length of a row, at least the longest episode.
    """

    def __init__(
        self,
        policy: Any,
        store: Any,
        settings: CloneSettings,
        rng: torch.Generator,
        row_steps: int = 32,
    ) -> None:
        self.policy, self.store, self.settings, self.rng = policy, store, settings, rng
        self.row_steps = row_steps
        self.parameters = [parameter for _, parameter in policy.trained()]
        groups: list[dict[str, Any]] = [
            {"params": [p for p in self.parameters if p.ndim >= 2]},
            {"params": [p for p in self.parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        self.optimizer = torch.optim.AdamW(
            groups, lr=settings.lr, weight_decay=settings.weight_decay, eps=1e-5
        )

    def train(self, demonstrations: Demonstrations, epochs: int) -> list[dict[str, float]]:
        """Pass over the demonstrations; return the loss and the share of right guesses a pass.

        Raises:
            DemonstrationError: there is nothing to learn from.
            TrainingError: the loss is no number; the step was not taken.
        """
        return [self.train_pass(demonstrations, epoch / epochs) for epoch in range(epochs)]

    def train_pass(self, demonstrations: Demonstrations, done: float) -> dict[str, float]:
        """Pass over the demonstrations once; as `train` does when this share of it is done."""
        if not (demonstrations.advice != NO_ADVICE).any():
            raise DemonstrationError("no step has advice, there is nothing to imitate; record more")
        device = self.parameters[0].device
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.lr * (0.55 + 0.45 * math.cos(math.pi * done))
        loss_sum = right = count = 0.0
        batches = batched(
            demonstrations, self.store, self.policy, self.row_steps,
            self.settings.rows_per_batch, self.rng,
        )  # fmt: skip
        for batch in batches:
            loss, hits, labelled = self._learn(batch, device)
            loss_sum += loss * labelled
            right += hits
            count += labelled
        return {"loss": loss_sum / count, "accuracy": right / count, "steps": count}

    def _learn(self, batch: Batch, device: torch.device) -> tuple[float, float, float]:
        advice = batch.advice.to(device)
        known = advice != NO_ADVICE
        labelled = float(known.sum())
        if not labelled:
            return 0.0, 0.0, 0.0
        logits = self.policy.evaluate(batch.rows).logits[known]
        loss = functional.cross_entropy(
            logits, advice[known], label_smoothing=self.settings.label_smoothing
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, self.settings.grad_clip))
        value = loss.item()
        if not (math.isfinite(value) and math.isfinite(norm)):
            raise TrainingError(
                f"the loss of imitation is {value}, its gradient has norm {norm}; the step was not "
                "taken. Use a smaller lr"
            )
        self.optimizer.step()
        return value, float((logits.argmax(-1) == advice[known]).sum()), labelled


def batched(
    demonstrations: Demonstrations,
    store: Any,
    policy: Any,
    row_steps: int,
    rows_per_batch: int,
    rng: torch.Generator,
) -> Iterator[Batch]:
    """Yield every episode once, in a random order, packed into rows.

    Args:
        demonstrations: what to learn from.
        store: reads instructions.
        policy: for what a row remembers at its start: nothing, in the policy's form.
        row_steps: length of a row.
        rows_per_batch: rows a batch.
        rng: draws the order.

    Raises:
        DemonstrationError: an episode is longer than a row.
    """
    order = torch.randperm(demonstrations.num_episodes, generator=rng).tolist()
    lengths = {episode: demonstrations.length(episode) for episode in order}
    if lengths and max(lengths.values()) > row_steps:
        raise DemonstrationError(
            f"an episode of {max(lengths.values())} steps does not fit into rows of {row_steps}; "
            "use longer rows"
        )
    rows = pack(order, lengths, row_steps)
    for at in range(0, len(rows), rows_per_batch):
        yield _batch(demonstrations, store, policy, row_steps, rows[at : at + rows_per_batch])


def pack(order: list[int], lengths: dict[int, int], row_steps: int) -> list[list[int]]:
    """Return rows of episodes, each together at most `row_steps` long: first fit in 32 open rows.

    Rows come out in about the order of the episodes, so that batches stay random.
    """
    rows: list[list[int]] = []
    left: list[int] = []
    for episode in order:
        need = lengths[episode]
        open_rows = range(max(0, len(rows) - 32), len(rows))
        fits = next((row for row in open_rows if left[row] >= need), None)
        if fits is None:
            rows.append([])
            left.append(row_steps)
            fits = len(rows) - 1
        rows[fits].append(episode)
        left[fits] -= need
    return rows


def _batch(
    demonstrations: Demonstrations, store: Any, policy: Any, row_steps: int, rows: list[list[int]]
) -> Batch:
    shape = (len(rows), row_steps)
    features = demonstrations.features.new_zeros(*shape, *demonstrations.features.shape[1:])
    proprio = demonstrations.proprio.new_zeros(*shape, *demonstrations.proprio.shape[1:])
    advice = torch.full(shape, NO_ADVICE, dtype=torch.long)
    segments: list[list[Segment]] = []
    together = [episode for episodes in rows for episode in episodes]
    texts = [demonstrations.sentences[int(demonstrations.sentence[e])] for e in together]
    heard = dict(zip(together, store.get_all(texts), strict=True))
    for row, episodes in enumerate(rows):
        at = 0
        segments.append([])
        for episode in episodes:
            steps = slice(*demonstrations.starts[episode : episode + 2].tolist())
            end = at + demonstrations.length(episode)
            features[row, at:end] = demonstrations.features[steps]
            proprio[row, at:end] = demonstrations.proprio[steps]
            advice[row, at:end] = demonstrations.advice[steps]
            segments[-1].append(Segment(at, end, heard[episode]))
            at = end
    device = next(policy.parameters()).device
    features, proprio = features.to(device), proprio.to(device)
    nothing = getattr(policy, "start", None)
    nothing = policy.backbone.keys if nothing is None else nothing
    keys = nothing.expand(-1, len(rows), *[-1] * (nothing.ndim - 2))
    counts = torch.zeros(len(rows), dtype=torch.long)
    carried = Carried(features[:, :0], proprio[:, :0], counts, keys, keys)
    return Batch(Rows(features, proprio, segments, carried), advice)
