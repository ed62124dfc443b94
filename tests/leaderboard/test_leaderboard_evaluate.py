"""From an agent's name to a score, on episodes the generator made: the promises of every table."""

from __future__ import annotations

import dataclasses
import importlib
import json
import multiprocessing
import os
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from pathlib import Path
from typing import Any

import msgspec
import pytest
from noted_progress import NotedProgress

from langrearrange.agents import AgentSpec, BatchedAgent, is_privileged, load_rows
from langrearrange.dataset import EpisodeList
from langrearrange.errors import SubmissionError, UsageError
from langrearrange.generator import open_split
from langrearrange.leaderboard import (
    AgentFacts,
    EpisodeTrace,
    Plan,
    Result,
    TemplateScores,
    Trace,
    evaluate,
    header_of,
    read_trace,
    report_json,
    score,
    score_trace,
)

MOVING = ("move_from_to", "put", "take_off", "place_two", "swap")
EVERY = 12


def sample(split: str, every: int) -> EpisodeList:
    source = open_split(split)
    chosen = EpisodeList([source.get(i) for i in range(0, len(source), every)])
    chosen.split = split
    return chosen


@pytest.fixture(scope="module")
def mini() -> EpisodeList:
    return sample("train_mini", EVERY)


def facts_of(name: str, rows: BatchedAgent, **fields: Any) -> AgentFacts:
    return AgentFacts(
        name=name, modality=fields.pop("modality", rows.modality), privileged=is_privileged(rows)
    )


def placed(result: Result) -> Result:
    """As if the sample were what is published."""
    return dataclasses.replace(result, foreign=())


def run(name: str, source: EpisodeList, out: Path, **plan: Any) -> tuple[Path, Result]:
    rows = load_rows(name)
    path = evaluate(rows, facts_of(name, rows), Plan(sources=[source], **plan), out)
    return path, score_trace(path, lambda split: source)


@pytest.fixture(scope="module")
def results(mini: EpisodeList, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Result]:
    folder = tmp_path_factory.mktemp("runs")
    names = ("oracle", "explorer", "blind_sweep", "random")
    return {name: run(name, mini, folder / f"{name}.jsonl.gz")[1] for name in names}


def by_template(result: Result) -> dict[str, TemplateScores]:
    return {row.template: row for row in result.templates}


def test_oracle_scores_exactly_one_with_no_regret(results: dict[str, Result]) -> None:
    scores = results["oracle"].splits["train_mini"]
    assert scores.success.mean == 1.0
    assert scores.metrics["regret"] == 0.0
    assert scores.metrics["subgoals"] == 1.0
    assert scores.metrics["invalid_rate"] == 0.0


def test_oracle_scores_exactly_one_in_the_hard_variant(mini: EpisodeList, tmp_path: Path) -> None:
    _, result = run("oracle", mini, tmp_path / "hard.jsonl.gz", protocol="hard")
    assert result.splits["train_mini"].success.mean == 1.0
    assert result.splits["train_mini"].metrics["regret"] == 0.0


def test_an_empty_plan_scores_exactly_zero(mini: EpisodeList) -> None:
    lines = tuple(EpisodeTrace(id=e.id, actions=(), failure="refusal") for e in mini)
    facts = AgentFacts(name="nobody", modality="state")
    result = score(Trace(header_of(facts, Plan(sources=[mini])), lines), lambda split: mini)
    assert result.splits["train_mini"].success.mean == 0.0
    assert result.splits["train_mini"].metrics["reward"] == 0.0


def test_random_is_near_zero_where_things_must_be_moved(results: dict[str, Result]) -> None:
    rows = results["random"].templates
    for moving, bound in ((True, 0.02), (False, 0.7)):
        chosen = [row for row in rows if (row.template in MOVING) == moving]
        successes = sum(row.success * row.num_episodes for row in chosen)
        assert successes <= bound * sum(row.num_episodes for row in chosen)


def test_explorer_and_blind_sweep_stand_between_random_and_oracle(
    results: dict[str, Result],
) -> None:
    means = {n: r.splits["train_mini"].efficiency.mean for n, r in results.items()}
    assert means["random"] < means["blind_sweep"] < means["explorer"] < means["oracle"]


def test_explorer_is_well_above_blind_sweep_where_the_source_is_hidden(
    results: dict[str, Result],
) -> None:
    explorer, sweep = (by_template(results[name]) for name in ("explorer", "blind_sweep"))
    oracle = by_template(results["oracle"])
    for template in ("put", "place_two", "find"):
        assert explorer[template].efficiency > sweep[template].efficiency + 0.08
        assert explorer[template].efficiency < oracle[template].efficiency


