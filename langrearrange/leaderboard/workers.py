"""Episodes played by many workers: any `concurrent.futures` executor, chunk by chunk.

What comes out depends neither on their number nor on the order in which they finish.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import lru_cache
from itertools import islice
from typing import Any, Final, NamedTuple

from langrearrange.agents import AgentSpec, BatchedAgent
from langrearrange.dataset import Episode, EpisodeSource
from langrearrange.leaderboard.rollout import env_factory, play
from langrearrange.leaderboard.trace import EpisodeTrace, Protocol

CHUNK: Final = 16
"""Episodes a worker plays before it reports: what a kill can lose."""

AHEAD: Final = 64
"""Chunks handed out at a time."""


class RunRules(NamedTuple):
    """How every episode of a run is played: protocol, horizon, episodes side by side, simulator."""

    protocol: Protocol
    horizon: int
    num_rows: int
    simulator: Mapping[str, Any] = {}


def play_here(
    agent: BatchedAgent, source: EpisodeSource, episode_ids: Sequence[str], rules: RunRules
) -> Iterator[EpisodeTrace]:
    """Play episodes in this process; yields a trace as each one ends."""
    make = env_factory(
        source, agent.modality, protocol=rules.protocol, horizon=rules.horizon, **rules.simulator
    )

    def find(episode_id: str) -> Episode:
        return source.get(source.index_of(episode_id))

    num_rows = max(1, min(rules.num_rows, len(episode_ids)))
    return play(agent, episode_ids, make, find, num_rows=num_rows)


def play_chunk(
    spec: AgentSpec, source: EpisodeSource, episode_ids: Sequence[str], rules: RunRules
) -> list[EpisodeTrace]:
    """Play some episodes in a worker; its agent is built once and kept."""
    return list(play_here(_agent_of(spec), source, episode_ids, rules))


def play_with(
    executor: Executor,
    spec: AgentSpec,
    source: EpisodeSource,
    episode_ids: Sequence[str],
    rules: RunRules,
) -> Iterator[EpisodeTrace]:
    """Let an executor's workers play episodes.

    Args:
        executor: of processes, threads or a cluster (`dask.distributed.Client.get_executor()`).
        spec: which agent; each worker builds its own.
        source: the episodes; sent to the workers, so that it must be picklable.
        episode_ids: what to play, each once.
        rules: how.

    Yields:
        Traces as chunks finish.
    """
    chunks = iter([episode_ids[i : i + CHUNK] for i in range(0, len(episode_ids), CHUNK)])
    pending: set[Future[list[EpisodeTrace]]] = set()
    while True:
        for chunk in islice(chunks, AHEAD - len(pending)):
            pending.add(executor.submit(play_chunk, spec, source, chunk, rules))
        if not pending:
            return
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            yield from future.result()


@lru_cache(maxsize=1)
def _agent_of(spec: AgentSpec) -> BatchedAgent:
    return spec.build()
