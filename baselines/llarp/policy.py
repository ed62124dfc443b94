"""LLaRP: a language model between two adapters (Szot et al. 2024, section 3). Not its training.

Also the two ways to run it over a whole rollout at once: with the instructions as constants, where
the backbone is frozen, and with everything in the graph, where it is not.
"""

import torch
from torch import Tensor

from ..engine.packing import Memory, Rows
from ..engine.policy import ActionModule, Heads, Policy
from .backbone import Backbone
from .cache import Capture, ConstantKeys
from .layout import lay_out
from .observation import ObservationModule


class LlarpPolicy(Policy):
    """Backbone, observation module and action module.

    Args:
        backbone: frozen, or with weights that take a gradient (LoRA, fine-tuning, from scratch).
        observation: features and proprioception -> tokens.
        action: hidden states -> logits and value.
    """

    def __init__(
        self, backbone: Backbone, observation: ObservationModule, action: ActionModule
    ) -> None:
        super().__init__()
        self.backbone = backbone
        self.observation = observation
        self.action = action

    @property
    def tokens_per_step(self) -> int:
        """Tokens that one observation becomes."""
        return self.observation.tokens_per_step

    def tokens(self, features: Tensor, proprio: Tensor) -> Tensor:
        """Return tokens (batch, steps * M, hidden_size) of features (batch, steps, ...)."""
        batch, steps = features.shape[:2]
        tokens: Tensor = self.observation(features.flatten(0, 1), proprio.flatten(0, 1))
        return tokens.reshape(batch, steps * self.tokens_per_step, self.backbone.hidden_size)

    def heads(self, hidden: Tensor) -> Heads:
        """Return logits and values of the last token of each step of (batch, steps * M, width)."""
        batch, queries, width = hidden.shape
        steps = hidden.reshape(batch, queries // self.tokens_per_step, self.tokens_per_step, width)
        return self.action(steps[:, :, -1])  # type: ignore[no-any-return]

    def evaluate(self, rows: Rows) -> Heads:
        """Return logits (batch, steps, num_actions) and values (batch, steps) of whole rollouts.

        With a frozen backbone instructions and carried steps enter as constant keys: they do not
        depend on what is trained, so the gradient through this rollout's steps is the full one.
        """
        return self.evaluate_full(rows) if self.backbone.trainable else self.evaluate_constant(rows)

    def evaluate_constant(self, rows: Rows) -> Heads:
        """As `evaluate`; queries are this rollout's steps only."""
        layout = lay_out(rows, self.tokens_per_step)
        context = layout.num_context
        tokens = self.tokens(rows.features, rows.proprio)
        cache = ConstantKeys(*layout.constant_keys(rows, self.backbone.keys))
        mask = layout.mask(bidirectional_prefix=False)[:, context:]
        hidden = self.backbone(tokens, mask[:, None], layout.position[:, context:], cache)
        return self.heads(hidden)

    def evaluate_full(self, rows: Rows) -> Heads:
        """As `evaluate`; instructions and carried steps are queries, too, and inside the graph."""
        layout = lay_out(rows, self.tokens_per_step)
        words = self.backbone.embed(layout.prefix_ids).float()
        carried = self.tokens(rows.carried.features, rows.carried.proprio)
        tokens = torch.cat([words, carried, self.tokens(rows.features, rows.proprio)], dim=1)
        mask = layout.mask(bidirectional_prefix=self.backbone.bidirectional_prefix)
        hidden = self.backbone(tokens, mask[:, None], layout.position, Capture())
        return self.heads(hidden[:, layout.num_context :])

    def initial_memory(self, num_rows: int) -> Memory:
        """Return no keys and no values of any row."""
        keys = self.backbone.keys.expand(-1, num_rows, -1, -1, -1)
        return keys, keys
