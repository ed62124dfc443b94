"""`python -m langrearrange_baselines.study.gpu`: what only a GPU can show, in parts that resume.

Each call does what is left, as far as --minutes allow; give it again until it says that all is
done. Nothing is downloaded. `--small` rehearses every part on a CPU in a minute or two.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from transformers import AutoModel, LlamaConfig

from langrearrange.log import get_logger

from ..command import run_module
from ..engine.checkpoint import checkpoints
from ..engine.config import TrainConfig, check_range, preset
from ..engine.encoder import check_device, make_encoder
from ..engine.envs import make_envs
from ..engine.factory import make_policy
from ..engine.policy import ActionModule, Policy
from ..engine.tiny import WordTokenizer
from ..engine.trainer import Trainer
from ..imitation.run import unfinished_folder
from ..llarp.backbone import Backbone
from ..llarp.observation import ObservationModule
from ..llarp.policy import LlarpPolicy
from ..tensors import write_json
from .run import StudyError

logger = get_logger(__name__)
PAPER_STEPS_PER_S: Final = 94
"""Env steps a second and GPU (A100) of the paper: 750 on eight (C.1)."""
LLAMA_7B: Final = {
    "vocab_size": 32_000,
    "hidden_size": 4096,
    "intermediate_size": 11_008,
    "num_hidden_layers": 32,
    "num_attention_heads": 32,
    "num_key_value_heads": 32,
}
SMALL: Final = LLAMA_7B | {
    "hidden_size": 64,
    "intermediate_size": 128,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 4,
}
_PACKAGE: Final = __package__.rsplit(".", 1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class GpuArgs:
    """Invariants in bfloat16, throughput at LLaMA-7B's shape, a model trained from pictures."""

    out: Path = Path("out/gpu")
    """folder of the results; what it has is not done again"""
    device: str = "cuda"
    """cuda, cuda:1, ...; cpu with --small"""
    minutes: float = 8.0
    """no part begins later than this, and training is stopped and saved then"""
    train_minutes: float = 30.0
    """of PPO from pictures, over all calls"""
    backbone: str = "smollm2"
    """what is trained from pictures: smollm2, minilm or tiny"""
    layers: int = 0
    """of it, the first so many; 0: all"""
    num_envs: tuple[int, ...] = (64, 128, 256, 512)
    """envs at which throughput is measured"""
    render_threads: int = 0
    """threads that draw pictures; 0: one a core"""
    small: bool = False
    """tiny shapes and budgets, to rehearse every part on a CPU"""

    def __post_init__(self) -> None:
        check_range(self, 0, "minutes", "train_minutes", "layers", "render_threads")

    @property
    def common(self) -> dict[str, Any]:
        """Settings of every training run."""
        threads = self.render_threads or os.cpu_count() or 1
        precision = "float32" if self.small else "bfloat16"
        return {
            "device": self.device,
            "render_threads": threads,
            "backbone_dtype": "bfloat16",
            "encoder_precision": precision,
        }


class Part(NamedTuple):
    """A piece of work: its result is a JSON file of its name; None if it is to go on later."""

    name: str
    work: Callable[[float], dict[str, Any] | None]


def parts_of(args: GpuArgs) -> Iterator[Part]:
    """Yield the parts in order; each takes the seconds that are left."""
    yield Part("invariants", lambda left: invariants(args))
    for number in (2, 4) if args.small else args.num_envs:
        yield Part(f"throughput_{number}", lambda left, number=number: throughput(args, number))  # type: ignore[misc]
    yield Part("imitate", lambda left: imitate(args, left))
    yield Part("train", lambda left: train(args, left))
    yield Part("score", lambda left: score(args))


