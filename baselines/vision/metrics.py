"""How well an encoder sees: recall and precision per category at the stance. No training."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from langrearrange.world.vocabulary import CATEGORIES, NUM_CATEGORIES

from .scenes import SceneStream
from .segcnn import SegCnnEncoder

THRESHOLD = 0.5


@dataclass(frozen=True, slots=True, eq=False)
class Sight:
    """What was counted over `num_pictures` pictures.

    Attributes:
        seen, told, both: (33,) int64: pictures in which the category is at the stance; those in
            which the encoder says so; those with both.
        held, spot, opened: shares of right answers.
        cells: share of right answers among cells that show a thing.
    """

    num_pictures: int
    seen: NDArray[np.int64]
    told: NDArray[np.int64]
    both: NDArray[np.int64]
    held: float
    spot: float
    opened: float
    cells: float

    @property
    def recall(self) -> NDArray[np.float64]:
        """(33,), nan where a category never was at a stance."""
        return _ratio(self.both, self.seen)

    @property
    def precision(self) -> NDArray[np.float64]:
        """(33,), nan where the encoder never named a category."""
        return _ratio(self.both, self.told)

    @property
    def overall(self) -> tuple[float, float]:
        """Recall and precision over all categories together."""
        both = float(self.both.sum())
        return both / max(1, int(self.seen.sum())), both / max(1, int(self.told.sum()))

    def record(self) -> dict[str, Any]:
        """Return the numbers, JSON-able, rounded to 4 digits."""
        recall, precision = self.overall
        rows = {
            name: {
                "seen": int(self.seen[i]),
                "recall": _rounded(self.recall[i]),
                "precision": _rounded(self.precision[i]),
            }
            for i, name in enumerate(CATEGORIES)
        }
        return {
            "num_pictures": self.num_pictures,
            "recall": _rounded(recall),
            "precision": _rounded(precision),
            "held": _rounded(self.held),
            "spot": _rounded(self.spot),
            "opened": _rounded(self.opened),
            "cells": _rounded(self.cells),
            "categories": rows,
        }


@torch.no_grad()
def measure(encoder: SegCnnEncoder, scenes: SceneStream, num_batches: int) -> Sight:
    """Count what the encoder sees in so many batches of pictures.

    A category is told when its probability at the stance is above 0.5. Things wholly hidden behind
    others count as missed: that is what an agent would suffer.
    """
    counts = np.zeros((3, NUM_CATEGORIES), np.int64)
    right = np.zeros(3)
    pictures = cells_right = cells_all = 0
    device = next(encoder.parameters()).device
    for _ in range(num_batches):
        rgb, labels = scenes.batch()
        tensor = torch.from_numpy(rgb).to(device).permute(0, 3, 1, 2).float() / 255
        read = encoder.read(tensor)
        told = (read.at_stance.sigmoid() > THRESHOLD).cpu().numpy()
        seen = labels.at_stance
        counts += np.stack([seen.sum(0), told.sum(0), (seen & told).sum(0)])
        for i, (logits, truth) in enumerate(
            [(read.held, labels.held), (read.spot, labels.spot), (read.opened, labels.opened)]
        ):
            right[i] += (logits.argmax(1).cpu().numpy() == truth).sum()
        things = labels.cells < NUM_CATEGORIES
        cells_right += int((read.cells.argmax(1).cpu().numpy() == labels.cells)[things].sum())
        cells_all += int(things.sum())
        pictures += len(rgb)
    num_seen, num_told, num_both = counts
    held, spot, opened = (right / pictures).tolist()
    return Sight(
        pictures,
        num_seen,
        num_told,
        num_both,
        held,
        spot,
        opened,
        cells=cells_right / max(1, cells_all),
    )


def _ratio(part: NDArray[np.int64], whole: NDArray[np.int64]) -> NDArray[np.float64]:
    return np.where(whole > 0, part / np.maximum(whole, 1), np.nan)


def _rounded(value: float) -> float | None:
    return None if np.isnan(value) else round(float(value), 4)
