"""A run is saved whole, goes on bit for bit, and says in one sentence what is wrong with it."""

from __future__ import annotations

import dataclasses
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from gymnasium.error import ResetNeeded
from langrearrange_baselines.engine.checkpoint import (
    checkpoints,
    find_checkpoint,
    load_policy,
    read_state,
    run_config,
)
from langrearrange_baselines.engine.config import PRESETS, TrainConfig, preset
from langrearrange_baselines.engine.curves import curves, read_metrics
from langrearrange_baselines.engine.encoder import make_encoder
from langrearrange_baselines.engine.envs import make_envs
from langrearrange_baselines.engine.errors import CheckpointError, TrainingError
from langrearrange_baselines.engine.factory import make_policy
from langrearrange_baselines.engine.trainer import Trainer
from langrearrange_baselines.evaluate import EvaluateArgs
from langrearrange_baselines.evaluate import run as evaluate
from langrearrange_baselines.train import note, parse, train
from test_baselines_ppo import SMALL, make_trainer, toy_trainer
from toy_world import ToyEncoder

from langrearrange.cli.common import SimulatorOptions
from langrearrange.errors import UsageError
from langrearrange.leaderboard import read_trace

TRAIN = [sys.executable, "-m", "langrearrange_baselines.train"]
REAL: dict[str, Any] = {
    "encoder": "symbolic",
    "split": "train_mini",
    "num_envs": 4,
    "num_steps": 6,
    "minibatches": 2,
    "num_updates": 4,
    "checkpoint_every": 2,
    "keep_checkpoints": 9,
}


def weights(trainer: Trainer) -> dict[str, torch.Tensor]:
    return {name: value.detach().clone() for name, value in trainer.policy.trained()}


def same(first: Trainer, second: Trainer) -> bool:
    ours, theirs = weights(first), weights(second)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[n], theirs[n]) for n in ours)


@pytest.mark.parametrize("train_backbone", ["none", "lora"])
def test_four_updates_are_two_and_two_more_bit_for_bit(train_backbone: str, tmp_path: Path) -> None:
    whole = toy_trainer(tmp_path / "whole", train_backbone=train_backbone)
    whole.run()
    first = toy_trainer(tmp_path / "parts", train_backbone=train_backbone)
    first.run(until=2)
    second = make_trainer(first.config)
    second.resume(find_checkpoint(tmp_path / "parts"))
    assert int(second.episodes.counts.max()) > 0  # in the middle of episodes
    second.run()
    assert same(whole, second)
    assert whole.metrics.saved() == second.metrics.saved()
    assert whole.env_steps == second.env_steps


def test_four_updates_are_two_and_two_more_in_the_real_household(tmp_path: Path) -> None:
    whole = train(preset("tiny", out=tmp_path / "whole", **REAL))
    half = preset("tiny", out=tmp_path / "parts", **(REAL | {"num_updates": 2}))
    train(half)
    parts = train(dataclasses.replace(half, num_updates=4, resume=True))
    assert same(whole, parts)
    rows = read_metrics(tmp_path / "parts" / "metrics.jsonl")
    assert [row["update"] for row in rows] == [1, 2, 3, 4]
    assert (tmp_path / "parts" / "curves.png").stat().st_size > 1000
    assert [path.name for path in checkpoints(tmp_path / "parts")] == ["000002", "000004"]


@pytest.mark.parametrize("control", ["shuffled", "blank"])
def test_controls_hear_or_see_nothing_of_the_episode(control: str, tmp_path: Path) -> None:
    config = preset("tiny", out=tmp_path, **(REAL | {"control": control}))
    encoder = make_encoder(config)
    envs = make_envs(config, encoder.modality)
    trainer = Trainer(config, envs, encoder, make_policy(config, encoder, 70))
    trainer.begin()
    trainer.player.play(6)
    told = [task.episode.instruction for task in trainer.envs.tasks]
    backbone: Any = trainer.policy.backbone
    tokens = [backbone.token_ids(text) for text in told]
    given = [instruction.ids for instruction in trainer.episodes.instructions]
    assert (given == tokens) == (control == "blank")
    assert trainer.episodes.features.any() == (control == "shuffled")
    envs.close()


