"""Sentences as numbers: tokens for language models, plain vectors for other learners.

Wrappers of the single env and, where named `Vector...`, of the vector env. No tokenizer comes with
this package.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Any, Final, Protocol

import gymnasium as gym
import numpy as np
from gymnasium import spaces
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from langrearrange.env.observer import Observation
from langrearrange.errors import UsageError

MAX_TOKENS: Final = 64
"""Default length of tokenised sentences; the env's own have at most 256 characters."""


class Tokenizer(Protocol):
    """What is needed of a tokenizer; every one of Hugging Face's `transformers` has it."""

    def __call__(self, text: str) -> Mapping[str, Any]:
        """Return a mapping with the token ids of one text under `input_ids`."""

    def __len__(self) -> int:
        """Return the size of the vocabulary, added tokens included."""


class _Encoder:
    """Texts -> token ids and mask of a fixed length; remembers the latest sentences."""

    def __init__(self, space: spaces.Space[Any], tokenizer: Tokenizer, max_length: int) -> None:
        if type(max_length) is not int or max_length < 1:
            raise UsageError(f"max_length={max_length!r}; accepted: an int of at least 1")
        if not callable(tokenizer) or not hasattr(tokenizer, "__len__"):
            raise UsageError(
                f"{type(tokenizer).__name__} is not a tokenizer; accepted: one of Hugging Face's, "
                "or anything with tokenizer(text)['input_ids'] and len(tokenizer)"
            )
        if not isinstance(space, spaces.Dict) or "instruction" not in space.spaces:
            raise UsageError(f"nothing to tokenise: the observation space is {space:.60}")
        self._tokenizer = tokenizer
        self._length = max_length
        self._tokens = lru_cache(maxsize=1024)(self._encode)
        others = {name: part for name, part in space.spaces.items() if name != "instruction"}
        ids = spaces.Box(0, len(tokenizer) - 1, (max_length,), np.int64)
        mask = spaces.Box(0, 1, (max_length,), np.int8)
        self.space = spaces.Dict({**others, "input_ids": ids, "attention_mask": mask})

    def single(self, observation: Observation) -> Observation:
        """Return one env's observation with fresh token arrays in place of the sentence."""
        result = dict(observation)
        ids, mask = self._tokens(result.pop("instruction"))
        return result | {"input_ids": ids.copy(), "attention_mask": mask.copy()}

    def batch(self, observations: Observation) -> Observation:
        """Return the same for all envs, with a leading axis."""
        result = dict(observations)
        ids, masks = zip(*map(self._tokens, result.pop("instruction")), strict=True)
        return result | {"input_ids": np.stack(ids), "attention_mask": np.stack(masks)}

    def _encode(self, text: str) -> tuple[NDArray[np.int64], NDArray[np.int8]]:
        found = list(self._tokenizer(text)["input_ids"])
        if len(found) > self._length:
            raise UsageError(
                f"'{text:.60}...' has {len(found)} tokens, max_length is {self._length}; pass a "
                "larger max_length"
            )
        pad = getattr(self._tokenizer, "pad_token_id", None) or 0
        ids = np.full(self._length, pad, np.int64)
        ids[: len(found)] = found
        mask = np.zeros(self._length, np.int8)
        mask[: len(found)] = 1
        return ids, mask


class TokenizeInstruction(gym.ObservationWrapper[Observation, Any, Observation]):
    """Replaces `instruction` by `input_ids` int64 (max_length,) and `attention_mask` int8.

    Padded on the right with the tokenizer's pad token (0 if it has none); a longer sentence raises.

    Args:
        env: a single env.
        tokenizer: any of Hugging Face's, or anything called the same way.
        max_length: in tokens.
    """

    def __init__(
        self, env: gym.Env[Any, Any], tokenizer: Tokenizer, max_length: int = MAX_TOKENS
    ) -> None:
        super().__init__(env)
        self._encoder = _Encoder(env.observation_space, tokenizer, max_length)
        self.observation_space = self._encoder.space

    def observation(self, observation: Observation) -> Observation:
        """Return the observation with its sentence as tokens."""
        return self._encoder.single(observation)


