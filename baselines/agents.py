"""Trained agents by name, as `langrearrange play --agent` finds them. Imports torch when called."""

from typing import Any

from langrearrange.errors import MissingExtraError, UsageError


def llarp(checkpoint: str = "", seed: int = 0) -> Any:
    """Return a trained policy that plays pictures, or the state if it was trained on it.

    Args:
        checkpoint: a run's folder (its last checkpoint) or one of its checkpoints.
        seed: of the skills that it draws.

    Raises:
        UsageError: no checkpoint.
        MissingExtraError: torch or transformers is not installed.
        CheckpointError, BackboneError: it or its language model cannot be loaded.
    """
    if not checkpoint:
        raise UsageError(
            "agent 'llarp' has no weights; add --checkpoint FOLDER, a run of "
            "langrearrange_baselines.train (docs/train.md)"
        )
    try:
        from .engine.agent import PolicyAgent
        from .engine.checkpoint import find_checkpoint, read_state
    except ImportError as error:
        raise MissingExtraError("agent 'llarp'", "train", error.name or "torch") from error
    trained_with = read_state(find_checkpoint(checkpoint))["config"]["encoder"]
    changes: dict[str, Any] = {"encoder": "segcnn"} if trained_with == "percepts" else {}
    return PolicyAgent.load(checkpoint, seed=seed, **changes)
