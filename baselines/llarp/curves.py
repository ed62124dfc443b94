"""Learning curves of a run as a picture, from its metrics.jsonl. Not for comparing runs."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from langrearrange.errors import MissingExtraError

PANELS = (
    ("success", "success of the latest 200 episodes"),
    ("return", "return"),
    ("length", "steps an episode"),
    ("entropy", "entropy, nats"),
    ("explained_variance", "explained variance"),
    ("sps", "env steps per second"),
)


def read_metrics(path: Path) -> list[dict[str, Any]]:
    """Return the records of a metrics.jsonl; of updates made twice (resumed) the later one."""
    records: dict[int, dict[str, Any]] = {}
    for line in path.read_text(encoding="utf-8").splitlines():
        record = json.loads(line)
        records[record["update"]] = record
    return [records[update] for update in sorted(records)]


def curves(records: Sequence[dict[str, Any]]) -> Any:
    """Return a matplotlib Figure of success, return, length, entropy and speed over env steps."""
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise MissingExtraError("curves", "train", "matplotlib") from error
    figure = Figure(figsize=(10, 5), layout="constrained")
    for axes, (name, label) in zip(figure.subplots(2, 3).flat, PANELS, strict=True):
        known = [(r["env_steps"], r[name]) for r in records if r.get(name) is not None]
        axes.plot(*zip(*known, strict=True), color="#0072B2") if known else None
        axes.set_xlabel("env steps")
        axes.set_ylabel(label)
        if name == "success":
            axes.set_ylim(0, 1)
    return figure
