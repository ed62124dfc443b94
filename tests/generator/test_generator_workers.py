"""Work handed to processes: cancelled where nobody waits for it, told where a process is lost."""

from __future__ import annotations

import os
from concurrent.futures import BrokenExecutor, Executor, Future
from typing import Any

import pytest

from langrearrange.errors import GenerationError
from langrearrange.generator.workers import map_ranges, num_cores, pool_of, ranges

TASKS = ranges(10, 4)


def span(start: int, stop: int) -> int:
    return stop - start


class Held(Executor):
    """Does the first task at once and no other."""

    def __init__(self, failure: Exception | None = None) -> None:
        self.futures: list[Future[Any]] = []
        self.failure = failure

    def submit(self, fn: Any, /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        if not self.futures and self.failure is None:
            future.set_result(fn(*args))
        elif not self.futures:
            future.set_exception(self.failure)
        self.futures.append(future)
        return future


def test_a_caller_that_stops_early_cancels_what_has_not_begun() -> None:
    held = Held()
    found = map_ranges(span, TASKS, None, lambda *_: None, held)
    assert next(found) == (0, 4)
    assert not any(future.cancelled() for future in held.futures)
    found.close()  # type: ignore[attr-defined]
    assert [future.cancelled() for future in held.futures] == [False, True, True]


def test_a_lost_worker_is_told_with_the_parts_to_go_and_the_rest_is_cancelled() -> None:
    held = Held(BrokenExecutor())
    with pytest.raises(GenerationError, match=r"with 3 of 3 parts to go"):
        list(map_ranges(span, TASKS, None, lambda *_: None, held))
    assert [future.cancelled() for future in held.futures] == [False, True, True]


def test_cores_are_those_this_process_may_use(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        os, "sched_getaffinity", lambda pid: {3, 5, 7} if pid == 0 else {1}, raising=False
    )
    assert num_cores() == 3
    monkeypatch.delattr(os, "sched_getaffinity")
    monkeypatch.setattr(os, "cpu_count", lambda: 12)
    assert num_cores() == 12
    monkeypatch.setattr(os, "cpu_count", lambda: None)
    assert num_cores() == 1


def test_an_own_pool_spawns_so_many_processes_and_is_shut_down() -> None:
    with pool_of(None, 2) as pool:
        assert pool._max_workers == 2  # type: ignore[attr-defined]
        assert pool._mp_context.get_start_method() == "spawn"  # type: ignore[attr-defined]
    with pytest.raises(RuntimeError, match="shutdown"):
        pool.submit(int)
