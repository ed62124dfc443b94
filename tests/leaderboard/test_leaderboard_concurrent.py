"""Concurrent episodes: the same traces, that many open at a time, and a clean stop and resume."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from handmade import HANDMADE
from msgspec.structs import replace

from langrearrange.agents import Agent, AgentSpec, BatchedAgent, RowsOfAgents, RunStoppedError
from langrearrange.cli.main import main
from langrearrange.dataset import EpisodeList, Selection, select
from langrearrange.env import Observation
from langrearrange.errors import UsageError
from langrearrange.leaderboard import AgentFacts, EpisodeTrace, read_trace
from langrearrange.leaderboard.concurrent import play_concurrently
from langrearrange.leaderboard.evaluate import Plan, evaluate
from langrearrange.leaderboard.rollout import RunRules, play

HORIZON = 4


class Source:
    """Builds agents with a function."""

    def __init__(self, make: Callable[[], Agent]) -> None:
        self.make = make

    def build(self) -> BatchedAgent:
        return RowsOfAgents(self.make)


class Waiting:
    """Answers when `parties` agents are asked at the same time; BrokenBarrierError otherwise."""

    modality = "state"

    def __init__(self, barrier: threading.Barrier) -> None:
        self.barrier = barrier

    def reset(self, instruction: str) -> None:
        """Nothing to forget."""

    def act(self, observation: Observation) -> int:
        self.barrier.wait(timeout=60)
        return 69  # fails everywhere


class Spending:
    """Stops the run after so many answers, those of all agents counted."""

    modality = "state"

    def __init__(self, answers: Iterator[int]) -> None:
        self.answers = answers

    def reset(self, instruction: str) -> None:
        """Nothing to forget."""

    def act(self, observation: Observation) -> int:
        if next(self.answers, None) is None:
            raise RunStoppedError("the budget of 10 answers is spent")
        return 0


def episodes(count: int) -> Selection:
    return select(EpisodeList(replace(HANDMADE[0], id=f"context/{i:06d}") for i in range(count)))


def test_sixteen_of_32_episodes_are_asked_at_the_same_time() -> None:
    barrier = threading.Barrier(16)
    rounds: list[None] = []
    barrier._action = lambda: rounds.append(None)  # type: ignore[attr-defined]
    source = Source(lambda: Waiting(barrier))
    rules = RunRules(horizon=HORIZON)
    traces = list(play_concurrently(source, episodes(32), rules, concurrency=16))
    assert not any(trace.failure for trace in traces)
    assert sum(len(trace.actions) for trace in traces) == 32 * HORIZON
    assert len(rounds) == 32 * HORIZON / 16, "1/16 of the answers' time one after the other"


@pytest.mark.parametrize("concurrency", [2, 3, 100])
def test_traces_do_not_depend_on_concurrency(concurrency: int) -> None:
    spec, rules = AgentSpec(name="explorer"), RunRules()
    chosen = select(EpisodeList(HANDMADE))

    def by_id(traces: Iterator[EpisodeTrace]) -> list[EpisodeTrace]:
        return sorted(traces, key=lambda trace: trace.id)

    alone = by_id(play(spec.build(), chosen, rules))
    assert by_id(play_concurrently(spec, chosen, rules, concurrency=concurrency)) == alone


def test_a_stopped_run_keeps_what_ended_and_resumes(tmp_path: Path) -> None:
    plan = Plan(sources=[EpisodeList(episodes(6))], horizon=HORIZON)
    facts, out = AgentFacts(name="spends", modality="state"), tmp_path / "run.jsonl.gz"
    answers = iter(range(10))
    with pytest.raises(RunStoppedError, match="10 answers"):
        evaluate(Source(lambda: Spending(answers)), facts, plan, out, concurrency=2)
    more = iter(range(100))
    evaluate(Source(lambda: Spending(more)), facts, plan, out, concurrency=2)
    run = read_trace(out)
    assert len(run.episodes) == 6
    assert not any(episode.failure for episode in run.episodes)
    assert {episode.attempts for episode in run.episodes} == {1, 2}
    played_again = 100 - len(list(more))
    assert played_again in (4 * HORIZON, 5 * HORIZON), "one or two had ended before the stop"


def test_what_cannot_be_concurrent_is_refused(tmp_path: Path) -> None:
    plan = Plan(sources=[EpisodeList(HANDMADE)])
    facts = AgentFacts(name="x", modality="state")
    with pytest.raises(UsageError, match="source"):
        evaluate(AgentSpec(name="explorer").build(), facts, plan, tmp_path / "a", concurrency=2)
    with pytest.raises(UsageError, match="1 or more"):
        evaluate(AgentSpec(name="explorer"), facts, plan, tmp_path / "a", concurrency=0)


def test_every_failure_is_logged_and_a_run_of_failures_exits_with_1(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "broken.py").write_text(
        "class Broken:\n"
        "    modality = 'state'\n"
        "    def reset(self, instruction): pass\n"
        "    def act(self, observation): raise KeyError('boom')\n"
    )
    monkeypatch.chdir(tmp_path)
    command = ["evaluate", "--agent", "broken:Broken", "--in-process", "--concurrency", "2"]
    command += ["--episodes", "train_eval", "--num-episodes", "3", "--log-dir", "logs"]
    assert main([*command, "--out", "run.jsonl.gz"]) == 1
    said = capfd.readouterr().err
    assert said.count("Traceback") == 1
    assert "failed in 3 of them (3 crash" in said
    assert (tmp_path / "logs/log.txt").read_text().count("KeyError: 'boom'\n") >= 3
    assert len(read_trace("run.jsonl.gz").episodes) == 3
