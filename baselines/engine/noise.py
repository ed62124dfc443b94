"""Noise of a policy gradient, estimated from the gradients of parts of one batch.

Source: the simple noise scale of McCandlish et al. 2018 (arXiv 1812.06162), with the variance taken
between parts of one batch.
"""

from __future__ import annotations

from typing import Final

import torch
from torch import Tensor

PARTS: Final = 8
"""Parts of a batch whose gradients are compared."""


def gradient_noise(gradients: Tensor, steps: float) -> dict[str, float | None]:
    """Return estimates of the noise of a mean gradient.

    Args:
        gradients: (parts, parameters): of each part the mean over its steps; an even number.
        steps: of each part.

    Returns:
        `noise_scale`: steps at which signal and noise of the mean are equal, None if this batch is
        too small to tell; `noise_cosine`: of the means of the two halves.
    """
    parts = gradients.double()
    mean = parts.mean(0)
    variance = float((parts - mean).square().sum() / (len(parts) - 1))
    signal = float(mean.square().sum()) - variance / len(parts)
    first, second = parts[: len(parts) // 2].mean(0), parts[len(parts) // 2 :].mean(0)
    cosine = torch.nn.functional.cosine_similarity(first, second, dim=0, eps=1e-30)
    return {
        "noise_scale": steps * variance / signal if signal > 0.0 else None,
        "noise_cosine": float(cosine),
    }
