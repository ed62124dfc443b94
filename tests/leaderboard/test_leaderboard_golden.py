"""A stored run scores the same, bit by bit, and its agent plays it again the same."""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "golden"))

import msgspec
from handmade import HANDMADE
from make_run import RESULT, RUN, SOURCE, result_text

from langrearrange.agents import load_rows
from langrearrange.dataset import EpisodeList
from langrearrange.leaderboard import AgentFacts, Plan, evaluate, read_trace, with_reference_rows
from langrearrange.leaderboard.groups import BOARD_SPLITS


def test_the_stored_run_scores_bit_equal() -> None:
    assert result_text() == RESULT.read_text()


def test_the_stored_run_is_played_again_the_same(tmp_path: Path) -> None:
    facts = AgentFacts(name="blind_sweep", modality="state", note="golden run")
    path = evaluate(
        load_rows("blind_sweep"), facts, Plan(sources=[SOURCE]), tmp_path / "r.jsonl.gz"
    )
    assert read_trace(path).episodes == read_trace(RUN).episodes


def of_split(split: str) -> EpisodeList:
    renamed = [
        msgspec.structs.replace(e, id=f"{split}/{i:06d}", split=split)
        for i, e in enumerate(HANDMADE)
    ]
    return EpisodeList(renamed)


def test_reference_rows_are_added_where_they_are_lacking() -> None:
    mine = {"run": {"protocol": "paper", "agent": {"name": "mine"}}}
    completed = with_reference_rows([mine], of_split)
    assert [r["run"]["agent"]["name"] for r in completed] == ["mine", "explorer", "blind_sweep"]
    assert set(completed[1]["splits"]) == set(BOARD_SPLITS)
    assert with_reference_rows(completed, of_split) == completed
    # A run of one's own is no reference row, whatever its agent is called.
    own = [
        {"run": {"protocol": "paper", "agent": {"name": r["run"]["agent"]["name"]}}}
        for r in completed
    ]
    assert with_reference_rows(own, of_split)[len(own) :] == completed[1:]