@pytest.mark.parametrize("summary", ["last", "perceiver"])
def test_the_recurrent_rival_is_trained_and_resumed_by_the_same_engine(
    summary: str, tmp_path: Path
) -> None:
    settings = REAL | {"learner": "lstm", "summary": summary}
    whole = train(preset("tiny", out=tmp_path / "whole", **settings))
    half = preset("tiny", out=tmp_path / "parts", **(settings | {"num_updates": 2}))
    train(half)
    assert same(whole, train(dataclasses.replace(half, num_updates=4, resume=True)))


SEEN = "langrearrange.sim.embedded:EmbeddedSimulator"
"""A simulator under another name than the default."""


def test_a_run_is_drawn_by_its_simulator_and_resumed_in_it_alone(tmp_path: Path) -> None:
    settings = REAL | {"encoder": "segcnn", "num_envs": 2, "num_steps": 2, "num_updates": 1}
    config = preset("tiny", out=tmp_path, simulator=SEEN, **settings)
    trainer = train(config)
    assert trainer.envs.config.simulator == SEEN
    state = read_state(find_checkpoint(tmp_path))
    assert run_config(state).env_kwargs() == {"simulator": SEEN}
    again = dataclasses.replace(config, resume=True, num_updates=2)
    assert train(again).update == 2
    elsewhere = dataclasses.replace(again, simulator="embedded")
    with pytest.raises(CheckpointError, match=f"trained with simulator='{SEEN}'"):
        train(elsewhere)
    trace = tmp_path / "run.jsonl.gz"
    options: dict[str, Any] = {"episodes": ("train_eval",), "num_episodes": 1, "horizon": 2}
    assert read_trace(evaluate(EvaluateArgs(checkpoint=tmp_path, out=trace, **options))).episodes


def test_a_checkpoint_from_before_simulators_were_chosen_is_of_the_embedded_one(
    tmp_path: Path,
) -> None:
    config = preset("tiny", out=tmp_path, **(REAL | {"num_updates": 1}))
    train(config)
    path = find_checkpoint(tmp_path) / "state.json"
    state = json.loads(path.read_text())
    for field in dataclasses.fields(SimulatorOptions):
        del state["config"][field.name]
    path.write_text(json.dumps(state))
    again = dataclasses.replace(config, resume=True, num_updates=2)
    assert train(again).update == 2
    with pytest.raises(CheckpointError, match="trained with simulator='embedded', asked for is"):
        train(dataclasses.replace(again, simulator="habitat", habitat_gpu=-1, num_updates=3))


def test_saved_envs_go_on_as_they_would_have() -> None:
    config = preset("tiny", **(REAL | {"num_envs": 3}))
    first, second = make_envs(config, "state"), make_envs(config, "state")
    first.reset(seed=5)
    rng = np.random.default_rng(0)
    for _ in range(40):
        first.step(rng.integers(0, 70, 3))
    saved = json.loads(json.dumps(first.save_state()))
    restored, _ = second.restore_state(saved)
    for _ in range(60):
        actions = rng.integers(0, 70, 3)
        ours, theirs = first.step(actions), second.step(actions)
        assert ours[0]["instruction"] == theirs[0]["instruction"]
        assert all((ours[i] == theirs[i]).all() for i in (1, 2, 3))
        assert all((ours[0][k] == theirs[0][k]).all() for k in ("place", "held", "visible"))
    assert len(restored["instruction"]) == 3
    with pytest.raises(UsageError, match="no saved state of 3 envs"):
        second.restore_state({"envs": []})
    with pytest.raises(ResetNeeded):
        make_envs(config, "state").save_state()


