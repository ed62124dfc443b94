"""Generalised advantage estimation (Schulman et al. 2016, arXiv 1506.02438)."""

from __future__ import annotations

import torch
from torch import Tensor


def advantages(
    rewards: Tensor,
    values: Tensor,
    ends: Tensor,
    last_value: Tensor,
    *,
    gamma: float,
    lam: float,
) -> Tensor:
    """Return the advantage of each action.

    Args:
        rewards: (rows, steps), float32; what should be added behind an end is in it already.
        values: (rows, steps), float32: of the observation before each action.
        ends: (rows, steps), bool: the action ended its episode.
        last_value: (rows,), float32: of the observation after the last action.
        gamma: discount.
        lam: 0: one step ahead; 1: the whole return.

    Returns:
        (rows, steps), float32. The value's target is this plus `values`.
    """
    result = torch.zeros_like(rewards)
    going_on = (~ends).to(rewards.dtype)
    following, advantage = last_value, torch.zeros_like(last_value)
    for t in range(rewards.shape[1] - 1, -1, -1):
        error = rewards[:, t] + gamma * following * going_on[:, t] - values[:, t]
        advantage = error + gamma * lam * going_on[:, t] * advantage
        result[:, t] = advantage
        following = values[:, t]
    return result
