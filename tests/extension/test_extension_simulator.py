"""The painter of docs/add-a-simulator.md, which is no wrapper of ours, plays everywhere."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from printed import python_blocks, run_commands, save

import langrearrange  # noqa: F401
from langrearrange.cli.main import main
from langrearrange.errors import UsageError
from langrearrange.generator import open_split
from langrearrange.leaderboard import read_trace
from langrearrange.sim import SIMULATORS
from langrearrange.world import NUM_SKILLS, skill_index

PAGE = "add-a-simulator.md"
NAME = "my_painter:Painter"
AGENT = """
class Gazer:
    modality = "rgb"
    def reset(self, instruction):
        self.steps = 0
    def act(self, observation):
        self.steps += 1
        return int(observation["rgb"].astype(int).sum() + self.steps) % 70
"""


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "gazer.py").write_text(AGENT)
    yield save(PAGE, "my_painter", tmp_path, monkeypatch)
    for name in ("my_painter", "gazer"):
        sys.modules.pop(name, None)


def test_the_implementation_is_short_and_knows_no_renderer(source: str) -> None:
    assert len(source.splitlines()) < 60
    assert "embedded" not in source


def test_what_the_page_prints_runs() -> None:
    exec(compile(python_blocks(PAGE)[1], PAGE, "exec"), {})
    run_commands(PAGE)
    assert Path("out/painted.png").stat().st_size > 1000


def test_single_and_vector_env_show_the_same_paintings() -> None:
    ids = [f"train/{number:06d}" for number in (0, 7, 12)]
    kwargs: dict[str, Any] = {
        "simulator": NAME, "episodes": ids, "extras": ("segmentation",), "image_size": 64,
    }  # fmt: skip
    envs = gym.make_vec("LangRearrange-v0", num_envs=3, threads=2, **kwargs)
    batch, _ = envs.reset()
    singles = []
    for episode_id in ids:
        env = gym.make("LangRearrange-v0", **kwargs)
        seen, _ = env.reset(options={"episode_id": episode_id})
        assert seen in env.observation_space
        singles.append(seen)
        env.close()
    assert np.array_equal(batch["rgb"], [seen["rgb"] for seen in singles])
    assert len({seen["rgb"].tobytes() for seen in singles}) == 3
    moved, *_ = envs.step(np.full(3, skill_index("nav(fridge)")))
    assert (moved["segmentation"] == 2000).any(axis=(1, 2)).all(), "the robot is painted"
    assert (moved["rgb"] != batch["rgb"]).any(axis=(1, 2, 3)).all()
    envs.close()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_an_agent_is_evaluated_on_paintings_and_scored(workers: str) -> None:
    command = ["evaluate", "--agent", "gazer:Gazer", "--in-process", "--episodes", "validation"]
    command += ["--num-episodes", "3", "--workers", workers, "--simulator"]
    assert main([*command, NAME, "--out", "painted.jsonl.gz"]) == 0
    assert main([*command, "embedded", "--out", "drawn.jsonl.gz"]) == 0
    assert main(["score", "painted.jsonl.gz"]) == 0
    painted, drawn = (
        [line.actions for line in read_trace(Path(name)).episodes]
        for name in ("painted.jsonl.gz", "drawn.jsonl.gz")
    )
    assert painted != drawn, "the agent acts by what it sees"
    env = gym.make("LangRearrange-v0", simulator=NAME, split="validation")
    first = open_split("validation").get(0)
    seen, _ = env.reset(options={"episode_id": first.id})
    assert painted[0][0] == int(seen["rgb"].astype(int).sum() + 1) % NUM_SKILLS
    env.close()


def test_a_name_in_the_table_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIMULATORS, "painter", NAME)
    env = gym.make("LangRearrange-v0", simulator="painter", image_size=32)
    env.reset(seed=0)
    env.close()
    with pytest.raises(UsageError, match="camera='habitat' is not taken by simulator='painter'"):
        gym.make("LangRearrange-v0", simulator="painter", camera="habitat")


def test_a_simulator_that_does_not_exist_is_one_sentence(
    capsys: pytest.CaptureFixture[str],
) -> None:
    command = ["play", "train/000017", "--agent", "oracle", "--out", "x.png", "--simulator"]
    assert main([*command, "my_painter:Sculptor"]) == 2
    told = capsys.readouterr().err
    assert "'my_painter' has no class 'Sculptor'; its classes: " in told
    assert told.count("\n") == 1
