"""LLaRP's observation module: features and proprioception -> tokens for the backbone."""

import math
from typing import Literal

import torch
from torch import Tensor, nn

from langrearrange.errors import UsageError

from ..engine.attention import CrossAttention

ObservationKind = Literal["linear", "mlp2"]


class PerceiverResampler(nn.Module):
    """Turns any number of patch features into a fixed number of tokens by attending to them.

    One block of learned queries (paper C.1) with pre-norm.

    Args:
        feature_dim: width of the patches.
        hidden_size: width of the tokens.
        num_tokens: number of tokens.
    """

    def __init__(self, feature_dim: int, hidden_size: int, num_tokens: int) -> None:
        super().__init__()
        self.queries = nn.Parameter(torch.randn(num_tokens, hidden_size) / math.sqrt(hidden_size))
        self.project = nn.Linear(feature_dim, hidden_size)
        self.norm_patches = nn.LayerNorm(hidden_size)
        self.norm_queries = nn.LayerNorm(hidden_size)
        self.attend = CrossAttention(hidden_size)

    def forward(self, patches: Tensor) -> Tensor:
        """Return (n, num_tokens, hidden_size) of patches (n, num_patches, feature_dim)."""
        context = self.norm_patches(self.project(patches))
        queries = self.queries.expand(patches.shape[0], -1, -1)
        return self.attend(queries, self.norm_queries(queries), context)  # type: ignore[no-any-return]


class ObservationModule(nn.Module):
    """Visual features and proprioception -> tokens for the backbone (paper 3.1 and C.1).

    With one token a step (the paper's setting) features and proprioception are concatenated and
    projected. With M > 1 a Perceiver makes M - 1 tokens of the patches and the proprioception
    makes the last one.

    Args:
        feature_shape: (feature_dim,), or (num_patches, feature_dim) for M > 1.
        proprio_dim: numbers of proprioception, may be 0 for M = 1.
        hidden_size: of the backbone.
        kind: `linear` (C.1) or `mlp2` (3.1: two layers with a ReLU between).
        tokens_per_step: M.

    Raises:
        UsageError: shapes and M that do not go together.
    """

    def __init__(
        self,
        feature_shape: tuple[int, ...],
        proprio_dim: int,
        hidden_size: int,
        kind: ObservationKind = "mlp2",
        tokens_per_step: int = 1,
    ) -> None:
        super().__init__()
        self.tokens_per_step = tokens_per_step
        patches = len(feature_shape) == 2
        if tokens_per_step < 1 or patches != (tokens_per_step > 1):
            raise UsageError(
                f"tokens_per_step={tokens_per_step} with features of shape {feature_shape}; one "
                "token takes (feature_dim,), more take (num_patches, feature_dim): choose an "
                "encoder that gives patches, or tokens_per_step=1"
            )
        if patches and proprio_dim == 0:
            raise UsageError("tokens_per_step > 1 makes its last token of proprioception; add it")
        feature_dim = feature_shape[-1]
        self.perceiver = None
        if patches:
            self.perceiver = PerceiverResampler(feature_dim, hidden_size, tokens_per_step - 1)
        width = proprio_dim if patches else feature_dim + proprio_dim
        self.project: nn.Module = nn.Linear(width, hidden_size)
        if kind == "mlp2" or patches:
            self.project = nn.Sequential(
                nn.Linear(width, hidden_size), nn.ReLU(), nn.Linear(hidden_size, hidden_size)
            )

    def forward(self, features: Tensor, proprio: Tensor) -> Tensor:
        """Return tokens (n, M, hidden_size) of features (n, ...) and proprio (n, proprio_dim)."""
        features = features.float()
        if self.perceiver is None:
            return self.project(torch.cat([features, proprio], dim=-1))[:, None]  # type: ignore[no-any-return]
        last = self.project(proprio)[:, None]
        return torch.cat([self.perceiver(features), last], dim=1)
