"""`python -m langrearrange_baselines.vision.pretrain`: train `segcnn` on the simulator's labels.

Pictures are rendered as they are needed and none is used twice. The last line on stdout is the
measurement on validation flats as JSON.
"""

import json
import math
import sys
import time
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any, Final

import torch
from torch import Tensor
from torch.nn import functional

from langrearrange.errors import UsageError
from langrearrange.log import get_logger
from langrearrange.progress import progress
from langrearrange.world.vocabulary import NUM_CATEGORIES

from ..command import run_module
from .encoder import VisionError
from .labels import Labels
from .loading import random_network, read_network, write_network
from .metrics import measure
from .scenes import AS_FOUND, EMPHASISED, TRAINING, SceneStream
from .segcnn import Precision, ReadOut, SegCnn, SegCnnConfig, SegCnnEncoder

logger = get_logger(__name__)

_HIDDEN_PX: Final = 8
"""An object in reach with fewer pixels is left out of the loss."""
_CELL_WEIGHT_OF_BACKGROUND: Final = 0.25
_MEASURED: Final = 0
"""Seed of the pictures to measure on, so that two runs can be compared."""
_WEIGHT_DECAY: Final = 0.01
_MAX_GRADIENT: Final = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class PretrainArgs:
    """Train the default vision encoder on the simulator's own labels."""

    out: Path
    """weights to write, .safetensors; until then a checkpoint is kept beside it"""
    init: Path | None = None
    """weights to start from, with their sizes; give another --seed for other pictures"""
    emphasise: tuple[str, ...] = ()
    """categories to show more often; one named twice comes twice as often"""
    num_pictures: int = 110_000
    """to learn from"""
    minutes: float | None = None
    """stop after so many CPU minutes, with the learning rate brought down in time"""
    batch_size: int = 32
    learning_rate: float = 2e-3
    """peak; warmed up over 3 % of the run, then down to 0 along a cosine"""
    input_size: int = 256
    widths: tuple[int, int, int, int] = (48, 96, 160, 192)
    """channels of the four stages, multiples of 8"""
    seed: int = 0
    """of the first weights and of the pictures to learn from"""
    precision: Precision = "bfloat16"
    """of the convolutions; float32 is as good, slower where the CPU has AMX"""
    device: str = "cpu"
    threads: int = 1
    """of torch"""
    measure_pictures: int = 4096
    """of validation flats, to measure on"""
    save_every: int = 200
    """steps between checkpoints"""

    def __post_init__(self) -> None:
        if self.out.suffix != ".safetensors":
            raise UsageError(f"--out {self.out}: accepted: a name that ends in .safetensors")
        if self.num_pictures < self.batch_size or self.batch_size < 1 or self.save_every < 1:
            raise UsageError("--num-pictures, --batch-size and --save-every must hold one step")


