"""A trained policy is an agent like any other, and its runs survive the scorer's replay."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from langrearrange_baselines.engine.agent import PolicyAgent
from langrearrange_baselines.engine.config import preset
from langrearrange_baselines.engine.errors import CheckpointError
from langrearrange_baselines.evaluate import EvaluateArgs, main, run
from langrearrange_baselines.train import train

from langrearrange.agents import BatchedAgent
from langrearrange.errors import UsageError
from langrearrange.generator import open_split
from langrearrange.leaderboard import read_trace, score_trace

SMALL: dict[str, Any] = {
    "encoder": "symbolic",
    "split": "train_mini",
    "num_envs": 4,
    "num_steps": 8,
    "minibatches": 2,
    "num_updates": 1,
}


@pytest.fixture(scope="module")
def checkpoint(tmp_path_factory: Any) -> Path:
    out = Path(tmp_path_factory.mktemp("trained"))
    train(preset("tiny", out=out, **SMALL))
    return out


def test_a_trained_policy_is_a_batched_agent(checkpoint: Path) -> None:
    agent = PolicyAgent.load(checkpoint)
    assert isinstance(agent, BatchedAgent)
    assert agent.modality == "state"


def test_its_run_is_the_same_whatever_plays_beside_it(checkpoint: Path, tmp_path: Path) -> None:
    traces = []
    for rows in (1, 5):
        out = tmp_path / f"{rows}.jsonl.gz"
        args = EvaluateArgs(
            checkpoint=checkpoint, out=out, episodes=("train_eval",), num_episodes=6, rows=rows
        )
        assert run(args) == out
        traces.append({episode.id: episode for episode in read_trace(out).episodes})
    assert traces[0] == traces[1]
    assert all(not episode.failure for episode in traces[0].values())


def test_its_run_is_scored_by_replay(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl.gz"
    arguments = ["--checkpoint", str(checkpoint), "--out", str(out), "--episodes", "train_eval"]
    assert main([*arguments, "--num-episodes", "3", "--greedy"]) == 0
    scored = score_trace(out, open_split)
    assert list(scored.splits) == ["train_eval"]
    assert scored.splits["train_eval"].num_episodes == 3
    assert main([*arguments, "--num-episodes", "3", "--checkpoint", str(tmp_path)]) == 1


def test_a_trace_says_how_its_policy_was_trained(checkpoint: Path, tmp_path: Path) -> None:
    out = tmp_path / "run.jsonl.gz"
    run(EvaluateArgs(checkpoint=checkpoint, out=out, episodes=("train_eval",), num_episodes=1))
    assert read_trace(out).header.agent.train_data == "train_mini, PPO preset tiny"
    cloned = tmp_path / "cloned"
    shutil.copytree(checkpoint, cloned)
    for path in cloned.glob("checkpoints/*/state.json"):
        state = json.loads(path.read_text()) | {"method": "imitation"}
        state["config"]["expert"] = "explorer"
        path.write_text(json.dumps(state))
    again = EvaluateArgs(
        checkpoint=cloned, out=out, episodes=("train_eval",), num_episodes=1, force=True
    )
    assert read_trace(run(again)).header.agent.train_data == "train_mini, imitation of explorer"


@pytest.mark.parametrize("name", ["rows", "threads", "horizon"])
def test_there_is_at_least_one_of_everything(name: str, tmp_path: Path) -> None:
    nothing: dict[str, Any] = {name: 0}
    with pytest.raises(UsageError, match=f"{name}=0; accepted: 1 or more"):
        EvaluateArgs(checkpoint=tmp_path, out=tmp_path / "run.jsonl.gz", **nothing)


def test_drawing_depends_on_the_seed_and_greed_on_nothing(checkpoint: Path) -> None:
    observations = {
        name: np.zeros((3, size), np.int8)
        for name, size in {
            "place": 17, "held": 34, "visible": 33, "openables": 5, "outcome": 9
        }.items()
    }  # fmt: skip
    sentences = ["Find a mug.", "Find a cup.", "Go to the sofa."]

    def play(**options: Any) -> list[int]:
        agent = PolicyAgent.load(checkpoint, **options)
        agent.reset_rows([0, 1, 2], sentences)
        return [a for _ in range(5) for a in agent.act_rows([0, 1, 2], observations).tolist()]

    assert play(seed=1) == play(seed=1) != play(seed=2)
    assert play(greedy=True) == play(greedy=True, seed=3)


def test_a_checkpoint_of_other_eyes_or_another_model_is_refused(checkpoint: Path) -> None:
    with pytest.raises(CheckpointError, match="use the same encoder"):
        PolicyAgent.load(checkpoint, encoder="random")
