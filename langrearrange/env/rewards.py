"""What a step pays: the paper's reward, the official release's, or a user's own. No task logic."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final

from langrearrange.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class RewardConfig:
    """The amounts of the reward; all are added, penalties are given as positive numbers.

    Attributes:
        success: paid on the step that succeeds.
        subgoal: paid on a step that reaches at least one new subgoal; two at once pay once.
        invalid_penalty: taken for a skill that was a no-op.
        step_penalty: taken on every step.
        subgoals_share: pay `subgoal` times the share of all subgoals newly reached instead; facts
            that hold at the start then count as reached.
        subgoal_with_success: pay for subgoals also on the step that succeeds.

    Source: paper B.4 (the defaults); the official code for `RELEASE_REWARD`.
    """

    success: float = 10.0
    subgoal: float = 5.0
    invalid_penalty: float = 0.1
    step_penalty: float = 0.01
    subgoals_share: bool = False
    subgoal_with_success: bool = False

    def __post_init__(self) -> None:
        for name in ("success", "subgoal", "invalid_penalty", "step_penalty"):
            value = getattr(self, name)
            if isinstance(value, bool) or not isinstance(value, (int, float)):
                raise UsageError(f"reward: {name} must be a number, got {value!r}")
            if not math.isfinite(value) or value < 0:
                raise UsageError(f"reward: {name} must be finite and at least 0, got {value!r}")

    def as_dict(self) -> dict[str, float | bool]:
        """Return the fields, JSON-able; `reward_config` takes them back."""
        return asdict(self)


PAPER_REWARD: Final = RewardConfig()
RELEASE_REWARD: Final = RewardConfig(
    invalid_penalty=0.0, step_penalty=0.0, subgoals_share=True, subgoal_with_success=True
)
"""What the official code effectively pays (its penalties are overwritten before they count)."""

_NAMED: Final = {"paper": PAPER_REWARD, "release": RELEASE_REWARD}


def reward_config(reward: str | RewardConfig | Mapping[str, Any]) -> RewardConfig:
    """Return the amounts for `paper`, `release`, a RewardConfig or its fields as a mapping.

    Raises:
        UsageError: anything else.
    """
    if isinstance(reward, RewardConfig):
        return reward
    if isinstance(reward, str) and reward in _NAMED:
        return _NAMED[reward]
    if isinstance(reward, Mapping):
        known = {field.name for field in fields(RewardConfig)}
        if unknown := sorted(set(map(str, reward)) - known):
            raise UsageError(f"reward has no field {unknown[0]!r}; fields: {', '.join(known)}")
        return RewardConfig(**reward)
    raise UsageError(f"reward={reward!r}; accepted: 'paper', 'release' or a RewardConfig")
