"""From settings to envs and eyes. Not for policies (`learners`), training or playing."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import gymnasium as gym
import torch

import langrearrange  # noqa: F401 (registers the envs)
from langrearrange.dataset import open_dataset
from langrearrange.errors import UsageError
from langrearrange.generator import open_split

from .config import TrainConfig
from .eyes import Eyes, load_eyes

Hearing = Callable[[Sequence[str], Sequence[float]], list[str]]


def make_envs(config: TrainConfig, modality: str) -> Any:
    """Return training envs in SameStep mode; whoever resets them says the seed."""
    kwargs: dict[str, Any] = {"split": config.split}
    if config.episodes:
        # A sampling order for training: a folder is otherwise played in file order.
        kwargs = {"episodes": config.episodes, "sampling": "uniform"}
    return gym.make_vec(
        "LangRearrangeHard-v0" if config.hard else "LangRearrange-v0",
        num_envs=config.num_envs,
        observation=modality,
        horizon=config.horizon,
        autoreset_mode="SameStep",
        **kwargs,
    ).unwrapped


def make_hearing(config: TrainConfig) -> Hearing:
    """Return what is heard of instructions: themselves, or in a control those of other episodes.

    The function takes instructions and as many numbers in [0, 1), which say what to hear instead.
    """
    if config.control != "shuffled":
        return lambda instructions, draws: list(instructions)
    source = open_dataset(config.episodes) if config.episodes else open_split(config.split)

    def other(instructions: Sequence[str], draws: Sequence[float]) -> list[str]:
        return [source.get(int(draw * len(source))).instruction for draw in draws]

    return other


def check_device(name: str) -> None:
    """Raise UsageError if torch cannot compute on this device."""
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch built without CUDA
        reason = str(error).strip().splitlines()[0]
        raise UsageError(
            f"device '{name}' cannot be used ({reason:.120}); accepted: cpu, or cuda, cuda:1, ... "
            "where torch finds a GPU"
        ) from error


def make_eyes(config: TrainConfig) -> Eyes:
    """Return the eyes that the settings name."""
    check_device(config.device)
    return load_eyes(
        config.encoder,
        proprioception=config.proprioception,
        tokens_per_step=config.tokens_per_step,
        precision=config.encoder_precision,
        device=config.device,
        blank=config.control == "blank",
    )
