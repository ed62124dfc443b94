"""Sealed sets: tier T2, counted as the split they are like; an honest agent's route to a rank."""

from __future__ import annotations

from pathlib import Path

import pytest

from langrearrange.agents import load_rows
from langrearrange.dataset import Dataset, open_dataset
from langrearrange.errors import SubmissionError
from langrearrange.generator import SplitSpec, generate_split
from langrearrange.leaderboard import AgentFacts, Plan, evaluate, group_scores, score_trace


@pytest.fixture(scope="module")
def sealed(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    folder = tmp_path_factory.mktemp("sealed") / "context"
    spec = SplitSpec(name="sealed_context", templates="context", num_episodes=16, key="k" * 16)
    generate_split(spec, folder, workers=1)
    return open_dataset(folder)


def run(agent: str, source: Dataset, out: Path) -> Path:
    rows = load_rows(agent)
    facts = AgentFacts(name=agent, modality=rows.modality, privileged=agent == "oracle")
    return evaluate(rows, facts, Plan(sources=[source]), out)


def test_a_run_on_sealed_episodes_is_of_tier_t2(sealed: Dataset, tmp_path: Path) -> None:
    path = run("explorer", sealed, tmp_path / "run.jsonl.gz")
    result = score_trace(path, lambda split: sealed)
    assert result.tier == "T2"
    assert list(result.splits) == ["sealed_context"]


def test_a_privileged_run_is_of_tier_t0_even_there(sealed: Dataset, tmp_path: Path) -> None:
    path = run("oracle", sealed, tmp_path / "run.jsonl.gz")
    result = score_trace(path, lambda split: sealed)
    assert result.tier == "T0"
    assert result.splits["sealed_context"].success.mean == 1.0


def test_a_sealed_set_stands_for_the_split_it_is_like(sealed: Dataset, tmp_path: Path) -> None:
    path = run("random", sealed, tmp_path / "run.jsonl.gz")
    scores = score_trace(path, lambda split: sealed).splits["sealed_context"]
    others = ("instruction_rephrasing", "referring_expressions", "spatial_relationships")
    splits = {name: scores for name in (*others, "irrelevant_text")} | {"sealed_context": scores}
    assert set(group_scores(splits)) == {"PR"}


def test_the_published_split_does_not_do_for_the_sealed_one(
    sealed: Dataset, tmp_path: Path
) -> None:
    path = run("random", sealed, tmp_path / "run.jsonl.gz")
    spec = SplitSpec(name="sealed_context", templates="context", num_episodes=16, key="z" * 16)
    generate_split(spec, tmp_path / "other", workers=1)
    with pytest.raises(SubmissionError, match="other episodes of 'sealed_context'"):
        score_trace(path, lambda split: open_dataset(tmp_path / "other"))
