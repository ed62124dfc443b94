"""A score metric is one row: results, tables and pages follow from it."""

from __future__ import annotations

import dataclasses

import pytest
from handmade import HANDMADE, traces_of
from rich.console import Console

from langrearrange.cli.score_tables import board, one_run
from langrearrange.dataset import EpisodeList
from langrearrange.leaderboard import (
    AgentFacts,
    Plan,
    Result,
    Trace,
    build_board,
    build_page,
    header_of,
    report_json,
    row_of,
    score,
)
from langrearrange.leaderboard.metrics import METRICS, Metric, mean
from langrearrange.leaderboard.replay import Replayed


def scored() -> Result:
    source = EpisodeList(HANDMADE)
    header = header_of(AgentFacts(name="random", modality="state"), Plan(sources=[source]))
    lines = tuple(traces_of("random", HANDMADE).values())
    return score(Trace(header, lines), lambda split: source)


def test_a_new_row_is_computed_and_shown_everywhere(monkeypatch: pytest.MonkeyPatch) -> None:
    def longest(played: object, count: int) -> float:
        return 41.0 + count

    monkeypatch.setitem(METRICS, "longest", Metric("longest run", longest, digits=1))
    result = scored()
    told = f"{41 + len(HANDMADE)}.0"
    values = report_json(result)
    assert values["splits"]["context"]["metrics"]["longest"] == float(told)
    for table in (one_run(result), board([result])):
        with (console := Console(width=200)).capture() as captured:
            console.print(table)
        text = captured.get()
        assert "longest run" in text
        assert told in text
    page = build_page(result, {e.id: e for e in HANDMADE}.__getitem__)
    assert '"longest run"' in page
    assert f'"{told}"' in page
    assert f'"longest run":{{"mean":{told}}}' in build_board([row_of(result)])


def played(**changes: object) -> Replayed:
    first = scored().episodes[0]
    return dataclasses.replace(first, **changes)  # type: ignore[arg-type]


def test_the_published_metrics_by_hand() -> None:
    solved = played(success=True, steps=9, optimal=4, invalid=3, subgoals=1.0, reward=12.0)
    failed = played(success=False, steps=31, optimal=4, invalid=5, subgoals=0.25, reward=-2.0)
    both = (solved, failed)
    assert METRICS["regret"].of(both, 2) == 5
    assert METRICS["invalid_rate"].of(both, 2) == 8 / 40
    assert METRICS["subgoals"].of(both, 5) == 1.25 / 5, "missing episodes reach none"
    assert METRICS["reward"].of(both, 4) == 10 / 4
    assert METRICS["regret"].of([failed], 1) is None
    assert METRICS["invalid_rate"].of([], 3) == 0


def test_undefined_values_are_left_out_of_means_and_shown_as_a_dash() -> None:
    assert mean([None, 1.0, 4.0, None]) == 2.5
    assert mean([None]) is None
    assert METRICS["regret"].text(None) == "-"
    assert METRICS["regret"].text(1.006) == "1.01"
