"""Episodes played by many workers: any `concurrent.futures` executor, chunk by chunk.

What comes out depends neither on their number nor on the order in which they finish.
"""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import lru_cache
from itertools import islice
from typing import Final

from langrearrange.agents import AgentSpec, BatchedAgent
from langrearrange.dataset import Selection
from langrearrange.leaderboard.rollout import RunRules, play
from langrearrange.leaderboard.trace import EpisodeTrace

CHUNK: Final = 16
"""Episodes a worker plays before it reports: what a kill can lose."""

AHEAD: Final = 64
"""Chunks handed out at a time."""


def play_chunk(spec: AgentSpec, episodes: Selection, rules: RunRules) -> list[EpisodeTrace]:
    """Play some episodes in a worker; its agent is built once and kept."""
    return list(play(_agent_of(spec), episodes, rules))


def play_with(
    executor: Executor,
    spec: AgentSpec,
    episodes: Selection,
    rules: RunRules,
) -> Iterator[EpisodeTrace]:
    """Let an executor's workers play episodes.

    Args:
        executor: of processes, threads or a cluster (`dask.distributed.Client.get_executor()`).
        spec: which agent; each worker builds its own.
        episodes: what to play, each once; their sources are sent to the workers, so that they must
            be picklable.
        rules: how.

    Yields:
        Traces as chunks finish.
    """
    starts = range(0, len(episodes), CHUNK)
    chunks = iter([Selection(episodes.chosen[start : start + CHUNK]) for start in starts])
    pending: set[Future[list[EpisodeTrace]]] = set()
    while True:
        for chunk in islice(chunks, AHEAD - len(pending)):
            pending.add(executor.submit(play_chunk, spec, chunk, rules))
        if not pending:
            return
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            yield from future.result()


@lru_cache(maxsize=1)
def _agent_of(spec: AgentSpec) -> BatchedAgent:
    return spec.build()