def test_a_signal_saves_and_the_run_goes_on_from_there(tmp_path: Path) -> None:
    out = tmp_path / "run"
    command = [*TRAIN, "--preset", "tiny", "--encoder", "symbolic", "--split", "train_mini"]
    command += ["--num-envs", "4", "--num-steps", "4", "--out", str(out)]
    process = subprocess.Popen(
        [*command, "--num-updates", "100000"], stderr=subprocess.PIPE, stdout=subprocess.PIPE
    )
    for _ in range(600):
        if (out / "metrics.jsonl").exists() or process.poll() is not None:
            break
        time.sleep(0.1)
    process.send_signal(signal.SIGTERM)
    _, complaints = process.communicate(timeout=60)
    assert process.returncode == 130, complaints.decode()
    assert b"--resume continues" in complaints
    made = int(find_checkpoint(out).name)
    assert made == len(read_metrics(out / "metrics.jsonl"))
    arguments = [*command[3:], "--resume", "--num-updates", str(made + 1)]
    assert train(parse(arguments)).update == made + 1


def test_the_command_line_is_the_config() -> None:
    config = parse(["--preset", "stable", "--lr", "0.01", "--no-normalise-advantage"])
    assert config == preset("stable", lr=0.01, normalise_advantage=False)
    assert parse(["--preset=paper"]) == preset("paper")
    assert parse([]) == preset("tiny")
    record = config.record()
    assert record["lr"] == 0.01
    json.dumps(record)


def test_the_paper_preset_is_table_three() -> None:
    config = preset("paper")
    assert (config.lr, config.minibatches, config.num_envs, config.num_steps) == (3e-4, 6, 144, 32)
    assert (config.entropy, config.value_coef, config.epochs, config.clip) == (0.01, 0.5, 1, 0.2)
    assert (config.horizon, config.bootstrap_horizon) == (32, False)
    assert set(PRESETS) == {
        "paper", "lstm_flan", "lstm_llama", "released", "stable", "tiny", "small",
    }  # fmt: skip


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"num_envs": 0}, "num_envs=0; accepted: 1 or more"),
        ({"gamma": 1.5}, "gamma=1.5; accepted: 0 to 1"),
        ({"lr": float("nan")}, "lr=nan"),
        ({"minibatches": 40}, "minibatches=40 of num_envs=32"),
        ({"learning_rate": 1.0}, "no setting 'learning_rate'"),
        ({"num_env": 3}, "did you mean 'num_envs'"),
    ],
)
def test_a_setting_that_cannot_be_is_refused(changes: dict[str, Any], message: str) -> None:
    with pytest.raises(UsageError, match=message):
        preset("tiny", **changes)


def run_command(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TRAIN, *arguments], capture_output=True, text=True, timeout=120)


def test_the_command_refuses_in_one_line(tmp_path: Path) -> None:
    common = ("--encoder", "symbolic", "--out", str(tmp_path / "run"))
    done = run_command(*common, "--backbone", "/nowhere/llama")
    assert done.returncode == 1
    assert "'/nowhere/llama' is not a folder" in done.stderr
    assert "Traceback" not in done.stderr
    done = run_command(*common, "--resume")
    assert done.returncode == 1
    assert "no checkpoint at" in done.stderr


def test_a_finished_run_is_not_overwritten(tmp_path: Path) -> None:
    (tmp_path / "metrics.jsonl").write_text("{}\n")
    with pytest.raises(UsageError, match="contains a run already"):
        train(preset("tiny", out=tmp_path, **REAL))


def test_a_checkpoint_of_another_run_is_refused(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path / "a")
    trainer.run(until=1)
    folder = find_checkpoint(tmp_path / "a")
    other = make_trainer(preset("tiny", out=tmp_path / "b", **(SMALL | {"gamma": 0.5})))
    with pytest.raises(CheckpointError, match=r"gamma=0\.99, asked for is 0\.5"):
        other.resume(folder)
    encoder = ToyEncoder()
    policy = make_policy(trainer.config, encoder, num_actions=9)
    with pytest.raises(CheckpointError, match=r"action\.policy\.bias is 6, here 9"):
        load_policy(policy, encoder, folder)
    unlike = make_policy(dataclasses.replace(trainer.config, seed=1), encoder, num_actions=6)
    with pytest.raises(CheckpointError, match="other weights of 'tiny'"):
        load_policy(unlike, encoder, folder)


