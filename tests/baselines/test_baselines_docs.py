"""What docs/train.md shows works as it stands."""

from __future__ import annotations

import dataclasses
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
import tyro
from langrearrange_baselines.engine.agent import PolicyAgent
from langrearrange_baselines.engine.config import TrainConfig
from langrearrange_baselines.evaluate import EvaluateArgs, main
from langrearrange_baselines.imitation.config import ImitationConfig
from langrearrange_baselines.imitation.train import imitate
from langrearrange_baselines.study.run import RunArgs
from langrearrange_baselines.train import parse, train
from test_baselines_llarp import save_model

DOCS = (Path(__file__).resolve().parents[2] / "docs" / "train.md").read_text()
BLOCKS = re.findall(r"```python\n(.*?)```", DOCS, re.S)
COMMANDS = [
    shlex.split(line.split("#")[0])
    for line in re.findall(r"^    (.+)$", DOCS, re.M)
    if "langrearrange_baselines" in line
]


def test_your_own_language_model_takes_five_lines(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    save_model(tmp_path / "my-language-model")
    lines = [line for line in BLOCKS[0].splitlines() if line.strip()]
    assert len(lines) <= 5
    small = BLOCKS[0].replace("num_updates=2", "num_updates=1, num_envs=4, num_steps=4")
    exec(small, {})
    space: dict[str, Any] = {}
    exec(BLOCKS[1], space)
    assert isinstance(space["Agent"](seed=1), PolicyAgent)


def test_the_commands_on_two_cores_run(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    trains, plays = (f"langrearrange_baselines.{verb}" for verb in ("train", "evaluate"))
    first = next(command for command in COMMANDS if command[2] == trains)
    second = next(command for command in COMMANDS if command[2] == plays)
    config = parse(first[3:])
    assert (config.preset, config.encoder, config.num_updates) == ("tiny", "symbolic", 20)
    train(dataclasses.replace(config, num_updates=1, num_envs=4, num_steps=4))
    assert main([*second[3:], "--num-episodes", "1"]) == 0
    assert (tmp_path / "out" / "llarp.jsonl.gz").is_file()


def test_imitation_then_reinforcement_runs(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.chdir(tmp_path)
    clones = "langrearrange_baselines.imitation.train"
    at = next(i for i, command in enumerate(COMMANDS) if command[2] == clones)
    config = tyro.cli(ImitationConfig, args=COMMANDS[at][3:])
    assert config.rounds == 3
    less: dict[str, Any] = {"num_steps": 140, "round_steps": 140, "epochs": 1, "round_epochs": 1}
    imitate(dataclasses.replace(config, num_envs=4, rounds=1, **less))
    after = parse(COMMANDS[at + 1][3:])
    assert (after.critic_updates, after.init_from) == (3, str(config.out))
    train(dataclasses.replace(after, num_updates=1, num_envs=4, num_steps=4))


def test_the_other_commands_and_settings_exist() -> None:
    command = next(command for command in COMMANDS if command[0] == "torchrun")
    assert parse(command[command.index("-m") + 2 :]).device == "cuda"
    settings = (TrainConfig, RunArgs, EvaluateArgs)
    known = {field.name for kind in settings for field in dataclasses.fields(kind)}
    rows = re.findall(r"^\|[^|]+\| `([^`]+)`", DOCS, re.M)
    assert len(rows) >= 9
    for row in rows:
        assert isinstance(parse(shlex.split(row)), TrainConfig)
    flags = {name.replace("-", "_") for name in re.findall(r"`--([a-z-]+)", DOCS)}
    assert flags - {"help"} <= known


@pytest.mark.parametrize("name", re.findall(r"`(docs/[^`]+|baselines/[^`]+\.py)`", DOCS))
def test_files_that_are_named_exist(name: str) -> None:
    assert (Path(__file__).resolve().parents[2] / name).exists()
