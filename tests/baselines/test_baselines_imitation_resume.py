"""A run of imitation that was stopped or killed goes on as if nothing had happened."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from langrearrange_baselines.engine import checkpoint
from langrearrange_baselines.engine.errors import CheckpointError
from langrearrange_baselines.imitation.run import Imitation
from langrearrange_baselines.imitation.train import imitate
from test_baselines_imitation_command import tiny_run

from langrearrange.errors import UsageError


def outcome(run: Imitation) -> dict[str, Any]:
    """All that a run leaves behind but how long it took."""
    records = [{k: v for k, v in record.items() if k != "cpu_s"} for record in run.records]
    weights = {name: value.tolist() for name, value in run.policy.trained()}
    recorded = [[*part.actions.tolist(), *part.sentences] for part in run.recorded]
    return {
        "records": records,
        "weights": weights,
        "recorded": recorded,
        "env_steps": run.env_steps,
        "expert_success": run.expert_success,
    }


SETTINGS_OF_PARTS: dict[str, dict[str, Any]] = {
    "llarp": {"epochs": 2, "rounds": 2},
    "lstm": {"learner": "lstm", "rounds": 1},
    "a trained backbone": {"train_backbone": "lora", "rounds": 1},
}


@pytest.mark.parametrize("kind", SETTINGS_OF_PARTS)
def test_a_run_stopped_after_any_part_goes_on_bit_for_bit(kind: str, tmp_path: Path) -> None:
    settings = {"num_steps": 150} | SETTINGS_OF_PARTS[kind]
    whole = imitate(tiny_run(tmp_path / "whole", **settings))
    config = tiny_run(tmp_path / "parts", resume=True, **settings)
    for done in range(1, len(whole.phases)):
        run = Imitation(config)
        if done > 1:
            run.resume()
        run.run(stop=lambda: True)  # one part at a time
        run.envs.close()
        assert run.done == done
        assert (config.out / "unfinished" / "recorded").is_dir()
        assert not checkpoint.checkpoints(config.out)
    assert outcome(imitate(config)) == outcome(whole)
    assert sorted(path.name for path in config.out.iterdir()) == ["checkpoints", "metrics.jsonl"]
    metrics = (config.out / "metrics.jsonl").read_text().splitlines()
    assert len(metrics) == len(whole.records)
    again = imitate(config)  # nothing is left to do
    assert outcome(again)["weights"] == outcome(whole)["weights"]


COMMAND = [
    *(sys.executable, "-m", "langrearrange_baselines.imitation.train", "--encoder", "symbolic"),
    *("--num-steps", "100", "--epochs", "4000", "--rounds", "0", "--num-envs", "4"),
    *("--round-steps", "140", "--round-epochs", "1", "--split", "train_mini", "--out"),
]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_signal_or_a_kill_loses_no_part_that_was_done(
    number: signal.Signals, tmp_path: Path
) -> None:
    out = tmp_path / "run"
    process = subprocess.Popen([*COMMAND, str(out)], stderr=subprocess.PIPE, stdout=subprocess.PIPE)
    while process.poll() is None and len(checkpoint_numbers(out)) < 1:
        time.sleep(0.05)
    process.send_signal(number)
    _, complaints = process.communicate(timeout=120)
    assert process.returncode == (130 if number == signal.SIGTERM else -number), complaints.decode()
    done = checkpoint_numbers(out)[-1]
    config = tiny_run(out, resume=True, epochs=4000, rounds=0)
    run = Imitation(config)
    run.resume()
    assert run.done == done
    run.run(stop=lambda: True)
    assert run.done == done + 1
    with pytest.raises(UsageError, match="continue it with --resume"):
        imitate(tiny_run(out, epochs=4000, rounds=0))
    other = Imitation(tiny_run(out, resume=True, epochs=4000, rounds=0, lr=0.1))
    with pytest.raises(CheckpointError, match=r"trained with lr=0\.001, asked for is 0\.1"):
        other.resume()


def checkpoint_numbers(out: Path) -> list[int]:
    return [int(path.name) for path in checkpoint.checkpoints(out / "unfinished")]


def test_what_cannot_be_resumed_is_said(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match="no checkpoint at"):
        imitate(tiny_run(tmp_path, resume=True))
