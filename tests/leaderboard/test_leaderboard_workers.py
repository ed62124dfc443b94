"""Chunks handed to workers: whole, bounded in number, and each episode once whoever plays it."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

import pytest
from handmade import HANDMADE
from msgspec.structs import replace

from langrearrange.agents import AgentSpec
from langrearrange.dataset import EpisodeList, Selection, select
from langrearrange.errors import AgentError
from langrearrange.leaderboard import EpisodeTrace, workers
from langrearrange.leaderboard.rollout import RunRules
from langrearrange.leaderboard.workers import SPARE, play_with

SPEC = AgentSpec(name="explorer")


class Lazy(Executor):
    """Runs a task only when its result is asked for; notes how many were waiting."""

    def __init__(self) -> None:
        self.waiting: list[Future[Any]] = []
        self.most = 0
        self.sizes: list[int] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        future: Future[Any] = Future()
        self.sizes.append(len(args[1]))
        self.waiting.append(future)
        self.most = max(self.most, len(self.waiting))
        future.args = args  # type: ignore[attr-defined]
        return future

    def finish_one(self) -> None:
        future = self.waiting.pop()  # the last one first
        episodes: Selection = future.args[1]  # type: ignore[attr-defined]
        future.set_result([EpisodeTrace(id=name, actions=()) for name in episodes.ids])


def episodes(count: int) -> Selection:
    many = [replace(HANDMADE[0], id=f"context/{i:06d}") for i in range(count)]
    return select(EpisodeList(many))


@pytest.mark.parametrize("rows", [1, 16])
@pytest.mark.parametrize("count", [1, 16, 17, 109])
def test_every_episode_is_handed_out_once_and_few_at_a_time(
    monkeypatch: pytest.MonkeyPatch, count: int, rows: int
) -> None:
    lazy = Lazy()
    begun: list[str] = []

    def wait(pending: set[Future[Any]], return_when: str) -> tuple[Any, Any]:
        assert pending == set(lazy.waiting)
        assert len(begun) == sum(lazy.sizes), "what is handed out may be begun"
        lazy.finish_one()
        done = {future for future in pending if future.done()}
        return done, pending - done

    monkeypatch.setattr(workers, "wait", wait)
    todo = episodes(count)
    rules = RunRules(num_rows=rows)
    played = [
        trace.id for trace in play_with(lazy, SPEC, todo, rules, workers=3, on_start=begun.append)
    ]
    assert sorted(played) == sorted(begun) == todo.ids
    assert all(size == rows for size in lazy.sizes[:-1])
    assert sum(lazy.sizes) == count
    assert lazy.most == min(3 + SPARE, len(lazy.sizes))


def test_nothing_to_play_hands_out_nothing() -> None:
    lazy = Lazy()
    assert list(play_with(lazy, SPEC, Selection([]), RunRules())) == []
    assert lazy.sizes == []


def test_a_worker_whose_agent_has_another_modality_ends_the_run() -> None:
    with pytest.raises(AgentError, match="modality 'state', the header of the run says 'rgb'"):
        workers.play_chunk(SPEC, episodes(2), RunRules(modality="rgb"))
