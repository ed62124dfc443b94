"""Controls for claims about sight and language: grey pictures, another episode's sentence."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np

from langrearrange.errors import UsageError
from langrearrange.generator import open_split
from langrearrange.seeding import KeyedRng

GREY = 128


class BlankEyes:
    """Eyes that are shown grey pictures whatever there is; what the body feels is as it is.

    Args:
        eyes: see (`llarp.eyes`).

    Raises:
        UsageError: they read the state, not pictures.
    """

    def __init__(self, eyes: Any) -> None:
        if eyes.modality != "rgb":
            raise UsageError("--blank-image needs an encoder that sees pictures, such as segcnn")
        self._eyes = eyes
        self.modality: str = eyes.modality
        self.feature_shape: tuple[int, ...] = eyes.feature_shape
        self.proprio_dim: int = eyes.proprio_dim

    def __call__(self, observations: Mapping[str, Any]) -> Any:
        """Return what is seen of grey pictures."""
        grey = np.full_like(observations["rgb"], GREY)
        return self._eyes({**observations, "rgb": grey})


class ShuffledInstructions:
    """A vector env that tells each episode another episode's sentence, always the same one.

    Everything else of the env can be reached through it.

    Args:
        envs: the native vector env.
        split: whose sentences are told.
        seed: of which sentence goes with which episode.
    """

    def __init__(self, envs: Any, split: str, seed: int = 0) -> None:
        self._envs = envs
        self._source = open_split(split)
        self._seed = seed
        self._told: dict[str, str] = {}

    def __getattr__(self, name: str) -> Any:
        return getattr(self._envs, name)

    def reset(self, **kwargs: Any) -> Any:
        """Reset; the sentences are others'."""
        observations, infos = self._envs.reset(**kwargs)
        return self._retold(observations), infos

    def step(self, actions: Any) -> Any:
        """Step; the sentences are others'."""
        observations, *rest = self._envs.step(actions)
        return self._retold(observations), *rest

    def _retold(self, observations: dict[str, Any]) -> dict[str, Any]:
        ids = [task.episode.id for task in self._envs.tasks]
        # Only sentences of running episodes are kept.
        self._told = {i: self._told.get(i) or self._sentence(i) for i in ids}
        return {**observations, "instruction": tuple(self._told[i] for i in ids)}

    def _sentence(self, episode_id: str) -> str:
        rng = KeyedRng("shuffled-instruction", self._seed, episode_id)
        return self._source.get(rng.below(len(self._source))).instruction
