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
"""Up to this number of splits, agents are rows; beyond it, they are columns."""
LEGEND = "brackets: clustered 95 % interval; ~: its coverage is not verified"
METRICS_LEGEND = f"{LEGEND}; regret: mean extra steps of successes"


def name_of(result: Result) -> str:
    """Return the name of a run in tables."""
    from rich.markup import escape

    agent = result.header.agent
    return escape(agent.name) + (" (privileged)" if agent.privileged else "")


def interval(value: Interval) -> str:
    """Return `0.420 [0.33, 0.52]`, with a ~ before the interval unless `value.checked`."""
    return f"{value.mean:.3f} {'' if value.checked else '~'}[{value.low:.2f}, {value.high:.2f}]"


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
    legend = LEGEND
    if paper:
        from langrearrange.leaderboard.paper_rows import NOTE

        legend += f"\npaper: {NOTE}; *: the labels of these two cells were probably exchanged"
    return make_table("success [95 % interval] and efficiency", columns, rows, legend=legend)


def one_run(result: Result) -> Table:
    """Return everything of one run, split by split."""
    from langrearrange.leaderboard.metrics import METRICS

    rows: list[list[object]] = []
    for split, scores in result.splits.items():
        metrics = (metric.text(scores.metrics[name]) for name, metric in METRICS.items())
        pair = interval(scores.success), interval(scores.efficiency)
        rows.append([split, scores.num_episodes, *pair, *metrics])
    for name, group in result.groups.items():
        rows.append([name, "", interval(group.success), interval(group.efficiency)])
    columns = ["split", "episodes", "success", "efficiency", *(m.title for m in METRICS.values())]
    title = f"{name_of(result)}, sees {result.header.agent.modality}"
    return make_table(title, columns, rows, legend=METRICS_LEGEND)


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
    texts = []
    for row in rows:
        success = f"{row.success:.3f} +- {row.success_std:.3f}"
        texts.append((row.name, success, f"{row.efficiency:.3f} +- {row.efficiency_std:.3f}"))
    return make_table(title, ["split", "success", "efficiency"], texts)


def _agents_as_rows(results: Sequence[Result], splits: Sequence[str]) -> Table:
    from langrearrange.leaderboard.metrics import METRICS, mean

    rows = []
    for result in results:
        found = result.splits
        shown = [found[s] for s in splits if s in found]
        successes = (interval(found[s].success) if s in found else "-" for s in splits)
        efficiency = sum(s.efficiency.mean for s in shown) / len(shown)
        metrics = (m.text(mean(s.metrics[name] for s in shown)) for name, m in METRICS.items())
        agent = name_of(result), result.header.agent.modality
        rows.append([*agent, *successes, efficiency, *metrics])
    columns = ["agent", "sees", *splits, "efficiency", *(m.title for m in METRICS.values())]
    return make_table("success per split", columns, rows, 2, METRICS_LEGEND)


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
