"""A GRU over whole rollouts, whose states begin anew within a row. Holds no weights."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor


def run_gru(
    inputs: Tensor, begins: Tensor, state: Tensor, recurrent: Callable[[Tensor], Tensor]
) -> Tensor:
    """Return the state after each step, (rows, steps, size).

    Args:
        inputs: (rows, steps, 3 * size): projected for reset, update and new state, as torch's
            GRUCell orders them.
        begins: (rows, steps), bool: the state is 0 before this step.
        state: (rows, size) before the first step.
        recurrent: projects a state in the same way.

    Source: Cho et al. 2014 (arXiv 1406.1078).
    """
    sizes = [2 * state.shape[-1], state.shape[-1]]
    going_on = (~begins)[..., None].to(inputs.dtype)
    states = []
    # Not inputs[:, t]: the gradient of each such view is as large as all of them together.
    for of_step, kept in zip(inputs.unbind(1), going_on.unbind(1), strict=True):
        state = state * kept
        seen_gates, seen_new = of_step.split(sizes, -1)
        own_gates, own_new = recurrent(state).split(sizes, -1)
        reset, update = (seen_gates + own_gates).sigmoid().chunk(2, -1)
        new = (seen_new + reset * own_new).tanh()
        state = new + update * (state - new)
        states.append(state)
    return torch.stack(states, 1)
