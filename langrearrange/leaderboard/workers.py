"""Episodes played by many workers: any `concurrent.futures` executor, chunk by chunk.

What comes out depends neither on their number nor on the order in which they finish.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import lru_cache
from typing import Final

from langrearrange.agents import AgentSpec, BatchedAgent
from langrearrange.dataset import Episode, EpisodeSource
from langrearrange.leaderboard.rollout import env_factory, play
from langrearrange.leaderboard.trace import EpisodeTrace, Protocol

CHUNK: Final = 16
"""Episodes a worker plays before it reports: what a kill can lose."""


def play_chunk(
    spec: AgentSpec,
    source: EpisodeSource,
    episode_ids: Sequence[str],
    protocol: Protocol,
    horizon: int,
    num_rows: int,
) -> list[EpisodeTrace]:
    """Play some episodes in this process; the agent is built once and kept."""
    agent = _agent_of(spec)
    make = env_factory(source, agent.modality, protocol=protocol, horizon=horizon)

    def find(episode_id: str) -> Episode:
        return source.get(source.index_of(episode_id))

    return list(play(agent, episode_ids, make, find, num_rows=min(num_rows, len(episode_ids))))


def play_with(
    executor: Executor,
    spec: AgentSpec,
    source: EpisodeSource,
    episode_ids: Sequence[str],
    *,
    protocol: Protocol,
    horizon: int,
    num_rows: int,
    ahead: int = 64,
) -> Iterator[EpisodeTrace]:
    """Let an executor's workers play episodes.

    Args:
        executor: of processes, threads or a cluster (`dask.distributed.Client.get_executor()`).
        spec: which agent; each worker builds its own.
        source: the episodes; sent to the workers, so that it must be picklable.
        episode_ids: what to play, each once.
        protocol: `paper` or `hard`.
        horizon: skills an episode may take.
        num_rows: episodes side by side in one worker.
        ahead: at most so many chunks are handed out at a time.

    Yields:
        Traces as chunks finish.
    """
    chunks = iter([episode_ids[i : i + CHUNK] for i in range(0, len(episode_ids), CHUNK)])
    pending: set[Future[list[EpisodeTrace]]] = set()
    while True:
        for chunk in chunks:
            arguments = (spec, source, chunk, protocol, horizon, num_rows)
            pending.add(executor.submit(play_chunk, *arguments))
            if len(pending) >= ahead:
                break
        if not pending:
            return
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            yield from future.result()


@lru_cache(maxsize=1)
def _agent_of(spec: AgentSpec) -> BatchedAgent:
    return spec.build()
