"""`python -m langrearrange_baselines.compare`: two trained policies on fresh episodes, paired.

Both play the same episodes of a secret key, which nobody can have trained on; their traces are
scored by replay. Differences are paired, with clustered intervals and Holm over splits; the least
difference that so many episodes could have shown stands beside them.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import torch
import tyro
from msgspec.structs import replace

from langrearrange.cli.common import print_json, print_table
from langrearrange.cli.compare import difference_table
from langrearrange.errors import UsageError
from langrearrange.generator import PUBLISHED, GeneratedSplit
from langrearrange.leaderboard import evaluate, read_trace
from langrearrange.leaderboard.compare import as_values, compare
from langrearrange.leaderboard.evaluate import Plan
from langrearrange.leaderboard.score import Result, score_trace
from langrearrange.world.vocabulary import HORIZON

from .command import run_module
from .engine.agent import PolicyAgent
from .engine.checkpoint import find_checkpoint
from .engine.config import check_range
from .evaluate import facts_of, skills


@dataclass(frozen=True, kw_only=True)
class PlayArgs:
    """How checkpoints play fresh episodes, all of them the same ones."""

    out: Path
    """folder for the traces; the same command continues an interrupted comparison"""
    fresh: str
    """key of the episodes, at least 16 characters; another key, other episodes"""
    num_episodes: int = 1000
    """of each split"""
    splits: tuple[str, ...] = ("new_scenes",)
    """whose templates, texts and flats are used"""
    encoder: str = ""
    """another encoder than in training: policies trained on percepts play pictures with segcnn"""
    greedy: bool = False
    """take the likeliest skill instead of drawing one"""
    mask: bool = False
    """leave out skills that are invalid by what a policy sees: the state, or percepts"""
    seed: int = 0
    """of the draws"""
    horizon: int = HORIZON
    """skills an episode may take"""
    rows: int = 64
    """episodes played in parallel"""
    threads: int = 1
    """of torch on the CPU"""
    json: bool = False
    """print JSON instead of a table"""

    def __post_init__(self) -> None:
        check_range(self, 1, "num_episodes", "rows", "threads", "horizon")
        if wrong := [name for name in self.splits if name not in PUBLISHED]:
            raise UsageError(f"unknown split '{wrong[0]}'; accepted: {', '.join(PUBLISHED)}")
        if not self.fresh:
            raise UsageError("--fresh is empty; it takes a key of at least 16 characters")

    def result(self, path: Path, name: str) -> Result:
        """Play a checkpoint, where its trace is not there yet, and score the trace.

        Args:
            path: run or checkpoint.
            name: of its trace in `out`.

        Raises:
            UsageError: the trace is of another checkpoint or other settings.
        """
        sources = [fresh_split(split, self.fresh, self.num_episodes) for split in self.splits]
        changes: dict[str, Any] = {"encoder": self.encoder} if self.encoder else {}
        agent = PolicyAgent.load(
            path,
            greedy=self.greedy,
            seed=self.seed,
            mask=self.mask,
            horizon=self.horizon,
            **changes,
        )
        chosen = skills(greedy=self.greedy, mask=self.mask)
        note = f"checkpoint {find_checkpoint(path)}, {chosen}, seed {self.seed}"
        facts = facts_of(agent, note, path.name)
        plan = Plan(
            sources=sources,
            protocol="hard" if agent.config.hard else "paper",
            horizon=self.horizon,
            seed=self.seed,
            num_rows=self.rows,
            simulator=agent.config.env_kwargs(),
        )
        self.out.mkdir(parents=True, exist_ok=True)
        trace = self.out / f"{name}.jsonl.gz"
        if not trace.exists():
            evaluate(agent, facts, plan, trace)
        elif read_trace(trace).header.agent != facts:
            raise UsageError(f"{trace} is of another comparison; choose another --out")
        by_name = {source.split: source for source in sources}
        return score_trace(trace, by_name.__getitem__)


@dataclass(frozen=True, kw_only=True)
class CompareArgs(PlayArgs):
    """Play two checkpoints on fresh episodes and say which is better, if this can be told."""

    runs: Annotated[tuple[Path, Path], tyro.conf.Positional]
    """two runs' folders (their last checkpoints), or checkpoints"""

    def __post_init__(self) -> None:
        PlayArgs.__post_init__(self)
        if self.runs[0] == self.runs[1]:
            raise UsageError("the two runs are the same folder")


def fresh_split(split: str, key: str, num_episodes: int) -> GeneratedSplit:
    """Return episodes like a published split's, drawn by a key; UsageError for a short key."""
    changed = {"name": f"fresh_{split}", "split": "", "key": key, "num_episodes": num_episodes}
    return GeneratedSplit(replace(PUBLISHED[split], **changed))


def run(args: CompareArgs) -> None:
    """Play both, score both, print the differences."""
    torch.set_num_threads(args.threads)
    first, second = (args.result(run, side) for side, run in zip("ab", args.runs, strict=True))
    differences = compare(first, second)
    if args.json:
        print_json(as_values(differences))
    else:
        print_table(difference_table(first, second, differences))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command; 0 ok, whoever is better, 1 failed, 2 wrong usage."""
    return run_module("compare", CompareArgs, run, arguments)


if __name__ == "__main__":
    sys.exit(main())
