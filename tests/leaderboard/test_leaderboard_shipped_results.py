"""What results/ says is what its traces score, and where it came from is written beside it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from langrearrange.generator import open_split
from langrearrange.leaderboard.groups import BOARD_SPLITS
from langrearrange.leaderboard.result_json import report_json
from langrearrange.leaderboard.score import score_trace

RESULTS = Path(__file__).resolve().parents[2] / "results"
NAMES = sorted(path.stem for path in (RESULTS / "runs").glob("*.json"))


def stored(name: str) -> Any:
    return json.loads((RESULTS / "runs" / f"{name}.json").read_text("utf-8"))


def test_there_are_three_seeds_of_llarp_and_the_agents_it_is_compared_with() -> None:
    assert {"llarp_0", "llarp_1", "llarp_2", "lstm_0", "explorer_0", "blind_sweep_0"} <= {*NAMES}


@pytest.mark.parametrize(
    "name",
    [name if name == "llarp_0" else pytest.param(name, marks=pytest.mark.slow) for name in NAMES],
)
def test_a_run_is_what_its_trace_scores(name: str) -> None:
    scored = report_json(score_trace(RESULTS / "traces" / f"{name}.jsonl.gz", open_split))
    said = stored(name)
    assert {key: said[key] for key in scored} == json.loads(json.dumps(scored))


@pytest.mark.parametrize("name", NAMES)
def test_a_run_says_where_it_came_from(name: str) -> None:
    said = stored(name)
    assert set(said["run"]["datasets"]) == {*BOARD_SPLITS}
    assert all(data["sha256"] for data in said["run"]["datasets"].values())
    assert len(said["episodes"]) == 1100
    stages = said["provenance"]["stages"]
    assert "trace" in stages
    for stage in stages.values():
        assert stage["command"].startswith("python -m langrearrange")
        assert len(stage["commit"]) == 40
    seed = said["run"]["seed"]
    assert name == f"{said['learner']}_{seed}"
