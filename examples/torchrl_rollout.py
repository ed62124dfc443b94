"""TorchRL: the env as a `GymEnv`, a policy, a collector of transitions.

pip install torchrl
python examples/torchrl_rollout.py --frames 2000
"""

import argparse

import gymnasium as gym
import torch
from tensordict.nn import TensorDictModule
from torch import nn
from torchrl.collectors import Collector
from torchrl.envs import GymWrapper, RewardSum, StepCounter, TransformedEnv
from torchrl.envs.transforms import Compose
from torchrl.modules import OneHotCategorical, ProbabilisticActor

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.env.wrappers import FlattenFields


def make() -> TransformedEnv:
    """Return the env with counted steps and summed rewards."""
    env = FlattenFields(gym.make("LangRearrange-v0", split="train", observation="state"))
    return TransformedEnv(GymWrapper(env), Compose(StepCounter(), RewardSum()))


def main() -> None:
    """Collect with an untrained policy and print the mean return."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--frames", type=int, default=2000)
    given = parser.parse_args()
    torch.manual_seed(0)

    env = make()
    size, actions = env.observation_spec["observation"].shape[-1], env.action_spec.shape[-1]
    network = nn.Sequential(nn.Linear(size, 64), nn.Tanh(), nn.Linear(64, actions))
    logits = TensorDictModule(network, in_keys=["observation"], out_keys=["logits"])
    policy = ProbabilisticActor(
        logits, in_keys=["logits"], distribution_class=OneHotCategorical, return_log_prob=True
    )
    collector = Collector(
        make,
        policy,
        frames_per_batch=min(200, given.frames),
        total_frames=given.frames,
        auto_register_policy_transforms=False,
    )
    returns = []
    for batch in collector:
        ended = batch["next", "done"].squeeze(-1)
        returns += batch["next", "episode_reward"][ended].flatten().tolist()
    collector.shutdown()
    print(f"{len(returns)} episodes, mean return {sum(returns) / max(1, len(returns)):.2f}")


if __name__ == "__main__":
    main()
