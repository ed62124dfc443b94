"""Episodes side by side in one process, for slow agents: a thread and an agent for each.

Not for agents that compute in this process (`workers`) nor for batched ones, which play rows.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from queue import SimpleQueue

from langrearrange.agents import AgentSource, BatchedAgent, close_agent
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

    def take() -> Selection | None:
        with lock:  # sources are not made for several readers
            episode = None if stopped.is_set() else next(waiting, None)
            if episode is None:
                return None
            on_start(episode.id)
            return select(EpisodeList([episode]))

    def work() -> None:
        agent: BatchedAgent | None = None
        try:
            while (episode := take()) is not None:
                agent = agent or source.build()
                for trace in play(agent, episode, rules, reported=reported):
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
