"""Clairvoyance and preflight: copied plans pass replay and are flagged; honest search is not."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import pytest
from handmade import APPLE, HANDMADE, traces_of

from langrearrange.dataset import EpisodeList
from langrearrange.generator import open_split
from langrearrange.leaderboard import (
    AgentFacts,
    Plan,
    Result,
    Trace,
    TraceWriter,
    header_of,
    preflight,
    score,
    score_trace,
)
from langrearrange.leaderboard.clairvoyance import _tail


@pytest.fixture(scope="module")
def hidden() -> EpisodeList:
    """Episodes of all kinds, the ones with hidden things among them."""
    source = open_split("validation")
    return EpisodeList([source.get(i) for i in range(len(source))])


def result_of(agent: str, source: EpisodeList, modality: str = "state") -> Result:
    traces = traces_of(agent, list(source))
    facts = AgentFacts(name=agent, modality=modality)
    lines = tuple(traces.values())
    if modality != "state":  # claims to have seen pictures
        lines = tuple(msgspec.structs.replace(line, chain="0" * 32) for line in lines)
    return score(Trace(header_of(facts, Plan(sources=[source])), lines), lambda split: source)


def test_oracle_traces_pass_replay_and_are_flagged(hidden: EpisodeList) -> None:
    result = result_of("oracle", hidden)
    assert result.splits["validation"].success.mean == 1.0
    assert result.clairvoyance.hits == result.clairvoyance.num_looks >= 30
    assert result.clairvoyance.suspicious
    assert not result.header.agent.privileged  # it says it is not
    assert result.tier == "T0"


def test_oracle_traces_are_flagged_even_if_called_pictures(hidden: EpisodeList) -> None:
    assert result_of("oracle", hidden, modality="rgb").clairvoyance.suspicious


@pytest.mark.parametrize("agent", ["explorer", "blind_sweep", "random"])
def test_honest_agents_are_not_flagged(agent: str, hidden: EpisodeList) -> None:
    result = result_of(agent, hidden)
    test = result.clairvoyance
    assert test.num_looks >= 20
    assert test.hits <= test.expected
    assert test.p_value > 0.1
    assert dataclasses.replace(result, foreign=()).tier == "T1"


def test_going_straight_to_a_place_the_sentence_names_proves_nothing() -> None:
    source = EpisodeList([APPLE])
    assert result_of("oracle", source).clairvoyance.num_looks == 0
    assert result_of("oracle", source).clairvoyance.p_value == 1.0


def test_the_tail_is_the_binomial_one() -> None:
    assert _tail([0.5] * 4, 3) == pytest.approx(5 / 16)
    assert _tail([0.1, 1.0], 1) == 1.0
    assert _tail([], 0) == 1.0


def test_preflight_lists_every_reason(tmp_path: Path) -> None:
    source = EpisodeList(HANDMADE)
    traces = traces_of("oracle", HANDMADE)
    header = header_of(
        AgentFacts(name="spy", modality="state", privileged=True), Plan(sources=[source])
    )
    header = msgspec.structs.replace(header, package_version="0.0.1")
    writer = TraceWriter(tmp_path / "run.jsonl.gz", header)
    for trace in traces.values():
        writer.write(trace)
    checked = preflight(
        writer.finish(list(traces)), lambda path: score_trace(path, lambda split: source)
    )
    assert not checked.accepted
    assert checked.rejected == ()
    reasons = " | ".join(checked.unranked)
    for word in ("privileged", "splits are missing: new_scenes", "0.0.1"):
        assert word in reasons
    assert "the trace has no home page of the agent; give evaluate --homepage" in checked.remarks


def test_preflight_says_why_a_file_is_rejected(tmp_path: Path) -> None:
    path = tmp_path / "run.jsonl.gz"
    path.write_bytes(b"no gzip")
    checked = preflight(path, lambda path: score_trace(path, lambda split: EpisodeList(HANDMADE)))
    assert not checked.accepted
    assert "is not a trace" in checked.rejected[0]
