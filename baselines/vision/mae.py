"""Checkpoints of masked autoencoders as VC-1 and MAE publish them: a `.pth` file of a ViT encoder.

Majumdar et al. 2023 (VC-1), He et al. 2022 (MAE); their keys are those of timm's ViT.
"""

from __future__ import annotations

import argparse
import math
import pickle
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from transformers import ViTConfig, ViTModel

from .encoder import VisionError
from .segcnn import Precision
from .vit import VitEncoder

_MEAN: Final = (0.485, 0.456, 0.406)
_STD: Final = (0.229, 0.224, 0.225)
"""Of ImageNet, as VC-1 and MAE normalise pictures."""
_RENAMED: Final = {
    r"^cls_token$": "embeddings.cls_token",
    r"^pos_embed$": "embeddings.position_embeddings",
    r"^patch_embed\.proj\.": "embeddings.patch_embeddings.projection.",
    r"^norm\.": "layernorm.",
    r"^blocks\.(\d+)\.norm1\.": r"layers.\1.layernorm_before.",
    r"^blocks\.(\d+)\.norm2\.": r"layers.\1.layernorm_after.",
    r"^blocks\.(\d+)\.attn\.proj\.": r"layers.\1.attention.o_proj.",
    r"^blocks\.(\d+)\.mlp\.": r"layers.\1.mlp.",
}
_NOT_ENCODER: Final = re.compile(r"decoder|mask_token|^head\.|^fc_norm\.")


def load_mae(path: Path, precision: Precision = "float32") -> VitEncoder:
    """Load a frozen encoder from a checkpoint; nothing is run that the file may hold.

    Args:
        path: with the weights under `model`, as MAE and VC-1 save them, or at the top.
        precision: of weights and activations.

    Raises:
        VisionError: it cannot be read, or holds weights of another network.
    """
    try:
        with torch.serialization.safe_globals([argparse.Namespace]):
            stored = torch.load(path, map_location="cpu", weights_only=True)
        weights = stored.get("model", stored)
        kept = {name: weight for name, weight in weights.items() if not _NOT_ENCODER.search(name)}
        model = ViTModel(_shape(kept), add_pooling_layer=False)
        model.load_state_dict(_renamed(kept))
    except (OSError, RuntimeError, pickle.UnpicklingError, KeyError, AttributeError) as error:
        reason = " ".join(str(error).split())
        raise VisionError(
            f"{path} holds no ViT encoder in the layout of VC-1 and MAE ({reason:.150})"
        ) from error
    size = int(model.config.image_size)  # type: ignore[arg-type]
    model = model.to(getattr(torch, precision))
    return VitEncoder(model, str(path), size, _MEAN, _STD)


def _shape(weights: Mapping[str, Tensor]) -> ViTConfig:
    width, _, patch, _ = weights["patch_embed.proj.weight"].shape
    side = math.isqrt(weights["pos_embed"].shape[1] - 1)
    depth = len({name.split(".")[1] for name in weights if name.startswith("blocks.")})
    return ViTConfig(
        hidden_size=width,
        num_hidden_layers=depth,
        num_attention_heads=16 if width == 1280 else max(1, width // 64),  # ViT-H, all others
        intermediate_size=weights["blocks.0.mlp.fc1.weight"].shape[0],
        image_size=side * patch,
        patch_size=patch,
        layer_norm_eps=1e-6,
    )


def _renamed(weights: Mapping[str, Tensor]) -> dict[str, Any]:
    """Return the weights by the names that transformers has; its query, key and value are apart."""
    renamed: dict[str, Any] = {}
    for name, weight in weights.items():
        joint = re.fullmatch(r"blocks\.(\d+)\.attn\.qkv\.(\w+)", name)
        if joint:
            for part, third in zip("qkv", weight.chunk(3), strict=True):
                renamed[f"layers.{joint[1]}.attention.{part}_proj.{joint[2]}"] = third
            continue
        for pattern, new in _RENAMED.items():
            name = re.sub(pattern, new, name)
        renamed[name] = weight
    return renamed
