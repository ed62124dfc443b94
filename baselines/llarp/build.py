"""From settings to envs and eyes. Not for policies (`learners`), training or playing."""

from __future__ import annotations

from typing import Any

import gymnasium as gym

import langrearrange  # noqa: F401 (registers the envs)

from ..controls import BlankEyes, ShuffledInstructions
from .config import TrainConfig
from .eyes import Eyes, load_eyes


def make_envs(config: TrainConfig, modality: str) -> Any:
    """Return training envs in SameStep mode; whoever resets them says the seed."""
    kwargs: dict[str, Any] = {"split": config.split}
    if config.episodes:
        # A sampling order for training: a folder is otherwise played in file order.
        kwargs = {"episodes": config.episodes, "sampling": "uniform"}
    envs = gym.make_vec(
        "LangRearrangeHard-v0" if config.hard else "LangRearrange-v0",
        num_envs=config.num_envs,
        observation=modality,
        horizon=config.horizon,
        autoreset_mode="SameStep",
        **kwargs,
    ).unwrapped
    if config.shuffle_instructions:
        return ShuffledInstructions(envs, config.split, config.seed)
    return envs


def make_eyes(config: TrainConfig) -> Eyes:
    """Return the eyes that the settings name."""
    eyes = load_eyes(
        config.encoder,
        proprioception=config.proprioception,
        tokens_per_step=config.tokens_per_step,
        device=config.device,
    )
    return BlankEyes(eyes) if config.blank_image else eyes
