"""What a step pays: the paper's reward, the official release's, or a user's own. No task logic."""

import inspect
import math
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Final, Protocol

import msgspec

from langrearrange.errors import UsageError
from langrearrange.loading import call_factory, load_object
from langrearrange.world import Layout, Outcome, WorldState


class Transition(msgspec.Struct, frozen=True):  # made at every step: the quickest record there is
    """What happened in a step.

    Attributes:
        layout: the static part of the world, which says what the numbers in its states mean.
        before: the world in which the action was taken.
        action: index of the skill, or of `stop`.
        outcome: what became of it.
        after: the world now.
        success: the episode succeeded with this step.
        new_subgoals: how many subgoals were reached by this step for the first time.
        num_subgoals: how many the episode has; 0 is legal.
        steps: actions taken so far, this one included.
    """

    layout: Layout
    before: WorldState
    action: int
    outcome: Outcome
    after: WorldState
    success: bool
    new_subgoals: int
    num_subgoals: int
    steps: int


class Reward(Protocol):
    """What a step pays: any function of the transition alone; envs share one among episodes."""

    def __call__(self, transition: Transition, /) -> float:
        """Return the reward of a step."""


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

    def __call__(self, transition: Transition, /) -> float:
        """Return what a step pays."""
        reward = -self.step_penalty
        if transition.outcome is not Outcome.OK:
            reward -= self.invalid_penalty
        if transition.success:
            reward += self.success
        new = transition.new_subgoals
        if new and (self.subgoal_with_success or not transition.success):
            share = new / transition.num_subgoals if self.subgoals_share else 1.0
            reward += self.subgoal * share
        return reward

    def as_dict(self) -> dict[str, float | bool]:
        """Return the fields, JSON-able; `make_reward` takes them back."""
        return asdict(self)


PAPER_REWARD: Final = RewardConfig()
RELEASE_REWARD: Final = RewardConfig(
    invalid_penalty=0.0, step_penalty=0.0, subgoals_share=True, subgoal_with_success=True
)
"""What the official code effectively pays (its penalties are overwritten before they count)."""

RewardChoice = str | Mapping[str, Any] | Reward | Callable[[], Reward]
"""A name of `REWARDS`, `module:name`, the fields of a RewardConfig, a reward or what makes one."""

REWARDS: Final[dict[str, RewardChoice]] = {"paper": PAPER_REWARD, "release": RELEASE_REWARD}
"""Name -> reward. The one place to register one: `REWARDS["sparse"] = "my_package:Sparse"`."""


def make_reward(choice: RewardChoice) -> Reward:
    """Return the reward that is meant.

    A class, or a function that needs no arguments, makes the reward; anything else that can be
    called is the reward, whether it is given itself or as `module:name`.

    Raises:
        UsageError: anything else, or a class that cannot be called.
    """
    reward: Any = REWARDS.get(choice, choice) if isinstance(choice, str) else choice
    if isinstance(reward, Mapping):
        known = {field.name for field in fields(RewardConfig)}
        if unknown := sorted(set(map(str, reward)) - known):
            raise UsageError(f"reward has no field {unknown[0]!r}; fields: {', '.join(known)}")
        return RewardConfig(**reward)
    if isinstance(reward, str) and ":" in reward:
        reward = load_object(reward, "reward")
    if callable(reward) and (inspect.isclass(reward) or not inspect.signature(reward).parameters):
        reward = call_factory(reward, f"reward {choice!r}", UsageError)
    if not callable(reward):
        names = ", ".join(map(repr, REWARDS))
        raise UsageError(
            f"reward={choice!r}; accepted: {names}, 'module:name', a RewardConfig or its fields, "
            "or a callable that takes a Transition and returns a number"
        )
    return reward  # type: ignore[no-any-return]
