"""Sealed rounds: made again from the key, bound by the commitment; the only tier that ranks."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import msgspec
import pytest

from langrearrange.agents import load_rows
from langrearrange.dataset import open_dataset
from langrearrange.errors import SubmissionError
from langrearrange.generator import SplitSpec, generate_split
from langrearrange.leaderboard import (
    AgentFacts,
    Plan,
    SealedRound,
    Trace,
    evaluate,
    group_scores,
    read_trace,
    score,
)
from langrearrange.leaderboard.groups import BOARD_SPLITS

KEY = "k" * 16
NAME = "sealed_novel_objects"


@pytest.fixture(scope="module")
def sealed() -> SealedRound:
    return SealedRound(KEY)


@pytest.fixture(scope="module")
def honest(sealed: SealedRound, tmp_path_factory: pytest.TempPathFactory) -> Trace:
    rows = load_rows("explorer")
    facts = AgentFacts(name="mine", modality=rows.modality)
    plan = Plan(sources=[sealed.open(NAME)])
    return read_trace(evaluate(rows, facts, plan, tmp_path_factory.mktemp("s") / "run.jsonl.gz"))


def isolated(trace: Trace) -> Trace:
    """As if the organiser had played it on another machine."""
    played = msgspec.structs.replace(trace.header.played, interface="http", isolation="remote")
    return dataclasses.replace(trace, header=msgspec.structs.replace(trace.header, played=played))


def test_a_round_has_the_eleven_standard_sets(sealed: SealedRound) -> None:
    assert list(sealed.specs) == [f"sealed_{split}" for split in BOARD_SPLITS]
    assert len(sealed.commitment) == 64
    assert SealedRound(KEY).commitment == sealed.commitment
    assert SealedRound("z" * 16).commitment != sealed.commitment
    for name in sealed.specs:
        source = sealed.open(name)
        assert (len(source), source.split) == (100, name)
        assert source.get(0).id.startswith(f"{name}/")
    with pytest.raises(SubmissionError, match="'context' is not a set of a sealed round"):
        sealed.open("context")


def test_only_the_key_that_was_committed_to_opens_a_round(sealed: SealedRound) -> None:
    SealedRound(KEY, sealed.commitment)
    with pytest.raises(SubmissionError, match="does not open the commitment"):
        SealedRound("z" * 16, sealed.commitment)


def test_an_isolated_run_on_sealed_episodes_is_of_tier_t2(
    sealed: SealedRound, honest: Trace
) -> None:
    result = score(isolated(honest), sealed.open)
    assert (result.tier, result.round) == ("T2", sealed.commitment)
    assert list(result.splits) == [NAME]
    assert score(honest, sealed.open).tier == "T0", "nothing kept the agent from them"


def test_an_episode_begun_twice_counts_as_failed_there(sealed: SealedRound, honest: Trace) -> None:
    solved = next(i for i, line in enumerate(honest.episodes) if line.success)
    lines = list(honest.episodes)
    lines[solved] = msgspec.structs.replace(lines[solved], attempts=2)
    again = dataclasses.replace(honest, episodes=tuple(lines))
    result = score(isolated(again), sealed.open)
    assert result.num_interrupted == 1
    assert result.episodes[solved].failure == result.episodes[solved].cause == "interrupted"
    assert not result.episodes[solved].success
    assert result.tier == "T2"


def test_a_set_of_other_settings_or_another_key_is_refused(
    sealed: SealedRound, honest: Trace, tmp_path: Path
) -> None:
    with pytest.raises(SubmissionError, match="other episodes of 'sealed_novel_objects'"):
        score(honest, SealedRound("z" * 16).open)
    easy = SplitSpec(name=NAME, templates="train", num_episodes=8, key=KEY)
    generate_split(easy, tmp_path / "easy", workers=1)
    source = open_dataset(tmp_path / "easy")
    rows = load_rows("explorer")
    facts = AgentFacts(name="mine", modality="state")
    path = evaluate(rows, facts, Plan(sources=[source]), tmp_path / "run.jsonl.gz")
    with pytest.raises(SubmissionError):
        score(read_trace(path), sealed.open)
    result = score(isolated(read_trace(path)), lambda split: source)
    assert (result.tier, result.foreign, result.round) == ("T0", (NAME,), "")


def test_a_set_in_a_folder_made_as_the_round_says_holds_its_episodes(
    sealed: SealedRound, honest: Trace, tmp_path: Path
) -> None:
    spec = SplitSpec(name=NAME, templates="novel_objects", num_episodes=100, key=KEY)
    written = generate_split(spec, tmp_path / "set", workers=1)
    assert written.content_sha256 == honest.header.datasets[NAME].sha256


def test_a_sealed_set_stands_for_the_split_it_is_like(sealed: SealedRound, honest: Trace) -> None:
    scores = score(honest, sealed.open).splits[NAME]
    others = ("multiple_rearrangements", "multiple_objects", "conditional_instructions")
    assert set(group_scores(dict.fromkeys((*others, NAME), scores))) == {"BG"}
