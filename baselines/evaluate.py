"""`python -m langrearrange_baselines.evaluate`: play a trained policy, write a submission.

`langrearrange score` replays and scores the trace; nothing is scored here.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import torch

from langrearrange.cli.evaluate import RunOptions
from langrearrange.leaderboard import AgentFacts

from .command import run_module
from .engine.agent import PolicyAgent
from .engine.config import EXTRAS, check_range


@dataclass(frozen=True, kw_only=True)
class EvaluateArgs(RunOptions):
    """Play a trained policy and write a trace for `langrearrange score`."""

    checkpoint: Path
    """a run's folder (its last checkpoint) or one of its checkpoints"""
    greedy: bool = False
    """take the likeliest skill instead of drawing one"""
    mask: bool = False
    """leave out skills that are invalid by what the policy sees: the state, or percepts"""
    device: str = "cpu"
    """cpu, cuda, ..."""
    threads: int = 1
    """of torch on the CPU"""
    backbone: str = ""
    """where the language model is now, if it moved since training"""
    encoder: str = ""
    """where the vision model is now, if it moved since training; a policy trained on percepts plays
    pictures with segcnn"""
    encoder_precision: Literal["as_trained", "float32", "bfloat16"] = "float32"
    """of the vision model"""

    def __post_init__(self) -> None:
        check_range(self, 1, "horizon", "rows", "threads")


def run(args: EvaluateArgs) -> Path:
    """Play, with progress and success so far on stderr; return the path of the trace."""
    torch.set_num_threads(args.threads)
    moved = {k: v for k in ("backbone", "encoder") if (v := getattr(args, k))}
    if args.encoder_precision != "as_trained":
        moved["encoder_precision"] = args.encoder_precision
    agent = PolicyAgent.load(
        args.checkpoint,
        greedy=args.greedy,
        seed=args.seed,
        mask=args.mask,
        device=args.device,
        horizon=args.horizon,
        **moved,
    )
    note = f"checkpoint {args.checkpoint}, {skills(greedy=args.greedy, mask=args.mask)}"
    facts = facts_of(agent, note, args.name, args.perception)
    return args.play(agent, facts, hard=agent.config.hard)


def skills(*, greedy: bool, mask: bool) -> str:
    """Return in words how skills are chosen, for the trace."""
    what = "greedy" if greedy else "drawn"
    return f"{what} skills" + (", invalid ones masked by what is seen" if mask else "")


def facts_of(agent: PolicyAgent, note: str, name: str = "", perception: str = "") -> AgentFacts:
    """Return what a trace declares of a trained policy; `name` and `perception` override it."""
    config = agent.config
    modality: Any = agent.modality
    return AgentFacts(
        name=name or f"{config.learner}-{Path(config.backbone).name}",
        modality=modality,
        perception=perception or agent.perception,
        train_data=f"{config.episodes or config.split}, {_training(agent.state)}",
        note=f"{note}, encoder {config.encoder} {config.encoder_precision} {config.encoder_layout}",
    )


def _training(state: Mapping[str, Any]) -> str:
    """Return in words how a checkpoint was trained."""
    config = state["config"]
    where = "" if config["simulator"] == "embedded" else f" in simulator {config['simulator']}"
    if state["method"] == "imitation":
        return f"imitation of {config['expert']}{where}"
    begun = f", begun from {Path(config['init_from']).name}" if config["init_from"] else ""
    extras = [f"{n}={config[n]}" for n, plain in EXTRAS.items() if config.get(n, plain) != plain]
    return ", ".join([f"PPO preset {config['preset']}{where}{begun}", *extras])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 ok, 1 failed, 2 wrong usage."""
    return run_module("evaluate", EvaluateArgs, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