def run(args: GpuArgs) -> str:
    """Do what is left; return a table of what there is.

    Raises:
        UsageError: no such device.
        StudyError: a command failed.
    """
    check_device(args.device)
    args.out.mkdir(parents=True, exist_ok=True)
    deadline = time.monotonic() + 60 * args.minutes
    finished = True
    for part in parts_of(args):
        path = args.out / f"{part.name}.json"
        if path.exists():
            continue
        left = deadline - time.monotonic()
        result = part.work(left) if left > 0 else None
        if result is None:
            finished = False
            break
        write_json(path, result | {"device": device_name(args.device)})
        logger.info("%s: %s", part.name, result)
    done = [p for part in parts_of(args) if (p := args.out / f"{part.name}.json").exists()]
    lines = [f"{path.stem}: {json.dumps(json.loads(path.read_text('utf-8')))}" for path in done]
    told = "all is done" if finished else "not all is done: give the same command again"
    return "\n".join([*lines, told])


def device_name(device: str) -> str:
    """Return what a device is called."""
    return torch.cuda.get_device_name(device) if device.startswith("cuda") else "cpu"


def invariants(args: GpuArgs) -> dict[str, Any]:
    """Return how far acting and learning are apart in bfloat16; training stops if they are."""
    settings = args.common | ({"num_envs": 4, "num_steps": 8} if args.small else {"num_envs": 64})
    backbone = "tiny" if args.small else args.backbone
    config = preset("stable", out=args.out / "invariants", backbone=backbone, **settings)
    records = updates(config, 3, lambda encoder: make_policy(config, encoder, 70))
    names = ("first_ratio_deviation", "rollout_ratio_deviation")
    return {name: max(record[name] for record in records) for name in names}


def throughput(args: GpuArgs, num_envs: int) -> dict[str, Any]:
    """Return env steps a second of a frozen decoder of LLaMA-7B's shape, and its memory."""
    shape = SMALL if args.small else LLAMA_7B
    config = preset(
        "stable",
        **args.common,
        out=args.out / f"throughput_{num_envs}",
        num_envs=num_envs,
        num_steps=4 if args.small else 32,
        minibatches=1,
        microbatch_envs=min(num_envs, 32),
        prefix_megabytes=16_384,
        min_steps_per_gradient=0,
        ratio_tolerance=1.0,  # random weights at this depth are no model: only speed is measured
    )

    def policy_on(encoder: Any) -> Policy:
        return shaped_policy(shape, encoder, args.device)

    records = updates(config, 2, policy_on)
    last = records[-1]
    steps = num_envs * config.num_steps
    played = sum(last[f"{name}_s"] for name in ("env", "encoder", "policy"))
    found: dict[str, Any] = {
        "num_envs": num_envs,
        "rollout_per_s": round(steps / played, 1),
        "update_per_s": round(steps / last["update_s"], 1),
        "all_in_per_s": round(steps / (played + last["update_s"]), 1),
        "times_paper": round(steps / (played + last["update_s"]) / PAPER_STEPS_PER_S, 2),
        **{f"{n}_s": round(last[f"{n}_s"], 3) for n in ("env", "encoder", "policy", "update")},
    }
    if args.device.startswith("cuda"):
        found["peak_gib"] = round(torch.cuda.max_memory_allocated(args.device) / 2**30, 1)
    return found


def shaped_policy(shape: dict[str, int], encoder: Any, device: str) -> Policy:
    """Return LLaRP on a frozen random Llama of a shape, made on the device in bfloat16."""
    config = LlamaConfig(**shape, max_position_embeddings=2048, pad_token_id=None)  # type: ignore[arg-type]
    with torch.device(device):
        model = AutoModel.from_config(config, dtype=torch.bfloat16, attn_implementation="sdpa")
        backbone = Backbone(model, WordTokenizer())
        width = backbone.hidden_size
        shapes = encoder.feature_shape, encoder.proprio_dim, width
        policy = LlarpPolicy(backbone, ObservationModule(*shapes), ActionModule(width, 70))
    return policy


