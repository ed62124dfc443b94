"""Sentences as tokens and plain vectors."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from gymnasium.utils.env_checker import data_equivalence

from langrearrange.env import STATE_SIZES
from langrearrange.env.wrappers import (
    FlattenFields,
    TokenizeInstruction,
    VectorFlattenFields,
    VectorTokenizeInstruction,
)
from langrearrange.errors import UsageError
from langrearrange.testing import toy_episodes

TOY = toy_episodes()


class Words:
    """Called as Hugging Face's tokenizers are: one token a word, its length."""

    pad_token_id: int | None = 99

    def __call__(self, text: str) -> dict[str, list[int]]:
        return {"input_ids": [len(word) for word in text.split()], "other": []}

    def __len__(self) -> int:
        return 100


def make(**kwargs: Any) -> gym.Env[Any, Any]:
    return gym.make("LangRearrange-v0", **{"episodes": TOY, "observation": "state", **kwargs})


def dict_space(env: gym.Env[Any, Any]) -> spaces.Dict:
    assert isinstance(env.observation_space, spaces.Dict)
    return env.observation_space


def test_the_sentence_becomes_tokens_and_a_mask() -> None:
    env = TokenizeInstruction(make(), Words(), max_length=12)
    seen, _ = env.reset(options={"episode_id": "toy/000003"})
    assert "instruction" not in seen
    assert seen["input_ids"].tolist() == [4, 1, 7] + [99] * 9
    assert seen["attention_mask"].tolist() == [1] * 3 + [0] * 9
    again = env.step(0)[0]
    assert not np.shares_memory(again["input_ids"], seen["input_ids"])
    assert again in env.observation_space


def test_a_sentence_that_does_not_fit_raises_and_is_never_cut() -> None:
    env = TokenizeInstruction(make(), Words(), max_length=5)
    with pytest.raises(UsageError, match="9 tokens, max_length is 5"):
        env.reset(options={"episode_id": "toy/000000"})


def test_a_sentence_that_just_fits_has_no_padding() -> None:
    env = TokenizeInstruction(make(), Words(), max_length=9)
    seen, _ = env.reset(options={"episode_id": "toy/000000"})
    assert seen["attention_mask"].tolist() == [1] * 9
    assert seen["attention_mask"].dtype == np.int8
    assert seen["input_ids"].dtype == np.int64
    space = dict_space(env)["input_ids"]
    assert isinstance(space, spaces.Box)
    assert (space.low.min(), space.high.max(), space.shape) == (0, 99, (9,))


@pytest.mark.parametrize(("pad", "expected"), [(None, 0), (0, 0), (7, 7)])
def test_padding_is_the_tokenizers_or_0(pad: int | None, expected: int) -> None:
    words = Words()
    words.pad_token_id = pad
    env = TokenizeInstruction(make(), words, max_length=12)
    seen, _ = env.reset(options={"episode_id": "toy/000003"})
    assert seen["input_ids"].tolist() == [4, 1, 7] + [expected] * 9


@pytest.mark.parametrize("length", [0, -1, True, 2.0])
def test_a_length_that_is_no_length_is_refused(length: Any) -> None:
    with pytest.raises(UsageError, match="max_length="):
        TokenizeInstruction(make(), Words(), length)
    assert dict_space(TokenizeInstruction(make(), Words(), 1))["input_ids"].shape == (1,)


def test_tokens_that_are_written_to_change_nothing_later() -> None:
    env = TokenizeInstruction(make(), Words(), max_length=12)
    seen, _ = env.reset(options={"episode_id": "toy/000003"})
    seen["input_ids"][:] = -1
    seen["attention_mask"][:] = 9
    again = env.step(0)[0]
    assert again["input_ids"][0] == 4
    assert again["attention_mask"].tolist() == [1] * 3 + [0] * 9


def test_the_vector_is_the_fields_one_after_the_other() -> None:
    env = FlattenFields(make())
    seen, _ = env.reset(options={"episode_id": "toy/000003"})
    plain, _ = make().reset(options={"episode_id": "toy/000003"})
    bounds = env.observation_space
    assert isinstance(bounds, spaces.Box)
    assert bounds.low.shape == seen.shape
    assert (bounds.low <= seen).all()
    assert (seen <= bounds.high).all()
    start = 0
    for name, part in dict_space(env.unwrapped).items():
        assert isinstance(part, spaces.Text | spaces.Box)
        size = part.max_length if isinstance(part, spaces.Text) else part.low.size
        field = seen[start : start + size]
        if isinstance(part, spaces.Text):
            text = "Find a hammer."
            assert field[: len(text)] == pytest.approx([ord(c) / 127 for c in text])
            assert not field[len(text) :].any()
        else:
            assert (bounds.low[start : start + size] == part.low.ravel()).all()
            assert (bounds.high[start : start + size] == part.high.ravel()).all()
            assert (field == plain[name].ravel()).all()
        start += size
    assert start == len(seen)


