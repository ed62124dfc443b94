"""Processes for long jobs: a spawned pool, and a task over ranges of positions. No episodes."""

from __future__ import annotations

import multiprocessing
import os
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import (
    FIRST_COMPLETED,
    BrokenExecutor,
    Executor,
    ProcessPoolExecutor,
    wait,
)
from contextlib import contextmanager
from typing import Final, TypeVar

from langrearrange.errors import GenerationError
from langrearrange.progress import Advance

T = TypeVar("T")
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


def end_with_parent() -> None:
    """In a worker process: end as soon as the process that started it is gone."""
    parent = multiprocessing.parent_process()

    def wait_for_it() -> None:
        if parent is not None:
            parent.join()
            os._exit(1)

    threading.Thread(target=wait_for_it, daemon=True).start()


@contextmanager
def pool_of(
    given: Executor | None, workers: int, begin: Callable[[], None] = end_with_parent
) -> Iterator[Executor]:
    """Yield the given executor, or a pool of processes that is shut down behind it.

    Args:
        given: an executor, or None.
        workers: processes of the pool.
        begin: what each of them does first; should call `end_with_parent`.
    """
    if given is not None:
        yield given
        return
    # Spawned, not forked: safe beside threads, and the same on every system.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=begin) as pool:
        yield pool


def ranges(total: int, size: int) -> list[tuple[int, int]]:
    """Return (start, stop) of stretches of at most `size` that cover 0 .. total - 1."""
    return [(start, min(start + size, total)) for start in range(0, total, size)]


def map_ranges(
    task: Callable[[int, int], T],
    tasks: Sequence[tuple[int, int]],
    workers: int | None,
    advance: Advance,
    executor: Executor | None = None,
) -> Iterator[tuple[int, T]]:
    """Yield (start, task(start, stop)) of every range, in the order in which they are completed.

    Args:
        task: picklable, if processes do it.
        tasks: ranges (start, stop).
        workers: processes, as `num_workers` counts them; with one, all is done here, in order.
        advance: called for each range after its result has been used.
        executor: does the work instead; it is not shut down.

    Raises:
        GenerationError: a worker process was lost.
    """
    count = num_workers(workers, len(tasks))
    if executor is None and count == 1:
        for start, stop in tasks:
            yield start, task(start, stop)
            advance(stop - start, "")
        return
    with pool_of(executor, count) as pool:
        pending = {pool.submit(task, *limits): limits for limits in tasks}
        try:
            while pending:
                for future in wait(pending, return_when=FIRST_COMPLETED).done:
                    start, stop = pending.pop(future)
                    yield start, future.result()
                    advance(stop - start, "")
        except BrokenExecutor as error:
            raise GenerationError(
                f"a worker process was lost (killed, or out of memory) with {len(pending) + 1} of "
                f"{len(tasks)} parts to go. What is complete stays complete: run the same command "
                "again, with fewer workers if memory is short"
            ) from error
        finally:
            for future in pending:
                future.cancel()
