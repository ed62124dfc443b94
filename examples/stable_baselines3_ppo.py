"""PPO of Stable-Baselines3 on `state` observations (with `rgb`, its policy is `MultiInputPolicy`).

pip install stable-baselines3
python examples/stable_baselines3_ppo.py --timesteps 100000
"""

import argparse

import gymnasium as gym
from stable_baselines3 import PPO
from stable_baselines3.common.env_util import make_vec_env
from stable_baselines3.common.evaluation import evaluate_policy

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.env.wrappers import FlattenFields


def main() -> None:
    """Train, then measure on `validation`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--timesteps", type=int, default=100_000)
    given = parser.parse_args()

    def make(split: str = "train") -> gym.Env:
        env = gym.make("LangRearrange-v0", split=split, observation="state")
        return FlattenFields(env)  # Stable-Baselines3 has no Text space

    envs = make_vec_env(make, n_envs=4, seed=0)
    model = PPO("MlpPolicy", envs, n_steps=64, batch_size=64, verbose=1)
    model.learn(given.timesteps)
    won: list[bool] = []
    evaluate_policy(
        model,
        make_vec_env(make, env_kwargs={"split": "validation"}),
        20,
        callback=lambda found, _: won.append(found["info"]["success"]) if found["done"] else None,
    )
    print(f"success on validation: {sum(won) / len(won):.2f}")


if __name__ == "__main__":
    main()
