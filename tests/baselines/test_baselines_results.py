"""The policies in results/v0 still load and still play, on the episodes of today."""

from __future__ import annotations

from pathlib import Path

import pytest
from langrearrange_baselines.evaluate import EvaluateArgs, run

from langrearrange.generator import open_split
from langrearrange.leaderboard.score import score_trace

RESULTS = Path(__file__).resolve().parents[2] / "results" / "v0"
POLICIES = sorted(path.name for path in (RESULTS / "checkpoints").iterdir())


@pytest.mark.parametrize("name", POLICIES)
def test_a_shipped_policy_plays_far_above_chance(name: str, tmp_path: Path) -> None:
    args = EvaluateArgs(
        checkpoint=RESULTS / "checkpoints" / name,
        out=tmp_path / "trace.jsonl.gz",
        episodes=("train_eval",),
        num_episodes=20,
        encoder_precision="float32",
        seed=int(name.rpartition("_")[2]),
    )
    played = score_trace(run(args), open_split).episodes
    assert sum(episode.success for episode in played) >= 10, "0.79 when it was scored, random 0.19"


def test_the_shipped_policies_are_small() -> None:
    sizes = [path.stat().st_size for path in (RESULTS / "checkpoints").rglob("*") if path.is_file()]
    assert sum(sizes) <= 20 << 20
