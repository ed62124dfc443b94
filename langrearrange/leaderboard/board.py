"""A static leaderboard page from result files: no server, nothing that can go down.

Takes what `report_json` gives; never a trace, so nothing is recomputed here.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from langrearrange.errors import SubmissionError
from langrearrange.leaderboard.groups import GROUPS, base_split
from langrearrange.leaderboard.html import fill, write
from langrearrange.leaderboard.metrics import METRICS, mean
from langrearrange.leaderboard.paper_rows import COLUMNS, EXCHANGED, NOTE, PAPER_SUCCESS
from langrearrange.leaderboard.reference import REFERENCE_NOTE
from langrearrange.leaderboard.result_json import SCHEMA_VERSION
from langrearrange.world.vocabulary import BEHAVIOR_SPLITS, PARAPHRASTIC_SPLITS

BOARD_COLUMNS: Final = (
    *reversed(GROUPS), "train_eval", "new_scenes", *PARAPHRASTIC_SPLITS, *BEHAVIOR_SPLITS,
)  # fmt: skip

Values = Mapping[str, Any]


def read_results(folder: Path | str) -> list[dict[str, Any]]:
    """Read every `*.json` of a folder, as `score --out` writes them, in order of their names.

    Raises:
        SubmissionError: no folder, no results, or a file that holds none.
    """
    folder = Path(folder)
    results: list[dict[str, Any]] = []
    for path in sorted(folder.glob("*.json")):
        try:
            found = json.loads(path.read_text("utf-8"))
        except (OSError, ValueError, RecursionError) as error:
            raise SubmissionError(
                f"{path}: no result file ({error}); write it with score"
            ) from None
        for result in found if isinstance(found, list) else [found]:
            _check(result, path)
            results.append(result)
    if not results:
        raise SubmissionError(
            f"{folder}: no result files here; write some with `langrearrange score RUN --out FILE`"
        )
    return results


def write_board(path: Path | str, results: Sequence[Values]) -> Path:
    """Write the board.

    Args:
        path: the HTML file.
        results: from `report_json` or `read_results`, reference rows among them.

    Returns:
        The path.
    """
    return write(path, build_board(results))


def build_board(results: Sequence[Values]) -> str:
    """Return the board as text; see `write_board`."""
    rows = [_row(result) for result in results]
    for protocol in {row["protocol"] for row in rows}:
        _rank([row for row in rows if row["protocol"] == protocol])
    data = {
        "columns": (*BOARD_COLUMNS, *(metric.title for metric in METRICS.values())),
        "digits": {metric.title: metric.digits for metric in METRICS.values()},
        "rows": [*rows, *_paper_rows()],
        "exchanged": EXCHANGED,
        "paper_note": f"Grey rows are the paper's (Tables 2 and 5): {NOTE}. * These two cells "
        "probably carry each other's label, as the released files of these splits do.",
    }
    return fill("board", data)


def rank_range(intervals: Sequence[tuple[float, float]], index: int) -> tuple[int, int]:
    """Return the best and worst place that the intervals allow, counted from 1."""
    low, high = intervals[index]
    others = [pair for i, pair in enumerate(intervals) if i != index]
    better = sum(other_low > high for other_low, _ in others)
    worse = sum(other_high < low for _, other_high in others)
    return 1 + better, len(intervals) - worse


def _row(result: Values) -> dict[str, Any]:
    agent = result["run"]["agent"]
    cells = {base_split(name): _cell(scores) for name, scores in result["splits"].items()}
    cells |= {name: _cell(group) for name, group in result["groups"].items()}
    splits = list(result["splits"].values())
    for name, metric in METRICS.items():
        value = mean(scores[name] for scores in splits)
        if value is not None:
            cells[metric.title] = {"mean": value}
    return {
        "agent": agent["name"],
        "sees": agent["modality"],
        "tier": result["tier"],
        "protocol": result["run"]["protocol"],
        "reference": agent.get("note") == REFERENCE_NOTE,
        "cells": cells,
        "rank": None,
    }


def _cell(scores: Values) -> dict[str, Any]:
    shown = {name: scores["success"][name] for name in ("mean", "low", "high", "checked")}
    return {**shown, "efficiency": scores["efficiency"]["mean"]}


def _rank(rows: Sequence[dict[str, Any]]) -> None:
    ranked = [row for row in rows if row["tier"] != "T0" and "Total" in row["cells"]]
    intervals = [(row["cells"]["Total"]["low"], row["cells"]["Total"]["high"]) for row in ranked]
    for index, row in enumerate(ranked):
        row["rank"] = rank_range(intervals, index)


def _paper_rows() -> list[dict[str, Any]]:
    return [
        {
            "agent": f"{method} (paper)",
            "sees": "rgb",
            "tier": "paper",
            "paper": True,
            "rank": None,
            "cells": {
                column: {"mean": percent / 100}
                for column, percent in zip(COLUMNS, values, strict=True)
            },
        }
        for method, values in PAPER_SUCCESS.items()
    ]


def _check(result: Any, path: Path) -> None:
    if not isinstance(result, dict) or not {"splits", "groups", "run", "tier"} <= result.keys():
        raise SubmissionError(
            f"{path}: no result file; write it with `langrearrange score RUN --out FILE`"
        )
    version = result.get("schema_version")
    if version != SCHEMA_VERSION:
        raise SubmissionError(
            f"{path}: result version {version!r}, this release reads {SCHEMA_VERSION}; score again"
        )
