"""An env with the names of EmbodiedBench's `EBHabEnv`, so that its planners play these episodes.

    python examples/embodied_bench.py

`main` runs EmbodiedBench's evaluation loop with a planner that answers plans at random: a plan has
several steps and is cut at the first invalid action.
"""

import random
from pathlib import Path
from typing import Any

import gymnasium as gym
from PIL import Image

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.generator import open_split
from langrearrange.world import SKILLS

MAX_STEPS, MAX_INVALID = 30, 10


class EBHabEnv:
    """EmbodiedBench's interface: 500x500 pictures, 30 steps, at most 10 invalid actions."""

    def __init__(self, eval_set: str = "validation", exp_name: str = "", resolution: int = 500):
        kwargs = {"observation": "rgb+feedback", "image_size": resolution, "horizon": MAX_STEPS}
        self.env = gym.make("LangRearrange-v0", split=eval_set, **kwargs)
        self.number_of_episodes = len(open_split(eval_set))
        self.language_skill_set = [skill.name for skill in SKILLS]
        self.log_path = Path("out/embodied_bench") / exp_name

    def reset(self, **kwargs: Any) -> dict[str, Any]:
        """Begin the next episode; returns `head_rgb`."""
        observation, _ = self.env.reset(**kwargs)
        self.episode_language_instruction = observation["instruction"]
        self._invalid = 0
        return {"head_rgb": observation["rgb"]}

    def step(self, action: int, reasoning: str = "") -> tuple[dict, float, bool, dict[str, Any]]:
        """Take an action by its index in `language_skill_set`."""
        observation, reward, terminated, truncated, info = self.env.step(action)
        valid = info["outcome"] == "ok"
        self._invalid += not valid
        done = terminated or truncated or self._invalid >= MAX_INVALID
        told = {
            "env_feedback": observation["feedback"],
            "last_action_success": float(valid),
            "task_success": float(info["success"]),
            "task_progress": info["subgoals_reached"] / max(1, info["num_subgoals"]),
            "env_step": info["steps"],
            "action_description": self.language_skill_set[action],
            "reasoning": reasoning,
        }
        return {"head_rgb": observation["rgb"]}, reward, done, told

    def save_image(self, observation: dict[str, Any], key: str = "head_rgb") -> str:
        """Write the picture and return its path, as planners expect."""
        self.log_path.mkdir(parents=True, exist_ok=True)
        path = self.log_path / f"{key}.png"
        Image.fromarray(observation[key]).save(path)
        return str(path)


def main() -> None:
    """Play two episodes with random plans."""
    env, rng = EBHabEnv(), random.Random(0)
    for _ in range(min(2, env.number_of_episodes)):
        observation, done, info = env.reset(), False, {}
        while not done:
            env.save_image(observation)
            for action in rng.choices(range(len(env.language_skill_set)), k=5):  # the plan
                observation, _, done, info = env.step(action)
                if done or not info["last_action_success"]:
                    break
        print(env.episode_language_instruction, "|", info["env_feedback"], info["task_success"])


if __name__ == "__main__":
    main()
