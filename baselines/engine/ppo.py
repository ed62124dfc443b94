"""Proximal policy optimisation of the adapters (Schulman et al. 2017; paper Table 3, appendix D.1).

One update: advantages over a rollout, then gradient steps over minibatches of whole envs. Losses
are sums divided by the number of steps of all processes, so that one process and several take the
same step on the same data.
"""

from __future__ import annotations

import math
from itertools import chain
from typing import Any, NamedTuple

import torch
from torch import Tensor

from .config import TrainConfig
from .critic_training import CriticTrainer, value_error
from .errors import TrainingError
from .group import Group
from .noise import PARTS, gradient_noise
from .policy import Policy, masked
from .returns import advantages
from .rollout import Rollout


class Targets(NamedTuple):
    """What the losses of a rollout aim at, each (rows, steps)."""

    advantage: Tensor
    value: Tensor


class _Said(NamedTuple):
    """What a policy makes of steps, each (rows, steps) or more.

    Attributes:
        log_probs: of all skills; taken: of the one taken.
        value: as the policy's own head has it.
        valid_share: logarithm of what valid skills have together without the mask.
    """

    log_probs: Tensor
    taken: Tensor
    value: Tensor
    valid_share: Tensor


class Ppo:
    """The optimiser of a policy.

    Args:
        policy: its trained parameters are the ones that take a gradient now.
        config: settings.
        rng: shuffles envs into minibatches; on the CPU.
        group: the processes that train together.
        critic: of its own, or None: the policy's value head.
    """

    def __init__(
        self,
        policy: Policy,
        config: TrainConfig,
        rng: torch.Generator,
        group: Group,
        critic: CriticTrainer | None = None,
    ) -> None:
        self.critic = critic
        self.policy, self.config, self.rng, self.group = policy, config, rng, group
        self.parameters = [parameter for _, parameter in policy.trained()]
        self.optimizer = policy.optimizer(config.lr, config.weight_decay, config.adam_eps)
        self._heads = {id(p) for p in policy.action.value.parameters()}

    def targets(self, rollout: Rollout) -> Targets:
        """Return advantages, normalised if asked for, and the targets of the value."""
        config = self.config
        advantage = advantages(
            rollout.rewards,
            rollout.values,
            rollout.ends,
            rollout.last_value,
            gamma=config.gamma,
            lam=config.gae_lambda,
        )
        value = advantage + rollout.values
        if config.normalise_advantage:
            count = self.group.sum(_number(advantage, advantage.numel()))
            mean = self.group.sum(advantage.sum()) / count
            spread = (self.group.sum((advantage - mean).square().sum()) / count).sqrt()
            advantage = (advantage - mean) / (spread + 1e-8)
        return Targets(advantage, value)

    def update(self, rollout: Rollout, update: int) -> dict[str, Any]:
        """Take the gradient steps of one rollout.

        Args:
            rollout: played by the policy as it is now.
            update: number of the update, from 0.

        Returns:
            Losses and other figures, name -> number; the same in all processes, the noise aside.

        Raises:
            TrainingError: acting and training disagree, or a loss is NaN. That gradient step is
                not taken.
        """
        config, critic = self.config, self.critic
        critic_only = update < config.critic_updates
        if critic is not None:
            rollout.values, rollout.last_value = critic.values(rollout)
        targets = self.targets(rollout)
        explained = self._explained(rollout.values, targets.value)
        if critic is not None:
            critic_only = critic.warming_up(explained, update)
        for group in self.optimizer.param_groups:
            left = 1.0 - update / config.num_updates if config.lr_schedule == "linear" else 1.0
            group["lr"] = config.critic_lr if critic_only and config.critic_lr else config.lr * left
        sums: dict[str, float] = {}
        first_deviation, steps = 0.0, 0
        noise = self._noise(rollout, targets, update) if not critic_only else {}
        first = self._minibatches(rollout)
        played = self._recompute(rollout, first, update)
        later = (rows for _ in range(config.epochs - 1) for rows in self._minibatches(rollout))
        for rows in chain(first, later):
            stats, deviation = self._gradient(rollout, targets, rows, critic_only)
            if steps == 0:
                first_deviation = deviation
                self._check_ratio(deviation, update)
            if critic is None or not critic_only:
                stats["grad_norm"] = self._step(stats["loss"], critic_only, update)
            if critic is not None:
                stats |= critic.learn(rollout, targets.value, rows, update)
            for name, value in stats.items():
                sums[name] = sums.get(name, 0.0) + value
            steps += 1
            if 0.0 < config.target_kl < stats["approx_kl"]:
                break
        result: dict[str, Any] = {name: v / steps for name, v in sums.items()}
        result |= {"first_ratio_deviation": first_deviation, "gradient_steps": float(steps)}
        result["explained_variance"] = explained
        result["lr"] = float(self.optimizer.param_groups[0]["lr"])
        if critic is not None:
            result["critic_warmup"] = float(critic_only)
        return result | noise | played

    @torch.no_grad()
    def _recompute(
        self, rollout: Rollout, minibatches: list[Tensor], update: int
    ) -> dict[str, float]:
        """In bfloat16, replace the log-probabilities of acting by those of the update's own path.

        Acting takes one token at a time and rounds otherwise; with these the first ratio is 1.
        Returns how far acting was from them.
        """
        if self.config.backbone_dtype != "bfloat16":
            return {}
        acted, deviation = rollout.log_probs.clone(), _number(rollout.values, 0.0)
        for rows in minibatches:
            for part in torch.split(rows, self.config.microbatch_envs or len(rows)):
                taken = self._log_probs(rollout, part).taken
                deviation = torch.maximum(deviation, ((acted[part] - taken).exp() - 1).abs().max())
                rollout.log_probs[part] = taken
        off = float(self.group.max(deviation))
        self._check_ratio(off, update)
        return {"rollout_ratio_deviation": off}

    def _log_probs(self, rollout: Rollout, rows: Tensor) -> _Said:
        """Return what the policy makes of the steps of some envs."""
        heads = self.policy.evaluate(rollout.rows.of(rows))
        valid = None if rollout.valid is None else rollout.valid[rows]
        logits = masked(heads.logits, valid)
        log_probs = logits.log_softmax(-1)
        taken = log_probs.gather(-1, rollout.actions[rows][..., None])[..., 0]
        valid_share = logits.logsumexp(-1) - heads.logits.logsumexp(-1)
        return _Said(log_probs, taken, heads.value, valid_share)

    def _noise(self, rollout: Rollout, targets: Targets, update: int) -> dict[str, float | None]:
        """Return the noise of the policy's gradient over this process's rollout, where due."""
        every, num_rows = self.config.measure_noise, rollout.actions.shape[0]
        parts = min(PARTS, num_rows // 2 * 2)
        if not every or update % every or parts < 2:
            return {}
        gradients = []
        for rows in torch.arange(num_rows // parts * parts).chunk(parts):
            self.optimizer.zero_grad(set_to_none=True)
            loss = self._loss(rollout, targets, rows, False, value_coef=0.0)[0]
            (loss / (len(rows) * rollout.actions.shape[1])).backward()
            grads = [p.grad for p in self.parameters if p.grad is not None]
            gradients.append(torch.cat([grad.float().flatten() for grad in grads]))
        steps = len(rows) * rollout.actions.shape[1]
        return gradient_noise(torch.stack(gradients), steps)

    def num_minibatches(self, rollout: Rollout) -> int:
        """Return how many minibatches a pass has: as asked for, or fewer larger ones."""
        wanted = min(self.config.minibatches, rollout.actions.shape[0])
        if self.config.min_steps_per_gradient:
            total = float(self.group.sum(_number(rollout.values, rollout.actions.numel())))
            wanted = min(wanted, max(1, int(total // self.config.min_steps_per_gradient)))
        return wanted

    def _minibatches(self, rollout: Rollout) -> list[Tensor]:
        """Return the envs of each minibatch of an epoch; it is drawn when the epoch begins."""
        order = torch.randperm(rollout.actions.shape[0], generator=self.rng)
        parts = order.tensor_split(self.num_minibatches(rollout))
        return [part.sort().values for part in parts]

    def _gradient(
        self, rollout: Rollout, targets: Targets, rows: Tensor, critic_only: bool
    ) -> tuple[dict[str, float], float]:
        """Add up the gradient of one minibatch; return its figures and its largest |ratio - 1|."""
        self.optimizer.zero_grad(set_to_none=True)
        local = len(rows) * rollout.actions.shape[1]
        count = float(self.group.sum(_number(rollout.values, local)))
        size = self.config.microbatch_envs or len(rows)
        figures: Tensor | None = None
        deviation = _number(rollout.values, 0.0)
        value_coef = 0.0 if self.critic is not None else self.config.value_coef
        for part in torch.split(rows, size):
            loss, parts, off = self._loss(rollout, targets, part, critic_only, value_coef)
            if loss.requires_grad:
                (loss / count).backward()
            figures = parts if figures is None else figures + parts
            deviation = torch.maximum(deviation, off)
        assert figures is not None
        self.group.sum_gradients(self.parameters)
        averages = (self.group.sum(figures) / count).tolist()
        names = ("loss", "policy_loss", "value_loss", "entropy", "approx_kl", "clip_fraction")
        return dict(zip(names, averages, strict=True)), float(self.group.max(deviation))

    def _loss(
        self,
        rollout: Rollout,
        targets: Targets,
        rows: Tensor,
        critic_only: bool,
        value_coef: float,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Return the summed loss of some envs, its parts, and the largest |ratio - 1|."""
        config = self.config
        log_probs, taken, value, valid_share = self._log_probs(rollout, rows)
        log_ratio = taken - rollout.log_probs[rows]
        ratio = log_ratio.exp()
        advantage = targets.advantage[rows]
        clipped = ratio.clamp(1.0 - config.clip, 1.0 + config.clip)
        policy_loss = -torch.minimum(ratio * advantage, clipped * advantage).sum()
        value_loss = value_error(value, targets.value[rows], config.value_loss)
        entropy = -(log_probs.exp() * log_probs).sum()
        # Not 0 * value_loss: a head that is not used must not be touched, not even by weight decay.
        loss = value_coef * value_loss if value_coef else value_loss.new_zeros(())
        if not critic_only:
            loss = loss + policy_loss - config.entropy * entropy
            if config.mask_loss:
                loss = loss - config.mask_loss * valid_share.sum()
        with torch.no_grad():
            kl = (ratio - 1.0 - log_ratio).sum()
            outside = ((ratio - 1.0).abs() > config.clip).float().sum()
            parts = torch.stack([loss, policy_loss, value_loss, entropy, kl, outside])
            off = (ratio - 1.0).abs().max()
        return loss, parts, off

    def _step(self, loss: float, critic_only: bool, update: int) -> float:
        if critic_only:
            for parameter in self.parameters:
                if id(parameter) not in self._heads:
                    parameter.grad = None
        norm = float(torch.nn.utils.clip_grad_norm_(self.parameters, self.config.grad_clip))
        if not (math.isfinite(loss) and math.isfinite(norm)):
            raise TrainingError(
                f"update {update}: the loss is {loss} and its gradient has norm {norm}; the step "
                "was not taken. Begin a new run with a lower --lr, --value-loss huber or "
                "--reward-scale below 1; --init-from starts from the saved weights"
            )
        self.optimizer.step()
        return norm

    def _check_ratio(self, deviation: float, update: int) -> None:
        if not deviation <= self.config.tolerance:
            raise TrainingError(
                f"update {update}: acting and training disagree: max|ratio - 1| is {deviation:.1e} "
                f"before the first step, accepted: {self.config.tolerance:.0e}. This is a bug, or "
                "--ratio-tolerance is too small for this model's number type"
            )

    def _explained(self, values: Tensor, targets: Tensor) -> float:
        moments = torch.stack(
            [
                _number(values, values.numel()),
                targets.sum(),
                targets.square().sum(),
                (targets - values).sum(),
                (targets - values).square().sum(),
            ]
        )
        count, total, squares, error, errors = self.group.sum(moments.double()).tolist()
        spread = squares / count - (total / count) ** 2
        left = errors / count - (error / count) ** 2
        return 1.0 - left / spread if spread > 1e-12 else 0.0


def _number(like: Tensor, value: float) -> Tensor:
    return torch.tensor(float(value), device=like.device)
