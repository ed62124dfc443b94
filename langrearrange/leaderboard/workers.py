"""Plays episodes with the workers of any `concurrent.futures` executor, chunk by chunk.

The result depends neither on their number nor on the order in which they finish.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import FIRST_COMPLETED, Executor, Future, wait
from functools import lru_cache
from itertools import islice
from typing import Final

from langrearrange.agents import AgentSpec, BatchedAgent
from langrearrange.dataset import EpisodeList, Selection, select
from langrearrange.leaderboard.rollout import RunRules, ignore, play
from langrearrange.leaderboard.trace import EpisodeTrace

SPARE: Final = 2
"""Chunks handed out beyond one for each worker, so that none waits; an interruption loses them."""


def play_chunk(spec: AgentSpec, episodes: Selection, rules: RunRules) -> list[EpisodeTrace]:
    """Play some episodes in a worker; its agent is built once and kept."""
    agent, reported = _agent_of(spec)
    return list(play(agent, episodes, rules, reported=reported))


def play_with(
    executor: Executor,
    spec: AgentSpec,
    episodes: Selection,
    rules: RunRules,
    *,
    workers: int = 1,
    on_start: Callable[[str], None] = ignore,
) -> Iterator[EpisodeTrace]:
    """Let an executor's workers play episodes, `rules.num_rows` at a time.

    Args:
        executor: of processes, threads or a cluster (`dask.distributed.Client.get_executor()`).
        spec: which agent; each worker builds its own.
        episodes: what to play, each once.
        rules: how.
        workers: how many the executor has.
        on_start: called with an episode's id before it is handed out.

    Yields:
        Traces as chunks finish.
    """
    size = rules.num_rows
    starts = iter(range(0, len(episodes), size))
    pending: set[Future[list[EpisodeTrace]]] = set()
    while True:
        for start in islice(starts, workers + SPARE - len(pending)):
            chunk = list(Selection(episodes.chosen[start : start + size]))
            for episode in chunk:
                on_start(episode.id)
            pending.add(executor.submit(play_chunk, spec, select(EpisodeList(chunk)), rules))
        if not pending:
            return
        done, pending = wait(pending, return_when=FIRST_COMPLETED)
        for future in done:
            yield from future.result()


@lru_cache(maxsize=1)
def _agent_of(spec: AgentSpec) -> tuple[BatchedAgent, set[str]]:
    """Return a worker's agent and the kinds of its failures that were reported."""
    return spec.build(), set()
