"""Several processes learn what one would, and none waits for the slowest."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch
from langrearrange_baselines.engine.checkpoint import find_checkpoint, read_tensors
from langrearrange_baselines.engine.curves import read_metrics
from langrearrange_baselines.engine.factory import make_policy
from langrearrange_baselines.engine.group import Group
from langrearrange_baselines.engine.trainer import Trainer
from toy_world import NUM_ACTIONS, ToyEncoder, ToyEnvs
from two_processes import settings, trained

TORCHRUN = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2"]


def torchrun(*arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([*TORCHRUN, *arguments], capture_output=True, text=True, timeout=240)


@pytest.fixture(scope="module")
def played(tmp_path_factory: Any) -> Path:
    out = tmp_path_factory.mktemp("two")
    done = torchrun(str(Path(__file__).parent / "two_processes.py"), str(out))
    assert done.returncode == 0, done.stderr
    return Path(out)


@pytest.mark.parametrize("critic", ["shared", "own"])
def test_two_processes_take_the_step_of_one(played: Path, tmp_path: Path, critic: str) -> None:
    alone = trained(tmp_path, Group(), critic=critic)
    assert ("critic.words.weight" in alone) == (critic == "own")
    first, second = (read_tensors(played / f"{critic}_{rank}.safetensors") for rank in (0, 1))
    for name, value in alone.items():
        assert torch.equal(first[name], second[name])
        # Adam divides by the gradient's size: where it is all but zero, rounding shows.
        assert (first[name] - value).abs().max() <= 1e-4


def test_a_straggler_is_stopped_and_all_end_with_the_same_policy(played: Path) -> None:
    first, second = (read_tensors(played / f"preempted_{rank}.safetensors") for rank in (0, 1))
    assert not first.pop("preempted").any()
    assert second.pop("preempted").all()
    assert all(torch.equal(first[name], second[name]) for name in first)
    records = read_metrics(played / "preempted" / "metrics.jsonl")
    assert all(4 * 32 < record["env_steps"] / record["update"] < 2 * 4 * 32 for record in records)


def test_a_run_of_two_processes_is_saved_and_goes_on(tmp_path: Path) -> None:
    command = ["-m", "langrearrange_baselines.train", "--preset", "tiny"]
    command += ["--encoder", "symbolic", "--split", "train_mini", "--out", str(tmp_path / "run")]
    command += ["--num-envs", "4", "--num-steps", "4", "--minibatches", "2"]
    done = torchrun(*command, "--num-updates", "2")
    assert done.returncode == 0, done.stderr
    folder = find_checkpoint(tmp_path / "run")
    assert {path.name for path in folder.glob("rank_*.json")} == {"rank_0.json", "rank_1.json"}
    episodes = [
        {env["episode_id"] for env in json.loads((folder / name).read_text())["envs"]["envs"]}
        for name in ("rank_0.json", "rank_1.json")
    ]
    assert not episodes[0] & episodes[1]
    done = torchrun(*command, "--num-updates", "3", "--resume")
    assert done.returncode == 0, done.stderr
    records = read_metrics(tmp_path / "run" / "metrics.jsonl")
    assert [record["env_steps"] for record in records] == [32, 64, 96]


def test_a_lost_process_is_one_sentence_and_what_was_trained_is_saved(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    common = os.environ | {"WORLD_SIZE": "2", "MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(port)}
    script = str(Path(__file__).parent / "two_processes.py")
    processes = [
        subprocess.Popen(
            [sys.executable, script, str(tmp_path), "lost"], env=common | {"RANK": str(rank)}
        )
        for rank in (0, 1)
    ]
    assert [process.wait(timeout=120) for process in processes] == [0, 3]
    message = (tmp_path / "message.txt").read_text()
    assert message.startswith("a process was lost at update 1")
    assert "start all processes again with --resume" in message
    assert "\n" not in message
    assert find_checkpoint(tmp_path).name == "000001"
    alone = Trainer(
        settings(tmp_path),
        ToyEnvs(4),
        ToyEncoder(),
        make_policy(settings(tmp_path), ToyEncoder(), NUM_ACTIONS),
    )
    alone.resume(find_checkpoint(tmp_path))
    alone.run(until=2)
    assert alone.update == 2
