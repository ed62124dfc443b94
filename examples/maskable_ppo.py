"""MaskablePPO of sb3-contrib: only actions that are possible now. A privileged aid for training.

    pip install sb3-contrib
    python examples/maskable_ppo.py --timesteps 100000

The mask tells what is in reach, so that a policy that needs it cannot be ranked (docs/protocol.md).
"""

import argparse

import gymnasium as gym
from sb3_contrib import MaskablePPO
from sb3_contrib.common.wrappers import ActionMasker
from stable_baselines3.common.env_util import make_vec_env

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.env.wrappers import FlattenFields


def make() -> gym.Env:
    """Return a flattened env that knows which actions are possible."""
    env = FlattenFields(gym.make("LangRearrange-v0", split="train", observation="state"))
    return ActionMasker(env, lambda env: env.unwrapped.action_masks())


def main() -> None:
    """Train and print how many actions were impossible: none."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timesteps", type=int, default=100_000)
    given = parser.parse_args()

    model = MaskablePPO("MlpPolicy", make_vec_env(make, n_envs=4), n_steps=64, verbose=1)
    model.learn(given.timesteps)

    env, impossible = make(), 0
    for seed in range(5):
        observation, _ = env.reset(seed=seed)
        ended = False
        while not ended:
            action, _ = model.predict(observation, action_masks=env.unwrapped.action_masks())
            observation, _, terminated, truncated, info = env.step(int(action))
            impossible += info["outcome"] != "ok"
            ended = terminated or truncated
    print(f"impossible actions in 5 episodes: {impossible}")


if __name__ == "__main__":
    main()
