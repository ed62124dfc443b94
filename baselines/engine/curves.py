"""Learning curves of a run as a picture, from its metrics.jsonl. Not for comparing runs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from statistics import mean
from typing import Any

from langrearrange.errors import MissingExtraError

from ..tensors import read_json_lines

PANELS = (
    ("success", "success"),
    ("return", "return"),
    ("length", "steps an episode"),
    ("entropy", "entropy, nats"),
    ("explained_variance", "explained variance"),
    ("sps", "env steps per second"),
)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the records of a metrics.jsonl; of updates made twice (resumed) the later one."""
    records = {record["update"]: record for record in read_json_lines(path)}
    return [records[update] for update in sorted(records)]


def curves(records: Sequence[dict[str, Any]]) -> Any:
    """Return a matplotlib Figure of success, return, length, entropy and speed over env steps."""
    figure = new_figure(10, 5)
    for axes, (name, label) in zip(figure.subplots(2, 3).flat, PANELS, strict=True):
        known = [(r["env_steps"], r[name]) for r in records if r.get(name) is not None]
        axes.plot(*zip(*known, strict=True), color="#0072B2") if known else None
        axes.set_xlabel("env steps")
        axes.set_ylabel(label)
        if name == "success":
            axes.lines[0].set_label("latest 200 episodes") if known else None
            _by_template(axes, records)
    return figure


def _by_template(axes: Any, records: Sequence[dict[str, Any]]) -> None:
    """Add the unweighted mean over the templates, and each template as a thin line."""
    axes.set_ylim(0, 1)
    for template in sorted({t for r in records for t in r["success_by_template"]}):
        known = [r for r in records if template in r["success_by_template"]]
        ys = [r["success_by_template"][template] for r in known]
        axes.plot([r["env_steps"] for r in known], ys, color="0.7", linewidth=0.6, zorder=0)
    known = [r for r in records if r["success_by_template"]]
    means = [mean(r["success_by_template"].values()) for r in known]
    steps = [r["env_steps"] for r in known]
    axes.plot(steps, means, color="#D55E00", label="mean of templates")
    axes.legend(fontsize=7)


def new_figure(width: float, height: float) -> Any:
    """Return an empty matplotlib Figure, in inches; MissingExtraError without matplotlib."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("curves", "train", "matplotlib") from error
    return Figure(figsize=(width, height), layout="constrained")
