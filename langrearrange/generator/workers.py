"""Processes for long jobs: a spawned pool, and a task over ranges of positions. No episodes."""

from __future__ import annotations

import multiprocessing
import os
from collections.abc import Callable, Iterator
from concurrent.futures import BrokenExecutor, Executor, ProcessPoolExecutor
from contextlib import contextmanager
from typing import Final, TypeVar

from langrearrange.errors import GenerationError
from langrearrange.progress import Advance

T = TypeVar("T")
RANGE: Final = 512
SHORT_JOB: Final = 4
"""So many tasks of 512 episodes take less time than starting processes saves."""


def num_cores() -> int:
    """Return the cores this process may use (a container often has fewer than the machine)."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def num_workers(wanted: int | None, num_tasks: int) -> int:
    """Return how many processes to start: as wanted; by itself none for a second or two of work."""
    if wanted is None:
        wanted = 1 if num_tasks <= SHORT_JOB else num_cores()
    return max(1, min(wanted, num_tasks))


@contextmanager
def pool_of(given: Executor | None, workers: int) -> Iterator[Executor]:
    """Yield the given executor, or a pool of processes that is shut down behind it."""
    if given is not None:
        yield given
        return
    # Spawned, not forked: safe beside threads, and the same on every system.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context) as pool:
        yield pool


def map_ranges(
    task: Callable[[int, int], T], total: int, workers: int | None, advance: Advance
) -> Iterator[T]:
    """Yield task(start, stop) for ranges that cover 0 .. total - 1, in order.

    Raises:
        GenerationError: a worker process was lost.
    """
    ranges = [(start, min(start + RANGE, total)) for start in range(0, total, RANGE)]
    count = num_workers(workers, len(ranges))
    if count == 1:
        for start, stop in ranges:
            yield task(start, stop)
            advance(stop - start, "")
        return
    try:
        with pool_of(None, count) as pool:
            results = pool.map(task, *zip(*ranges, strict=True))
            for (start, stop), result in zip(ranges, results, strict=True):
                yield result
                advance(stop - start, "")
    except BrokenExecutor as error:
        raise GenerationError(
            "a worker process was lost (killed, or out of memory); run the same command again, "
            "with fewer workers if memory is short"
        ) from error
