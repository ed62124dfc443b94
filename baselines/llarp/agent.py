"""A trained policy as an agent of the benchmark. Not for training it."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from langrearrange.agents import Observation
from langrearrange.errors import UsageError
from langrearrange.seeding import digest

from .build import make_eyes, make_hearing
from .checkpoint import check_eyes, find_checkpoint, load_weights, read_state
from .config import TrainConfig
from .errors import CheckpointError
from .eyes import Eyes
from .learners import make_contexts, make_policy


class LlarpAgent:
    """A trained policy playing many episodes side by side (`langrearrange.agents.BatchedAgent`).

    What it draws depends on seed, instruction and step alone, not on which episodes run together.

    Args:
        config: settings it was trained with.
        policy: the policy.
        eyes: as in training.
        greedy: take the likeliest skill instead of drawing one.
        seed: for the draws.

    Attributes:
        modality: what its eyes read.
    """

    def __init__(
        self, config: TrainConfig, policy: Any, eyes: Eyes, *, greedy: bool = False, seed: int = 0
    ) -> None:
        self.config = config
        self.modality = eyes.modality
        self._eyes = eyes
        self._greedy, self._seed = greedy, seed
        self._contexts = make_contexts(config, policy, eyes, 1)
        self._hearing = make_hearing(config)
        self._instructions: dict[int, str] = {}

    @staticmethod
    def load(
        path: str | Path,
        *,
        greedy: bool = False,
        seed: int = 0,
        device: str = "cpu",
        horizon: int | None = None,
        **changes: Any,
    ) -> LlarpAgent:
        """Load a checkpoint, or the last one of a run.

        Args:
            path: the run's folder or one of its checkpoints.
            greedy: take the likeliest skill instead of drawing one.
            seed: for the draws.
            device: where to run.
            horizon: the longest episode to come; None: as in training.
            changes: settings that changed since, for instance `backbone` (its folder moved).

        Raises:
            CheckpointError, BackboneError: it or its language model cannot be loaded.
        """
        folder = find_checkpoint(path)
        state = read_state(folder)
        config = config_of(state, device=device, **changes)
        if horizon is not None:
            config = dataclasses.replace(config, horizon=horizon)
        eyes = make_eyes(config)
        check_eyes(state, eyes, folder)
        policy = make_policy(config, eyes, state["num_actions"])
        load_weights(policy, folder)
        return LlarpAgent(config, policy, eyes, greedy=greedy, seed=seed)

    def reset_rows(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each of the rows."""
        self._contexts.grow(max(rows, default=0) + 1)
        draws = [self._draw(instruction, -1) for instruction in instructions]
        self._contexts.begin(rows, self._hearing(instructions, draws))
        self._instructions.update(zip(rows, instructions, strict=True))

    def act_rows(self, rows: Sequence[int], observations: Observation) -> NDArray[np.int64]:
        """Choose a skill for each of the rows, shape (n,), int64."""
        steps = self._contexts.counts[list(rows)].tolist()
        seen = self._eyes(observations)
        logits = self._contexts.step(*seen, rows=list(rows)).logits.double().cpu()
        if self._greedy:
            return logits.argmax(-1).numpy()
        reached = logits.softmax(-1).cumsum(-1)
        draws = [
            self._draw(self._instructions[row], step) for row, step in zip(rows, steps, strict=True)
        ]
        chosen = torch.searchsorted(reached, torch.tensor(draws, dtype=torch.float64)[:, None])
        return chosen[:, 0].clamp(max=logits.shape[1] - 1).numpy()

    def _draw(self, instruction: str, step: int) -> float:
        """Return a number in [0, 1) that belongs to this step of this sentence."""
        return int.from_bytes(digest("act", self._seed, instruction, step)[:6], "big") / 2**48


def config_of(state: dict[str, Any], **changes: Any) -> TrainConfig:
    """Return the settings in a checkpoint's state, some of them changed.

    Raises:
        CheckpointError: it names a setting that this release does not have.
        UsageError: a value that is not accepted.
    """
    known = {field.name for field in dataclasses.fields(TrainConfig)}
    unknown = sorted(set(state["config"]) - known)
    if unknown:
        raise CheckpointError(f"the checkpoint has a setting '{unknown[0]}' of another release")
    wrong = sorted(set(changes) - known)
    if wrong:
        raise UsageError(f"no setting '{wrong[0]}'; accepted: {', '.join(sorted(known))}")
    try:
        return TrainConfig(**(state["config"] | changes))
    except TypeError as error:
        raise CheckpointError(
            f"the checkpoint's settings cannot be read ({error}); use another checkpoint"
        ) from error
