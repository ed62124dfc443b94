"""Every argument of this room's functions can be given by name, but for a reward's transition."""

from __future__ import annotations

from named_arguments import positional_only


def test_only_a_reward_may_call_its_argument_as_it_likes() -> None:
    rewards = "langrearrange.env.rewards"
    assert positional_only("env") == [
        f"{rewards}.Reward.__call__",
        f"{rewards}.RewardConfig.__call__",
    ]
