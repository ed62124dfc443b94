"""How well an encoder sees: recall and precision per category at the stance. No training."""

from collections import Counter
from typing import Any

import numpy as np
import torch

from langrearrange.world.vocabulary import CATEGORIES, NUM_CATEGORIES

from .scenes import SceneStream
from .segcnn import SegCnnEncoder

THRESHOLD = 0.5


@torch.no_grad()
def measure(encoder: SegCnnEncoder, scenes: SceneStream, num_batches: int) -> dict[str, Any]:
    """Measure an encoder on so many batches of pictures.

    A category is predicted when its probability at the stance is above 0.5. Objects wholly hidden
    behind others count as missed, as they are for an agent.

    Returns:
        JSON values: `recall` and `precision` over all categories; the same of each category (None
        where undefined) and in how many pictures it is (`seen`); accuracy of `held`, `spot` and
        `opened`, and of `cells` that show an object.
    """
    counts = np.zeros((3, NUM_CATEGORIES), np.int64)
    right: Counter[str] = Counter()
    pictures = object_cells = 0
    device = next(encoder.parameters()).device
    for _ in range(num_batches):
        rgb, labels = scenes.batch()
        tensor = torch.from_numpy(rgb).to(device).permute(0, 3, 1, 2).float() / 255
        read = encoder.read(tensor)
        predicted = (read.at_stance.sigmoid() > THRESHOLD).cpu().numpy()
        present = labels.at_stance
        counts += np.stack([present.sum(0), predicted.sum(0), (present & predicted).sum(0)])
        objects = labels.cells < NUM_CATEGORIES
        for name in ("held", "spot", "opened", "cells"):
            equal = getattr(read, name).argmax(1).cpu().numpy() == getattr(labels, name)
            right[name] += int((equal[objects] if name == "cells" else equal).sum())
        object_cells += int(objects.sum())
        pictures += len(rgb)
    totals = {"held": pictures, "spot": pictures, "opened": pictures, "cells": object_cells}
    num_present, num_predicted, num_both = counts.sum(1).tolist()
    return {
        "num_pictures": pictures,
        "recall": _share(num_both, max(1, num_present)),
        "precision": _share(num_both, max(1, num_predicted)),
        **{name: _share(right[name], max(1, total)) for name, total in totals.items()},
        "categories": {
            name: {"seen": seen, "recall": _share(both, seen), "precision": _share(both, named)}
            for name, (seen, named, both) in zip(CATEGORIES, counts.T.tolist(), strict=True)
        },
    }


def _share(part: int, whole: int) -> float | None:
    return round(part / whole, 4) if whole else None
