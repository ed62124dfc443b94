"""What every policy is made of: the action module, and the base class that the engine trains."""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

import torch
from torch import Tensor, nn

from .optimizer import make_adamw
from .packing import Memory, Rows


class Heads(NamedTuple):
    """Output of the action module: logits (..., num_actions) and values (...)."""

    logits: Tensor
    value: Tensor


def masked(logits: Tensor, valid: Tensor | None) -> Tensor:
    """Return logits with those of invalid actions at -1e9; `valid` of their shape, bool."""
    return logits if valid is None else logits.masked_fill(~valid, -1e9)


class ActionModule(nn.Module):
    """Hidden states -> action logits and value: 2 layers of 512, LayerNorm, ReLU (paper C.1)."""

    def __init__(self, hidden_size: int, num_actions: int, width: int = 512) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Linear(hidden_size, width),
            nn.LayerNorm(width),
            nn.ReLU(),
            nn.Linear(width, width),
            nn.LayerNorm(width),
            nn.ReLU(),
        )
        self.policy = nn.Linear(width, num_actions)
        self.value = nn.Linear(width, 1)
        for head, gain in ((self.policy, 0.01), (self.value, 1.0)):
            nn.init.orthogonal_(head.weight, gain)
            nn.init.zeros_(head.bias)

    def forward(self, hidden: Tensor) -> Heads:
        """Return logits (..., num_actions) and values (...) of hidden states (..., hidden_size)."""
        features = self.body(hidden)
        return Heads(self.policy(features), self.value(features)[..., 0])


class Policy(nn.Module):
    """Base class of policies. Parameters that require a gradient are trained and stored.

    Attributes:
        action: the last layers; PPO can train its value head alone.
    """

    action: ActionModule

    def evaluate(self, rows: Rows) -> Heads:
        """Return logits (rows, steps, num_actions) and values (rows, steps) of whole rollouts.

        They must equal what `RunningEpisodes.step` returned while acting, within 1e-5.
        """
        raise NotImplementedError

    def initial_memory(self, num_rows: int) -> Memory:
        """Return the memory of rows whose episodes begin, each (layers, num_rows, ...)."""
        return ()

    @property
    def num_actions(self) -> int:
        """Number of actions it chooses from."""
        return self.action.policy.out_features

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self.action.policy.weight.device

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield name and parameter of everything that takes a gradient."""
        for name, parameter in self.named_parameters():
            if parameter.requires_grad:
                yield name, parameter

    def optimizer(self, lr: float, weight_decay: float, eps: float = 1e-5) -> torch.optim.AdamW:
        """Return AdamW over what is trained; vectors have no weight decay.

        Weights of less than 32 bits are trained through float32 copies.
        """
        parameters = [parameter for _, parameter in self.trained()]
        groups = [
            {"params": [p for p in parameters if p.ndim >= 2], "weight_decay": weight_decay},
            {"params": [p for p in parameters if p.ndim < 2], "weight_decay": 0.0},
        ]
        return make_adamw(groups, lr, eps)
