"""The map of docs/add-a-modality.md: seen through every env, evaluated, verified when scored."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

import gymnasium as gym
import msgspec
import numpy as np
import pytest
from gymnasium.envs.registration import EnvSpec
from gymnasium.utils.env_checker import data_equivalence
from printed import python_blocks, run_commands, save

import langrearrange  # noqa: F401
from langrearrange.cli.main import main
from langrearrange.env import MODALITIES
from langrearrange.errors import SubmissionError
from langrearrange.generator import open_split
from langrearrange.leaderboard import Trace, read_trace, score
from langrearrange.testing import check_agent, toy_episodes
from langrearrange.world import skill_index

PAGE = "add-a-modality.md"
NAME = "my_map:HouseMap"
EVALUATE = ["evaluate", "--agent", "wanderer:Wanderer", "--episodes", "validation"]
OPTIONS: dict[str, Any] = {"observation": NAME, "episodes": toy_episodes()}


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    (tmp_path / "wanderer.py").write_text(python_blocks(PAGE)[2])
    yield save(PAGE, "my_map", tmp_path, monkeypatch)
    for name in ("my_map", "wanderer"):
        sys.modules.pop(name, None)


def make(**kwargs: Any) -> gym.Env[Any, Any]:
    return gym.make("LangRearrange-v0", **{**OPTIONS, **kwargs})


def test_the_implementation_is_short_and_imports_public_names_only(source: str) -> None:
    assert len(source.splitlines()) < 60
    assert not [line for line in source.splitlines() if "import _" in line or "._" in line]


def test_what_the_page_prints_runs() -> None:
    exec(compile(python_blocks(PAGE)[1], PAGE, "exec"), {})
    run_commands(PAGE)
    assert read_trace(Path("out/map.jsonl.gz")).header.agent.modality == NAME


def test_the_map_counts_what_is_in_sight_and_follows_the_robot() -> None:
    env = make()
    seen, _ = env.reset(options={"episode_id": "toy/000002"})  # a lemon and a cup in the fridge
    assert seen in env.observation_space
    assert seen["map"][..., 1].sum() == 1
    assert seen["map"][..., 2].sum() == 1
    for skill in ("nav(fridge)", "open(fridge)", "pick(lemon)"):
        before, seen = seen, env.step(skill_index(skill))[0]
    assert before["map"][..., 1].sum() == 3
    assert seen["map"][..., 1].sum() == 2
    x, y = np.argwhere(seen["map"][..., 2])[0]
    assert seen["map"][max(x - 3, 0) : x + 4, max(y - 3, 0) : y + 4, 0].any(), "beside the fridge"


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
def test_the_vector_env_shows_what_single_envs_do(mode: str) -> None:
    options = {**OPTIONS, "sampling": "uniform", "horizon": 4, "extras": ("action_mask",)}
    ours = gym.make_vec("LangRearrange-v0", num_envs=3, autoreset_mode=mode, **options)
    theirs = gym.make_vec(
        "LangRearrange-v0",
        num_envs=3,
        vectorization_mode="sync",
        vector_kwargs={"autoreset_mode": mode},
        **options,
    )
    assert data_equivalence(ours.reset(seed=2), theirs.reset(seed=2), exact=True)
    rng = np.random.default_rng(0)
    for _ in range(11):
        actions = rng.integers(0, 70, 3)
        told = ours.step(actions)
        assert data_equivalence(told, theirs.step(actions), exact=True)
        assert told[0] in ours.observation_space
        assert told[0]["map"].shape == (3, 32, 32, 3)


def test_a_class_is_as_good_as_its_name_and_both_survive_json() -> None:
    HouseMap = import_module("my_map").HouseMap
    for observation in (HouseMap, NAME, lambda config: HouseMap(config)):
        assert "map" in make(observation=observation).reset()[0]
    env = gym.make("LangRearrange-v0", observation=HouseMap)
    assert env.spec is not None
    again = gym.make(EnvSpec.from_json(env.spec.to_json()))
    assert again.observation_space == env.observation_space
    assert json.loads(env.spec.to_json())["kwargs"]["observation"] == NAME


def test_a_name_in_the_table_is_enough(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(MODALITIES, "map", NAME)
    assert data_equivalence(make(observation="map").reset()[0], make().reset()[0], exact=True)


def test_agents_that_ask_for_it_are_checked_like_others() -> None:
    check_agent(import_module("wanderer").Wanderer())


@pytest.fixture
def trace() -> Trace:
    assert main([*EVALUATE, "--num-episodes", "3", "--out", "map.jsonl.gz"]) == 0
    return read_trace(Path("map.jsonl.gz"))


def test_workers_evaluate_it_too_and_play_the_same(trace: Trace) -> None:
    workers = ["--num-episodes", "3", "--workers", "2", "--out", "two.jsonl.gz"]
    assert main([*EVALUATE, *workers]) == 0
    two = read_trace(Path("two.jsonl.gz"))
    assert (two.episodes, two.header.played.workers) == (trace.episodes, 2)


def test_its_hashes_are_verified_and_its_runs_never_ranked(trace: Trace) -> None:
    with pytest.raises(SubmissionError, match="name it with --observation"):
        score(trace, open_split)
    whole = score(trace, open_split, observations=[NAME])
    assert whole.tier == "T0"
    forged = msgspec.structs.replace(trace.episodes[1], chain="0" * 32)
    lines = (trace.episodes[0], forged, trace.episodes[2])
    with pytest.raises(SubmissionError, match=f"not those of modality '{NAME}'"):
        score(Trace(trace.header, lines), open_split, observations=[NAME])


def test_a_map_that_shows_something_else_now_is_noticed(
    trace: Trace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(import_module("my_map"), "CELL_MM", 250)
    with pytest.raises(SubmissionError, match="evaluate again with the version that scores"):
        score(trace, open_split, observations=[NAME])


def test_scoring_without_the_module_is_refused_in_one_sentence(
    trace: Trace, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "my_map.py").unlink()
    sys.modules.pop("my_map", None)
    capsys.readouterr()
    assert main(["score", "map.jsonl.gz", "--observation", NAME]) != 0
    told = capsys.readouterr().err
    assert f"the trace is of modality '{NAME}', which cannot be verified here" in told
    assert "importing 'my_map' failed" in told
    assert told.strip().count("\n") == 0
