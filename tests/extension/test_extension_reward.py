"""The sparse reward of docs/add-a-reward.md, learned from and without a say in any score."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from printed import python_blocks, run_commands, save

import langrearrange  # noqa: F401
from langrearrange.env import REWARDS
from langrearrange.generator import open_split
from langrearrange.leaderboard import read_trace, score_trace
from langrearrange.testing import toy_episodes
from langrearrange.world import skill_index

PAGE = "add-a-reward.md"
NAME = "my_reward:Sparse"
TOY = toy_episodes()
PLANS = [[skill_index(skill) for skill in episode.plan] for episode in TOY]


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "practised.py").write_text(python_blocks(PAGE)[2])
    yield save(PAGE, "my_reward", tmp_path, monkeypatch)
    for name in ("my_reward", "practised"):
        sys.modules.pop(name, None)


def test_the_implementation_is_short(source: str) -> None:
    assert len(source.splitlines()) < 20


def test_what_the_page_prints_runs() -> None:
    exec(compile(python_blocks(PAGE)[1], PAGE, "exec"), {})
    run_commands(PAGE)


def earned(reward: Any) -> list[list[float]]:
    """The rewards along the plans, through the single env."""
    env = gym.make("LangRearrange-v0", episodes=TOY, observation="state", reward=reward)
    told = []
    for episode, plan in zip(TOY, PLANS, strict=True):
        env.reset(options={"episode_id": episode.id})
        told.append([float(env.step(skill)[1]) for skill in plan])
    return told


def test_it_pays_at_the_end_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    Sparse = import_module("my_reward").Sparse
    expected = [[0.0] * (len(plan) - 1) + [1 - 0.01 * len(plan)] for plan in PLANS]
    monkeypatch.setitem(REWARDS, "sparse", NAME)
    for reward in (NAME, Sparse, Sparse(), "sparse", lambda told: Sparse()(told)):
        assert earned(reward) == expected


def test_the_vector_env_pays_the_same() -> None:
    env = gym.make_vec(
        "LangRearrange-v0",
        num_envs=len(TOY),
        episodes=TOY,
        observation="state",
        reward=NAME,
        autoreset_mode="Disabled",
    )
    env.reset(seed=0)
    told = np.zeros(len(TOY))
    for step in range(max(map(len, PLANS))):
        row = [plan[step] if step < len(plan) else None for plan in PLANS]
        told += env.step(row)[1]
    np.testing.assert_allclose(told, [1 - 0.01 * len(plan) for plan in PLANS])


def test_a_score_knows_the_papers_reward_only() -> None:
    run_commands(PAGE)
    result = score_trace(Path("out/practised.jsonl.gz"), open_split)
    assert result.splits["validation"].success.mean > 0.5, "it has kept the explorer"
    trace = read_trace(Path("out/practised.jsonl.gz"))
    returns = []
    for line in trace.episodes:
        env = gym.make("LangRearrange-v0", split="validation", observation="state")
        env.reset(options={"episode_id": line.id})
        returns.append(sum(float(env.step(action)[1]) for action in line.actions))
    assert result.splits["validation"].metrics["reward"] == pytest.approx(np.mean(returns))
