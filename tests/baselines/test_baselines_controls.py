"""Controls take away what they say, and nothing else."""

from __future__ import annotations

from typing import Any

import gymnasium as gym
import numpy as np
import pytest
import torch
from langrearrange_baselines.controls import GREY, BlankEyes, ShuffledInstructions
from langrearrange_baselines.llarp.build import make_envs
from langrearrange_baselines.llarp.config import preset
from langrearrange_baselines.llarp.eyes import EncoderEyes, Seen
from langrearrange_baselines.vision import load_encoder

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.errors import UsageError


class Pixels:
    """Eyes that keep the pictures as they are."""

    modality = "rgb"
    feature_shape = (48,)
    proprio_dim = 0

    def __call__(self, observations: Any) -> Seen:
        picture = torch.from_numpy(observations["rgb"]).flatten(1).half()
        return Seen(picture, torch.zeros(len(picture), 0))


def test_blank_eyes_see_grey_whatever_there_is() -> None:
    rgb = np.random.default_rng(0).integers(0, 256, (2, 4, 4, 3), np.uint8)
    blank = BlankEyes(Pixels())
    assert (blank({"rgb": rgb}).features == GREY).all()
    assert blank.feature_shape == (48,)
    assert (rgb != GREY).any()


def test_eyes_without_pictures_cannot_be_blanked() -> None:
    with pytest.raises(UsageError, match="sees pictures"):
        BlankEyes(EncoderEyes(load_encoder("symbolic"), proprioception=False))


def test_shuffled_sentences_are_others_and_stay_with_their_episode() -> None:
    def made() -> Any:
        return gym.make_vec(
            "LangRearrange-v0",
            num_envs=8,
            split="train_mini",
            observation="state",
            autoreset_mode="SameStep",
            horizon=4,
        ).unwrapped

    plain, shuffled = made(), ShuffledInstructions(made(), "train_mini", 1)
    true, _ = plain.reset(seed=0)
    told, _ = shuffled.reset(seed=0)
    assert shuffled.num_envs == 8
    first = told["instruction"]
    differing = sum(a != b for a, b in zip(true["instruction"], first, strict=True))
    assert differing >= 6
    assert np.array_equal(true["visible"], told["visible"])
    for step in range(6):
        actions = np.full(8, step % 2)
        ours, theirs = plain.step(actions), shuffled.step(actions)
        assert np.array_equal(ours[1], theirs[1])
        if step == 1:
            assert theirs[0]["instruction"] == first
    again = ShuffledInstructions(made(), "train_mini", 1)
    assert again.reset(seed=0)[0]["instruction"] == first
    plain.close()
    shuffled.close()


def test_settings_switch_the_controls_on() -> None:
    settings = preset("tiny", num_envs=4, shuffle_instructions=True, split="train_mini")
    envs = make_envs(settings, "state")
    assert isinstance(envs, ShuffledInstructions)
    envs.close()
