"""One evaluation from end to end: an agent's name and splits in, a trace file out; resumable."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import Executor
from dataclasses import asdict, dataclass, field
from functools import partial
from pathlib import Path
from platform import machine
from typing import Any

from langrearrange import __version__
from langrearrange.agents import (
    AgentSource,
    AgentSpec,
    BatchedAgent,
    HttpAgent,
    ProcessAgent,
    RowsOfAgents,
    close_agent,
    is_privileged,
)
from langrearrange.dataset import EpisodeSource, Selection, select
from langrearrange.errors import UsageError
from langrearrange.leaderboard.concurrent import play_concurrently
from langrearrange.leaderboard.matching import content_sha256
from langrearrange.leaderboard.rollout import RunRules, play
from langrearrange.leaderboard.sealed import round_of
from langrearrange.leaderboard.trace import (
    AgentFacts,
    Conditions,
    DatasetFacts,
    EpisodeTrace,
    Header,
    Interface,
    Isolation,
    LimitFacts,
    ProtocolName,
)
from langrearrange.leaderboard.trace_writer import TraceWriter
from langrearrange.leaderboard.workers import play_with
from langrearrange.paths import source_sha256
from langrearrange.progress import progress
from langrearrange.world.vocabulary import HORIZON

OnEpisode = Callable[[EpisodeTrace], None]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Which episodes are played, under which rules.

    Attributes:
        sources: the splits.
        num_episodes: at most so many of each split (`dataset.select`); None for all. A run of fewer
            than all is marked as partial and never ranked.
        protocol: `paper` or `hard`.
        horizon: skills an episode may take.
        seed: given to the agent.
        num_rows: episodes side by side, for agents that batch.
        simulator: env arguments that select the simulator: `simulator`, `habitat_python`, ...
    """

    sources: Sequence[EpisodeSource]
    num_episodes: int | None = None
    protocol: ProtocolName = "paper"
    horizon: int = HORIZON
    seed: int = 0
    num_rows: int = 16
    simulator: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        names = [source.split for source in self.sources]
        if not names or len(set(names)) < len(names):
            raise UsageError(f"splits {names}; give at least one and each once")
        if self.num_episodes is not None and self.num_episodes < 1:
            raise UsageError(f"num_episodes={self.num_episodes}; accepted: 1 or more, or none")

    @property
    def rules(self) -> RunRules:
        """How every episode is played."""
        return RunRules(self.protocol, self.horizon, self.num_rows, self.simulator)

    @property
    def selections(self) -> list[Selection]:
        """The episodes that are played, split by split."""
        return [select(source, self.num_episodes) for source in self.sources]


def evaluate(
    agent: BatchedAgent | AgentSource,
    facts: AgentFacts,
    plan: Plan,
    out: Path | str,
    *,
    executor: Executor | None = None,
    workers: int = 1,
    concurrency: int = 1,
    force: bool = False,
    on_episode: OnEpisode = lambda trace: None,
) -> Path:
    """Play everything in the plan and write the trace; progress is shown on stderr.

    An interrupted run resumes where it stopped when it is started again with the same
    arguments; the episodes that were being played are played again and marked so.

    Args:
        agent: batched (`agents.load_rows`), or its spec or another source of agents.
        facts: what is declared of it; its modality must be the agent's.
        plan: what to play.
        out: the trace to write, `NAME.jsonl.gz`.
        executor: its workers play, each with an agent of its own; needs the agent's spec. The
            episodes are the same as without.
        workers: how many the executor has.
        concurrency: episodes that are open at the same time in this process, each with an agent of
            its own from the source; for slow agents. The episodes are the same as without.
        force: replace an existing file.
        on_episode: called after each episode, resumed ones included.

    Returns:
        The path of the trace.

    Raises:
        UsageError: facts that contradict the agent, a file in the way, an executor without a spec,
            concurrency of a batched agent, without a source or with an executor.
        RunStoppedError: from the agent; the same call resumes the run.
    """
    spec = agent if isinstance(agent, AgentSpec) else None
    source = agent if isinstance(agent, AgentSource) else None
    built = agent.build() if isinstance(agent, AgentSource) else agent
    if executor is not None and spec is None:
        raise UsageError("workers build the agent themselves: give its AgentSpec, not the agent")
    if concurrency != 1:
        _check_concurrency(concurrency, source, built, executor)
    if facts.modality != built.modality or facts.privileged != is_privileged(built):
        raise UsageError(
            f"the facts say modality '{facts.modality}', privileged {facts.privileged}; the agent "
            f"has '{built.modality}', {is_privileged(built)}"
        )
    header = header_of(facts, plan, conditions_of(built, plan, workers if executor else 1))
    writer = TraceWriter(out, header, force=force)
    total = sum(map(len, plan.selections))
    rules = plan.rules._replace(modality=facts.modality)
    if isinstance(built, RowsOfAgents):  # an agent a row plays one episode at a time
        rules = rules._replace(num_rows=1)
    reported: set[str] = set()
    begin: Callable[..., Iterator[EpisodeTrace]] = partial(play, built, reported=reported)
    if concurrency > 1 and source is not None:
        close_agent(built)
        begin = partial(play_concurrently, source, concurrency=concurrency, reported=reported)
    if executor is not None and spec is not None:
        begin = partial(play_with, executor, spec, workers=workers)
    try:
        for trace in _shown(_traces(begin, plan, rules, writer), facts.name, total):
            on_episode(trace)
    finally:
        writer.close()
        if source is not None:
            close_agent(built)
    return writer.finish([name for selection in plan.selections for name in selection.ids])


