"""Any Hugging Face vision transformer by path as a frozen encoder: CLS token, own preprocessing."""

import json
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from transformers import AutoConfig
from transformers.utils import logging

from ..pretrained import load_pretrained
from .encoder import VisionEncoder, VisionError
from .segcnn import Precision

_HALF = (0.5, 0.5, 0.5)


class VitEncoder(VisionEncoder):
    """The CLS token of the last layer (paper C.1), e.g. of DINOv2, a MAE or VC-1's own ViT.

    Pictures are resized to the input size by area averaging and normalised with the checkpoint's
    `image_mean` and `image_std`; a centre crop of the checkpoint is left out, since our pictures
    are square.

    Args:
        model: gives `last_hidden_state`, CLS first.
        input_size: side of its pictures.
        mean, std: of a channel, for pictures in [0, 1].
    """

    mean: Tensor
    std: Tensor

    def __init__(
        self, model: torch.nn.Module, name: str, input_size: int, mean: Any, std: Any
    ) -> None:
        super().__init__()
        self.model = model
        self.name = name
        self.input_size = input_size
        self.feature_dim = int(model.config.hidden_size)  # type: ignore[union-attr, arg-type]
        side = input_size // int(getattr(model.config, "patch_size", input_size))
        self.patch_shape = (side * side, self.feature_dim)
        self.register_buffer("mean", torch.tensor(mean).view(1, 3, 1, 1))
        self.register_buffer("std", torch.tensor(std).view(1, 3, 1, 1))
        self.freeze()

    def features(self, pictures: Tensor) -> Tensor:
        """Return the CLS tokens, (n, hidden_size) float32."""
        return self._hidden(pictures)[:, 0]

    def patches(self, pictures: Tensor) -> Tensor:
        """Return the tokens of the patches, the last ones, (n, num_patches, hidden_size)."""
        assert self.patch_shape is not None
        return self._hidden(pictures)[:, -self.patch_shape[0] :]

    def _hidden(self, pictures: Tensor) -> Tensor:
        dtype = next(self.model.parameters()).dtype
        pixels = ((pictures - self.mean) / self.std).to(dtype)
        return self.model(pixel_values=pixels).last_hidden_state.float()  # type: ignore[no-any-return]


def load_vit(path: Path, precision: Precision = "float32") -> VitEncoder:
    """Load a vision transformer from a folder; nothing is fetched from a network.

    Args:
        path: with config.json and weights; preprocessor_config.json is used where it is there.
        precision: of weights and activations.

    Raises:
        VisionError: the folder holds no vision transformer that transformers can load.
    """
    logging.disable_progress_bar()
    try:
        config = AutoConfig.from_pretrained(path, local_files_only=True)
        changes: dict[str, Any] = {}
        if getattr(config, "mask_ratio", None):
            changes["mask_ratio"] = 0.0  # a masked autoencoder would otherwise drop patches
        model = load_pretrained(
            str(path), local_files_only=True, dtype=getattr(torch, precision), **changes
        )
        # CLIP holds a language model beside its vision transformer.
        model = getattr(model, "vision_model", model)
        config = model.config
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        reason = str(error).splitlines()[0]
        raise VisionError(f"{path}: transformers cannot load it ({reason})") from error
    size = getattr(config, "image_size", None)
    if not isinstance(size, int) or not hasattr(config, "hidden_size"):
        raise VisionError(
            f"{path}: a {config.model_type} model, not a vision transformer with square pictures"
        )
    prepared = _preprocessing(path)
    mean, std = prepared.get("image_mean", _HALF), prepared.get("image_std", _HALF)
    return VitEncoder(model, str(path), _input_size(prepared, size), mean, std)


def _preprocessing(path: Path) -> dict[str, Any]:
    file = path / "preprocessor_config.json"
    return json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}


def _input_size(prepared: dict[str, Any], default: int) -> int:
    """Return the side the checkpoint's preprocessing ends with: crop, else size, else config."""
    for key in ("crop_size", "size"):
        value = prepared.get(key)
        if isinstance(value, dict) and value.get("height") == value.get("width"):
            value = value.get("height")
        if isinstance(value, int):
            return value
    return default
