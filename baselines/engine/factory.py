"""From settings or a checkpoint to a policy and its running episodes, of any learner."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import torch

from ..vision.loading import read_as_percepts
from .checkpoint import find_checkpoint, load_policy, read_state, run_config
from .config import RunConfig
from .encoder import Encoder, make_encoder
from .episodes import RunningEpisodes, Sizes
from .errors import TrainingError
from .learner import find_learner, seeded
from .policy import Policy


def make_policy(config: RunConfig, encoder: Encoder, num_actions: int) -> Policy:
    """Return an untrained policy; the same in every process.

    Raises:
        UsageError: no such learner, or settings that it cannot follow.
        BackboneError: the language model cannot be loaded.
        TrainingError: too little memory for it.
    """
    learner = find_learner(config.learner)
    try:
        with seeded(config.seed, "policy"):
            return learner.make_policy(config, encoder, num_actions).to(config.device)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise TrainingError(
            f"too little memory for '{config.backbone}' in {config.backbone_dtype} on "
            f"{config.device}; use --backbone-dtype bfloat16, a smaller model, or another device"
        ) from error


def make_episodes(
    config: RunConfig, policy: Policy, encoder: Encoder, num_rows: int
) -> RunningEpisodes:
    """Return the running episodes of `num_rows` rows of a policy."""
    sizes = Sizes(num_rows, config.horizon, encoder.feature_shape, encoder.proprio_dim)
    return find_learner(config.learner).make_episodes(config, policy, sizes)


class Trained(NamedTuple):
    """A policy from a checkpoint, with its encoder, its settings and the checkpoint's state."""

    policy: Policy
    encoder: Encoder
    config: RunConfig
    state: dict[str, Any]


def load_trained(path: str | Path, **changes: Any) -> Trained:
    """Load a checkpoint, or the last one of a run.

    Args:
        path: the run's folder or one of its checkpoints.
        changes: settings that changed since, for instance `backbone` (its folder moved).

    Raises:
        CheckpointError, BackboneError: it or its language model cannot be loaded.
    """
    folder = find_checkpoint(path)
    state = read_state(folder)
    if changes.get("encoder"):
        changes["encoder"] = read_as_percepts(state["config"]["encoder"], changes["encoder"])
    config = run_config(state, **changes)
    encoder = make_encoder(config)
    policy = make_policy(config, encoder, state["num_actions"])
    return Trained(policy, encoder, config, load_policy(policy, encoder, folder))
