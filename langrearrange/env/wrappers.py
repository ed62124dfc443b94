"""Sentences as numbers: tokens for language models, plain vectors for Stable-Baselines3.

Wrappers of the single env and, where named `Vector...`, of the vector env. No tokenizer comes with
this package.
"""

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
_TOKEN_FIELDS: Final = ("input_ids", "attention_mask")


class Tokenizer(Protocol):
    """What is needed of a tokenizer; every one of Hugging Face's `transformers` has it."""

    def __call__(self, text: str) -> Mapping[str, Any]:
        """Return a mapping with the token ids of one text under `input_ids`."""

    def __len__(self) -> int:
        """Return the size of the vocabulary, added tokens included."""


class _Encoder:
    """Texts -> token ids and mask of a fixed length; remembers the latest sentences."""

    def __init__(self, tokenizer: Tokenizer, max_length: int) -> None:
        if type(max_length) is not int or max_length < 1:
            raise UsageError(f"max_length={max_length!r}; accepted: an int of at least 1")
        if not callable(tokenizer) or not hasattr(tokenizer, "__len__"):
            raise UsageError(
                f"{type(tokenizer).__name__} is not a tokenizer; accepted: one of Hugging Face's, "
                "or anything with tokenizer(text)['input_ids'] and len(tokenizer)"
            )
        self._tokenizer = tokenizer
        self._length = max_length
        self.encode = lru_cache(maxsize=1024)(self._encode)

    def fields(self) -> dict[str, spaces.Space[Any]]:
        """Return the spaces of the two fields."""
        shape = (self._length,)
        return {
            "input_ids": spaces.Box(0, len(self._tokenizer) - 1, shape, np.int64),
            "attention_mask": spaces.Box(0, 1, shape, np.int8),
        }

    def replace(self, observation: Observation) -> Observation:
        """Return one env's observation with fresh token arrays in place of the sentence."""
        result = dict(observation)
        ids, mask = self.encode(result.pop("instruction"))
        result["input_ids"], result["attention_mask"] = ids.copy(), mask.copy()
        return result

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
        self._encoder = _Encoder(tokenizer, max_length)
        self.observation_space = _with_tokens(env.observation_space, self._encoder)

    def observation(self, observation: Observation) -> Observation:
        """Return the observation with its sentence as tokens."""
        return self._encoder.replace(observation)


class VectorTokenizeInstruction(gym.vector.VectorWrapper):
    """The same for a vector env: arrays of shape (num_envs, max_length).

    In SameStep mode the observations under `final_obs` are tokenised likewise.
    """

    def __init__(
        self,
        env: gym.vector.VectorEnv[Any, Any, Any],
        tokenizer: Tokenizer,
        max_length: int = MAX_TOKENS,
    ) -> None:
        super().__init__(env)
        self._encoder = _Encoder(tokenizer, max_length)
        self.single_observation_space = _with_tokens(env.single_observation_space, self._encoder)
        self.observation_space = batch_space(self.single_observation_space, self.num_envs)

    def reset(
        self, *, seed: Any = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        """Reset and tokenise."""
        observations, infos = self.env.reset(seed=seed, options=options)
        return self._tokenised(observations), infos

    def step(self, actions: Any) -> tuple[Observation, Any, Any, Any, dict[str, Any]]:
        """Step and tokenise, the final observations too."""
        observations, rewards, terminated, truncated, infos = self.env.step(actions)
        final = infos.get("final_obs", ())
        for i, observation in enumerate(final):
            if observation is not None:
                final[i] = self._encoder.replace(observation)
        return self._tokenised(observations), rewards, terminated, truncated, infos

    def _tokenised(self, observations: Observation) -> Observation:
        result = dict(observations)
        encoded = [self._encoder.encode(text) for text in result.pop("instruction")]
        for name, column in zip(_TOKEN_FIELDS, zip(*encoded, strict=True), strict=True):
            result[name] = np.stack(column)
        return result


def _with_tokens(space: spaces.Space[Any], encoder: _Encoder) -> spaces.Dict:
    if not isinstance(space, spaces.Dict) or "instruction" not in space.spaces:
        raise UsageError(f"nothing to tokenise: the observation space is {space:.60}")
    others = {name: part for name, part in space.spaces.items() if name != "instruction"}
    return spaces.Dict({**others, **encoder.fields()})


class FlattenForStableBaselines3(gym.ObservationWrapper[Any, Any, Observation]):
    """Observations without Text, which Stable-Baselines3 does not know.

    Everything but pictures becomes one float32 vector: fields in the order of the space, arrays
    flattened, a text as its character codes over 127, padded with 0 (or tokens, if
    `TokenizeInstruction` came first). Without pictures the observation is that vector, for
    `MlpPolicy`; with pictures it is a dict of them and `vector`, for `MultiInputPolicy`.
    """

    def __init__(self, env: gym.Env[Any, Any]) -> None:
        super().__init__(env)
        space = env.observation_space
        if not isinstance(space, spaces.Dict):
            raise UsageError(f"nothing to flatten: the observation space is {space!r:.60}")
        self._flat = [name for name, part in space.items() if len(part.shape or ()) < 2]
        self._pictures = [name for name in space if name not in self._flat]
        self._parts = space.spaces
        bounds = [_bounds(space[name]) for name in self._flat]
        low = np.concatenate([low for low, _ in bounds])
        high = np.concatenate([high for _, high in bounds])
        vector = spaces.Box(low, high, dtype=np.float32)
        self.observation_space = vector
        if self._pictures:
            pictures = {name: space[name] for name in self._pictures}
            self.observation_space = spaces.Dict({**pictures, "vector": vector})

    def observation(self, observation: Observation) -> Any:
        """Return the vector, or the pictures and the vector."""
        vector = np.concatenate(
            [_numbers(observation[name], self._parts[name]) for name in self._flat]
        )
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
    "FlattenForStableBaselines3",
    "TokenizeInstruction",
    "Tokenizer",
    "VectorTokenizeInstruction",
]
