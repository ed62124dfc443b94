"""Writes tests/golden/run.jsonl.gz and run_result.json: a trace and what it must score."""

from __future__ import annotations

import json
import sys
from pathlib import Path

FOLDER = Path(__file__).parent
sys.path.insert(0, str(FOLDER.parent))

from handmade import HANDMADE  # noqa: E402

from langrearrange.agents import load_rows  # noqa: E402
from langrearrange.dataset import EpisodeList  # noqa: E402
from langrearrange.leaderboard import (  # noqa: E402
    AgentFacts,
    Plan,
    evaluate,
    report_json,
    score_trace,
)

RUN, RESULT = FOLDER / "run.jsonl.gz", FOLDER / "run_result.json"
SOURCE = EpisodeList(HANDMADE)


def result_text() -> str:
    """Return the stored run's result as the file holds it."""
    result = report_json(score_trace(RUN, lambda split: SOURCE))
    return json.dumps(result, indent=1, allow_nan=False) + "\n"


if __name__ == "__main__":
    facts = AgentFacts(name="blind_sweep", modality="state", note="golden run")
    evaluate(load_rows("blind_sweep"), facts, Plan(sources=[SOURCE]), RUN, force=True)
    RESULT.write_text(result_text())
