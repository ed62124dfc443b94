"""Observations of an env -> what a policy sees: frozen features and proprioception. No training.

Features are stored instead of images, so each image is encoded once.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from hashlib import sha256
from pathlib import Path
from typing import Any, Final, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from langrearrange.env.spaces import NUM_JOINTS
from langrearrange.errors import LangRearrangeError, UsageError

from ..pretrained import fingerprint
from ..vision import load_encoder
from .config import RunConfig
from .inputs import input_columns, input_dim, modality_with

FEATURE_DTYPE: Final = torch.float16
"""Features are rounded to this once, before their first use: acting and training see the same."""
MAX_KNOWN_BYTES: Final = 64 << 20
"""Memory for features of pictures that were seen."""
RGB_PROPRIO: Final = NUM_JOINTS + 1 + 4
"""Numbers of proprioception: joints, hand, pose as x, y, sin and cos of yaw."""


class Encoded(NamedTuple):
    """Encoded observations: features (n, ...), float16, and proprio (n, proprio_dim), float32."""

    features: Tensor
    proprio: Tensor


class Encoder(Protocol):
    """Turns batched observations into what a policy sees.

    Attributes:
        modality: the observation it reads.
        feature_shape: of one observation: (feature_dim,) or (num_patches, feature_dim).
        proprio_dim: numbers of proprioception.
        fingerprint: of its weights; the same in any precision.
    """

    modality: str
    feature_shape: tuple[int, ...]
    proprio_dim: int
    fingerprint: str

    def __call__(self, observations: Mapping[str, Any]) -> Encoded:
        """Encode observations with a leading axis of n."""
        ...


class SeenViews:
    """Features of pictures by their bytes: a view seen before is not encoded again.

    Args:
        encode: observations with `rgb` -> features.

    Attributes:
        hits, misses: pictures that were known, and that were not.
    """

    def __init__(self, encode: Callable[[Mapping[str, Any]], Tensor]) -> None:
        self._encode = encode
        self._known: OrderedDict[bytes, Tensor] = OrderedDict()
        self.hits = self.misses = 0

    def __call__(self, observations: Mapping[str, Any]) -> Tensor:
        """Return features of batched observations."""
        pictures = np.ascontiguousarray(observations["rgb"])
        digests = [sha256(picture).digest() for picture in pictures]
        first = {digest: row for row, digest in reversed(list(enumerate(digests)))}
        missing = sorted(row for digest, row in first.items() if digest not in self._known)
        self.misses += len(missing)
        self.hits += len(digests) - len(missing)
        if missing:
            features = self._encode({"rgb": pictures[missing]})
            self._known.update(
                (digests[row], one) for row, one in zip(missing, features.clone(), strict=True)
            )
        result = torch.stack([self._known[digest] for digest in digests])
        for digest in digests:
            self._known.move_to_end(digest)
        most = max(len(digests), MAX_KNOWN_BYTES // result[0].nbytes)
        while len(self._known) > most:
            self._known.popitem(last=False)
        return result


class ObservationEncoder:
    """A frozen vision encoder of `langrearrange_baselines.vision` plus proprioception.

    Args:
        vision: has `modality`, `feature_dim`, `encode_observation`, and for patches `patch_shape`
            and `encode_patches`.
        proprioception: whether joints, hand and pose are seen too; with `state` there are none.
        patches: keep the patches of each image, for more than one token a step.
        device: where features go.
        blank: all features are 0: a control.
        inputs: names of what is added to proprioception, see `engine.inputs`.
        reuse: encode a picture that was seen before, bit for bit, only once.

    Raises:
        UsageError: an input that no observation of this encoder carries.
    """

    def __init__(
        self,
        vision: Any,
        *,
        proprioception: bool,
        patches: bool = False,
        device: str | torch.device = "cpu",
        blank: bool = False,
        inputs: Sequence[str] = (),
        reuse: bool = False,
    ) -> None:
        encode = vision.encode_patches if patches else vision.encode_observation
        self.views = SeenViews(encode) if reuse and vision.modality == "rgb" else None
        self._encode = self.views or encode
        self._device, self._blank = device, blank
        self.modality = modality_with(inputs, vision.modality)
        # Percepts are the same from pictures and state, and the state has no joints and no pose.
        seen = proprioception and vision.modality == "rgb" and not vision.layout
        self._seen = RGB_PROPRIO if seen else 0
        self._inputs = inputs
        shape = vision.patch_shape if patches else (vision.feature_dim,)
        self.feature_shape: tuple[int, ...] = tuple(shape)
        self.proprio_dim = self._seen + input_dim(inputs)
        self.fingerprint = vision.layout or fingerprint(vision, torch.bfloat16)

    def __call__(self, observations: Mapping[str, Any]) -> Encoded:
        """Encode batched observations."""
        if self._blank:
            shape = (len(observations["instruction"]), *self.feature_shape)
            features = torch.zeros(shape, dtype=FEATURE_DTYPE, device=self._device)
        else:
            features = self._encode(observations).to(self._device, FEATURE_DTYPE)
        parts = [proprioception(observations)] if self._seen else []
        parts += input_columns(self._inputs, observations)
        proprio = torch.cat(parts, 1) if parts else torch.zeros(len(features), 0)
        return Encoded(features, proprio.to(self._device))


def encoder_facts(name: str, encoder: Encoder) -> dict[str, Any]:
    """Return as JSON values what to store beside features, or weights that were trained on them."""
    return {
        "name": name,
        "fingerprint": encoder.fingerprint,
        "feature_shape": list(encoder.feature_shape),
        "proprio_dim": encoder.proprio_dim,
    }


def check_encoder(
    stored: Mapping[str, Any], encoder: Encoder, path: Path, error: type[LangRearrangeError]
) -> None:
    """Raise `error` unless `encoder` gives the features that these stored facts are of.

    The same encoder may have another name, where its folder moved.
    """
    layouts = str(stored.get("fingerprint")), encoder.fingerprint
    if layouts[0] != layouts[1] and all(layout.startswith("percepts ") for layout in layouts):
        raise error(
            f"{path} is of the layout '{layouts[0]}', this release has '{layouts[1]}'; train "
            "again, or use the release that wrote it"
        )
    for key, value in encoder_facts("", encoder).items():
        if key != "name" and stored.get(key) != value:
            raise error(
                f"{path} is of encoder '{stored.get('name')}' with {key} {stored.get(key)}, but "
                f"this encoder has {value}; use the same encoder"
            )


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


def make_encoder(config: RunConfig) -> Encoder:
    """Load the encoder that the settings name.

    Raises:
        VisionError: no such encoder.
        UsageError: a device that cannot be used, or patches from an encoder that has none.
    """
    check_device(config.device)
    if config.encoder_precision == "auto":
        raise UsageError("encoder_precision 'auto' is settled when a run begins; see engine.speed")
    vision = load_encoder(
        config.encoder,
        precision=config.encoder_precision,
        memory_format=config.encoder_layout,
        device=config.device,
    )
    patches = config.tokens_per_step > 1
    blank = config.control == "blank"
    if patches and blank:
        raise UsageError("control 'blank' goes with tokens_per_step=1")
    if patches and (vision.patch_shape is None or vision.modality != "rgb"):
        raise UsageError(
            f"encoder '{config.encoder}' has no patches, so an observation is one token; use "
            "tokens_per_step=1 or a vision transformer"
        )
    return ObservationEncoder(
        vision,
        proprioception=config.proprioception or patches,
        patches=patches,
        device=config.device,
        blank=blank,
        inputs=config.input_names,
        # What a batch is made of then depends on the past, which a resumed run does not know.
        reuse=config.reuse_views and (vision.batch_invariant or not config.exact_resume),
    )


def check_device(name: str) -> None:
    """Raise UsageError if torch cannot compute on this device."""
    try:
        torch.empty(0, device=name)
    except (RuntimeError, AssertionError) as error:  # AssertionError: torch built without CUDA
        reason = str(error).strip().splitlines()[0]
        raise UsageError(
            f"device '{name}' cannot be used ({reason:.120}); accepted: cpu, or cuda, cuda:1, ... "
            "where torch finds a GPU"
        ) from error