@pytest.mark.parametrize("name", ["weights.safetensors", "state.json", "rank_0.json"])
def test_a_torn_checkpoint_is_one_sentence(name: str, tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path)
    trainer.run(until=1)
    file = find_checkpoint(tmp_path) / name
    file.write_bytes(file.read_bytes()[:20])
    with pytest.raises(CheckpointError, match="cannot be read") as caught:
        make_trainer(trainer.config).resume(file.parent)
    assert "\n" not in str(caught.value)


def test_a_state_that_lacks_something_is_one_sentence(tmp_path: Path) -> None:
    toy_trainer(tmp_path).run(until=1)
    folder = find_checkpoint(tmp_path)
    state = json.loads((folder / "state.json").read_text())
    for lacking in ("config", "encoder"):
        left = {name: value for name, value in state.items() if name != lacking}
        (folder / "state.json").write_text(json.dumps(left))
        with pytest.raises(CheckpointError, match=f"lacks '{lacking}'"):
            read_state(folder)
    with pytest.raises(CheckpointError, match="settings cannot be read"):
        run_config({"config": state["config"] | {"num_envs": "four"}})


def test_weights_that_are_no_numbers_are_refused(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path)
    with torch.no_grad():
        next(value for _, value in trainer.policy.trained()).fill_(float("nan"))
    folder = trainer.save()
    with pytest.raises(CheckpointError, match="NaN or infinite"):
        load_policy(trainer.policy, ToyEncoder(), folder)


def test_a_policy_that_is_spoilt_while_it_plays_is_saved(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path)
    trainer.run(until=1)
    with torch.no_grad():
        trainer.policy.action.policy.bias.fill_(float("inf"))
    with pytest.raises(TrainingError, match=r"policy output contains NaN.*Saved: "):
        trainer.run(until=2)


@pytest.mark.parametrize("device", ["nonsense", "cuda:99"])
def test_a_device_that_is_not_there_is_one_sentence(device: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=f"device '{device}' cannot be used"):
        train(preset("tiny", out=tmp_path, device=device, **REAL))


def test_only_the_latest_checkpoints_are_kept_and_none_is_half_written(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path, checkpoint_every=1, keep_checkpoints=2)
    trainer.run()
    assert sorted(os.listdir(tmp_path / "checkpoints")) == ["000003", "000004"]
    stored = {path.suffix for path in find_checkpoint(tmp_path).iterdir()}
    assert stored == {".json", ".safetensors"}
    size = sum(path.stat().st_size for path in find_checkpoint(tmp_path).glob("weights*"))
    assert size < 4_000_000  # adapters only


def test_weights_of_another_run_are_where_a_new_one_begins(tmp_path: Path) -> None:
    first = toy_trainer(tmp_path / "a")
    first.run(until=2)
    second = toy_trainer(tmp_path / "b", init_from=str(tmp_path / "a"))
    assert second.update == 0
    assert same(first, second)


def test_curves_show_what_was_recorded(tmp_path: Path) -> None:
    trainer = toy_trainer(tmp_path)
    trainer.run()
    records = read_metrics(tmp_path / "metrics.jsonl")
    figure = curves(records)
    xs = figure.axes[0].lines[0].get_xdata()
    assert list(xs) == [r["env_steps"] for r in records if r["success"] is not None]
    drawn = {line.get_label(): line for line in figure.axes[0].lines}
    last = records[-1]["success_by_template"]
    assert drawn["mean of templates"].get_ydata()[-1] == pytest.approx(
        sum(last.values()) / len(last)
    )
    assert "steps/s (env" in note(records[-1])


def test_curves_are_drawn_again_at_every_checkpoint(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = []

    def spy(records: Sequence[dict[str, Any]]) -> Any:
        seen.append(len(records))
        return curves(records)

    monkeypatch.setattr("langrearrange_baselines.train.curves", spy)
    train(preset("tiny", out=tmp_path, **(REAL | {"num_updates": 5})))
    assert seen == [2, 4, 5]
    assert sorted(path.suffix for path in tmp_path.glob("curves*")) == [".png"]


def test_settings_are_one_flat_value() -> None:
    kinds = {field.type for field in dataclasses.fields(TrainConfig)}
    assert not any("dict" in str(kind) or "list" in str(kind) for kind in kinds)
