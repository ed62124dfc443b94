"""PPO begins where imitation ended: with its weights, its behaviour, and at first only a critic."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import torch
from langrearrange_baselines.engine.agent import PolicyAgent
from langrearrange_baselines.engine.checkpoint import find_checkpoint, load_policy, read_tensors
from langrearrange_baselines.engine.config import TrainConfig, preset
from langrearrange_baselines.engine.encoder import make_encoder
from langrearrange_baselines.engine.envs import make_envs
from langrearrange_baselines.engine.errors import CheckpointError
from langrearrange_baselines.engine.factory import make_policy
from langrearrange_baselines.engine.trainer import Trainer
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.imitation.train import imitate
from langrearrange_baselines.train import train

from langrearrange.world import NUM_SKILLS

SETTINGS: dict[str, Any] = {
    "encoder": "symbolic",
    "split": "train_mini",
    "num_envs": 4,
    "num_steps": 6,
    "minibatches": 2,
    "critic_updates": 2,
    "num_updates": 3,
    "checkpoint_every": 1,
    "keep_checkpoints": 9,
}


@pytest.fixture(scope="module")
def clone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("clone")
    shape: dict[str, Any] = {"encoder": "symbolic", "split": "train_mini", "num_envs": 4}
    imitate(ImitationConfig(out=out, num_steps=300, epochs=3, rounds=0, **shape))
    return out


def weights(path: Path) -> dict[str, torch.Tensor]:
    return read_tensors(find_checkpoint(path) / "weights.safetensors")


@contextmanager
def trainer_of(config: TrainConfig) -> Iterator[Trainer]:
    encoder = make_encoder(config)
    envs = make_envs(config, encoder.modality)
    yield Trainer(config, envs, encoder, make_policy(config, encoder, NUM_SKILLS))
    envs.close()


def test_at_first_only_the_value_head_learns(clone: Path, tmp_path: Path) -> None:
    config = preset("tiny", out=tmp_path / "run", init_from=str(clone), **SETTINGS)
    train(config)
    begun = weights(clone)
    critic = {"action.value.weight", "action.value.bias"}
    assert critic < begun.keys()
    for update in (1, 2):
        now = weights(config.out / "checkpoints" / f"{update:06d}")
        changed = {name for name in begun if not torch.equal(begun[name], now[name])}
        assert changed == critic
    last = weights(config.out / "checkpoints" / "000003")
    name = "observation.project.0.weight"
    assert not torch.equal(last[name], begun[name])


def test_a_run_stopped_while_the_critic_learns_goes_on_bit_for_bit(
    clone: Path, tmp_path: Path
) -> None:
    whole = preset("tiny", out=tmp_path / "whole", init_from=str(clone), **SETTINGS)
    train(whole)
    parts = dataclasses.replace(whole, out=tmp_path / "parts", num_updates=1)
    train(parts)
    train(dataclasses.replace(parts, num_updates=3, resume=True, init_from=""))
    ours, theirs = weights(whole.out), weights(parts.out)
    assert ours.keys() == theirs.keys()
    assert all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_the_first_update_behaves_as_the_clone_does(clone: Path, tmp_path: Path) -> None:
    plain = preset("tiny", out=tmp_path, **SETTINGS)
    with (
        trainer_of(dataclasses.replace(plain, init_from=str(clone))) as begun,
        trainer_of(plain) as other,
    ):
        begun.begin()
        load_policy(other.policy, other.player.encoder, find_checkpoint(clone))
        other.begin()
        first, again = begun.player.play(8), other.player.play(8)
        assert torch.equal(first.actions, again.actions)
        assert torch.equal(first.log_probs, again.log_probs)
        logits = other.policy.evaluate(first.rows).logits.log_softmax(-1)
        off = logits.gather(-1, first.actions[..., None])[..., 0] - first.log_probs
        assert off.abs().max() <= 1e-5
        assert begun.ppo.update(first, 0)["first_ratio_deviation"] <= 1e-5


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"learner": "lstm"}, "learner='llarp', asked for is 'lstm'"),
        ({"observation_module": "linear"}, "observation_module='mlp2', asked for is 'linear'"),
        ({"train_backbone": "lora"}, "train_backbone='none', asked for is 'lora'"),
        ({"seed": 1}, "other weights of 'tiny'"),
        ({"encoder": "random"}, "is of encoder 'symbolic' with"),
    ],
)
def test_weights_of_another_kind_are_refused_in_one_sentence(
    clone: Path, tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    config = preset("tiny", out=tmp_path, init_from=str(clone), **(SETTINGS | changes))
    with pytest.raises(CheckpointError, match=says) as caught:
        train(config)
    assert "\n" not in str(caught.value)


def test_a_checkpoint_of_imitation_is_begun_from_not_resumed(clone: Path) -> None:
    config = preset("tiny", out=clone, resume=True, **SETTINGS)
    with pytest.raises(CheckpointError, match="of imitation; start with --init-from"):
        train(config)


def test_other_weights_of_the_same_encoder_are_refused(clone: Path, tmp_path: Path) -> None:
    folder = tmp_path / "checkpoints" / "000000"
    folder.mkdir(parents=True)
    for file in find_checkpoint(clone).iterdir():
        (folder / file.name).write_bytes(file.read_bytes())
    state = json.loads((folder / "state.json").read_text())
    state["encoder"]["fingerprint"] = "others"
    (folder / "state.json").write_text(json.dumps(state))
    with pytest.raises(CheckpointError, match="encoder 'symbolic' with fingerprint others"):
        PolicyAgent.load(tmp_path)