def _check_concurrency(
    concurrency: int, source: AgentSource | None, built: BatchedAgent, executor: Executor | None
) -> None:
    if concurrency < 1:
        raise UsageError(f"concurrency={concurrency}; accepted: 1 or more")
    if source is None or not isinstance(built, RowsOfAgents):
        raise UsageError(
            f"concurrency={concurrency} needs the source of an agent that plays one episode at a "
            "time; a batched agent plays num_rows episodes side by side already"
        )
    if executor is not None:
        raise UsageError(f"concurrency={concurrency} and workers exclude each other; give one")


def _traces(
    begin: Callable[..., Iterator[EpisodeTrace]], plan: Plan, rules: RunRules, writer: TraceWriter
) -> Iterator[EpisodeTrace]:
    """Yield the episodes that are written already, then play and write the others."""
    yield from writer.done.values()
    for selection in plan.selections:
        todo = selection.without(writer.done)
        yield from map(writer.write, begin(todo, rules, on_start=writer.start))


def _shown(traces: Iterator[EpisodeTrace], name: str, total: int) -> Iterator[EpisodeTrace]:
    """Pass episodes on; show progress and the success so far."""
    succeeded = 0
    with progress(f"evaluate {name}", total) as advance:
        for done, trace in enumerate(traces, start=1):
            succeeded += trace.success
            yield trace
            advance(1, f"success {succeeded / done:.2f}")


def header_of(facts: AgentFacts, plan: Plan, played: Conditions = Conditions()) -> Header:  # noqa: B008
    """Return the header of a run: rules, agent and which episodes, with their content hash."""
    datasets = {}
    for selection in plan.selections:
        sha256 = content_sha256(selection)
        datasets[selection.split] = DatasetFacts(num_episodes=len(selection), sha256=sha256)
    return Header(
        package_version=__version__,
        protocol=plan.protocol,
        horizon=plan.horizon,
        seed=plan.seed,
        agent=facts,
        played=played,
        datasets=datasets,
    )


def conditions_of(agent: BatchedAgent, plan: Plan, workers: int = 1) -> Conditions:
    """Return how an agent is played, as a trace's header records it."""
    inner = agent.first if isinstance(agent, RowsOfAgents) else agent
    interface: Interface = "in-process"
    isolation: Isolation = "none"
    limits, network = LimitFacts(), True
    if isinstance(inner, ProcessAgent | HttpAgent):
        limits = LimitFacts(**asdict(inner.limits))
        if isinstance(inner, HttpAgent):
            interface, isolation = "http", "process" if inner.is_local else "remote"
        else:
            interface, isolation, network = "process", inner.isolation, inner.network
    simulator = plan.simulator.get("simulator", "embedded")
    return Conditions(
        interface=interface,
        isolation=isolation,
        network=network,
        workers=workers,
        limits=limits,
        simulator=simulator if isinstance(simulator, str) else type(simulator).__qualname__,
        machine=machine(),
        round=round_of(plan.sources),
        package_sha256=source_sha256(),
    )