@pytest.mark.parametrize("tokenizer", [None, "gpt2", lambda text: {}])
def test_what_is_no_tokenizer_is_refused(tokenizer: Any) -> None:
    with pytest.raises(UsageError, match="is not a tokenizer"):
        TokenizeInstruction(make(), tokenizer)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_the_vector_wrapper_gives_the_single_ones_stacked(mode: str) -> None:
    kwargs: dict[str, Any] = {
        "episodes": TOY, "observation": "state", "num_envs": 2, "sampling": "uniform",
    }  # fmt: skip
    ours = VectorTokenizeInstruction(
        gym.make_vec("LangRearrange-v0", autoreset_mode=mode, horizon=2, **kwargs), Words(), 20
    )
    theirs = gym.make_vec(
        "LangRearrange-v0",
        vectorization_mode="sync",
        wrappers=[lambda env: TokenizeInstruction(env, Words(), 20)],
        vector_kwargs={"autoreset_mode": mode},
        horizon=2,
        **kwargs,
    )
    assert ours.observation_space == theirs.observation_space
    assert data_equivalence(ours.reset(seed=1), theirs.reset(seed=1), exact=True)
    for _ in range(5):
        actions = np.array([3, 4])
        assert data_equivalence(ours.step(actions), theirs.step(actions), exact=True)


@pytest.mark.parametrize("mode", ["NextStep", "SameStep", "Disabled"])
@pytest.mark.parametrize("observation", ["state", "rgb+feedback"])
def test_the_vector_flattener_gives_the_single_ones_stacked(mode: str, observation: str) -> None:
    kwargs: dict[str, Any] = {
        "episodes": TOY, "observation": observation, "num_envs": 2, "image_size": 16,
    }  # fmt: skip
    ours = VectorFlattenFields(
        gym.make_vec("LangRearrange-v0", autoreset_mode=mode, horizon=2, **kwargs)
    )
    theirs = gym.make_vec(
        "LangRearrange-v0",
        vectorization_mode="sync",
        wrappers=[FlattenFields],
        vector_kwargs={"autoreset_mode": mode},
        horizon=2,
        sampling="uniform",
        **kwargs,
    )
    assert ours.autoreset_mode is theirs.unwrapped.metadata["autoreset_mode"]
    assert ours.observation_space == theirs.observation_space
    ids = {"episode_id": "toy/000003"}
    assert data_equivalence(ours.reset(options=ids)[0], theirs.reset(options=ids)[0], exact=True)
    for number in range(3 if mode == "NextStep" else 2):
        seen, *_, infos = ours.step(np.array([3, 4]))
        expected, *_, told = theirs.step(np.array([3, 4]))
        if number < 1:
            assert data_equivalence(seen, expected, exact=True)
        assert seen in ours.observation_space
        assert data_equivalence(infos.get("final_obs"), told.get("final_obs"), exact=True)


def test_state_flattens_to_one_vector() -> None:
    env = FlattenFields(make())
    seen, _ = env.reset(options={"episode_id": "toy/000003"})
    assert seen.dtype == np.float32
    assert seen.shape == (256 + sum(STATE_SIZES.values()),)
    assert seen in env.observation_space
    order = list(dict_space(env.unwrapped))
    start = sum(STATE_SIZES.get(name, 256) for name in order[: order.index("instruction")])
    codes = np.rint(seen[start : start + 256] * 127).astype(int)
    assert "".join(map(chr, codes[codes > 0])) == "Find a hammer."


def test_pictures_stay_pictures_beside_the_vector() -> None:
    env = FlattenFields(make(observation="rgb", image_size=32, feedback=True))
    seen, _ = env.reset()
    assert set(seen) == {"rgb", "vector"}
    assert seen["vector"].shape == (7 + 1 + 3 + 256 + 256,)
    assert seen in env.observation_space
    assert not any(isinstance(part, spaces.Text) for part in dict_space(env).values())


def test_every_kind_of_picture_stays_one() -> None:
    extras = ("depth", "segmentation", "action_mask")
    env = FlattenFields(make(observation="rgb", image_size=16, extras=extras))
    seen, _ = env.reset()
    assert set(seen) == {"rgb", "depth", "segmentation", "vector"}
    assert seen["segmentation"].shape == (16, 16)
    assert seen["vector"].shape == (7 + 1 + 3 + 256 + 70,)
    assert seen in env.observation_space


def test_tokens_flatten_too() -> None:
    env = FlattenFields(TokenizeInstruction(make(), Words(), max_length=16))
    seen = env.reset()[0]
    assert seen.shape == (16 + 16 + sum(STATE_SIZES.values()),)
    assert seen in env.observation_space
