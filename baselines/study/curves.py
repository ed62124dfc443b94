"""Learning curves of a study as a picture: all entries. Not for one run's details."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from ..engine.curves import new_figure
from ..engine.metrics import WINDOW
from ..tensors import read_json_lines

# Okabe and Ito's colours, safe for colour-blind readers.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")


def points(home: Path) -> list[tuple[int, float, str]]:
    """Return (env steps, success, stage) of one run: rounds of DAgger, then updates of PPO.

    In a round of DAgger the expert takes some of the steps, so these values are not scores. Updates
    whose window contains the first episodes are left out, since short episodes end first.
    """
    warm = read_json_lines(home / "imitation" / "metrics.jsonl")
    rounds = {r["stage"]: (r["env_steps"], r["recorded_success"]) for r in warm}
    found = [(*rounds[s], "dagger") for s in sorted(rounds) if s.startswith("dagger")]
    before = max((r["env_steps"] for r in warm), default=0)
    for record in read_json_lines(home / "ppo" / "metrics.jsonl"):
        if record["success"] is not None and record["episodes"] >= 2 * WINDOW:
            found.append((before + record["env_steps"], record["success"], "ppo"))
    return found


def study_curves(homes: Mapping[str, Sequence[Path]]) -> Any:
    """Return a matplotlib Figure: success while training over env steps, a line a run.

    Args:
        homes: entry -> folders of its runs.
    """
    figure = new_figure(10, 4.5)
    left, right = figure.subplots(1, 2, sharey=True)
    for colour, (name, runs) in zip(COLOURS, homes.items(), strict=False):
        for number, found in enumerate(map(points, runs)):
            style: dict[str, Any] = {"color": colour, "alpha": 0.85}
            style["label"] = name if number == 0 else None
            for axes, kind, mark in ((left, "dagger", "o"), (right, "ppo", None)):
                curve = [(x, y) for x, y, stage in found if stage == kind]
                if curve:
                    axes.plot(*zip(*curve, strict=True), marker=mark, markersize=4, **style)
    left.set_title("DAgger (the expert does 30, 15, 7.5 % of the steps)")
    right.set_title("PPO (latest 200 training episodes, drawn skills)")
    left.set_ylabel("success")
    for axes in (left, right):
        axes.set_xlabel("env steps, demonstrations included")
        axes.set_ylim(0, 1)
        axes.grid(alpha=0.3)
    if left.lines:
        left.legend(loc="lower right", fontsize=8)
    return figure