def test_results_are_plain_json_and_the_same_every_time(
    mini: EpisodeList, results: dict[str, Result], tmp_path: Path
) -> None:
    _, again = run("random", mini, tmp_path / "again.jsonl.gz")
    first = json.dumps(report_json(results["random"]), allow_nan=False)
    assert json.dumps(report_json(again), allow_nan=False) == first
    assert report_json(results["oracle"])["ranked"] is False
    assert report_json(results["random"])["ranked"] is False, "self-reported"
    assert report_json(placed(results["random"]))["tier"] == "T1"


def test_a_run_of_fewer_episodes_is_partial_and_spread_evenly(
    mini: EpisodeList, tmp_path: Path
) -> None:
    _, result = run("random", mini, tmp_path / "some.jsonl.gz", num_episodes=10)
    assert result.partial == ("train_mini",)
    assert result.splits["train_mini"].num_episodes == 10
    assert len({e.template for e in result.episodes}) >= 5


@pytest.mark.parametrize("modality", ["state", "text"])
def test_oracle_scores_one_in_every_symbolic_modality_with_the_chain_kept(
    mini: EpisodeList, modality: str, tmp_path: Path
) -> None:
    rows = load_rows("oracle")
    rows.modality = modality
    few = Plan(sources=[mini], num_episodes=20)
    path = evaluate(rows, facts_of("oracle", rows), few, tmp_path / "run.jsonl.gz")
    assert all(line.chain for line in read_trace(path).episodes)
    assert score_trace(path, lambda split: mini).splits["train_mini"].success.mean == 1.0


def test_oracle_scores_one_with_pictures_whose_hashes_are_drawn_again(
    mini: EpisodeList, tmp_path: Path
) -> None:
    rows = load_rows("oracle")
    rows.modality = "rgb+feedback"
    few = Plan(sources=[mini], num_episodes=3)
    path = evaluate(rows, facts_of("oracle", rows), few, tmp_path / "run.jsonl.gz")
    result = score_trace(path, lambda split: mini, pictures="all")
    assert result.splits["train_mini"].success.mean == 1.0
    trace = read_trace(path)
    forged = (msgspec.structs.replace(trace.episodes[0], chain="0" * 32), *trace.episodes[1:])
    with pytest.raises(SubmissionError, match=r"modality 'rgb.feedback'"):
        score(Trace(trace.header, forged), lambda split: mini, pictures="all")
    unseen = score(Trace(trace.header, forged), lambda split: mini, pictures="none")
    assert (unseen.splits, unseen.compared) == (result.splits, "none")
    with pytest.raises(SubmissionError, match=r"modality 'rgb.feedback'"):
        score(Trace(trace.header, forged), lambda split: mini)
    elsewhere = msgspec.structs.replace(trace.header.played, machine="elsewhere")
    header = msgspec.structs.replace(trace.header, played=elsewhere)
    assert score(Trace(header, forged), lambda split: mini).compared == "none"


def test_a_run_without_the_hashes_of_what_was_seen_is_not_ranked(
    mini: EpisodeList, tmp_path: Path
) -> None:
    path, result = run("random", mini, tmp_path / "run.jsonl.gz")
    assert (placed(result).tier, result.num_unproved) == ("T1", 0)
    trace = read_trace(path)
    bare = (msgspec.structs.replace(trace.episodes[0], chain=""), *trace.episodes[1:])
    again = score(Trace(trace.header, bare), lambda split: mini)
    assert (placed(again).tier, again.num_unproved) == ("T0", 1)


def test_a_finished_trace_is_replaced_by_force_only(mini: EpisodeList, tmp_path: Path) -> None:
    rows, plan = load_rows("oracle"), Plan(sources=[mini], num_episodes=2)
    path = evaluate(rows, facts_of("oracle", rows), plan, tmp_path / "run.jsonl.gz")
    with pytest.raises(UsageError, match="exists; choose another --out, or pass --force"):
        evaluate(rows, facts_of("oracle", rows), plan, path)
    assert evaluate(rows, facts_of("oracle", rows), plan, path, force=True) == path


