"""`python -m langrearrange_baselines.llarp.evaluate`: play a trained policy, write a submission.

The trace is judged by `langrearrange score`, which replays it; nothing is scored here.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch
import tyro

from langrearrange.cli.common import open_source
from langrearrange.errors import UsageError
from langrearrange.leaderboard import AgentFacts, Plan, evaluate
from langrearrange.world.vocabulary import HORIZON, TEST_SPLITS

from ..command import run_command
from .agent import LlarpAgent
from .checkpoint import find_checkpoint, read_state


@dataclass(frozen=True, slots=True, kw_only=True)
class EvaluateArgs:
    """Play a trained policy and write a trace; `langrearrange score` judges it."""

    checkpoint: Path
    """a run's folder (its last checkpoint) or one of its checkpoints"""
    out: Path
    """the trace to write, NAME.jsonl.gz"""
    episodes: tuple[str, ...] = (*TEST_SPLITS, "train_eval")
    """split names or folders of `generate`; by default the ten test splits and train_eval"""
    num_episodes: int | None = None
    """at most so many of each, spread evenly; such a run is marked as partial"""
    horizon: int = HORIZON
    """skills an episode may take"""
    greedy: bool = False
    """take the likeliest skill instead of drawing one"""
    seed: int = 0
    """of the draws"""
    rows: int = 16
    """episodes side by side"""
    device: str = "cpu"
    """cpu, cuda, ..."""
    threads: int = 1
    """of torch on the CPU"""
    backbone: str = ""
    """where the language model is now, if it moved since training"""
    encoder: str = ""
    """where the vision model is now, if it moved since training"""
    encoder_precision: Literal["as_trained", "float32", "bfloat16"] = "as_trained"
    """of the vision model; float32 where the CPU has no bfloat16"""
    name: str = ""
    """what to call the agent in tables; by default what it is"""
    force: bool = False
    """replace what lies at --out"""

    def __post_init__(self) -> None:
        for name in ("horizon", "rows", "threads"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name}={getattr(self, name)}; accepted: 1 or more")


def run(args: EvaluateArgs) -> Path:
    """Play, with progress and success so far on stderr; return the path of the trace."""
    torch.set_num_threads(args.threads)
    moved = {k: v for k in ("backbone", "encoder") if (v := getattr(args, k))}
    if args.encoder_precision != "as_trained":
        moved["encoder_precision"] = args.encoder_precision
    agent = LlarpAgent.load(
        args.checkpoint,
        greedy=args.greedy,
        seed=args.seed,
        device=args.device,
        horizon=args.horizon,
        **moved,
    )
    config = agent.config
    modality: Any = agent.modality
    facts = AgentFacts(
        name=args.name or f"{config.learner}-{Path(config.backbone).name}",
        modality=modality,
        train_data=f"{config.episodes or config.split}, {_training(args.checkpoint)}",
        note=f"checkpoint {args.checkpoint}, {'greedy' if args.greedy else 'drawn'} skills",
    )
    plan = Plan(
        sources=[open_source(name) for name in args.episodes],
        num_episodes=args.num_episodes,
        protocol="hard" if config.hard else "paper",
        horizon=args.horizon,
        seed=args.seed,
        num_rows=args.rows,
    )
    return evaluate(agent, facts, plan, args.out, force=args.force)


def _training(path: Path) -> str:
    """Return in words how a checkpoint was trained."""
    state = read_state(find_checkpoint(path))
    if "imitation" in state:
        return f"imitation of {state['imitation']['expert']}"
    begun = state["config"].get("init_from")
    return f"PPO preset {state['config']['preset']}" + (
        f", begun from {Path(begun).name}" if begun else ""
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 ok, 1 failed, 2 wrong usage."""
    name = "python -m langrearrange_baselines.llarp.evaluate"
    return run_command(lambda: run(tyro.cli(EvaluateArgs, args=arguments, prog=name)))


if __name__ == "__main__":
    sys.exit(main())
