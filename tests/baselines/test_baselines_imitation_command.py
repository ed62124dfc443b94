"""The command of imitation: what a run leaves behind, and what it refuses."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import Any

import pytest
import torch
from langrearrange_baselines.engine import checkpoint
from langrearrange_baselines.engine.factory import make_policy
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.imitation.demonstrations import (
    DemonstrationError,
    read,
    write,
)
from langrearrange_baselines.imitation.train import imitate

import langrearrange  # noqa: F401  (registers the envs)
from langrearrange.errors import UsageError
from langrearrange.world import NUM_SKILLS


def tiny_run(out: Path, **changes: Any) -> ImitationConfig:
    settings: dict[str, Any] = {
        "out": out, "encoder": "symbolic", "num_steps": 100, "epochs": 1, "rounds": 1,
        "round_steps": 140, "round_epochs": 1, "num_envs": 4, "split": "train_mini",
    }  # fmt: skip
    return ImitationConfig(**settings | changes)


def test_a_run_leaves_a_checkpoint_that_training_goes_on_from(tmp_path: Path) -> None:
    run = imitate(tiny_run(tmp_path / "run", save_demonstrations=True))
    assert [record["stage"] for record in run.records] == ["clone", "dagger 1"]
    folder = checkpoint.find_checkpoint(tmp_path / "run")
    assert checkpoint.read_state(folder)["env_steps"] >= 240
    policy = make_policy(run.config, run.encoder, NUM_SKILLS)
    checkpoint.load_policy(policy, run.encoder, folder)
    for (name, ours), (_, theirs) in zip(policy.trained(), run.policy.trained(), strict=True):
        assert torch.equal(ours, theirs), name
    assert read(tmp_path / "run" / "demonstrations.safetensors").num_episodes > 0
    stored = str(tmp_path / "run" / "demonstrations.safetensors")
    changes = {"rounds": 0, "demonstrations": stored, "control": "shuffled"}
    later = imitate(tiny_run(tmp_path / "later", **changes))
    assert later.collector.env_steps == 0
    with pytest.raises(DemonstrationError, match="use the same"):
        imitate(tiny_run(tmp_path / "other", demonstrations=stored, encoder="random"))
    with pytest.raises(UsageError, match="contains a run already"):
        imitate(tiny_run(tmp_path / "run"))
    changes = {"expert": "policy", "expert_checkpoint": str(tmp_path / "run")}
    again = tiny_run(tmp_path / "again", rounds=0, num_steps=140, successes_only=False, **changes)
    assert imitate(again).recorded[0].source["expert"] == "policy"


def test_demonstrations_seen_through_other_weights_are_refused(tmp_path: Path) -> None:
    run = imitate(tiny_run(tmp_path / "run", rounds=0, save_demonstrations=True))
    file = tmp_path / "run" / "demonstrations.safetensors"
    shown = read(file)
    facts = shown.source["encoder"]
    assert facts["fingerprint"] == run.encoder.fingerprint
    other = {"encoder": facts | {"fingerprint": "others"}}
    write(dataclasses.replace(shown, source=shown.source | other), file)
    with pytest.raises(DemonstrationError, match="'symbolic' with fingerprint others"):
        imitate(tiny_run(tmp_path / "b", demonstrations=str(file)))


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"expert": "oracle"}, "--rounds 0"),
        ({"expert": "policy"}, "go together"),
        ({"num_steps": 0}, "1 or more"),
        ({"expert_share": 1.5}, "accepted: 0 to 1"),
    ],
)
def test_settings_that_cannot_be_are_refused(
    tmp_path: Path, changes: dict[str, Any], says: str
) -> None:
    with pytest.raises(UsageError, match=says):
        tiny_run(tmp_path, **changes)


def test_the_lstm_learns_by_the_same_command(tmp_path: Path) -> None:
    run = imitate(tiny_run(tmp_path, learner="lstm", summary="perceiver", control="shuffled"))
    state = checkpoint.read_state(checkpoint.find_checkpoint(tmp_path))
    assert state["config"]["learner"] == "lstm"
    assert run.recorded[0].num_episodes > 0
