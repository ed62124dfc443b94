"""Training of a separate critic: its values, its gradient steps, the end of its warm-up."""

from __future__ import annotations

import math
from typing import Final

import torch
from torch import Tensor
from torch.nn import functional

from langrearrange.log import get_logger

from .config import TrainConfig
from .critic import Critic
from .encoder import Encoder
from .errors import TrainingError
from .group import Group
from .learner import seeded
from .privileged import PRIVILEGED_DIM
from .rollout import Rollout

GOOD_ENOUGH: Final = 0.5
"""Explained variance at which training of the policy begins."""
logger = get_logger(__name__)


def value_error(values: Tensor, targets: Tensor, kind: str) -> Tensor:
    """Return the summed loss of values: half the square, or `huber`."""
    if kind == "huber":
        return functional.huber_loss(values, targets, reduction="sum")
    return 0.5 * functional.mse_loss(values, targets, reduction="sum")


class CriticTrainer:
    """A critic and its optimiser, independent of the policy.

    Args:
        config: settings.
        encoder: of the observations.
        group: the processes that train together.

    Attributes:
        critic: the network.
        ready: whether the policy is trained.
    """

    def __init__(self, config: TrainConfig, encoder: Encoder, group: Group) -> None:
        self._config, self._group = config, group
        privileged = PRIVILEGED_DIM if config.critic_inputs == "privileged" else 0
        with seeded(config.seed, "critic"):
            input_dim = math.prod(encoder.feature_shape) + encoder.proprio_dim
            self.critic = Critic(input_dim, privileged).to(config.device)
        self.parameters = list(self.critic.parameters())
        lr = config.critic_lr or config.lr
        self.optimizer = torch.optim.Adam(self.parameters, lr=lr, eps=config.adam_eps, fused=True)
        self.ready = config.critic_warmup == 0

    @torch.no_grad()
    def values(self, rollout: Rollout) -> tuple[Tensor, Tensor]:
        """Return values (rows, steps) of a rollout, and (rows,) of the observation after it."""
        values = self.critic(rollout.rows, rollout.last, rollout.privileged)
        return values[:, :-1], values[:, -1]

    def warming_up(self, explained: float, update: int) -> bool:
        """Return whether the critic still learns alone; warns if it never became accurate.

        Args:
            explained: share of the variance of this rollout's returns, before learning from it.
            update: number of the update, from 0.
        """
        if not self.ready and explained > GOOD_ENOUGH:
            self.ready = True
        elif not self.ready and update >= self._config.critic_warmup:
            self.ready = True
            logger.warning(
                "the critic explains %.2f of the variance after %d updates alone, wanted: %.2f; "
                "the policy is trained from here on all the same",
                explained, update, GOOD_ENOUGH,
            )  # fmt: skip
        return not self.ready

    def learn(
        self, rollout: Rollout, targets: Tensor, rows: Tensor, update: int
    ) -> dict[str, float]:
        """Take one gradient step towards the targets of some rows; return its figures."""
        self.optimizer.zero_grad(set_to_none=True)
        part = None if rollout.privileged is None else rollout.privileged[rows]
        last = type(rollout.last)(*(column[rows] for column in rollout.last))
        values = self.critic(rollout.rows.of(rows), last, part)[:, :-1]
        count = self._group.sum(torch.tensor(float(values.numel()), device=values.device))
        loss = value_error(values, targets[rows], self._config.value_loss)
        (loss / count).backward()
        self._group.sum_gradients(self.parameters)
        total = float(self._group.sum(loss.detach()) / count)
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, self._config.grad_clip))
        if not (math.isfinite(total) and math.isfinite(norm)):
            raise TrainingError(
                f"update {update}: the critic's loss is {total} and its gradient has norm {norm}; "
                "the step was not taken. Begin a new run with a lower --critic-lr"
            )
        self.optimizer.step()
        return {"value_loss": total, "critic_grad_norm": norm}
