"""A language model as a policy's backbone: embedding, one forward pass. No adapters."""

import inspect
from collections.abc import Sequence
from contextlib import suppress
from typing import Any

import torch
from torch import Tensor, nn

from ..engine.errors import BackboneError
from ..engine.language_model import TextModel, Tokenize, load_language_model
from .cache import Capture, Prefill, PrefillDone, SlotCache


class Backbone(TextModel):
    """A Hugging Face transformer without its input and output layers (paper section 3).

    Args:
        model: takes `inputs_embeds`, a 4-D mask, `position_ids` and a cache, as `cache` or (before
            transformers 5.24) `past_key_values`; SDPA attention.
        tokenizer: `tokenizer(text)["input_ids"]`.
        bidirectional_prefix: instruction tokens see each other both ways (a BERT); observation
            tokens are causal in any case.

    Attributes:
        hidden_size: width of its tokens.
        max_positions: longest sequence it was made for, or None.
        keys: empty keys (layers, 1, heads, 0, head_dim): their shape, type and device.
    """

    def __init__(
        self, model: Any, tokenizer: Tokenize, *, bidirectional_prefix: bool = False
    ) -> None:
        super().__init__(model, tokenizer)
        self.bidirectional_prefix = bidirectional_prefix
        self._embed: nn.Embedding = model.get_input_embeddings()
        named = "cache" in inspect.signature(model.forward).parameters
        self._cache_name = "cache" if named else "past_key_values"
        self.hidden_size = int(self._embed.weight.shape[1])
        self.max_positions: int | None = getattr(model.config, "max_position_embeddings", None)
        self.keys = _probe(self)

    @property
    def dtype(self) -> torch.dtype:
        """Of weights and activations."""
        return self._embed.weight.dtype

    def embed(self, ids: Tensor) -> Tensor:
        """Return token embeddings, (..., hidden_size)."""
        return self._embed(ids)  # type: ignore[no-any-return]

    def forward(self, tokens: Tensor, mask: Tensor, positions: Tensor, cache: Any) -> Tensor:
        """Return the last hidden states in float32.

        Args:
            tokens: (batch, queries, hidden_size), any float type.
            mask: (batch, 1, queries, keys), bool.
            positions: (batch, queries), int64.
            cache: Capture, ConstantKeys or SlotCache.
        """
        if self.max_positions is not None and int(positions.max()) >= self.max_positions:
            raise BackboneError(
                f"a sequence of {int(positions.max()) + 1} tokens; this model has "
                f"{self.max_positions} positions. Use a shorter horizon or another model."
            )
        output = self.model(
            inputs_embeds=tokens.to(self.dtype),
            attention_mask=mask,
            position_ids=positions,
            use_cache=True,
            **{self._cache_name: cache},
        )
        return output.last_hidden_state.float()  # type: ignore[no-any-return]

    @torch.no_grad()
    def prefill(
        self, sentences: Sequence[Sequence[int]], begun: Sequence[Tensor | None] | None = None
    ) -> list[Tensor]:
        """Return keys and values of each sentence, (2, layers, heads, tokens, head_dim).

        Sentences are concatenated in one row without padding; each attends to itself alone.

        Args:
            sentences: their tokens.
            begun: of each the keys and values of its first tokens, where they are known; at least
                one token must be left to read. Not with `bidirectional_prefix`.
        """
        empty = torch.stack([self.keys, self.keys])[:, :, 0]
        known = [empty if b is None else b for b in begun or [None] * len(sentences)]
        starts = [b.shape[3] for b in known]
        tails = [tuple(s[start:]) for s, start in zip(sentences, starts, strict=True)]
        device = self.device
        ids = torch.tensor([i for tail in tails for i in tail], device=device)
        owner, position = _places(starts, [len(s) for s in sentences], device)
        before, after = _places([0] * len(starts), starts, device)
        owners, positions = torch.cat([before, owner]), torch.cat([after, position])
        mask = owner[:, None] == owners
        if not self.bidirectional_prefix:
            mask = mask & (positions <= position[:, None])
        context = torch.cat(known, 3)[:, :, None]
        prefill = Prefill(context[0], context[1])
        with suppress(PrefillDone):
            self(self.embed(ids)[None], mask[None, None], position[None], prefill)
        read = torch.split(prefill.kept(), [len(tail) for tail in tails], 3)
        return [torch.cat(pair, 3) for pair in zip(known, read, strict=True)]


def _places(
    starts: Sequence[int], stops: Sequence[int], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return sentence and position of the tokens `starts` to `stops` of each sentence."""
    spans = [torch.arange(*span, device=device) for span in zip(starts, stops, strict=True)]
    owners = [torch.full_like(span, number) for number, span in enumerate(spans)]
    return torch.cat(owners), torch.cat(spans)


def load_backbone(name: str, **options: Any) -> Backbone:
    """Load a language model as a backbone; see `load_language_model` for names and options.

    Raises:
        BackboneError: it cannot be found, read, or used with a key-value cache.
    """
    model, tokenizer, config = load_language_model(name, decoder=True, **options)
    return Backbone(model, tokenizer, bidirectional_prefix=config.model_type == "bert")


@torch.no_grad()
def _probe(backbone: Backbone) -> Tensor:
    """Check that keeping keys changes nothing; return empty keys of the model's shape."""
    tokens = backbone.embed(torch.tensor([[1, 2, 3]], device=backbone.device))
    positions = torch.arange(3, device=backbone.device)[None]
    causal = torch.ones(3, 3, dtype=torch.bool, device=backbone.device).tril()[None, None]
    capture = Capture()
    try:
        whole = backbone(tokens, causal, positions, capture)
        keys = capture.keys()
        cache = SlotCache(keys[:, :, :, :0], num_rows=1)
        for i in range(3):
            at, mask = cache.aim(1)
            last = backbone(tokens[:, i : i + 1], mask, at, cache)
            cache.lengths += 1
    except (KeyError, TypeError, ValueError, RuntimeError, AttributeError, IndexError) as error:
        raise BackboneError(
            f"a {type(backbone.model).__name__} does not run with a plain key-value cache "
            f"({type(error).__name__}: {error!s:.120}); use a decoder-only transformer"
        ) from error
    tolerance = 1e-3 if backbone.dtype == torch.float32 else 0.1
    difference = float((last[:, 0] - whole[:, 2]).abs().max() / whole.abs().max().clamp(min=1.0))
    if not difference <= tolerance:
        raise BackboneError(
            f"a {type(backbone.model).__name__} gives another output token by token than all at "
            f"once (relative difference {difference:.1e}); use a decoder-only transformer"
        )
    return keys[:, :, :, :0].contiguous()
