"""The policies in results/v0 still load and still play, on the episodes of today."""

from __future__ import annotations

from pathlib import Path

import pytest
from langrearrange_baselines.evaluate import EvaluateArgs, run

from langrearrange.generator import open_split
from langrearrange.leaderboard.score import score_trace

RESULTS = Path(__file__).resolve().parents[2] / "results" / "v0"
PAGES = (*RESULTS.parent.rglob("README.md"), *RESULTS.parent.rglob("tables.md"))
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


@pytest.mark.parametrize("page", PAGES, ids=lambda page: "/".join(page.parts[-2:]))
def test_every_page_of_results_names_the_perception(page: Path) -> None:
    text = page.read_text("utf-8").lower()
    assert "perception" in text
    assert any(kind in text for kind in ("supervised detector", "generic pixels", "state"))
