"""`langrearrange evaluate`: let an agent play and write a trace of every action."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from langrearrange.cli.common import note, open_source
from langrearrange.world.vocabulary import HORIZON, TEST_SPLITS


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Run an agent over episodes and write a trace file that `score` replays.

    A run that was stopped goes on where it was when the same command is given again, and ends with
    the same file.
    """

    agent: str
    """random, blind_sweep, explorer, oracle, or module:Class of your own"""
    out: Path
    """the trace to write, NAME.jsonl.gz"""
    episodes: tuple[str, ...] = (*TEST_SPLITS, "train_eval")
    """split names or folders of `generate`; by default the ten test splits and train_eval"""
    num_episodes: int | None = None
    """at most so many of each, spread evenly; such a run is marked as partial"""
    hard: bool = False
    """the harder variant (paper D.3): an invalid skill ends the episode, `stop` must be called"""
    horizon: int = HORIZON
    """skills an episode may take"""
    seed: int = 0
    """given to the agent"""
    rows: int = 16
    """episodes side by side, for agents that batch"""
    force: bool = False
    """replace what lies at --out"""


def run(args: Args) -> int:
    """Play, with progress and success so far on stderr; the path of the trace on stdout."""
    from langrearrange.agents import is_privileged, load_rows
    from langrearrange.leaderboard.evaluate import Plan, evaluate
    from langrearrange.leaderboard.trace import AgentFacts, EpisodeTrace
    from langrearrange.progress import progress

    agent = load_rows(args.agent, seed=args.seed)
    facts = AgentFacts(
        name=args.agent,
        modality=agent.modality,  # type: ignore[arg-type]
        privileged=is_privileged(agent),
    )
    plan = Plan(
        sources=[open_source(name) for name in args.episodes],
        num_episodes=args.num_episodes,
        protocol="hard" if args.hard else "paper",
        horizon=args.horizon,
        seed=args.seed,
        num_rows=args.rows,
    )
    total = sum(len(plan.positions(source)) for source in plan.sources)
    done = succeeded = 0
    with progress(f"evaluate {args.agent}", total) as advance:

        def on_episode(trace: EpisodeTrace) -> None:
            nonlocal done, succeeded
            done += 1
            succeeded += trace.success
            advance(1, f"success {succeeded / done:.2f}")

        path = evaluate(agent, facts, plan, args.out, force=args.force, on_episode=on_episode)
    note(f"{args.agent}: {succeeded} of {done} episodes succeeded; `score` replays and judges them")
    print(path)
    return 0
