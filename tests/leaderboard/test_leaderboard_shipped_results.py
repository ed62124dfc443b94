"""What results/ says is what its traces score; rows of version 0 say where they came from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from langrearrange.errors import SubmissionError
from langrearrange.generator import open_split
from langrearrange.leaderboard import read_trace, report_json, score_trace
from langrearrange.leaderboard.groups import BOARD_SPLITS
from langrearrange.leaderboard.transcript import read_transcript

RESULTS = Path(__file__).resolve().parents[2] / "results"
V0 = RESULTS / "v0"
NAMES = sorted(path.stem for path in (V0 / "runs").glob("*.json"))
TODAY = sorted((RESULTS / "traces").glob("*.jsonl.gz"))


@pytest.mark.parametrize("path", TODAY, ids=lambda path: path.name)
def test_a_run_is_what_its_trace_scores(path: Path) -> None:
    scored = report_json(score_trace(path, open_split))
    assert scored["tier"] == "T1"
    name = path.name.removesuffix(".jsonl.gz")
    stored = json.loads((RESULTS / "runs" / f"{name}.json").read_text("utf-8"))
    assert stored == json.loads(json.dumps([scored]))


@pytest.mark.parametrize("name", ["smollm2_plan", "smollm2_logprobs"])
def test_zero_shot_runs_are_what_they_score_and_have_their_transcripts(name: str) -> None:
    path = RESULTS / "zero_shot" / f"{name}.jsonl.gz"
    result = score_trace(path, open_split)
    scored = report_json(result)
    assert scored["tier"] == "T0", "a part of a split"
    stored = json.loads(path.with_name(f"{name}.json").read_text("utf-8"))
    assert stored == json.loads(json.dumps([scored]))
    exchanges = read_transcript(path.with_name(f"{name}.transcript.jsonl.gz"))
    answered = {exchange.instruction for exchange in exchanges}
    assert answered == {episode.instruction for episode in result.episodes}
    table = (RESULTS / "zero_shot" / "README.md").read_text("utf-8")
    success = result.splits["train_eval"].success
    assert f"{success.mean:.3f} [{success.low:.2f}, {success.high:.2f}]" in table


def test_there_are_three_seeds_of_llarp_and_the_agents_it_is_compared_with() -> None:
    assert {"llarp_0", "llarp_1", "llarp_2", "lstm_0", "explorer_0", "blind_sweep_0"} <= {*NAMES}


@pytest.mark.parametrize("name", NAMES)
def test_a_run_of_version_0_says_where_it_came_from(name: str) -> None:
    said: Any = json.loads((V0 / "runs" / f"{name}.json").read_text("utf-8"))
    assert set(said["run"]["datasets"]) == {*BOARD_SPLITS}
    assert all(data["sha256"] for data in said["run"]["datasets"].values())
    assert len(said["episodes"]) == 1100
    stages = said["provenance"]["stages"]
    assert "trace" in stages
    for stage in stages.values():
        assert stage["command"].startswith("python -m langrearrange")
        assert len(stage["commit"]) == 40
    assert name == f"{said['learner']}_{said['run']['seed']}"


def test_a_trace_of_version_0_names_the_page_that_tells_how_to_score_it() -> None:
    with pytest.raises(SubmissionError, match=r"schema version 1, .*results/v0/README\.md"):
        read_trace(V0 / "traces" / "llarp_0.jsonl.gz")
    assert "git worktree add" in (V0 / "README.md").read_text("utf-8")
