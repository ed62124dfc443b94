"""Data-parallel training: sums over processes, and early stops of rollouts (DD-PPO).

Only gradients of trained parameters are sent; the frozen backbone is never wrapped or sent.
"""

from __future__ import annotations

import datetime
import os
from collections.abc import Iterable
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn

TIMEOUT = datetime.timedelta(minutes=10)
SHORTEST = 0.25
"""Share of a rollout that is always completed before others may end it (Wijmans et al. 2019)."""


class Group:
    """This process among those that torchrun started.

    Attributes:
        rank: number of this process.
        size: how many there are.
    """

    def __init__(self, rank: int = 0, size: int = 1) -> None:
        self.rank, self.size = rank, size
        self._rollout = 0

    @staticmethod
    def from_environment(device: str, backend: str = "auto") -> Group:
        """Join the processes that torchrun started; one process without it.

        Args:
            device: where each computes.
            backend: gloo, nccl, or auto: nccl on cuda, else gloo.
        """
        size = int(os.environ.get("WORLD_SIZE", "1"))
        if size == 1:
            return Group()
        if not dist.is_initialized():
            if backend == "auto":
                backend = "nccl" if device.startswith("cuda") else "gloo"
            dist.init_process_group(backend, timeout=TIMEOUT)
        return Group(dist.get_rank(), size)

    def sum(self, values: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes."""
        return self._reduce(values, dist.ReduceOp.SUM)

    def max(self, values: Tensor) -> Tensor:
        """Return the largest of a tensor over all processes."""
        return self._reduce(values, dist.ReduceOp.MAX)

    def any(self, flag: bool) -> bool:
        """Return whether the flag is set in any process."""
        return flag if self.size == 1 else bool(self.max(self._like(float(flag))))

    def sum_gradients(self, parameters: Iterable[nn.Parameter]) -> None:
        """Add up the gradients of all processes, as one flat vector."""
        if self.size == 1:
            return
        taken = list(parameters)
        grads = [p.grad if p.grad is not None else torch.zeros_like(p) for p in taken]
        flat = torch.cat([grad.float().flatten() for grad in grads])
        dist.all_reduce(flat)
        at = 0
        for parameter, grad in zip(taken, grads, strict=True):
            part = flat[at : at + grad.numel()].view_as(grad)
            at += grad.numel()
            parameter.grad = part.to(grad.dtype)

    def barrier(self) -> None:
        """Wait for all processes."""
        if self.size > 1:
            dist.barrier()

    def begin_rollout(self, rollout: int) -> None:
        """Set the number of the rollout, under which processes that are done are counted."""
        self._rollout = rollout

    def rollout_done(self) -> None:
        """Tell the others that this process completed its rollout."""
        if self.size > 1:
            _store().add(f"rollout {self._rollout}", 1)

    def may_stop(self, step: int, num_steps: int, fraction: float) -> bool:
        """Return whether enough others are done that this process should stop (DD-PPO)."""
        if self.size == 1 or fraction == 0.0 or step < SHORTEST * num_steps:
            return False
        done = _store().add(f"rollout {self._rollout}", 0)
        return bool(done >= max(1.0, fraction * (self.size - 1)))

    def _reduce(self, values: Tensor, operation: dist.ReduceOp.RedOpType) -> Tensor:
        if self.size == 1:
            return values
        result = values.clone()
        dist.all_reduce(result, operation)
        return result

    def _like(self, value: float) -> Tensor:
        device = "cuda" if dist.get_backend() == "nccl" else "cpu"
        return torch.tensor(value, device=device)


def _store() -> Any:
    return dist.distributed_c10d._get_default_store()
