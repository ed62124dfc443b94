"""The paper's published numbers, to stand beside ours: measured in Habitat, not comparable."""

import csv
from importlib.resources import files
from typing import Final, NamedTuple

SAME: Final = {
    "llarp": "LLaRP",
    "lstm_flan": "LSTM-Flan",
    "scratch": "LLaRP-Scratch",
    "lstm_llama": "LSTM-LLaMA",
}
"""Arm -> the paper's method that it follows."""


class Published(NamedTuple):
    """Mean and standard deviation over seeds, in [0, 1]; None where there is one seed."""

    mean: float
    spread: float | None


def published(metric: str) -> dict[str, dict[str, Published]]:
    """Return method -> split or group -> number, of `success` (Tables 2, 5) or `efficiency` (6)."""
    found: dict[str, dict[str, Published]] = {}
    unit = 100.0 if metric == "success" else 1.0
    with files(__package__).joinpath("paper.csv").open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            if row["metric"] == metric:
                spread = float(row["std"]) / unit if row["std"] else None
                number = Published(float(row["mean"]) / unit, spread)
                found.setdefault(row["method"], {})[row["split"]] = number
    return found
