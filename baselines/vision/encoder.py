"""Base of vision encoders: observations in, frozen feature vectors out. No training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from langrearrange.env.spaces import STATE_SIZES
from langrearrange.errors import LangRearrangeError

CHUNK: Final = 16
"""Pictures encoded at once, so that memory does not grow with the number of envs."""


class VisionError(LangRearrangeError, ValueError):
    """The weights of an encoder are missing, corrupt or of another network."""


class VisionEncoder(nn.Module):
    """A frozen encoder: no parameter takes a gradient, `train()` leaves it in evaluation mode.

    Attributes:
        name: what it was loaded as.
        modality: observation that it reads, `rgb` or `state`.
        input_size: side of its pictures; others are resized. 0 if it reads none.
        feature_dim: length of its features.
        patch_shape: (num_patches, width) of `encode_patches`, None if it has no patches.
        layout: names what its features mean whatever the weights; empty: the weights define it.
        batch_invariant: a picture's features do not depend on the others, to the last bit.
    """

    name: str
    modality = "rgb"
    input_size: int
    feature_dim: int
    patch_shape: tuple[int, int] | None = None
    layout: str = ""
    batch_invariant = False

    def features(self, pictures: Tensor) -> Tensor:
        """Return (n, feature_dim) of pictures (n, 3, input_size, input_size) in [0, 1]."""
        raise NotImplementedError

    def patches(self, pictures: Tensor) -> Tensor:
        """Return (n, *patch_shape) of pictures (n, 3, input_size, input_size) in [0, 1]."""
        raise VisionError(f"encoder '{self.name}' has no patches; use its features")

    def encode(self, rgb: Tensor) -> Tensor:
        """Return features of pictures, whatever their size.

        Args:
            rgb: (n, height, width, 3) uint8, on any device.

        Returns:
            (n, feature_dim) float16 on the encoder's device.

        Raises:
            VisionError: another shape or type.
        """
        return self._in_chunks(rgb, self.features, (self.feature_dim,))

    def encode_observation(self, observation: Mapping[str, Any]) -> Tensor:
        """Return features of a vector env's observation, (n, feature_dim) float16."""
        return self.encode(_pictures_of(observation))

    def encode_patches(self, observation: Mapping[str, Any]) -> Tensor:
        """Return patches of a vector env's observation, (n, *patch_shape) float16."""
        return self._in_chunks(_pictures_of(observation), self.patches, self.patch_shape or ())

    @torch.no_grad()
    def _in_chunks(
        self, rgb: Tensor, compute: Callable[[Tensor], Tensor], shape: tuple[int, ...]
    ) -> Tensor:
        if rgb.dtype != torch.uint8 or rgb.ndim != 4 or rgb.shape[3] != 3:
            found = f"pictures of shape {tuple(rgb.shape)} and type {rgb.dtype}"
            raise VisionError(f"{found}; accepted: (n, height, width, 3) uint8")
        device = next(self.parameters()).device
        parts = []
        for chunk in torch.split(rgb, CHUNK):
            pictures = chunk.to(device).permute(0, 3, 1, 2).float().div_(255)
            parts.append(compute(resized(pictures, self.input_size)).half())
        return torch.cat(parts) if parts and len(rgb) else rgb.new_empty(0, *shape).half()

    def train(self, mode: bool = True) -> VisionEncoder:
        """Stay in evaluation mode: the encoder is frozen."""
        return super().train(False)

    def freeze(self) -> VisionEncoder:
        """Let no parameter take a gradient; returns itself."""
        return self.requires_grad_(False).eval()


class SymbolicEncoder(VisionEncoder):
    """The `state` observation as numbers: for tests, fast training and an upper bound."""

    modality = "state"

    def __init__(self) -> None:
        super().__init__()
        self.name = "symbolic"
        self.input_size = 0
        self.feature_dim = sum(STATE_SIZES.values())

    def encode(self, rgb: Tensor) -> Tensor:
        """Raise VisionError: a `state` observation has no picture."""
        raise VisionError(
            "the symbolic encoder reads the state observation; call encode_observation(...), or "
            "load 'segcnn' to see pictures"
        )

    def encode_observation(self, observation: Mapping[str, Any]) -> Tensor:
        """Return the fields of `STATE_SIZES`, flattened in that order; counts stop at 2."""
        fields = [np.asarray(observation[name], np.float32) for name in STATE_SIZES]
        return torch.from_numpy(np.concatenate(fields, axis=-1).clip(-1, 2)).half()


def _pictures_of(observation: Mapping[str, Any]) -> Tensor:
    return torch.from_numpy(np.ascontiguousarray(observation["rgb"]))


def resized(pictures: Tensor, size: int) -> Tensor:
    """Return (n, c, size, size): averaged over areas when shrinking, bilinear when growing."""
    height, width = pictures.shape[-2:]
    if (height, width) == (size, size):
        return pictures
    if height >= size and width >= size:
        return functional.adaptive_avg_pool2d(pictures, size)
    return functional.interpolate(pictures, (size, size), mode="bilinear", align_corners=False)
