"""`python -m langrearrange_baselines.vision.card`: what an encoder sees, as Markdown.

The table in docs/vision.md is this command's output; `--measure` measures again, on any pictures.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import tyro

from langrearrange.world.vocabulary import HELD_OUT_CATEGORIES, english

from ..command import run_command
from .encoder import VisionError
from .loading import WEIGHTS, load_encoder, read_network
from .metrics import measure
from .scenes import AS_FOUND, SceneStream
from .segcnn import Precision, SegCnnEncoder


@dataclass(frozen=True, slots=True, kw_only=True)
class CardArgs:
    """Say what an encoder sees, category by category."""

    weights: Path = WEIGHTS
    """a .safetensors file of vision.pretrain"""
    measure: int = 0
    """measure again on so many pictures; 0: say what was measured after training"""
    split: Literal["validation", "new_scenes", "train"] = "validation"
    """whose households to look at when measuring"""
    precision: Precision = "float32"
    """of the convolutions when measuring"""
    seed: int = 1
    """of the pictures when measuring; pretraining's own measurement has 0"""


def card(sight: Mapping[str, Any]) -> str:
    """Return a measurement (`metrics.Sight.record`) as Markdown."""
    lines = [
        f"Over {sight['num_pictures']} pictures: recall {_percent(sight['recall'])}, precision "
        f"{_percent(sight['precision'])} over all categories at the stance; where the robot "
        f"stands {_percent(sight['spot'])}, what it holds {_percent(sight['held'])}, whether what "
        f"opens here is open {_percent(sight['opened'])}, cells that show a thing "
        f"{_percent(sight['cells'])}.",
        "",
        "| category | pictures with it | recall | precision |",
        "|---|---|---|---|",
    ]
    for name, row in sight["categories"].items():
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
    return card(measure(encoder, scenes, max(1, args.measure // 32)).record())


def _percent(share: float | None) -> str:
    return "-" if share is None else f"{100 * share:.1f} %"


if __name__ == "__main__":
    name = "python -m langrearrange_baselines.vision.card"
    sys.exit(run_command(lambda: main(tyro.cli(CardArgs, prog=name)).rstrip()))
