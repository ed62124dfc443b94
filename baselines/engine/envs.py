"""From settings to training envs and to the instructions that a policy is given."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym

import langrearrange  # noqa: F401 (registers the envs)
from langrearrange.dataset import open_dataset
from langrearrange.generator import open_split

from .config import RunConfig, TrainConfig

InstructionTransform = Callable[[Sequence[str], Sequence[float]], list[str]]
"""Takes instructions and as many random numbers in [0, 1); returns what the policy is given."""


def make_envs(config: RunConfig, modality: str) -> Any:
    """Return training envs in SameStep mode; seed them with `reset`."""
    kwargs = config.env_kwargs()
    if isinstance(config, TrainConfig) and config.mask_invalid:
        kwargs |= {"extras": ("action_mask",)}
    if config.episodes:
        # A sampling order for training: a folder is otherwise played in file order.
        kwargs |= {"episodes": config.episodes, "sampling": "uniform"}
    else:
        kwargs["split"] = config.split
    return gym.make_vec(
        "LangRearrangeHard-v0" if config.hard else "LangRearrange-v0",
        num_envs=config.num_envs,
        observation=modality.removesuffix("+feedback"),
        feedback=modality.endswith("+feedback"),
        horizon=config.horizon,
        autoreset_mode="SameStep",
        threads=config.render_threads,
        **kwargs,
    ).unwrapped


def make_instruction_transform(config: RunConfig) -> InstructionTransform:
    """Return the identity, or for control 'shuffled' a draw from other episodes' instructions."""
    if config.control != "shuffled":
        return lambda instructions, draws: list(instructions)
    source = open_dataset(config.episodes) if config.episodes else open_split(config.split)

    def other(instructions: Sequence[str], draws: Sequence[float]) -> list[str]:
        return [source.get(int(draw * len(source))).instruction for draw in draws]

    return other
