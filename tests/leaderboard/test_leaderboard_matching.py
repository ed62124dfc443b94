"""Matching: which episodes a trace is about, down to the last byte of their content."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import SimpleNamespace

import pytest
from handmade import APPLE, FIND, FRIDGE, HANDMADE, HIDDEN
from msgspec.structs import replace

from langrearrange.dataset import Episode, EpisodeList, encode_episode, read_manifest
from langrearrange.errors import DatasetError, SubmissionError
from langrearrange.leaderboard import AgentFacts, DatasetFacts, EpisodeTrace, Header, Trace
from langrearrange.leaderboard.matching import MatchedSplit, content_sha256, match, published_sha256
from langrearrange.paths import datasets_path

OTHER = tuple(
    replace(e, id=e.id.replace("context", "novel_objects"), split="novel_objects")
    for e in HANDMADE[:2]
)
SOURCES = {"context": EpisodeList(HANDMADE), "novel_objects": EpisodeList(OTHER)}


def facts(episodes: tuple[Episode, ...]) -> DatasetFacts:
    return DatasetFacts(num_episodes=len(episodes), sha256=content_sha256(episodes))


def trace_of(ids: list[str], **datasets: DatasetFacts) -> Trace:
    header = Header(
        package_version="0", agent=AgentFacts(name="a", modality="state"), datasets=datasets
    )
    return Trace(header, tuple(EpisodeTrace(id=name, actions=()) for name in ids))


def matched(ids: list[str], **datasets: DatasetFacts) -> list[MatchedSplit]:
    return match(trace_of(ids, **datasets), SOURCES.__getitem__)


def refused(ids: list[str], **datasets: DatasetFacts) -> str:
    with pytest.raises(SubmissionError) as caught:
        matched(ids, **datasets)
    return str(caught.value)


def test_content_is_hashed_line_by_line_in_order() -> None:
    data = encode_episode(APPLE) + encode_episode(FIND)
    assert content_sha256((APPLE, FIND)) == hashlib.sha256(data).hexdigest()
    assert content_sha256((FIND, APPLE)) != content_sha256((APPLE, FIND))


def test_lines_come_with_their_episodes_in_the_order_of_the_trace() -> None:
    ids = [FIND.id, APPLE.id, FRIDGE.id, HIDDEN.id]
    (split,) = matched(ids, context=facts(HANDMADE))
    assert [line.id for line, _ in split.lines] == ids
    assert [episode for _, episode in split.lines] == [FIND, APPLE, FRIDGE, HIDDEN]
    assert split.absent == ()
    assert (split.split, split.partial) == ("context", False)
    assert (split.published, split.round) == (False, "")


def test_what_was_not_played_is_absent_in_file_order() -> None:
    (split,) = matched([FRIDGE.id], context=facts(HANDMADE))
    assert split.absent == (APPLE, HIDDEN, FIND)
    assert [episode for _, episode in split.lines] == [FRIDGE]
    assert not split.partial


def test_splits_are_told_apart_by_their_ids() -> None:
    ids = [OTHER[1].id, APPLE.id, OTHER[0].id]
    first, second = matched(ids, context=facts(HANDMADE), novel_objects=facts(OTHER))
    assert [line.id for line, _ in first.lines] == [APPLE.id]
    assert [line.id for line, _ in second.lines] == [OTHER[1].id, OTHER[0].id]
    assert first.absent == (HIDDEN, FRIDGE, FIND)
    assert second.absent == ()


def test_a_part_of_a_split_is_partial_and_hashed_in_file_order() -> None:
    part = facts((APPLE, FRIDGE))
    (split,) = matched([FRIDGE.id, APPLE.id], context=part)
    assert split.partial
    assert split.absent == ()
    assert "other episodes of 'context'" in refused([FRIDGE.id, HIDDEN.id], context=part)


def test_of_a_part_with_missing_episodes_the_content_is_not_known() -> None:
    """Which episodes were meant is said nowhere, so nothing is compared or counted as absent."""
    (split,) = matched([FRIDGE.id], context=facts((APPLE, FRIDGE)))
    assert split.partial
    assert [episode for _, episode in split.lines] == [FRIDGE]
    assert split.absent == ()


def test_another_content_is_refused_with_both_hashes() -> None:
    wrong = DatasetFacts(num_episodes=4, sha256="0" * 64)
    told = refused([e.id for e in HANDMADE], context=wrong)
    assert "content sha256 000000000000..." in told
    assert f"here {content_sha256(HANDMADE)[:12]}..." in told


@pytest.mark.parametrize("declared", [1, 5])
def test_a_count_that_cannot_be_is_refused(declared: int) -> None:
    wrong = DatasetFacts(num_episodes=declared, sha256="0" * 64)
    told = refused([APPLE.id, FIND.id], context=wrong)
    assert f"the header declares {declared} episodes of 'context'" in told
    assert "the split has 4 and the trace 2" in told


def test_a_header_of_no_episodes_is_refused() -> None:
    # A reader refuses it too; built by hand it must not pass either.
    none = DatasetFacts(num_episodes=0, sha256="0" * 64)
    assert "declares 0 episodes" in refused([], context=none)


@pytest.mark.parametrize(
    "name", ["context/000004", "context/0", "context/000000#1", "train/000000", "apple", ""]
)
def test_an_id_that_is_not_exactly_published_is_refused(name: str) -> None:
    told = refused([name], context=facts(HANDMADE), novel_objects=facts(OTHER))
    assert f"episode {name!a} is of none of the splits this trace names" in told
    assert told.endswith("context, novel_objects")


def test_a_long_id_is_cut_in_the_message() -> None:
    told = refused(["x" * 5000], context=facts(HANDMADE))
    assert "x" * 80 in told
    assert "x" * 81 not in told


def test_one_attempt_an_episode() -> None:
    assert "occurs twice" in refused([APPLE.id, APPLE.id], context=facts(HANDMADE))


def test_a_split_that_cannot_be_opened_is_named() -> None:
    def closed(split: str) -> EpisodeList:
        raise DatasetError("not there")

    with pytest.raises(SubmissionError, match=r"split 'context' of the trace cannot .* not there"):
        match(trace_of([], context=facts(HANDMADE)), closed)


def test_a_commitment_in_a_folder_proves_nothing() -> None:
    source = EpisodeList(HANDMADE)
    source.manifest = SimpleNamespace(commitment="ab" * 32)  # type: ignore[attr-defined]
    (split,) = match(trace_of([], context=facts(HANDMADE)), lambda name: source)
    assert (split.round, split.published) == ("", False)
    assert len(split.absent) == 4


def test_what_is_published_is_the_packages_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANGREARRANGE_DATASETS", str(tmp_path))
    published_sha256.cache_clear()
    ours = datasets_path(installed=True) / "context"
    assert published_sha256("context") == read_manifest(ours).content_sha256
    assert published_sha256("sealed_context") is None
    assert published_sha256("../context") is None
