"""Behaviour cloning: raises the probability of the expert's advice, for policies of any learner.

Whole episodes are packed into rows as the engine has them, so that one pass learns from many of
them and a policy sees exactly what it would see when acting.
"""

import math
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor
from torch.nn import functional

from ..engine.errors import TrainingError
from ..engine.instructions import InstructionStore
from ..engine.packing import Carried, Rows, Segments, spread
from ..engine.policy import Policy
from .config import ImitationConfig
from .demonstrations import NO_ADVICE, DemonstrationError, Demonstrations


class Batch(NamedTuple):
    """Rows, and the expert's advice at each step, (rows, steps) int64, -1 for none."""

    rows: Rows
    advice: Tensor


class Cloner:
    """Trains what takes a gradient in a policy.

    Args:
        policy: of any learner.
        store: reads instructions for it: its running episodes' `store`.
        config: learning rate and so on; `horizon` is the length of a row.
        rng: orders the episodes; on the CPU.
    """

    def __init__(
        self,
        policy: Policy,
        store: InstructionStore[Any],
        config: ImitationConfig,
        rng: torch.Generator,
    ) -> None:
        self.policy, self.store, self.config, self.rng = policy, store, config, rng
        self.parameters = [parameter for _, parameter in policy.trained()]
        self.optimizer = policy.optimizer(config.lr, config.weight_decay)

    def train_pass(self, demonstrations: Demonstrations, done: float) -> dict[str, float]:
        """Pass over the demonstrations once; return loss, accuracy and number of steps.

        Args:
            demonstrations: what to learn from.
            done: share of the training that was done before, for the learning rate.

        Raises:
            DemonstrationError: there is nothing to learn from.
            TrainingError: the loss is NaN; that gradient step is not taken.
        """
        if not (demonstrations.advice != NO_ADVICE).any():
            raise DemonstrationError("no step has advice, so nothing can be learned; record more")
        device = self.parameters[0].device
        for group in self.optimizer.param_groups:
            group["lr"] = self.config.lr * (0.55 + 0.45 * math.cos(math.pi * done))
        loss_sum = right = count = 0.0
        batches = batched(demonstrations, self.store, self.policy, self.config, self.rng)
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
            logits, advice[known], label_smoothing=self.config.label_smoothing
        )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, self.config.grad_clip))
        value = loss.item()
        if not (math.isfinite(value) and math.isfinite(norm)):
            raise TrainingError(
                f"the loss is {value} and its gradient has norm {norm}; the step was not taken. "
                "Begin a new run with a smaller --lr"
            )
        self.optimizer.step()
        return value, float((logits.argmax(-1) == advice[known]).sum()), labelled


def batched(
    demonstrations: Demonstrations,
    store: InstructionStore[Any],
    policy: Policy,
    config: ImitationConfig,
    rng: torch.Generator,
) -> Iterator[Batch]:
    """Yield every episode once, in a random order, packed into rows.

    Args:
        demonstrations: what to learn from.
        store: reads instructions.
        policy: for the memory of a row at its start.
        config: `horizon` is the length of a row, `rows_per_batch` their number.
        rng: draws the order.

    Raises:
        DemonstrationError: an episode is longer than a row.
    """
    order = torch.randperm(demonstrations.num_episodes, generator=rng).tolist()
    lengths = {episode: demonstrations.length(episode) for episode in order}
    if lengths and max(lengths.values()) > config.horizon:
        raise DemonstrationError(
            f"an episode of {max(lengths.values())} steps is longer than --horizon "
            f"{config.horizon}; raise it"
        )
    rows = pack(order, lengths, config.horizon)
    for at in range(0, len(rows), config.rows_per_batch):
        part = rows[at : at + config.rows_per_batch]
        yield _batch(demonstrations, store, policy, config.horizon, part)


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
    demonstrations: Demonstrations,
    store: InstructionStore[Any],
    policy: Policy,
    row_steps: int,
    rows: list[list[int]],
) -> Batch:
    episodes = torch.tensor([episode for of_row in rows for episode in of_row])
    row, number = spread(torch.tensor([len(of_row) for of_row in rows]))
    begins = demonstrations.starts[episodes]
    lengths = demonstrations.starts[episodes + 1] - begins
    starts = lengths.cumsum(0) - lengths
    starts = starts - starts[torch.arange(len(row)) - number]
    segment, place = spread(lengths)
    source, at = begins[segment] + place, (row[segment], starts[segment] + place)

    def placed(steps: Tensor, empty: float = 0) -> Tensor:
        result = steps.new_full((len(rows), row_steps, *steps.shape[1:]), empty)
        result[at] = steps[source]
        return result.to(policy.device)

    features, proprio = placed(demonstrations.features), placed(demonstrations.proprio)
    sentences = demonstrations.sentence[episodes].tolist()
    said = store.get_all([demonstrations.sentences[number] for number in sentences])
    counts = torch.zeros(len(rows), dtype=torch.long)
    carried = Carried(features[:, :0], proprio[:, :0], counts, policy.initial_memory(len(rows)))
    segments = Segments(row, starts, starts + lengths, said)
    advice = placed(demonstrations.advice, NO_ADVICE).long()
    return Batch(Rows(features, proprio, segments, carried), advice)