def main(args: PretrainArgs) -> dict[str, Any]:
    """Train, write the weights and return the facts that are kept in the file."""
    torch.set_num_threads(args.threads)
    if args.init is None:
        config = SegCnnConfig(input_size=args.input_size, widths=args.widths)
        network, before = random_network(config, args.seed), None
    else:
        network, before = read_network(args.init)
        args = replace(args, input_size=network.config.input_size, widths=network.config.widths)
    run = _Run(args, network.to(args.device))
    run.train()
    encoder = SegCnnEncoder(run.network, "segcnn", args.precision)
    scenes = SceneStream(
        "validation", _MEASURED, batch_size=32, image_size=args.input_size, mixture=AS_FOUND
    )
    measured = measure(encoder, scenes, max(1, args.measure_pictures // 32))
    settings = asdict(args) | {"widths": list(args.widths), "emphasise": list(args.emphasise)}
    del settings["out"], settings["init"]
    facts = {
        "args": settings,
        "pictures_seen": run.step * args.batch_size,
        "cpu_s": round(run.cpu_s),
        "validation": measured,
        "before": before,
    }
    write_network(run.network, args.out, facts)
    run.checkpoint.unlink(missing_ok=True)
    return facts


class _Run:
    """One training run; continues from its checkpoint if there is one."""

    def __init__(self, args: PretrainArgs, network: SegCnn) -> None:
        self.args = args
        self.network = network.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.scenes = SceneStream(
            "train",
            args.seed,
            batch_size=args.batch_size,
            image_size=args.input_size,
            mixture=replace(EMPHASISED, emphasis=args.emphasise) if args.emphasise else TRAINING,
        )
        self.optimizer = torch.optim.AdamW(
            network.parameters(), lr=args.learning_rate, weight_decay=_WEIGHT_DECAY
        )
        self.num_steps = args.num_pictures // args.batch_size
        self.checkpoint = args.out.with_suffix(".checkpoint.pt")
        self.step = 0
        self.cpu_s = 0.0
        if self.checkpoint.is_file():
            self._resume()

    def train(self) -> None:
        """Take the remaining steps."""
        began = time.process_time() - self.cpu_s
        with progress("pretrain segcnn", self.num_steps, "steps") as advance:
            advance(self.step, "")
            while (done := self._done()) < 1:
                for group in self.optimizer.param_groups:
                    group["lr"] = self.args.learning_rate * schedule(done)
                loss = self._learn()
                self.step += 1
                self.cpu_s = time.process_time() - began
                if self.step % self.args.save_every == 0:
                    self._save()
                advance(1, f"loss {loss:.3f}" if self.step % 20 == 0 else "")

    def _done(self) -> float:
        done = self.step / self.num_steps
        if self.args.minutes is not None:
            done = max(done, self.cpu_s / (60 * self.args.minutes))
        return done

    def _learn(self) -> float:
        rgb, labels = self.scenes.batch()
        device = self.args.device
        pictures = torch.from_numpy(rgb).to(device).permute(0, 3, 1, 2).float() / 255
        pictures = pictures.contiguous(memory_format=torch.channels_last)
        fast = self.args.precision == "bfloat16"
        with torch.autocast(pictures.device.type, torch.bfloat16, enabled=fast):
            read = self.network(pictures)
        loss = loss_of(read, labels)
        value = loss.item()
        if not math.isfinite(value):
            raise VisionError(
                f"the loss is {value} at step {self.step}; the last checkpoint is "
                f"{self.checkpoint}: start again from it with a smaller --learning-rate"
            )
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.network.parameters(), _MAX_GRADIENT)
        self.optimizer.step()
        return value

    def _save(self) -> None:
        temporary = self.checkpoint.with_suffix(".partial")
        temporary.parent.mkdir(parents=True, exist_ok=True)
        parts = {name: getattr(self, name).state_dict() for name in ("network", "optimizer")}
        torch.save(parts | {"step": self.step, "cpu_s": self.cpu_s}, temporary)
        temporary.replace(self.checkpoint)

    def _resume(self) -> None:
        saved = torch.load(self.checkpoint, weights_only=True)
        try:
            self.network.load_state_dict(saved["network"])
        except RuntimeError:
            raise VisionError(
                f"{self.checkpoint} is of a run with other sizes; remove it, or give the same "
                "--widths and --input-size"
            ) from None
        self.optimizer.load_state_dict(saved["optimizer"])
        self.step, self.cpu_s = int(saved["step"]), float(saved["cpu_s"])
        self.scenes.skip(self.step)
        logger.info("continued from %s, step %d", self.checkpoint, self.step)


def schedule(done: float) -> float:
    """Return the share of the peak learning rate when this share of the run is done."""
    warm = 0.03
    if done < warm:
        return (done + 1e-3) / warm
    return 0.5 * (1 + math.cos(math.pi * (done - warm) / (1 - warm)))


def loss_of(read: ReadOut, labels: Labels) -> Tensor:
    """Return the sum of the losses of all read-outs."""
    device = read.held.device
    truth = {name: torch.from_numpy(value).to(device) for name, value in labels._asdict().items()}
    weights = torch.full((read.cells.shape[1],), _CELL_WEIGHT_OF_BACKGROUND, device=device)
    weights[:NUM_CATEGORIES] = 1
    cells = functional.cross_entropy(read.cells, truth["cells"], weights)
    stance = functional.binary_cross_entropy_with_logits(
        read.at_stance, truth["at_stance"].float(), reduction="none"
    )
    learnable = ~(truth["at_stance"] & (truth["pixels"] < _HIDDEN_PX))
    view = functional.binary_cross_entropy_with_logits(read.in_view, truth["in_view"].float())
    # The two multi-label losses are means over 33 mostly absent categories: brought to the scale
    # of the others.
    return (
        2 * cells
        + 10 * (stance * learnable).mean()
        + 5 * view
        + functional.cross_entropy(read.held, truth["held"])
        + 0.5 * functional.cross_entropy(read.spot, truth["spot"])
        + 0.5 * functional.cross_entropy(read.opened, truth["opened"])
    )


if __name__ == "__main__":
    sys.exit(run_module("vision.pretrain", PretrainArgs, lambda args: json.dumps(main(args))))