def updates(
    config: TrainConfig, number: int, policy_on: Callable[[Any], Policy]
) -> list[dict[str, Any]]:
    """Make so many PPO updates of a policy; return their records."""
    if config.device.startswith("cuda"):
        torch.cuda.empty_cache()
        torch.cuda.reset_peak_memory_stats(config.device)
    encoder = make_encoder(config)
    envs = make_envs(config, encoder.modality)
    try:
        trainer = Trainer(config, envs, encoder, policy_on(encoder))
        trainer.begin()
        records: list[dict[str, Any]] = []
        trainer.run(number, on_update=records.append)
    finally:
        envs.close()
    return records


def imitate(args: GpuArgs, left: float) -> dict[str, Any] | None:
    """Imitate the explorer from pictures; None if the time is over."""
    budget = {"num-steps": "200" if args.small else "40000", "rounds": "0", "epochs": "1"}
    if not args.small:
        budget |= {"rounds": "2", "epochs": "4", "num-envs": "128"}
    return command(args, "imitation.train", args.out / "imitation", budget, left)


def train(args: GpuArgs, left: float) -> dict[str, Any] | None:
    """Train by PPO from pictures, over several calls; None until its minutes are spent."""
    folder = args.out / "ppo"
    records = folder / "seconds.json"
    spent = json.loads(records.read_text("utf-8")) if records.exists() else 0.0
    goal = 60 * args.train_minutes
    began = time.monotonic()
    flags = {"preset": "stable", "init-from": str(args.out / "imitation"), "entropy": "0"}
    flags |= {"num-updates": "1000000", "checkpoint-every": "5", "critic": "own"}
    flags |= {"critic-warmup": "10", "num-envs": "4" if args.small else "256"}
    if args.small:
        flags |= {"num-updates": "2", "num-steps": "4"}
    done = command(args, "train", folder, flags, min(left, goal - spent))
    spent += time.monotonic() - began
    folder.mkdir(exist_ok=True)
    write_json(records, spent)
    finished = done is not None or (spent >= goal and bool(checkpoints(folder)))
    return {"seconds": round(spent), "checkpoint": str(folder)} if finished else None


def score(args: GpuArgs) -> dict[str, Any]:
    """Play the trained policy; the trace is scored by `langrearrange score`."""
    trace = args.out / "trace.jsonl.gz"
    flags = {"checkpoint": str(args.out / "ppo"), "device": args.device, "rows": "64"}
    flags |= {"num-episodes": "2"} if args.small else {}
    command_line = [sys.executable, "-m", f"{_PACKAGE}.evaluate", "--force", "--out", str(trace)]
    with (args.out / "score.log").open("ab") as log:
        subprocess.run([*command_line, *_flags(flags)], check=True, stdout=log, stderr=log)
    return {"trace": str(trace)}


def command(
    args: GpuArgs, module: str, folder: Path, flags: dict[str, str], left: float
) -> dict[str, Any] | None:
    """Run or resume a training command for so many seconds; None if it is not finished.

    Raises:
        StudyError: it failed.
    """
    backbone = {"backbone": "tiny" if args.small else args.backbone, "layers": str(args.layers)}
    common = {name.replace("_", "-"): str(value) for name, value in args.common.items()}
    line = [sys.executable, "-m", f"{_PACKAGE}.{module}", *_flags(flags | backbone | common)]
    line += ["--out", str(folder)]
    if checkpoints(folder) or checkpoints(unfinished_folder(folder)):
        line.append("--resume")
    log = args.out / f"{folder.name}.log"
    with log.open("ab") as file:
        process = subprocess.Popen(line, stdout=file, stderr=file)
        try:
            process.wait(max(1.0, left))
        except subprocess.TimeoutExpired:
            process.terminate()
            process.wait()
    if process.returncode not in (0, 130):
        raise StudyError(f"{module} ended with status {process.returncode}; read {log}")
    return {"folder": str(folder)} if process.returncode == 0 else None


def _flags(settings: dict[str, str]) -> list[str]:
    return [part for name, value in settings.items() for part in (f"--{name}", value)]


if __name__ == "__main__":
    sys.exit(run_module("study.gpu", GpuArgs, run))
