"""Observations of an env -> what the policy sees: frozen features and proprioception. No training.

Frozen features are stored instead of pictures, so a picture is encoded once, when it is seen.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from langrearrange.env.spaces import NUM_JOINTS
from langrearrange.errors import UsageError

from .backbone import fingerprint
from .contexts import FEATURE_DTYPE

RGB_PROPRIO: Final = NUM_JOINTS + 1 + 4
"""Numbers of proprioception: joints, hand, pose as x, y, sin and cos of yaw."""


class Seen(NamedTuple):
    """What the policy sees: features (n, ...), float16, and proprio (n, proprio_dim), float32."""

    features: Tensor
    proprio: Tensor


class Eyes(Protocol):
    """Turns batched observations into what the policy sees.

    Attributes:
        modality: the observation it reads.
        feature_shape: of one observation: (feature_dim,) or (num_patches, feature_dim).
        proprio_dim: numbers of proprioception.
        fingerprint: of the weights that see; the same in any precision.
    """

    modality: str
    feature_shape: tuple[int, ...]
    proprio_dim: int
    fingerprint: str

    def __call__(self, observations: Mapping[str, Any]) -> Seen:
        """Return what is seen in observations with a leading axis of n."""
        ...


class EncoderEyes:
    """Eyes made of an encoder of `langrearrange_baselines.vision`.

    Args:
        encoder: has `modality`, `feature_dim` and `encode_observation`.
        proprioception: whether joints, hand and pose are seen too; with `state` there are none.
        device: where features go.
        blank: all features are 0: the control that sees nothing.
    """

    def __init__(
        self,
        encoder: Any,
        *,
        proprioception: bool,
        device: str | torch.device = "cpu",
        blank: bool = False,
    ) -> None:
        self._encoder = encoder
        self._device = device
        self._blank = blank
        self.modality: str = encoder.modality
        self.feature_shape: tuple[int, ...] = (encoder.feature_dim,)
        self.proprio_dim = RGB_PROPRIO if proprioception and self.modality == "rgb" else 0
        self.fingerprint = fingerprint(encoder, torch.bfloat16)

    def __call__(self, observations: Mapping[str, Any]) -> Seen:
        """Return what is seen in batched observations."""
        if self._blank:
            shape = (len(observations["instruction"]), *self.feature_shape)
            features = torch.zeros(shape, dtype=FEATURE_DTYPE, device=self._device)
        else:
            features = self._encoder.encode_observation(observations)
            features = features.to(self._device, FEATURE_DTYPE)
        if self.proprio_dim == 0:
            return Seen(features, torch.zeros(len(features), 0, device=self._device))
        return Seen(features, proprioception(observations).to(self._device))


class PatchEyes(EncoderEyes):
    """Eyes that keep an encoder's patches, for more than one token a step.

    Args:
        encoder: also has `patch_shape` (num_patches, width) and `encode_patches(observations)`.
        device: where features go.
    """

    def __init__(self, encoder: Any, *, device: str | torch.device = "cpu") -> None:
        super().__init__(encoder, proprioception=True, device=device)
        self.feature_shape = tuple(encoder.patch_shape)

    def __call__(self, observations: Mapping[str, Any]) -> Seen:
        """Return what is seen in batched observations."""
        features = self._encoder.encode_patches(observations).to(self._device, FEATURE_DTYPE)
        return Seen(features, proprioception(observations).to(self._device))


def proprioception(observations: Mapping[str, Any]) -> Tensor:
    """Return joints, hand and pose of rgb observations, (n, 12), float32."""
    pose = np.asarray(observations["pose"], np.float32)
    parts = [
        np.asarray(observations["joints"], np.float32),
        np.asarray(observations["holding"], np.float32),
        pose[:, :2],
        np.sin(pose[:, 2:]),
        np.cos(pose[:, 2:]),
    ]
    return torch.from_numpy(np.concatenate(parts, axis=1))


def load_eyes(
    encoder: str,
    *,
    proprioception: bool,
    tokens_per_step: int = 1,
    precision: Literal["float32", "bfloat16"] = "float32",
    device: str | torch.device = "cpu",
    blank: bool = False,
) -> EncoderEyes:
    """Load an encoder by name or path.

    Args:
        encoder: a name or path that `vision.load_encoder` takes.
        proprioception: whether joints, hand and pose are seen too.
        tokens_per_step: more than one needs an encoder with patches.
        precision: of the encoder's layers; features are float16 either way.
        device: where it computes and features go.
        blank: the control that sees nothing; only with one token a step.

    Raises:
        VisionError: no such encoder.
        UsageError: more than one token a step from an encoder without patches.
    """
    from ..vision import load_encoder

    loaded = load_encoder(encoder, precision=precision, device=device)
    if tokens_per_step == 1:
        return EncoderEyes(loaded, proprioception=proprioception, device=device, blank=blank)
    if blank:
        raise UsageError("control 'blank' goes with tokens_per_step=1")
    if getattr(loaded, "patch_shape", None) is None or loaded.modality != "rgb":
        raise UsageError(
            f"encoder '{encoder}' gives no patches, so an observation is one token; use "
            "tokens_per_step=1 or a vision transformer"
        )
    return PatchEyes(loaded, device=device)
