"""The board: rank ranges instead of false order, reference rows, nothing from the network."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from handmade import HANDMADE, traces_of
from msgspec import structs

from langrearrange.agents import load_rows
from langrearrange.dataset import EpisodeList
from langrearrange.errors import SubmissionError
from langrearrange.leaderboard import (
    AgentFacts,
    Plan,
    Result,
    Trace,
    evaluate,
    header_of,
    read_result,
    read_traces,
    report_json,
    row_of,
    score,
    score_trace,
)
from langrearrange.leaderboard.board import build_board, rank_range, write_board
from langrearrange.leaderboard.groups import GROUPS
from langrearrange.leaderboard.reference import reference_results

SOURCES = {}
for _split in GROUPS["Total"]:
    SOURCES[_split] = EpisodeList(HANDMADE)
    SOURCES[_split].split = _split


def result_of(agent: str, privileged: bool = False) -> Result:
    source = EpisodeList(HANDMADE)
    facts = AgentFacts(name=agent, modality="state", privileged=privileged)
    header = header_of(facts, Plan(sources=[source]))
    lines = tuple(traces_of(agent, HANDMADE).values())
    return replace(score(Trace(header, lines), lambda split: source), foreign=())


RESULTS = [result_of("explorer"), result_of("random"), result_of("oracle", privileged=True)]
ROWS = [row_of(result) for result in RESULTS]


def data_of(page: str) -> dict[str, Any]:
    match = re.search(r'<script id="data" type="application/json">(.*?)</script>', page, re.S)
    assert match
    data: dict[str, Any] = json.loads(match[1])
    return data


def test_ranks_are_ranges_as_the_intervals_allow() -> None:
    intervals = [(0.8, 0.9), (0.5, 0.7), (0.6, 0.75), (0.1, 0.2)]
    assert [rank_range(intervals, i) for i in range(4)] == [(1, 1), (2, 3), (2, 3), (4, 4)]
    assert rank_range([(0.0, 1.0)], 0) == (1, 1)


def test_only_full_unprivileged_runs_are_ranked() -> None:
    rows = [row_of(replace(r, groups={"Total": r.splits["context"]})) for r in RESULTS]  # type: ignore[dict-item]
    ranks = {row["agent"]: row["rank"] for row in data_of(build_board(rows))["rows"]}
    assert ranks["oracle"] is None
    assert ranks["explorer"]
    assert ranks["random"]
    assert ranks["LLaRP (paper)"] is None


def test_the_board_asks_nothing_of_the_network_and_injects_nothing() -> None:
    agent = structs.replace(RESULTS[0].header.agent, name="</script><script>alert(1)%SCRIPT%")
    header = structs.replace(RESULTS[0].header, agent=agent)
    page = build_board([row_of(replace(RESULTS[0], header=header))])
    assert page.count("</script>") == 2
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:)""", page)
    assert data_of(page)["rows"][0]["agent"].startswith("</script>")


def test_boards_are_the_same_for_the_same_results(tmp_path: Path) -> None:
    path = write_board(tmp_path / "new" / "board.html", ROWS)
    assert path.read_text("utf-8") == build_board(ROWS)


@pytest.fixture
def traces(tmp_path: Path) -> Path:
    """A folder of two runs and a file that is none."""
    source = EpisodeList(HANDMADE)
    for name in ("mine", "other"):
        facts = AgentFacts(name=name, modality="state")
        evaluate(
            load_rows("explorer"), facts, Plan(sources=[source]), tmp_path / f"{name}.jsonl.gz"
        )
    (tmp_path / "broken.jsonl.gz").write_bytes(b"no gzip")
    return tmp_path


def judge(path: Path) -> Result:
    return score_trace(path, lambda split: EpisodeList(HANDMADE))


def test_a_bad_file_is_named_and_left_out(traces: Path) -> None:
    (traces / "twice.jsonl.gz").write_bytes((traces / "mine.jsonl.gz").read_bytes())
    facts = AgentFacts(name="Explorer", modality="state")
    plan = Plan(sources=[EpisodeList(HANDMADE)])
    evaluate(load_rows("explorer"), facts, plan, traces / "false.jsonl.gz")
    rows, left_out = read_traces(traces, judge)
    assert [row.result.run.agent.name for row in rows] == ["mine", "other"]
    broken, false, twice = left_out
    assert broken.startswith("broken.jsonl.gz is left out: ")
    assert "'Explorer' is reserved" in false
    assert "the same run as mine.jsonl.gz" in twice


def test_scores_are_kept_by_the_hash_of_the_trace(traces: Path, tmp_path: Path) -> None:
    judged: list[Path] = []

    def counting(path: Path) -> Result:
        judged.append(path)
        return judge(path)

    cache = tmp_path / "scores"
    first, _ = read_traces(traces, counting, cache, "salt")
    again, _ = read_traces(traces, counting, cache, "salt")
    assert again == first
    assert len(judged) == 4, "a broken file is judged each time"
    for kept in cache.iterdir():
        kept.write_text(kept.read_text().replace('"schema_version": 2', '"schema_version": 3'))
    assert read_traces(traces, counting, cache, "salt")[0] == first
    assert len(judged) == 7, "damaged scores are made again"
    read_traces(traces, counting, cache, "another salt")
    assert len(judged) == 10


VALID = report_json(RESULTS[0])
BAD: list[tuple[str, Any]] = [
    ("tier", "T9 certified"),
    ("ranked", 1),
    ("schema_version", 1),
    ("groups", {"Total": {"success": 1.0}}),
    ("splits", {"../x": VALID["splits"]["context"]}),
    ("num_missing", -1),
    ("round", "x"),
    ("extra", 1),
    ("run", VALID["run"] | {"package_version": "\x1b[31m"}),
    ("run", VALID["run"] | {"agent": VALID["run"]["agent"] | {"name": "\u202eme"}}),
    ("run", VALID["run"] | {"agent": VALID["run"]["agent"] | {"perception": "x" * 201}}),
    ("run", VALID["run"] | {"agent": VALID["run"]["agent"] | {"note": "a\u200bb"}}),
]


@pytest.mark.parametrize(("field", "value"), BAD)
def test_a_result_file_holds_what_a_score_can_be(field: str, value: Any) -> None:
    assert read_result(json.dumps(VALID).encode(), "it").num_missing == 0
    with pytest.raises(SubmissionError, match="it: not a result of this release") as caught:
        read_result(json.dumps(VALID | {field: value}).encode(), "it")
    assert str(caught.value).isprintable()


@pytest.mark.parametrize("mean", ["7.5", "-0.1", "NaN", "1e999", "null", '"1"', "true"])
def test_scores_are_numbers_between_zero_and_one(mean: str) -> None:
    interval = VALID["splits"]["context"]["success"]
    text = json.dumps(VALID).replace(f'"mean": {interval["mean"]}', f'"mean": {mean}', 1)
    with pytest.raises(SubmissionError, match="not a result"):
        read_result(text.encode(), "it")


def test_a_folder_without_traces_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="no traces here"):
        read_traces(tmp_path / "nowhere", judge)


def test_reference_rows_are_played_and_marked() -> None:
    results = reference_results({"context": SOURCES["context"]})
    assert set(results) == {"explorer", "blind_sweep"}
    rows = data_of(build_board([row_of(r, reference=True) for r in results.values()]))["rows"]
    assert [row["reference"] for row in rows[:2]] == [True, True]
    assert results["explorer"].splits["context"].success.mean == 1.0
