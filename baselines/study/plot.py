"""`python -m langrearrange_baselines.study.plot`: learning curves of several runs in one picture.

    python -m langrearrange_baselines.study.plot "seed 0=out/a+out/b" "seed 1=out/c" --out p.png

draws a line a label; runs joined by + went on from one another.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean
from typing import Annotated, Any

import tyro

from langrearrange.errors import UsageError

from ..command import run_module
from ..engine.config import check_range
from ..engine.curves import new_figure, read_metrics
from .figures import COLOURS


@dataclass(frozen=True, kw_only=True)
class PlotArgs:
    """Draw success while training, the unweighted mean over templates, over env steps."""

    lines: Annotated[tuple[str, ...], tyro.conf.Positional]
    """label=run, or label=run+run for runs that went on from one another"""
    out: Path
    """picture to write, .png or .svg"""
    title: str = ""
    """above the picture"""
    updates: int = 5
    """each point is the mean of so many updates"""
    low: float = 0.0
    """lower end of the vertical axis"""

    def __post_init__(self) -> None:
        check_range(self, 1, "updates")
        check_range(self, 0, "low", most=0.99)
        for wrong in (line for line in self.lines if not all(line.partition("=")[::2])):
            raise UsageError(f"line '{wrong}'; a line is label=run or label=run+run")


def points(runs: Sequence[Path], updates: int) -> Iterator[tuple[float, float]]:
    """Yield (env steps, mean success over templates) of runs, one after the other.

    Args:
        runs: folders with metrics.jsonl; the steps of the earlier ones are added to the later.
        updates: averaged into a point.
    """
    before = 0
    for run in runs:
        records = read_metrics(run / "metrics.jsonl")
        if not any(record["success_by_template"] for record in records):
            raise UsageError(
                f"{run}: no metrics.jsonl in which an episode has ended; give the folder of a run "
                "of langrearrange_baselines.train"
            )
        for at in range(0, len(records), updates):
            part = [r for r in records[at : at + updates] if r["success_by_template"]]
            if part:
                success = fmean(fmean(r["success_by_template"].values()) for r in part)
                yield before + part[-1]["env_steps"], success
        before += records[-1]["env_steps"]


def draw(args: PlotArgs) -> Path:
    """Draw the picture; return its path."""
    figure: Any = new_figure(7, 4)
    axes = figure.subplots()
    for number, line in enumerate(args.lines):
        label, _, runs = line.partition("=")
        found = points([Path(run) for run in runs.split("+")], args.updates)
        colour = COLOURS[number % len(COLOURS)]
        axes.plot(*zip(*found, strict=True), label=label, color=colour)
    axes.set_xlabel("env steps")
    axes.set_ylabel("success in training, mean of the templates")
    axes.set_title(args.title, fontsize=10)
    axes.set_ylim(args.low, 1)
    axes.grid(alpha=0.3)
    axes.legend(fontsize=8)
    args.out.parent.mkdir(parents=True, exist_ok=True)
    figure.savefig(args.out, dpi=120)
    return args.out


if __name__ == "__main__":
    sys.exit(run_module("study.plot", PlotArgs, draw))
