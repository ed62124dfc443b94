"""Episodes side by side in one process, for slow agents: a thread and an agent for each.

Not for agents that compute in this process (`workers`) nor for batched ones, which play rows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from queue import SimpleQueue

import numpy as np
from numpy.typing import NDArray

from langrearrange.agents import (
    AgentSource,
    BatchedAgent,
    Observation,
    PrivilegedBatchedAgent,
    close_agent,
    is_privileged,
)
from langrearrange.dataset import EpisodeList, Selection, select
from langrearrange.leaderboard.rollout import RunRules, ignore, play
from langrearrange.leaderboard.trace import EpisodeTrace


def play_concurrently(
    source: AgentSource,
    episodes: Selection,
    rules: RunRules,
    *,
    concurrency: int,
    on_start: Callable[[str], None] = ignore,
    reported: set[str] | None = None,
) -> Iterator[EpisodeTrace]:
    """Let agents play episodes, `concurrency` of them at any time.

    Args:
        source: builds an agent for each thread.
        episodes: what to play, each once.
        rules: how.
        concurrency: episodes that are open at the same time.
        on_start: called with an episode's id before its agent receives it, never twice at once.
        reported: as for `play`.

    Yields:
        Traces as episodes end; those of a run that stops are yielded before the error is raised.

    Raises:
        RunStoppedError: from an agent; the other agents' current episodes end first.
    """
    reported = set() if reported is None else reported
    ended: SimpleQueue[EpisodeTrace | BaseException | None] = SimpleQueue()
    waiting, lock, stopped = iter(episodes), threading.Lock(), threading.Event()

    def work() -> None:
        agent: BatchedAgent | None = None
        try:
            agent = source.build()
            unlocked = _Unlocked(agent, lock)
            with lock:
                while not stopped.is_set() and (episode := next(waiting, None)) is not None:
                    one = select(EpisodeList([episode]))
                    for trace in play(unlocked, one, rules, on_start, reported):
                        ended.put(trace)
        except BaseException as error:
            stopped.set()
            ended.put(error)
        finally:
            with suppress(Exception):
                close_agent(agent)
            ended.put(None)

    num_threads = min(concurrency, len(episodes))
    for _ in range(num_threads):  # daemons: Ctrl-C does not wait for slow answers
        threading.Thread(target=work, daemon=True).start()
    failure: BaseException | None = None
    try:
        while num_threads:
            result = ended.get()
            if result is None:
                num_threads -= 1
            elif isinstance(result, EpisodeTrace):
                yield result
            else:
                failure = failure or result
    finally:
        with lock:
            stopped.set()
    if failure is not None:
        raise failure


class _Unlocked:
    """An agent that lets the other threads go on while it answers.

    Sources and simulators are not made for several threads, so one thread at a time runs.
    """

    def __init__(self, agent: BatchedAgent, lock: threading.Lock) -> None:
        self._agent, self._lock, self.modality = agent, lock, agent.modality
        if isinstance(agent, PrivilegedBatchedAgent) and is_privileged(agent):
            self.bind_rows = agent.bind_rows

    def reset_rows(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each row."""
        with self._released():
            self._agent.reset_rows(rows, instructions)

    def act_rows(
        self, rows: Sequence[int], observations: Observation
    ) -> NDArray[np.int64] | Sequence[int | str]:
        """Return the agent's skills."""
        with self._released():
            return self._agent.act_rows(rows, observations)

    @contextmanager
    def _released(self) -> Iterator[None]:
        self._lock.release()
        try:
            yield
        finally:
            self._lock.acquire()
