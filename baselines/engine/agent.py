"""A trained policy as an agent of the benchmark. Not for training it."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from langrearrange.agents import Observation
from langrearrange.errors import UsageError
from langrearrange.seeding import digest
from langrearrange.world import NUM_SKILLS

from ..vision.loading import perception
from ..vision.percepts import facts_of_percepts, facts_of_state, valid_skills
from .encoder import Encoded
from .envs import make_instruction_transform
from .factory import Trained, load_trained, make_episodes
from .inputs import NO_ACTION
from .policy import masked


class PolicyAgent:
    """A trained policy that plays many episodes at once (`langrearrange.agents.BatchedAgent`).

    What it draws depends on seed, instruction and step alone, not on which episodes run together.

    Args:
        trained: policy, encoder and settings.
        greedy: take the likeliest skill instead of drawing one.
        seed: for the draws.
        mask: leave out skills that are invalid by what it sees: the state, or percepts.

    Raises:
        UsageError: a mask, but the encoder reads out neither.

    Attributes:
        modality: what its encoder reads.
        perception: in words, what its encoder was trained on.
        config: settings of the run that trained it.
        state: of its checkpoint.
        probabilities: of all skills at the last call of `act_rows`, (n, num_actions), float64.
    """

    def __init__(
        self, trained: Trained, *, greedy: bool = False, seed: int = 0, mask: bool = False
    ) -> None:
        policy, self._encoder, self.config, self.state = trained
        self.modality = self._encoder.modality
        self.perception = perception(self.config.encoder)
        self._greedy, self._seed, self._mask = greedy, seed, mask
        self._reads_percepts = self._encoder.fingerprint.startswith("percepts ")
        if mask and not (self._reads_percepts or self.modality == "state"):
            raise UsageError(
                f"a mask needs the state or percepts, '{self.config.encoder}' gives neither; "
                "leave the mask out"
            )
        self._episodes = make_episodes(self.config, policy, self._encoder, 1)
        self._transform = make_instruction_transform(self.config)
        self._given: dict[int, str] = {}
        self._last: dict[int, int] = {}
        self.probabilities: NDArray[np.float64] = np.zeros((0, policy.num_actions))

    @staticmethod
    def load(
        path: str | Path,
        *,
        greedy: bool = False,
        seed: int = 0,
        mask: bool = False,
        **changes: Any,
    ) -> PolicyAgent:
        """Load a checkpoint, or the last one of a run, onto the CPU.

        Args:
            path: the run's folder or one of its checkpoints.
            greedy: take the likeliest skill instead of drawing one.
            seed: for the draws.
            mask: leave out skills that are invalid by what it sees.
            changes: other settings than in training, for instance `device`, `horizon` (the longest
                episode to come) or `backbone` (its folder moved).

        Raises:
            CheckpointError, BackboneError: it or its language model cannot be loaded.
        """
        trained = load_trained(path, **{"device": "cpu"} | changes)
        return PolicyAgent(trained, greedy=greedy, seed=seed, mask=mask)

    def reset_rows(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each of the rows."""
        self._episodes.grow(max(rows, default=0) + 1)
        draws = [self._draw(instruction, -1) for instruction in instructions]
        self._episodes.begin(rows, self._transform(instructions, draws))
        self._given.update(zip(rows, instructions, strict=True))
        self._last.update(dict.fromkeys(rows, NO_ACTION))

    def act_rows(self, rows: Sequence[int], observations: Observation) -> NDArray[np.int64]:
        """Choose a skill for each of the rows, shape (n,), int64."""
        steps = self._episodes.counts[list(rows)].tolist()
        last = np.array([self._last[row] for row in rows])
        encoded = self._encoder({**observations, "last_action": last})
        logits = self._episodes.step(*encoded, rows=list(rows)).logits.double().cpu()
        if self._mask:
            logits = masked(logits, self._valid(encoded, observations, logits.shape[1]))
        self.probabilities = logits.softmax(-1).numpy()
        chosen = logits.argmax(-1) if self._greedy else self._drawn(logits, rows, steps)
        self._last.update(zip(rows, chosen.tolist(), strict=True))
        return chosen.numpy()

    def _valid(self, encoded: Encoded, observations: Observation, num_actions: int) -> Tensor:
        percepts = self._reads_percepts
        facts = facts_of_percepts(encoded.features) if percepts else facts_of_state(observations)
        valid = torch.ones(len(encoded.features), num_actions, dtype=torch.bool)
        valid[:, :NUM_SKILLS] = torch.from_numpy(valid_skills(facts))
        return valid

    def _drawn(self, logits: Tensor, rows: Sequence[int], steps: Sequence[int]) -> Tensor:
        cumulative = logits.softmax(-1).cumsum(-1)
        draws = [self._draw(self._given[row], step) for row, step in zip(rows, steps, strict=True)]
        chosen = torch.searchsorted(cumulative, torch.tensor(draws, dtype=torch.float64)[:, None])
        return chosen[:, 0].clamp(max=logits.shape[1] - 1)

    def _draw(self, instruction: str, step: int) -> float:
        """Return a number in [0, 1) that belongs to this step of this instruction."""
        return int.from_bytes(digest("act", self._seed, instruction, step)[:6], "big") / 2**48
