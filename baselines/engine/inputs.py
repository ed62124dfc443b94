"""The last action and its outcome, one-hot, as inputs of a policy. Not what an encoder sees."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from langrearrange.errors import UsageError
from langrearrange.world import NUM_SKILLS, OUTCOMES
from langrearrange.world.wording import outcome_of

NO_ACTION: Final = -1
"""The last action at an episode's start."""
_SIZES: Final = {"last-action": NUM_SKILLS, "outcome": len(OUTCOMES)}


def input_dim(names: Sequence[str]) -> int:
    """Return how many numbers these inputs are."""
    return sum(_SIZES[name] for name in names)


def modality_with(names: Sequence[str], modality: str) -> str:
    """Return the modality that carries these inputs beside what `modality` shows.

    Raises:
        UsageError: no observation like it has the outcome.
    """
    if "outcome" not in names or modality == "state":
        return modality
    if modality != "rgb":
        raise UsageError(
            f"the outcome is in no '{modality}' observation; use an encoder of rgb or state, or "
            "--inputs last-action"
        )
    return "rgb+feedback"


def input_columns(names: Sequence[str], observations: Mapping[str, Any]) -> list[Tensor]:
    """Return the columns of these inputs, each (n, numbers), float32.

    Args:
        names: `last-action`, `outcome`.
        observations: batched; whoever plays adds `last_action`, (n,), int64, `NO_ACTION` at first.
            The outcome is read as the enum, from `state`'s arrays or from the feedback.
    """
    columns = []
    if "last-action" in names:
        last = torch.as_tensor(np.asarray(observations["last_action"]))
        # `stop` ends an episode, so it is never a last action.
        columns.append(functional.one_hot(last + 1, NUM_SKILLS + 1)[:, 1:].float())
    if "outcome" in names and "feedback" in observations:
        numbers = torch.tensor(
            [OUTCOMES.index(outcome_of(text)) for text in observations["feedback"]]
        )
        columns.append(functional.one_hot(numbers, len(OUTCOMES)).float())
    elif "outcome" in names:
        columns.append(torch.from_numpy(np.asarray(observations["outcome"], np.float32)))
    return columns
