"""AdamW, with float32 master weights where a trained weight has fewer bits.

A step of 1e-4 of a bfloat16 weight is lost in its 8 bits of precision; the master keeps it
(Micikevicius et al. 2018, arXiv 1710.03740).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn


class MasterAdamW(torch.optim.AdamW):
    """AdamW over float32 copies; after each step the weights are the copies, rounded.

    The copies are saved with the optimiser's state, as `master`.

    Args:
        groups: parameter groups.
        lr: learning rate.
        eps: epsilon.
    """

    def __init__(self, groups: Iterable[dict[str, Any]], lr: float, eps: float) -> None:
        self._pairs: list[tuple[nn.Parameter, nn.Parameter]] = []
        super().__init__(
            [g | {"params": [self._master(p) for p in g["params"]]} for g in groups],
            lr=lr,
            eps=eps,
            fused=True,
        )

    def _master(self, parameter: nn.Parameter) -> nn.Parameter:
        if parameter.dtype == torch.float32:
            return parameter
        master = nn.Parameter(parameter.detach().float().clone())
        self._pairs.append((parameter, master))
        return master

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """Take a step of the copies with the weights' gradients, and round."""
        for parameter, master in self._pairs:
            master.grad = None if parameter.grad is None else parameter.grad.float()
        super().step(closure)
        for parameter, master in self._pairs:
            parameter.copy_(master)
            if self.state[master]:  # before the first gradient AdamW has to make its moments
                self.state[master]["master"] = master.data

    def zero_grad(self, set_to_none: bool = True) -> None:
        """Drop the gradients of weights and copies."""
        for parameter, _ in self._pairs:
            parameter.grad = None
        super().zero_grad(set_to_none)

    @torch.no_grad()
    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load moments and copies."""
        super().load_state_dict(state_dict)
        for _, master in self._pairs:
            stored: Tensor | None = self.state[master].get("master")
            if stored is not None:
                master.copy_(stored)

    @torch.no_grad()
    def sync(self) -> None:
        """Make the copies anew: the weights were set from outside."""
        for parameter, master in self._pairs:
            master.copy_(parameter)


def make_adamw(groups: list[dict[str, Any]], lr: float, eps: float) -> torch.optim.AdamW:
    """Return AdamW, with master weights where a parameter is not float32."""
    if all(p.dtype == torch.float32 for group in groups for p in group["params"]):
        return torch.optim.AdamW(groups, lr=lr, eps=eps, fused=True)
    return MasterAdamW(groups, lr, eps)


def sync_masters(optimizer: torch.optim.Optimizer) -> None:
    """Take note that the weights were set from outside, where there are master weights."""
    if isinstance(optimizer, MasterAdamW):
        optimizer.sync()
