"""The board: rank ranges instead of false order, reference rows, nothing from the network."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from handmade import HANDMADE, traces_of

from langrearrange.dataset import EpisodeList
from langrearrange.errors import SubmissionError
from langrearrange.leaderboard import AgentFacts, Plan, Trace, header_of, report_json, score
from langrearrange.leaderboard.board import build_board, rank_range, read_results, write_board
from langrearrange.leaderboard.groups import GROUPS
from langrearrange.leaderboard.reference import reference_results

SOURCES = {}
for _split in GROUPS["Total"]:
    SOURCES[_split] = EpisodeList(HANDMADE)
    SOURCES[_split].split = _split


def result_of(agent: str, privileged: bool = False) -> dict[str, Any]:
    source = EpisodeList(HANDMADE)
    facts = AgentFacts(name=agent, modality="state", privileged=privileged)
    header = header_of(facts, Plan(sources=[source]))
    lines = tuple(traces_of(agent, HANDMADE).values())
    return report_json(score(Trace(header, lines), lambda split: source))


RESULTS = [result_of("explorer"), result_of("random"), result_of("oracle", privileged=True)]


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
    results = [json.loads(json.dumps(result)) for result in RESULTS]
    for result in results:
        result["groups"] = {"Total": result["splits"]["context"]}
    ranks = {row["agent"]: row["rank"] for row in data_of(build_board(results))["rows"]}
    assert ranks["oracle"] is None
    assert ranks["explorer"]
    assert ranks["random"]
    assert ranks["LLaRP (paper)"] is None


def test_the_board_asks_nothing_of_the_network_and_injects_nothing() -> None:
    evil = json.loads(json.dumps(RESULTS[0]))
    evil["run"]["agent"]["name"] = "</script><script>alert(1)</script>%SCRIPT%"
    page = build_board([evil])
    assert page.count("</script>") == 2
    assert not re.search(r"""(src|href)\s*=\s*["'](?!data:)""", page)
    assert data_of(page)["rows"][0]["agent"].startswith("</script>")


def test_boards_are_the_same_for_the_same_results(tmp_path: Path) -> None:
    path = write_board(tmp_path / "new" / "board.html", RESULTS)
    assert path.read_text("utf-8") == build_board(RESULTS)


def test_results_are_read_from_a_folder_alone_and_in_lists(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(json.dumps(RESULTS[0]))
    (tmp_path / "b.json").write_text(json.dumps(RESULTS[1:]))
    assert read_results(tmp_path) == json.loads(json.dumps(RESULTS))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no result file"),
        ("[1]", "no result file"),
        ("{}", "no result file"),
        ("[" * 100_000, "no result file"),
        (json.dumps({**RESULTS[0], "schema_version": 99}), "result version 99"),
    ],
)
def test_files_that_hold_no_result_are_refused(tmp_path: Path, text: str, message: str) -> None:
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(SubmissionError, match=message):
        read_results(tmp_path)


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(SubmissionError, match="no result files"):
        read_results(tmp_path / "nowhere")


def test_reference_rows_are_played_and_marked() -> None:
    results = reference_results({"context": SOURCES["context"]})
    assert set(results) == {"explorer", "blind_sweep"}
    rows = data_of(build_board([report_json(r) for r in results.values()]))["rows"]
    assert [row["reference"] for row in rows[:2]] == [True, True]
    assert results["explorer"].splits["context"].success.mean == 1.0
