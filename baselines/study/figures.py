"""Plots of a study: success by split beside the paper's (Figures 3, 5, 11), over env steps (4a).

They take numbers and return matplotlib figures; nothing is scored here.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from langrearrange.leaderboard.statistics import Interval

from ..engine.curves import new_figure
from ..engine.metrics import WINDOW
from ..tensors import read_json_lines
from .paper import SAME, Published

# Okabe and Ito's colours, safe for colour-blind readers.
COLOURS: Final = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
GREY: Final = "#BBBBBB"


def bars(
    ours: Mapping[str, Mapping[str, Interval]],
    paper: Mapping[str, Mapping[str, Published]],
    metric: str,
) -> Any:
    """Return a Figure of a metric by group and split, with the paper's rows of our arms in grey.

    Args:
        ours: row -> group or split -> interval.
        paper: method -> group or split -> number.
        metric: for the axis.
    """
    columns = list(next(iter(ours.values())))
    shown = {name.partition("@")[0] for name in ours}
    greys = {SAME[name]: paper[SAME[name]] for name in SAME if name in shown}
    width = 0.8 / max(1, len(ours) + len(greys))
    figure = new_figure(max(10.0, 1.4 * len(columns)), 4.5)
    axes = figure.subplots()
    for number, (name, row) in enumerate(ours.items()):
        at = [i + number * width for i in range(len(columns))]
        found = [row[column] for column in columns]
        error = [[v.mean - v.low for v in found], [v.high - v.mean for v in found]]
        axes.bar(at, [v.mean for v in found], width, yerr=error, label=name,
                 color=COLOURS[number % len(COLOURS)], error_kw={"elinewidth": 0.8})  # fmt: skip
    for number, (method, numbers) in enumerate(greys.items(), start=len(ours)):
        at = [i + number * width for i, column in enumerate(columns) if column in numbers]
        kept = [numbers[column] for column in columns if column in numbers]
        axes.bar(at, [v.mean for v in kept], width, yerr=[v.spread or 0.0 for v in kept],
                 label=f"{method} (paper, Habitat)", color=GREY, edgecolor="white",
                 error_kw={"elinewidth": 0.8, "ecolor": "#888888"})  # fmt: skip
    axes.set_xticks([i + 0.4 for i in range(len(columns))], columns, rotation=30, ha="right")
    axes.set_ylabel(metric)
    axes.set_ylim(0, 1)
    axes.legend(fontsize=7, ncols=2)
    return figure


def points(home: Path) -> list[tuple[int, float, str]]:
    """Return (env steps, success, stage) of one run: rounds of DAgger, then updates of PPO.

    Success in PPO is the mean over templates, however often each was drawn.
    In a round of DAgger the expert takes some of the steps, so these values are not scores. Updates
    whose window contains the first episodes are left out, since short episodes end first.
    """
    warm = read_json_lines(home / "imitation" / "metrics.jsonl")
    rounds = {r["stage"]: (r["env_steps"], r["recorded_success"]) for r in warm}
    found = [(*rounds[s], "dagger") for s in sorted(rounds) if s.startswith("dagger")]
    before = max((r["env_steps"] for r in warm), default=0)
    for record in read_json_lines(home / "ppo" / "metrics.jsonl"):
        rates = record["success_by_template"].values()
        if rates and record["episodes"] >= 2 * WINDOW:
            found.append((before + record["env_steps"], sum(rates) / len(rates), "ppo"))
    return found


def curves(homes: Mapping[str, Sequence[Path]]) -> Any:
    """Return a Figure: success while training over env steps, a line a run.

    Args:
        homes: arm -> folders of its runs.
    """
    figure = new_figure(10, 4.5)
    left, right = figure.subplots(1, 2, sharey=True)
    for index, (name, runs) in enumerate(homes.items()):
        for number, found in enumerate(map(points, runs)):
            style: dict[str, Any] = {"color": COLOURS[index % len(COLOURS)], "alpha": 0.85}
            style["label"] = name if number == 0 else None
            for axes, kind, mark in ((left, "dagger", "o"), (right, "ppo", None)):
                curve = [(x, y) for x, y, stage in found if stage == kind]
                if curve:
                    axes.plot(*zip(*curve, strict=True), marker=mark, markersize=4, **style)
    left.set_title("DAgger (the expert does some of the steps)")
    right.set_title("PPO (latest training episodes, mean of templates)")
    left.set_ylabel("success")
    for axes in (left, right):
        axes.set_xlabel("env steps, demonstrations included")
        axes.set_ylim(0, 1)
        axes.grid(alpha=0.3)
        if axes.lines:
            axes.legend(loc="lower right", fontsize=8)
    return figure
