"""The policies in results/ still load and still play as they were scored."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from langrearrange_baselines.evaluate import EvaluateArgs, run

from langrearrange.generator import open_split
from langrearrange.leaderboard.score import score_trace

RESULTS = Path(__file__).resolve().parents[2] / "results"
POLICIES = sorted(path.name for path in (RESULTS / "checkpoints").iterdir())


@pytest.mark.parametrize("name", POLICIES)
def test_a_shipped_policy_plays_as_it_was_scored(name: str, tmp_path: Path) -> None:
    args = EvaluateArgs(
        checkpoint=RESULTS / "checkpoints" / name,
        out=tmp_path / "trace.jsonl.gz",
        episodes=("train_eval",),
        num_episodes=20,
        encoder_precision="float32",
        seed=int(name.rpartition("_")[2]),
    )
    played = score_trace(run(args), open_split).episodes
    said = json.loads((RESULTS / "runs" / f"{name}.json").read_text("utf-8"))
    before = {episode["id"]: episode["success"] for episode in said["episodes"]}
    # Its encoder saw in bfloat16 when it was scored, and drawn skills turn on the last digit.
    assert sum(before[episode.id] == episode.success for episode in played) >= 16


def test_the_shipped_policies_are_small() -> None:
    sizes = [path.stat().st_size for path in (RESULTS / "checkpoints").rglob("*") if path.is_file()]
    assert sum(sizes) <= 20 << 20
