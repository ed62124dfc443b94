"""`python -m langrearrange_baselines.train`: train any learner by PPO. CPU, GPU, or torchrun.

Only the command: settings are in `engine.config`, the run itself in `engine.trainer`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import torch
import tyro

from langrearrange.errors import UsageError
from langrearrange.progress import progress

from .command import check_new, finished, run_command, stop_signals
from .engine.checkpoint import checkpoints, find_checkpoint
from .engine.config import PRESETS, TrainConfig, preset
from .engine.curves import curves, read_metrics
from .engine.encoder import check_device, make_encoder
from .engine.envs import make_envs
from .engine.factory import make_policy
from .engine.group import Group
from .engine.speed import settled
from .engine.trainer import Trainer
from .tensors import write_json
from .vision.loading import perception


def parse(arguments: Sequence[str]) -> TrainConfig:
    """Return the settings of a command line: the preset's, then every option given."""
    name = "tiny"
    for i, argument in enumerate(arguments):
        key, equals, value = argument.partition("=")
        if key == "--preset":
            name = value if equals else (*arguments, "")[i + 1]
    default = preset(name) if name in PRESETS else TrainConfig()
    return tyro.cli(
        TrainConfig,
        args=list(arguments),
        default=default,
        prog="python -m langrearrange_baselines.train",
    )


def train(config: TrainConfig) -> Trainer:
    """Train; return the trainer in its final state.

    Raises:
        LangRearrangeError: training cannot begin or continue; progress is saved.
    """
    torch.set_num_threads(config.threads)
    check_device(config.device)
    group = Group.from_environment(config.device, config.backend)
    if config.device == "cuda" and "LOCAL_RANK" in os.environ:
        torch.cuda.set_device(int(os.environ["LOCAL_RANK"]))
    found = bool(checkpoints(config.out)) or (config.out / "metrics.jsonl").exists()
    check_new(config.out, resume=config.resume, exists=found)
    if config.resume:
        find_checkpoint(config.out)
    group.barrier()
    config = settled(config, config.out if config.resume else None, group)
    config.out.mkdir(parents=True, exist_ok=True)
    encoder = make_encoder(config)
    envs = make_envs(config, encoder.modality)
    try:
        policy = make_policy(config, encoder, int(envs.single_action_space.n))
        trainer = Trainer(config, envs, encoder, policy, group)
        if config.resume:
            trainer.resume(find_checkpoint(config.out))
        else:
            trainer.begin()
        if group.rank == 0:
            write_json(config.out / "config.json", config.record())
        _run(trainer)
        if group.rank == 0 and trainer.update:
            _draw(config.out)
        return trainer
    finally:
        envs.close()


def _run(trainer: Trainer) -> None:
    """Run with progress on stderr and in curves.png; SIGTERM and Ctrl-C save, then stop."""
    writer = _tensorboard(trainer.config) if trainer.group.rank == 0 else None
    left = trainer.config.num_updates - trainer.update
    try:
        with stop_signals("update") as stop:
            if trainer.group.rank != 0:
                trainer.run(stop=stop)
                return
            config = trainer.config
            title = f"train {config.preset}, perception: {perception(config.encoder)}"
            with progress(title, left, "updates") as advance:

                def on_update(record: dict[str, Any]) -> None:
                    advance(1, note(record))
                    if record["update"] % trainer.config.checkpoint_every == 0:
                        _draw(trainer.config.out)
                    if writer is not None:
                        _write_scalars(writer, record)

                trainer.run(on_update=on_update, stop=stop)
    finally:
        if writer is not None:
            writer.close()


def note(record: dict[str, Any]) -> str:
    """Return a record in one line: success, speed, and where the time goes."""
    names = ("env", "encoder", "policy", "update")
    total = sum(record[f"{name}_s"] for name in names)
    parts = " / ".join(f"{name} {record[f'{name}_s'] / total:.0%}" for name in names)
    success = "-" if record["success"] is None else f"{record['success']:.2f}"
    worst = sorted(record["success_by_template"].items(), key=lambda item: item[1])
    hardest = f", hardest {worst[0][0]} {worst[0][1]:.2f}" if worst else ""
    return (
        f"{record['env_steps']} steps, success {success}{hardest}, {record['sps']:.0f} steps/s "
        f"({parts})"
    )


def _draw(out: Path) -> None:
    """Draw a run's curves so far; a viewer never finds half a picture."""
    new = out / "curves.new.png"
    curves(read_metrics(out / "metrics.jsonl")).savefig(new, dpi=120)
    new.replace(out / "curves.png")


def _tensorboard(config: TrainConfig) -> Any:
    if not config.tensorboard:
        return None
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError as error:
        raise UsageError(
            "--tensorboard needs the module 'tensorboard'; install it with: pip install "
            "tensorboard, or leave the option out (metrics.jsonl is always written)"
        ) from error
    return SummaryWriter(config.out / "tensorboard")


def _write_scalars(writer: Any, record: dict[str, Any]) -> None:
    for name, value in record.items():
        if isinstance(value, (int, float)):
            writer.add_scalar(name, value, record["env_steps"])
    for name, value in record["success_by_template"].items():
        writer.add_scalar(f"success/{name}", value, record["env_steps"])


def main() -> int:
    """Run the command; 0 ok, 1 training failed, 2 wrong usage, 130 stopped by a signal."""
    return run_command(_command)


def _command() -> Path:
    trainer = train(parse(sys.argv[1:]))
    return finished(trainer.config.out, trainer.update, trainer.config.num_updates, "updates")


if __name__ == "__main__":
    sys.exit(main())
