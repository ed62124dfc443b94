"""`langrearrange evaluate`: let an agent play and write a trace of every action."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from langrearrange.cli import common
from langrearrange.cli.agent_options import AgentOptions
from langrearrange.errors import RunError
from langrearrange.world.vocabulary import HORIZON, TEST_SPLITS

if TYPE_CHECKING:
    from langrearrange.agents import AgentSource, BatchedAgent, Sandbox
    from langrearrange.dataset import EpisodeSource
    from langrearrange.leaderboard import AgentFacts


@dataclass(frozen=True, kw_only=True)
class RunOptions:
    """Options of a run that do not depend on the agent: episodes, trace, simulator."""

    out: Path
    """the trace to write, NAME.jsonl.gz: the submission"""
    episodes: tuple[str, ...] = (*TEST_SPLITS, "train_eval")
    """split names or folders of `generate`; by default the ten test splits and train_eval"""
    num_episodes: int | None = None
    """at most this many of each, its templates in turn; the run is then marked as partial"""
    horizon: int = HORIZON
    """skills an episode may take"""
    seed: int = 0
    """seed passed to the agent"""
    rows: int = 16
    """episodes played in parallel, for batched agents"""
    name: str = ""
    """name of the agent in tables; by default what it is"""
    perception: str = ""
    """what its encoder was trained on, <= 200 characters; by default what the agent says"""
    log_dir: Path | None = None
    """folder for log.txt: all tracebacks and bad answers; stderr shows the first of each kind"""
    force: common.Force = False
    pictures: common.Simulator = field(default_factory=common.SimulatorOptions)

    def play(
        self,
        agent: BatchedAgent | AgentSource,
        facts: AgentFacts,
        *,
        hard: bool,
        pool: common.Pool | None = None,
        concurrency: int = 1,
        sources: Sequence[EpisodeSource] = (),
    ) -> Path:
        """Let an agent play and return the path of the trace; a summary goes to stderr.

        Args:
            agent: see `leaderboard.evaluate`.
            facts: what is declared of it.
            hard: whether the hard variant is played.
            pool: plays elsewhere.
            concurrency: episodes that are open at the same time.
            sources: the episodes, instead of those that `episodes` names.

        Raises:
            UsageError: a split or folder does not exist.
            RunError: the agent failed in every episode; the trace is written all the same.
        """
        from langrearrange.leaderboard.evaluate import Plan, evaluate

        plan = Plan(
            sources=sources or [common.open_source(name) for name in self.episodes],
            num_episodes=self.num_episodes,
            protocol="hard" if hard else "paper",
            horizon=self.horizon,
            seed=self.seed,
            num_rows=self.rows,
            simulator=self.pictures.env_kwargs(),
        )
        outcomes: Counter[str] = Counter()
        kinds = ("failed", "succeeded")
        common.warn_on_stderr()
        with common.logging_to(self.log_dir):
            path = evaluate(
                agent, facts, plan, self.out, executor=pool and pool.executor,
                workers=pool.workers if pool else 1, concurrency=concurrency, force=self.force,
                on_episode=lambda trace: outcomes.update([trace.failure or kinds[trace.success]]),
            )  # fmt: skip
        succeeded = f"{outcomes['succeeded']} of {outcomes.total()} episodes succeeded"
        common.note(f"{facts.name}: {succeeded}; `score` replays and judges them")
        failures = {kind: n for kind, n in outcomes.most_common() if kind not in kinds}
        if failures:
            counts = ", ".join(f"{n} {failure}" for failure, n in failures.items())
            total = sum(failures.values())
            told = f"the agent failed in {total} of them ({counts}; docs/protocol.md)"
            if total == outcomes.total():
                raise RunError(f"{told}: none counts as played; the trace is {path}")
            common.note(told)
        return path


@dataclass(frozen=True, kw_only=True)
class Args(AgentOptions, RunOptions):
    """Run an agent over episodes and write a trace file that `score` replays.

    An interrupted run resumes when the same command is given again; episodes that were being
    played are played again, and the trace marks them.
    Agent interfaces (docs/protocol.md), give exactly one: --agent, --agent-cmd or --agent-url.

      langrearrange evaluate --agent explorer --out out/explorer.jsonl.gz
      langrearrange evaluate --agent-cmd "node my_agent.js" --out out/mine.jsonl.gz
      langrearrange evaluate --agent-url http://127.0.0.1:8000 --out out/mine.jsonl.gz
    """

    in_process: bool = False
    """run module:Class in this process: quicker, and the way to run a batched agent"""


def run(args: Args) -> int:
    """Play; progress and success rate go to stderr, the path of the trace to stdout."""
    own_process = (":" in args.agent or args.process.isolate) and not args.in_process
    sandbox = args.process.sandbox() if args.process.isolate else None
    print(play_agent(args, args, own_process=own_process, sandbox=sandbox))
    return 0


def play_agent(
    options: AgentOptions,
    rules: RunOptions,
    *,
    own_process: bool,
    sandbox: Sandbox | None,
    sources: Sequence[EpisodeSource] = (),
) -> Path:
    """Let an agent play as the options say; see `RunOptions.play`.

    Args:
        options: which agent.
        rules: what it plays.
        own_process: run a Python agent in a process of its own.
        sandbox: isolate it; None: do not.
        sources: the episodes, instead of those that the rules name.
    """
    from langrearrange.agents import AgentSpec, is_privileged
    from langrearrange.leaderboard.trace import AgentFacts

    spec = AgentSpec(
        name=options.agent,
        command=options.agent_cmd,
        url=options.agent_url,
        own_process=own_process,
        seed=rules.seed,
        hard=options.hard,
        limits=options.process.limits(),
        sandbox=sandbox,
    )
    agent = spec.build()
    facts = AgentFacts(
        name=rules.name or spec.label,
        modality=agent.modality,
        privileged=is_privileged(agent),
        perception=rules.perception or getattr(agent, "perception", ""),
        authors=options.authors,
        url=options.homepage,
        parameters=options.parameters,
        train_data=options.train_data,
    )
    several = options.workers > 1 or options.concurrency > 1 or options.dask
    with common.executor_of(options.workers, options.dask, rules.log_dir) as pool:
        return rules.play(
            spec if several else agent, facts, hard=options.hard, pool=pool,
            concurrency=options.concurrency, sources=sources,
        )  # fmt: skip