def test_progress_counts_episodes_and_tells_the_success_so_far(
    mini: EpisodeList, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    noted = NotedProgress()
    monkeypatch.setattr(
        importlib.import_module("langrearrange.leaderboard.evaluate"), "progress", noted
    )
    rows, seen = load_rows("blind_sweep"), list[EpisodeTrace]()
    plan = Plan(sources=[mini], num_episodes=9)
    evaluate(
        rows, facts_of("blind_sweep", rows), plan, tmp_path / "run.jsonl.gz", on_episode=seen.append
    )
    assert noted.jobs == [("evaluate blind_sweep", 9)]
    shares = [sum(t.success for t in seen[:n]) / n for n in range(1, 10)]
    assert 0 < shares[-1] < 1
    assert noted.advanced == [(1, f"success {share:.2f}") for share in shares]


def test_facts_that_contradict_the_agent_are_refused(mini: EpisodeList, tmp_path: Path) -> None:
    rows = load_rows("oracle")
    facts = AgentFacts(name="oracle", modality="state", privileged=False)
    with pytest.raises(UsageError, match="privileged False"):
        evaluate(rows, facts, Plan(sources=[mini]), tmp_path / "run.jsonl.gz")


def test_plans_without_splits_twice_the_same_or_of_no_episodes_are_refused(
    mini: EpisodeList,
) -> None:
    for sources in ([], [mini, mini]):
        with pytest.raises(UsageError, match="each once"):
            Plan(sources=sources)
    with pytest.raises(UsageError, match="num_episodes=0"):
        Plan(sources=[mini], num_episodes=0)


def test_workers_change_nothing(tmp_path: Path) -> None:
    source = open_split("validation")
    plan = Plan(sources=[source], num_episodes=50)
    spec = AgentSpec(name="explorer")
    facts = AgentFacts(name="explorer", modality="state")
    alone = evaluate(spec, facts, plan, tmp_path / "alone.jsonl.gz")
    with ProcessPoolExecutor(2, mp_context=multiprocessing.get_context("spawn")) as pool:
        path = evaluate(spec, facts, plan, tmp_path / "pool.jsonl.gz", executor=pool, workers=2)
    whole, shared = read_trace(alone), read_trace(path)
    assert shared.episodes == whole.episodes
    played = msgspec.structs.replace(whole.header.played, workers=2)
    assert shared.header == msgspec.structs.replace(whole.header, played=played)
    with ThreadPoolExecutor(1) as pool, pytest.raises(UsageError, match="AgentSpec"):
        evaluate(spec.build(), facts, plan, tmp_path / "no.jsonl.gz", executor=pool)


@pytest.mark.parametrize(
    "fields", [{}, {"name": "random", "url": "http://a"}, {"command": "a", "name": "b"}]
)
def test_exactly_one_agent_is_named(fields: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="exactly one"):
        AgentSpec(**fields)


KILLED = """
import sys, time
from langrearrange.agents import load_rows
from langrearrange.generator import open_split
from langrearrange.leaderboard import AgentFacts, Plan, evaluate
rows = load_rows("explorer")
def slow(trace):
    print(trace.id, flush=True)
    time.sleep(0.05)
evaluate(rows, AgentFacts(name="explorer", modality="state"),
         Plan(sources=[open_split("validation")], num_episodes=40), sys.argv[1], on_episode=slow)
"""


def test_a_run_killed_in_the_middle_goes_on_and_says_so(tmp_path: Path) -> None:
    rows = load_rows("explorer")
    plan = Plan(sources=[open_split("validation")], num_episodes=40)
    whole = evaluate(rows, facts_of("explorer", rows), plan, tmp_path / "whole.jsonl.gz")
    killed = tmp_path / "killed.jsonl.gz"
    process = subprocess.Popen(
        [sys.executable, "-c", KILLED, str(killed)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    for _ in range(7):
        process.stdout.readline()
    time.sleep(0.02)
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    assert not killed.exists()
    assert killed.with_name(killed.name + ".part").exists()
    resumed: list[EpisodeTrace] = []
    evaluate(rows, facts_of("explorer", rows), plan, killed, on_episode=resumed.append)
    assert len(resumed) == 40
    first, second = read_trace(whole), read_trace(killed)
    again = [line.attempts for line in second.episodes]
    assert sorted(again)[:39] == [1] * 39, "one episode at a time is in flight"
    assert second.header.played.resumes == 1
    plain = tuple(msgspec.structs.replace(line, attempts=1) for line in second.episodes)
    assert plain == first.episodes
    assert {line.attempts for line in first.episodes} == {1}
    assert first.header.played.resumes == 0
