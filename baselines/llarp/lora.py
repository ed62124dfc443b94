"""Low-rank updates of a frozen backbone (Hu et al. 2022, arXiv 2106.09685). Nothing else."""

import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from ..engine.errors import BackboneError

TARGETS = ("q_proj", "v_proj", "query", "value")
"""Names of the layers that get an update: queries and values, as Llama and BERT call them."""


class LoraLinear(nn.Module):
    """A frozen linear layer plus `scale * up(down(x))`, in float32; at first the layer itself."""

    def __init__(self, base: nn.Linear, rank: int, alpha: float, rng: torch.Generator) -> None:
        super().__init__()
        self.base = base
        self.scale = alpha / rank
        device = base.weight.device
        down = torch.randn(rank, base.in_features, generator=rng) / math.sqrt(base.in_features)
        self.lora_down = nn.Parameter(down.to(device))
        self.lora_up = nn.Parameter(torch.zeros(base.out_features, rank, device=device))

    def forward(self, x: Tensor) -> Tensor:
        """Return the layer's output with the update."""
        update = (x.float() @ self.lora_down.T @ self.lora_up.T) * self.scale
        return self.base(x) + update.to(x.dtype)  # type: ignore[no-any-return]


def add_lora(
    model: nn.Module, rank: int, alpha: float, seed: int, targets: Sequence[str] = TARGETS
) -> int:
    """Put an update beside every linear layer of one of these names; return how many.

    Raises:
        BackboneError: the model has no such layer.
    """
    rng = torch.Generator().manual_seed(seed)
    found = [
        (parent, name, child)
        for parent in list(model.modules())
        for name, child in parent.named_children()
        if name in targets and isinstance(child, nn.Linear)
    ]
    for parent, name, child in found:
        setattr(parent, name, LoraLinear(child, rank, alpha, rng))
    if not found:
        raise BackboneError(
            f"{type(model).__name__} has no linear layer named {', '.join(targets)}; LoRA needs one"
        )
    return len(found)
