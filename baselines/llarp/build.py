"""From settings to the parts of a run: envs, eyes, policy. Not for training or playing."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import torch

import langrearrange  # noqa: F401 (registers the envs)
from langrearrange.seeding import digest

from .adapters import ActionModule, ObservationModule
from .backbone import load_backbone
from .config import TrainConfig
from .errors import TrainingError
from .eyes import Eyes, load_eyes
from .lora import add_lora
from .policy import LlarpPolicy


def derived_seed(*parts: str | int) -> int:
    """Return a seed of 63 bits that depends on all the parts."""
    return int.from_bytes(digest("llarp", *parts)[:8], "big") >> 1


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


def make_eyes(config: TrainConfig) -> Eyes:
    """Return the eyes that the settings name."""
    return load_eyes(
        config.encoder,
        proprioception=config.proprioception,
        tokens_per_step=config.tokens_per_step,
        device=config.device,
    )


def make_policy(config: TrainConfig, eyes: Eyes, num_actions: int) -> LlarpPolicy:
    """Return an untrained policy; the same in every process.

    Raises:
        BackboneError: the language model cannot be loaded.
        TrainingError: too little memory for it.
    """
    try:
        backbone = load_backbone(
            config.backbone,
            dtype=config.backbone_dtype,
            weights=config.backbone_weights,
            seed=config.seed,
            device=config.device,
        )
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(derived_seed(config.seed, "adapters"))
            observation = ObservationModule(
                eyes.feature_shape,
                eyes.proprio_dim,
                backbone.hidden_size,
                config.observation_module,
                config.tokens_per_step,
            )
            action = ActionModule(backbone.hidden_size, num_actions)
        if config.train_backbone == "all":
            backbone.model.requires_grad_(True)
        elif config.train_backbone == "lora":
            seed = derived_seed(config.seed, "lora")
            add_lora(backbone.model, config.lora_rank, config.lora_alpha, seed)
        return LlarpPolicy(backbone, observation, action).to(config.device)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise TrainingError(
            f"too little memory for '{config.backbone}' in {config.backbone_dtype} on "
            f"{config.device}; use --backbone-dtype bfloat16, a smaller model, or another device"
        ) from error
