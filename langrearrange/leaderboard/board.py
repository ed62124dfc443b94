"""Builds a static leaderboard page from traces.

Every trace is replayed; its scores are cached by its hash.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple

from langrearrange.errors import LangRearrangeError, SubmissionError
from langrearrange.leaderboard.groups import GROUPS, base_split
from langrearrange.leaderboard.html import fill, write
from langrearrange.leaderboard.metrics import METRICS, mean
from langrearrange.leaderboard.paper_rows import COLUMNS, EXCHANGED, NOTE, PAPER_SUCCESS
from langrearrange.leaderboard.preflight import refuse_reserved
from langrearrange.leaderboard.result_json import (
    GroupRecord,
    ResultRecord,
    read_result,
    report_json,
)
from langrearrange.leaderboard.rounds import sha256_of
from langrearrange.leaderboard.score import Result
from langrearrange.world.vocabulary import BEHAVIOR_SPLITS, PARAPHRASTIC_SPLITS

BOARD_COLUMNS: Final = (
    *reversed(GROUPS), "train_eval", "new_scenes", *PARAPHRASTIC_SPLITS, *BEHAVIOR_SPLITS,
)  # fmt: skip
SELF_REPORTED: Final = "self-reported"
TIERS: Final = {"T0": "T0 no place", "T1": "T1 self-reported", "T2": "T2 sealed"}


class Row(NamedTuple):
    """A run on the board; the board itself makes the runs of reference rows."""

    result: ResultRecord
    reference: bool = False


def row_of(result: Result, *, reference: bool = False) -> Row:
    """Return the row of a scored run."""
    return Row(read_result(json.dumps(report_json(result)).encode(), "the run"), reference)


def read_traces(
    folder: Path | str, judge: Callable[[Path], Result], cache: Path | None = None, salt: str = ""
) -> tuple[list[Row], list[str]]:
    """Score every `*.jsonl.gz` of a folder, in order of their names.

    Args:
        folder: of traces.
        judge: scores a trace.
        cache: folder where scores are kept by the hash of the trace, None for none.
        salt: all else that the scores depend on: package, options, data.

    Returns:
        The rows, and a sentence for each file that is left out.

    Raises:
        SubmissionError: the folder holds no traces.
    """
    paths = sorted(Path(folder).glob("*.jsonl.gz"))
    if not paths:
        raise SubmissionError(
            f"{folder}: no traces here (NAME.jsonl.gz); write some with `langrearrange evaluate`"
        )
    rows: list[Row] = []
    left_out: list[str] = []
    seen: dict[str, Path] = {}
    for path in paths:
        try:
            sha256 = sha256_of(path)
            if sha256 in seen:
                raise SubmissionError(f"the same run as {seen[sha256].name}")
            row = _scored(path, judge, cache and cache / f"{_digest(sha256, salt)}.json")
            refuse_reserved(row.result.run.agent.name)
        except (LangRearrangeError, OSError) as error:
            left_out.append(f"{path.name} is left out: {error}")
        else:
            seen[sha256] = path
            rows.append(row)
    return rows, left_out


def _scored(path: Path, judge: Callable[[Path], Result], kept: Path | None) -> Row:
    if kept is not None and kept.is_file():
        with contextlib.suppress(SubmissionError):  # damaged: score again
            return Row(read_result(kept.read_bytes(), str(kept)))
    result = judge(path)
    if kept is not None:
        kept.parent.mkdir(parents=True, exist_ok=True)
        kept.write_text(json.dumps(report_json(result)), "utf-8")
    return row_of(result)


def _digest(*parts: str) -> str:
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()


def write_board(path: Path | str, runs: Sequence[Row]) -> Path:
    """Write the board.

    Args:
        path: the HTML file.
        runs: from `read_traces`, reference rows among them.

    Returns:
        The path.
    """
    return write(path, build_board(runs))


def build_board(runs: Sequence[Row]) -> str:
    """Return the board as text; see `write_board`."""
    rows = board_rows(runs)
    boards = sorted({row["board"] for row in rows}, key=lambda name: (name[:6] != "sealed", name))
    data = {
        "boards": boards or [SELF_REPORTED],
        "columns": (*BOARD_COLUMNS, *(metric.title for metric in METRICS.values())),
        "digits": {metric.title: metric.digits for metric in METRICS.values()},
        "rows": [*rows, *_paper_rows()],
        "exchanged": EXCHANGED,
        "paper_note": f"The paper's rows are from its Tables 2 and 5: {NOTE}. * These two cells "
        "probably carry each other's label, as the released files of these splits do.",
    }
    return fill("board", data)


def board_rows(runs: Sequence[Row]) -> list[dict[str, Any]]:
    """Return what the page shows of each run, with its places; those of a round are apart."""
    rows = [_row(*run) for run in runs]
    for board in {(row["board"], row["tier"]) for row in rows}:
        _rank([row for row in rows if (row["board"], row["tier"]) == board])
    return rows


def rank_range(intervals: Sequence[tuple[float, float]], index: int) -> tuple[int, int]:
    """Return the best and worst place that the intervals allow, counted from 1."""
    low, high = intervals[index]
    others = [pair for i, pair in enumerate(intervals) if i != index]
    better = sum(other_low > high for other_low, _ in others)
    worse = sum(other_high < low for _, other_high in others)
    return 1 + better, len(intervals) - worse


def _row(result: ResultRecord, reference: bool) -> dict[str, Any]:
    agent, played = result.run.agent, result.run.played
    cells = {base_split(name): _cell(scores) for name, scores in result.splits.items()}
    cells |= {name: _cell(group) for name, group in result.groups.items()}
    for name, metric in METRICS.items():
        value = mean(scores.metrics.get(name) for scores in result.splits.values())
        if value is not None:
            cells[metric.title] = {"mean": value}
    marks = {
        f"{result.num_interrupted} episodes begun again": result.num_interrupted,
        f"pictures verified: {result.compared}": result.compared != "all",
        "seems to know hidden places": result.clairvoyance.suspicious,
        "privileged": agent.privileged,
        f"simulator {played.simulator}": played.simulator != "embedded",
        f"round {result.round[:12]}": result.round,
    }
    return {
        "agent": agent.name,
        "sees": agent.modality,
        "perception": agent.perception,
        "board": (f"sealed round {result.round[:12]}" if result.round else SELF_REPORTED)
        + (", hard" if result.run.protocol == "hard" else ""),
        # The board played its reference rows itself: they need no isolation.
        "tier": TIERS["T2" if reference and result.round else result.tier],
        "played": f"{played.interface}, isolation: {played.isolation}",
        "marks": "; ".join(mark for mark, holds in marks.items() if holds),
        "reference": reference,
        "cells": cells,
        "rank": None,
    }


def _cell(scores: GroupRecord) -> dict[str, Any]:
    shown = {name: getattr(scores.success, name) for name in ("mean", "low", "high", "checked")}
    return {**shown, "efficiency": scores.efficiency.mean}


def _rank(rows: Sequence[dict[str, Any]]) -> None:
    ranked = [r for r in rows if r["tier"] != TIERS["T0"] and "Total" in r["cells"]]
    intervals = [(row["cells"]["Total"]["low"], row["cells"]["Total"]["high"]) for row in ranked]
    for index, row in enumerate(ranked):
        row["rank"] = rank_range(intervals, index)


def _paper_rows() -> list[dict[str, Any]]:
    return [
        {
            "agent": f"{method} (paper)",
            "sees": "rgb",
            "tier": "paper",
            "played": "",
            "marks": "",
            "paper": True,
            "rank": None,
            "cells": {
                column: {"mean": percent / 100}
                for column, percent in zip(COLUMNS, values, strict=True)
            },
        }
        for method, values in PAPER_SUCCESS.items()
    ]