class _VectorObservation(gym.vector.VectorWrapper):
    """A vector env whose observations go through an encoder, those under `final_obs` as well."""

    def __init__(
        self, env: gym.vector.VectorEnv[Any, Any, Any], encoder: _Encoder | _Flattener
    ) -> None:
        super().__init__(env)
        self._encoder = encoder
        self.single_observation_space = encoder.space
        self.autoreset_mode = env.metadata.get("autoreset_mode")  # TorchRL asks for it
        self.observation_space = batch_space(encoder.space, self.num_envs)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Any, dict[str, Any]]:
        """Reset and encode."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return self._encoder.batch(observations), infos

    def step(self, actions: Any) -> tuple[Any, Any, Any, Any, dict[str, Any]]:
        """Step and encode, the final observations too."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        final = infos.get("final_obs", ())
        for i, observation in enumerate(final):
            if observation is not None:
                final[i] = self._encoder.single(observation)
        return self._encoder.batch(observations), rewards, terminated, truncated, infos


class VectorTokenizeInstruction(_VectorObservation):
    """The same for a vector env: arrays of shape (num_envs, max_length).

    In SameStep mode the observations under `final_obs` are tokenised likewise.
    """

    def __init__(
        self,
        env: gym.vector.VectorEnv[Any, Any, Any],
        tokenizer: Tokenizer,
        max_length: int = MAX_TOKENS,
    ) -> None:
        super().__init__(env, _Encoder(env.single_observation_space, tokenizer, max_length))


class FlattenFields(gym.ObservationWrapper[Any, Any, Observation]):
    """Observations without Text, which Stable-Baselines3 and most learners do not know.

    Everything but pictures becomes one float32 vector: fields in the order of the space, arrays
    flattened, a text as its character codes over 127, padded with 0 (or tokens, if
    `TokenizeInstruction` came first). Without pictures the observation is that vector, for
    `MlpPolicy`; with pictures it is a dict of them and `vector`, for `MultiInputPolicy`.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        self._flattener = _Flattener(env.observation_space)
        self.observation_space = self._flattener.space

    def observation(self, observation: Observation) -> Any:
        """Return the vector, or the pictures and the vector."""
        return self._flattener.single(observation)


class VectorFlattenFields(_VectorObservation):
    """The same for a vector env: one array of shape (num_envs, length).

    In SameStep mode the observations under `final_obs` are flattened likewise.
    """

    def __init__(self, env: gym.vector.VectorEnv[Any, Any, Any]) -> None:
        super().__init__(env, _Flattener(env.single_observation_space))


class _Flattener:
    """Observations -> one float32 vector, or pictures and a vector."""

    def __init__(self, space: spaces.Space[Any]) -> None:
        if not isinstance(space, spaces.Dict):
            raise UsageError(f"nothing to flatten: the observation space is {space!r:.60}")
        self._flat = [name for name, part in space.items() if len(part.shape or ()) < 2]
        self._pictures = [name for name in space if name not in self._flat]
        self._parts = space.spaces
        bounds = [_bounds(space[name]) for name in self._flat]
        low, high = (np.concatenate(ends) for ends in zip(*bounds, strict=True))
        self.space: spaces.Space[Any] = spaces.Box(low, high, dtype=np.float32)
        if self._pictures:
            pictures = {name: space[name] for name in self._pictures}
            self.space = spaces.Dict({**pictures, "vector": self.space})

    def single(self, observation: Observation) -> Any:
        """Return one env's observation."""
        numbers = [_numbers(observation[name], self._parts[name]) for name in self._flat]
        return self._with_pictures(np.concatenate(numbers), observation)

    def batch(self, observations: Observation) -> Any:
        """Return the observations of all envs, with a leading axis."""
        columns = [
            np.stack([_numbers(value, self._parts[name]) for value in observations[name]])
            for name in self._flat
        ]
        return self._with_pictures(np.concatenate(columns, axis=1), observations)

    def _with_pictures(self, vector: NDArray[np.float32], observation: Observation) -> Any:
        if not self._pictures:
            return vector
        return {**{name: observation[name] for name in self._pictures}, "vector": vector}


def _bounds(space: spaces.Space[Any]) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    if isinstance(space, spaces.Text):
        return np.zeros(space.max_length, np.float32), np.ones(space.max_length, np.float32)
    if isinstance(space, spaces.Box):
        return space.low.astype(np.float32).ravel(), space.high.astype(np.float32).ravel()
    raise UsageError(f"{space!r:.60} cannot be flattened; accepted: Box and Text")


def _numbers(value: Any, space: spaces.Space[Any]) -> NDArray[np.float32]:
    if not isinstance(space, spaces.Text):
        return np.asarray(value, np.float32).ravel()
    codes = np.zeros(space.max_length, np.float32)
    codes[: len(value)] = np.frombuffer(str(value).encode("ascii"), np.uint8)
    return codes / np.float32(127)


__all__: Sequence[str] = [
    "FlattenFields",
    "TokenizeInstruction",
    "Tokenizer",
    "VectorFlattenFields",
    "VectorTokenizeInstruction",
]
