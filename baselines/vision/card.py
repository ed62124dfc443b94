"""`python -m langrearrange_baselines.vision.card`: how accurate an encoder is, as Markdown.

The table in docs/vision.md is this command's output; `--measure` measures again, on any pictures.
"""

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from langrearrange.world.vocabulary import HELD_OUT_CATEGORIES, english

from ..command import run_module
from .encoder import VisionError
from .loading import WEIGHTS, load_encoder, read_network
from .metrics import measure
from .scenes import AS_FOUND, SceneStream
from .segcnn import Precision, SegCnnEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class CardArgs:
    """Print the accuracy of an encoder, category by category."""

    weights: Path = WEIGHTS
    """a .safetensors file of vision.pretrain"""
    measure: int = 0
    """measure again on so many pictures; 0: print what was measured after training"""
    split: Literal["validation", "new_scenes", "train"] = "validation"
    """split whose households to measure on"""
    precision: Precision = "float32"
    """of the convolutions when measuring"""
    seed: int = 1
    """of the pictures when measuring; pretraining's own measurement has 0"""


def card(measured: Mapping[str, Any]) -> str:
    """Return a measurement (`metrics.measure`) as Markdown."""
    shares = ("recall", "precision", "spot", "held", "opened", "cells")
    percent = {name: _percent(measured[name]) for name in shares}
    lines = [
        f"Over {measured['num_pictures']} images: recall {percent['recall']}, precision "
        f"{percent['precision']} over all categories at the stance; accuracy of the robot's spot "
        f"{percent['spot']}, of the held object {percent['held']}, of the state of the container "
        f"{percent['opened']}, of cells that show an object {percent['cells']}.",
        "",
        "| category | images with it | recall | precision |",
        "|---|---|---|---|",
    ]
    for name, row in measured["categories"].items():
        mark = " (held out)" if name in HELD_OUT_CATEGORIES else ""
        lines.append(
            f"| {english(name)}{mark} | {row['seen']} | {_percent(row['recall'])} | "
            f"{_percent(row['precision'])} |"
        )
    return "\n".join(lines) + "\n"


def main(args: CardArgs) -> str:
    """Return the card that the settings ask for."""
    if not args.measure:
        facts = read_network(args.weights)[1]
        return card(facts["validation"])
    torch.set_num_threads(1)
    encoder = load_encoder(args.weights, precision=args.precision)
    if not isinstance(encoder, SegCnnEncoder):
        raise VisionError(f"{args.weights}: only a network of vision.pretrain has read-outs")
    scenes = SceneStream(args.split, args.seed, image_size=encoder.input_size, mixture=AS_FOUND)
    return card(measure(encoder, scenes, max(1, args.measure // 32)))


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


if __name__ == "__main__":
    sys.exit(run_module("vision.card", CardArgs, lambda args: main(args).rstrip()))
