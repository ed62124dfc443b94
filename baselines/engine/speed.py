"""The fastest way to compute an encoder here, measured once as a run begins. Decides no action."""

from __future__ import annotations

import dataclasses
import time
from itertools import product
from pathlib import Path
from typing import Any, Final, TypeVar

import torch

from langrearrange.log import get_logger

from ..vision import load_encoder
from .checkpoint import find_checkpoint, read_state
from .config import RunConfig
from .group import Group

logger = get_logger(__name__)

PRECISIONS: Final = ("float32", "bfloat16")
LAYOUTS: Final = ("channels_last", "contiguous")
_PICTURES: Final = 8
_ROUNDS: Final = 2
_SIDE: Final = 256
AnyConfig = TypeVar("AnyConfig", bound=RunConfig)


def settled(
    config: AnyConfig, resumed: Path | None = None, group: Group | None = None
) -> AnyConfig:
    """Return the settings with `encoder_precision="auto"` replaced.

    A resumed run keeps what its checkpoint has; a new one measures precisions and layouts, the same
    choice in all processes.

    Args:
        config: settings of a run.
        resumed: folder of the run to be resumed.
        group: the processes that train together.

    Raises:
        VisionError, CheckpointError: the encoder or the run to be resumed cannot be read.
    """
    if config.encoder_precision != "auto":
        return config
    if resumed is not None:
        stored = read_state(find_checkpoint(resumed))["config"]
        return _changed(config, stored["encoder_precision"], stored["encoder_layout"])
    candidates = list(product(PRECISIONS, LAYOUTS))
    times = torch.tensor([_seconds(config, *candidate) for candidate in candidates])
    times = times.to(config.device)
    chosen = candidates[int((group or Group()).sum(times).argmin())]
    logger.info("encoder %s: %s %s", config.encoder, *chosen)
    return _changed(config, *chosen)


def _changed(config: AnyConfig, precision: Any, layout: Any) -> AnyConfig:
    return dataclasses.replace(config, encoder_precision=precision, encoder_layout=layout)


def _seconds(config: RunConfig, precision: Any, layout: Any) -> float:
    """Return the least seconds that pictures take: of CPU time on a CPU, which may be shared."""
    encoder = load_encoder(
        config.encoder,
        precision=precision,
        memory_format=layout,
        device=config.device,
    )
    if encoder.modality != "rgb":
        return 0.0
    pictures = torch.zeros(_PICTURES, _SIDE, _SIDE, 3, dtype=torch.uint8)
    clock = time.process_time if config.device == "cpu" else time.perf_counter
    encoder.encode(pictures)
    times = []
    for _ in range(_ROUNDS):
        began = clock()
        encoder.encode(pictures).cpu()
        times.append(clock() - began)
    return min(times)
