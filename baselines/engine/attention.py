"""Cross-attention as perceivers use it. Not for the attention of language models."""

from __future__ import annotations

import math

from torch import Tensor, nn


class CrossAttention(nn.Module):
    """Attention of queries to a context, then a feed-forward layer, both residual.

    Source: Perceiver, Jaegle et al. 2021 (arXiv 2103.03206).

    Args:
        width: of queries and context.
    """

    def __init__(self, width: int) -> None:
        super().__init__()
        self.attention = nn.MultiheadAttention(width, math.gcd(8, width), batch_first=True)
        self.feed_forward = nn.Sequential(
            nn.LayerNorm(width), nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width)
        )

    def forward(
        self, queries: Tensor, normed: Tensor, context: Tensor, padding: Tensor | None = None
    ) -> Tensor:
        """Return (n, num_queries, width).

        Args:
            queries: (n, num_queries, width), added to what they attend to.
            normed: the queries as attention sees them.
            context: (n, num_tokens, width).
            padding: (n, num_tokens), bool: what is not attended to.
        """
        attended, _ = self.attention(
            normed, context, context, key_padding_mask=padding, need_weights=False
        )
        tokens: Tensor = queries + attended
        return tokens + self.feed_forward(tokens)  # type: ignore[no-any-return]
