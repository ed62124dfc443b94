"""Weights of Hugging Face models, all of them or none; a fingerprint of frozen weights."""

from __future__ import annotations

import hashlib
from typing import Any

import torch
from safetensors import SafetensorError
from torch import nn
from transformers import AutoModel
from transformers.utils import logging


def load_pretrained(source: str, **options: Any) -> Any:
    """Load a model; weights that it does not need are left out silently.

    Args:
        source: a folder or a name on the Hugging Face hub.
        options: of `AutoModel.from_pretrained`.

    Raises:
        ValueError: the weights are corrupt, of other shapes than config.json says, or some are
            missing, which transformers would draw at random.
        OSError, KeyError, RuntimeError: from transformers.
    """
    verbosity = logging.get_verbosity()
    logging.set_verbosity_error()
    try:
        model, found = AutoModel.from_pretrained(
            source, output_loading_info=True, ignore_mismatched_sizes=True, **options
        )
    except SafetensorError as error:
        raise ValueError(f"its weights are corrupt: {error}") from error
    finally:
        logging.set_verbosity(verbosity)
    for name, stored, expected in sorted(found["mismatched_keys"]):
        raise ValueError(
            f"{name} is {'x'.join(map(str, stored))}, by config.json {'x'.join(map(str, expected))}"
        )
    # Nothing here reads a pooler, and many files come without one.
    lacking = sorted(name for name in found["missing_keys"] if "pooler." not in name)
    if lacking:
        raise ValueError(f"its weights lack {lacking[0]} and {len(lacking) - 1} more")
    return model


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
