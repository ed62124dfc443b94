"""Published vision models load from their own files and folders, and are frozen."""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from langrearrange_baselines.vision import VisionError, load_encoder
from torch import Tensor, nn
from torch.nn import functional
from transformers import (
    CLIPVisionConfig,
    CLIPVisionModel,
    Dinov2Config,
    Dinov2Model,
)

SIDE, PATCH, WIDTH, DEPTH = 64, 16, 128, 2
SHAPE: dict[str, Any] = {
    "hidden_size": WIDTH, "num_hidden_layers": DEPTH, "num_attention_heads": 2,
    "image_size": SIDE, "patch_size": PATCH,
}  # fmt: skip


def mae_weights() -> dict[str, Tensor]:
    """Random weights under the keys of VC-1's and MAE's checkpoints, decoder included."""
    generator = torch.Generator().manual_seed(0)
    shapes: dict[str, tuple[int, ...]] = {
        "cls_token": (1, 1, WIDTH),
        "mask_token": (1, 1, 32),
        "pos_embed": (1, (SIDE // PATCH) ** 2 + 1, WIDTH),
        "patch_embed.proj.weight": (WIDTH, 3, PATCH, PATCH),
        "patch_embed.proj.bias": (WIDTH,),
        "norm.weight": (WIDTH,),
        "norm.bias": (WIDTH,),
        "decoder_embed.weight": (32, WIDTH),
        "decoder_blocks.0.norm1.weight": (32,),
    }
    for i in range(DEPTH):
        for name, shape in {
            "norm1": (WIDTH,), "norm2": (WIDTH,), "attn.qkv": (3 * WIDTH, WIDTH),
            "attn.proj": (WIDTH, WIDTH), "mlp.fc1": (4 * WIDTH, WIDTH),
            "mlp.fc2": (WIDTH, 4 * WIDTH),
        }.items():  # fmt: skip
            shapes[f"blocks.{i}.{name}.weight"] = shape
            shapes[f"blocks.{i}.{name}.bias"] = shape[:1]
    return {name: torch.randn(shape, generator=generator) * 0.1 for name, shape in shapes.items()}


def reference(weights: dict[str, Tensor], pictures: Tensor) -> Tensor:
    """The CLS token as timm computes it, written out."""

    def part(name: str) -> tuple[Tensor, Tensor]:
        return weights[f"{name}.weight"], weights[f"{name}.bias"]

    def norm(x: Tensor, name: str) -> Tensor:
        return functional.layer_norm(x, (WIDTH,), *part(name), eps=1e-6)

    x = functional.conv2d(pictures, *part("patch_embed.proj"), stride=PATCH)
    x = x.flatten(2).transpose(1, 2)
    x = torch.cat([weights["cls_token"].expand(len(x), -1, -1), x], 1) + weights["pos_embed"]
    for i in range(DEPTH):
        joint = functional.linear(norm(x, f"blocks.{i}.norm1"), *part(f"blocks.{i}.attn.qkv"))
        q, k, v = joint.reshape(*x.shape[:2], 3, WIDTH // 64, 64).permute(2, 0, 3, 1, 4)
        heads = (q @ k.transpose(-1, -2) / math.sqrt(64)).softmax(-1) @ v
        joined = heads.transpose(1, 2).flatten(2)
        x = x + functional.linear(joined, *part(f"blocks.{i}.attn.proj"))
        wide = functional.linear(norm(x, f"blocks.{i}.norm2"), *part(f"blocks.{i}.mlp.fc1"))
        x = x + functional.linear(functional.gelu(wide), *part(f"blocks.{i}.mlp.fc2"))
    return norm(x, "norm")[:, 0]


def some_pictures() -> Tensor:
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, 256, (3, SIDE, SIDE, 3), dtype=torch.uint8, generator=generator)


def check_frozen(encoder: nn.Module) -> None:
    assert not any(parameter.requires_grad for parameter in encoder.parameters())
    assert not encoder.train().training


@pytest.mark.parametrize("nested", [True, False])
def test_vc1s_own_checkpoint_gives_its_cls_token(tmp_path: Path, nested: bool) -> None:
    weights = mae_weights()
    path = tmp_path / "vc1.pth"
    args = argparse.Namespace(model="mae_vit_small_patch16")
    torch.save({"model": weights, "args": args, "epoch": 3} if nested else weights, path)
    encoder = load_encoder(path)
    rgb = some_pictures()
    pixels = rgb.permute(0, 3, 1, 2).float() / 255
    mean, std = torch.tensor([0.485, 0.456, 0.406]), torch.tensor([0.229, 0.224, 0.225])
    normal = (pixels - mean[:, None, None]) / std[:, None, None]
    expected = reference(weights, normal)
    torch.testing.assert_close(encoder.encode(rgb), expected.half(), atol=2e-3, rtol=2e-3)
    assert (encoder.input_size, encoder.feature_dim) == (SIDE, WIDTH)
    assert encoder.patch_shape == (16, WIDTH)
    check_frozen(encoder)


def test_a_checkpoint_of_another_network_is_refused(tmp_path: Path) -> None:
    lacking = mae_weights()
    del lacking["blocks.1.mlp.fc2.bias"]
    for name, value in {"lacking": lacking, "other": {"a": torch.zeros(1)}, "list": [1]}.items():
        path = tmp_path / f"{name}.pth"
        torch.save(value, path)
        with pytest.raises(VisionError, match="layout of VC-1 and MAE"):
            load_encoder(path)
    (tmp_path / "text.pth").write_text("no weights")
    for path in (tmp_path / "text.pth", tmp_path / "missing.pth"):
        with pytest.raises(VisionError, match="layout of VC-1 and MAE"):
            load_encoder(path)


def test_a_clip_folder_gives_its_vision_transformer(tmp_path: Path) -> None:
    model = CLIPVisionModel(CLIPVisionConfig(intermediate_size=256, **SHAPE)).eval()
    model.save_pretrained(tmp_path)
    prepared = {"crop_size": SIDE, "image_mean": [0.4] * 3, "image_std": [0.2] * 3}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(prepared))
    encoder = load_encoder(tmp_path)
    rgb = some_pictures()
    pixels = (rgb.permute(0, 3, 1, 2).float() / 255 - 0.4) / 0.2
    with torch.no_grad():
        expected = model(pixel_values=pixels).last_hidden_state[:, 0]
    torch.testing.assert_close(encoder.encode(rgb), expected.half(), atol=4e-3, rtol=4e-3)
    check_frozen(encoder)


def test_a_dinov2_folder_gives_its_cls_token_at_another_size(tmp_path: Path) -> None:
    Dinov2Model(Dinov2Config(**SHAPE)).save_pretrained(tmp_path)
    prepared = {"crop_size": {"height": 32, "width": 32}}
    (tmp_path / "preprocessor_config.json").write_text(json.dumps(prepared))
    encoder = load_encoder(tmp_path)
    assert (encoder.input_size, encoder.patch_shape) == (32, (4, WIDTH))
    assert encoder.encode(some_pictures()).shape == (3, WIDTH)
    check_frozen(encoder)
