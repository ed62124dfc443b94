"""`langrearrange evaluate`: let an agent play and write a trace of every action."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from langrearrange.cli import common
from langrearrange.cli.agent_options import AgentProcess, ProcessOptions
from langrearrange.errors import RunError
from langrearrange.world.vocabulary import HORIZON, TEST_SPLITS

if TYPE_CHECKING:
    from langrearrange.agents import AgentSource, BatchedAgent
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
    ) -> Path:
        """Let an agent play and return the path of the trace; a summary goes to stderr.

        Raises:
            UsageError: a split or folder does not exist.
            RunError: the agent failed in every episode; the trace is written all the same.
        """
        from langrearrange.leaderboard.evaluate import Plan, evaluate

        plan = Plan(
            sources=[common.open_source(name) for name in self.episodes],
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
class Args(RunOptions):
    """Run an agent over episodes and write a trace file that `score` replays.

    An interrupted run resumes when the same command is given again; episodes that were being
    played are played again, and the trace marks them.
    Agent interfaces (docs/protocol.md), give exactly one: --agent, --agent-cmd or --agent-url.

      langrearrange evaluate --agent explorer --out out/explorer.jsonl.gz
      langrearrange evaluate --agent-cmd "node my_agent.js" --out out/mine.jsonl.gz
      langrearrange evaluate --agent-url http://127.0.0.1:8000 --out out/mine.jsonl.gz
    """

    agent: str = ""
    """random, blind_sweep, explorer, oracle, human (you, on a page in the browser), or module:Class
    of your own (in its own process)"""
    agent_cmd: str = ""
    """any program that speaks JSON lines on its stdin and stdout"""
    agent_url: str = ""
    """an HTTP address that answers /hello, /reset and /act"""
    in_process: bool = False
    """run module:Class in this process: quicker, and the way to run a batched agent"""
    authors: str = ""
    """authors of the agent, for the board"""
    homepage: str = ""
    """web page of the agent, for the board"""
    parameters: str = ""
    """number of parameters, for the board"""
    train_data: str = ""
    """training data, for the board"""
    hard: bool = False
    """the harder variant (paper D.3): an invalid skill ends the episode, `stop` must be called"""
    workers: int = 1
    """processes that play, each with an agent of its own; the episodes are the same"""
    concurrency: int = 1
    """episodes open at a time in this process, each with an agent of its own: for slow agents"""
    dask: common.Dask = None
    process: AgentProcess = field(default_factory=ProcessOptions)


def run(args: Args) -> int:
    """Play; progress and success rate go to stderr, the path of the trace to stdout."""
    from langrearrange.agents import AgentSpec, is_privileged
    from langrearrange.leaderboard.trace import AgentFacts

    spec = AgentSpec(
        name=args.agent,
        command=args.agent_cmd,
        url=args.agent_url,
        own_process=(":" in args.agent or args.process.isolate) and not args.in_process,
        seed=args.seed,
        hard=args.hard,
        limits=args.process.limits(),
        sandbox=args.process.sandbox() if args.process.isolate else None,
    )
    agent = spec.build()
    source = spec if args.workers > 1 or args.concurrency > 1 or args.dask else agent
    facts = AgentFacts(
        name=args.name or spec.label,
        modality=agent.modality,
        privileged=is_privileged(agent),
        perception=args.perception or getattr(agent, "perception", ""),
        authors=args.authors,
        url=args.homepage,
        parameters=args.parameters,
        train_data=args.train_data,
    )
    with common.executor_of(args.workers, args.dask, args.log_dir) as pool:
        path = args.play(source, facts, hard=args.hard, pool=pool, concurrency=args.concurrency)
    print(path)
    return 0
