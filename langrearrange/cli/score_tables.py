"""The tables of `langrearrange score`: splits by agents, one run in full, templates, causes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from langrearrange.cli.common import make_table

if TYPE_CHECKING:
    from rich.table import Table

    from langrearrange.leaderboard.score import Result, Scores
    from langrearrange.leaderboard.spread import Spread
    from langrearrange.leaderboard.statistics import Interval

WIDE = 3
"""With at most so many splits, agents are rows; with more, they are columns."""


def name_of(result: Result) -> str:
    """Return what a run is called in tables."""
    from rich.markup import escape

    agent = result.header.agent
    name = escape(agent.name)
    return f"{name} (privileged)" if agent.privileged else name


def interval(value: Interval) -> str:
    """Return `0.420 [0.33, 0.52]`; a ~ marks intervals whose coverage was not simulated."""
    mark = "" if value.checked else "~"
    return f"{value.mean:.3f} {mark}[{value.low:.2f}, {value.high:.2f}]"


def board(results: Sequence[Result], *, paper: bool = False) -> Table:
    """Return success and efficiency of several runs."""
    splits = list(dict.fromkeys(split for result in results for split in result.splits))
    if len(splits) <= WIDE and not paper:
        return _agents_as_rows(results, splits)
    groups = [g for g in ("PR", "BG", "Total") if all(g in r.groups for r in results)]
    columns = ["split", *(f"{name_of(r)}\nsees {r.header.agent.modality}" for r in results)]
    shown = _paper_rows() if paper else {}
    columns += [f"[dim]{name}\npaper[/dim]" for name in shown]
    rows = [
        [
            name,
            *(_cell(result.splits.get(name) or result.groups.get(name)) for result in results),
            *(f"[dim]{row.get(name, '-')}[/dim]" for row in shown.values()),
        ]
        for name in (*splits, *groups)
    ]
    table = make_table("success [95 % interval] and efficiency", columns, rows)
    if paper:
        from langrearrange.leaderboard.paper_rows import NOTE

        table.caption = f"paper: {NOTE}; * these two cells probably carry each other's label"
    return table


def one_run(result: Result) -> Table:
    """Return everything of one run, split by split."""
    from langrearrange.leaderboard.metrics import METRICS

    rows: list[list[object]] = [
        [
            split,
            scores.num_episodes,
            interval(scores.success),
            interval(scores.efficiency),
            *(metric.text(scores.metrics[name]) for name, metric in METRICS.items()),
        ]
        for split, scores in result.splits.items()
    ]
    for name, group in result.groups.items():
        rows.append([name, "", interval(group.success), interval(group.efficiency)])
    columns = ["split", "episodes", "success", "efficiency"]
    columns += [metric.title for metric in METRICS.values()]
    return make_table(f"{name_of(result)}, sees {result.header.agent.modality}", columns, rows)


def templates(result: Result) -> Table:
    """Return success and efficiency per template."""
    rows = [
        (row.template, row.split, row.num_episodes, row.success, row.efficiency)
        for row in result.templates
    ]
    columns = ["template", "split", "episodes", "success", "efficiency"]
    return make_table(f"{name_of(result)}, per template", columns, rows, left=2)


def causes(result: Result) -> Table:
    """Return why episodes failed, split by split."""
    rows = [
        (split, cause, count)
        for split, scores in result.splits.items()
        for cause, count in scores.causes.items()
    ]
    title = f"{name_of(result)}, why episodes failed"
    return make_table(title, ["split", "cause", "episodes"], rows, left=2)


def spreads(rows: Sequence[Spread], name: str) -> Table:
    """Return mean and spread of several runs of one agent."""
    title = f"{name}, {rows[0].num_runs} runs: mean +- sample standard deviation"
    texts = [
        (
            row.name,
            f"{row.success:.3f} +- {row.success_std:.3f}",
            f"{row.efficiency:.3f} +- {row.efficiency_std:.3f}",
        )
        for row in rows
    ]
    return make_table(title, ["split", "success", "efficiency"], texts)


def _agents_as_rows(results: Sequence[Result], splits: Sequence[str]) -> Table:
    from langrearrange.leaderboard.metrics import METRICS, mean

    rows = []
    for result in results:
        shown = [result.splits[s] for s in splits if s in result.splits]
        rows.append(
            [
                name_of(result),
                result.header.agent.modality,
                *(
                    interval(result.splits[s].success) if s in result.splits else "-"
                    for s in splits
                ),
                sum(s.efficiency.mean for s in shown) / len(shown),
                *(
                    metric.text(mean(scores.metrics[name] for scores in shown))
                    for name, metric in METRICS.items()
                ),
            ]
        )
    columns = ["agent", "sees", *splits, "efficiency"]
    columns += [metric.title for metric in METRICS.values()]
    return make_table("success per split, 95 % clustered interval", columns, rows, left=2)


def _cell(scores: Scores | Any | None) -> str:
    if scores is None:
        return "-"
    return f"{interval(scores.success)}\nefficiency {scores.efficiency.mean:.3f}"


def _paper_rows() -> dict[str, dict[str, str]]:
    from langrearrange.leaderboard.paper_rows import COLUMNS, EXCHANGED, PAPER_SUCCESS

    return {
        method: {
            column: f"{percent / 100:.2f}{'*' if column in EXCHANGED else ''}"
            for column, percent in zip(COLUMNS, values, strict=True)
        }
        for method, values in PAPER_SUCCESS.items()
        if method in ("LLaRP", "LSTM-Flan", "ZS-ChatGPT")
    }
