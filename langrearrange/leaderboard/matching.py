"""Finds the episodes of a trace by exact id and compares their contents; does not replay them."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cache

from langrearrange.dataset import Episode, EpisodeSource, encode_episode, read_manifest
from langrearrange.errors import (
    DatasetError,
    EpisodeError,
    LangRearrangeError,
    SubmissionError,
)
from langrearrange.leaderboard.sealed import SealedSplit
from langrearrange.leaderboard.trace import DatasetFacts, EpisodeTrace, Header, Trace
from langrearrange.paths import datasets_path
from langrearrange.world.vocabulary import SPLITS

OpenSource = Callable[[str], EpisodeSource]
"""Split name -> its episodes, from a source that the scorer trusts."""


@dataclass(frozen=True, slots=True)
class MatchedSplit:
    """The lines of a trace that belong to one split, each with its episode.

    Attributes:
        split: its name.
        lines: (line, episode as the scorer has it), in trace order.
        absent: declared episodes that the trace lacks.
        partial: whether the header declares only a part of the split.
        published: whether these are the episodes that this package publishes.
        round: commitment of the sealed round of the episodes, or "".
    """

    split: str
    lines: tuple[tuple[EpisodeTrace, Episode], ...]
    absent: tuple[Episode, ...]
    partial: bool
    published: bool
    round: str


def match(trace: Trace, open_source: OpenSource) -> list[MatchedSplit]:
    """Find every episode of a trace; each is built once.

    Args:
        trace: of one run.
        open_source: gives the episodes of a split; never taken from the trace.

    Raises:
        SubmissionError: an unknown split, an unknown or repeated episode, a variant, or episodes
            with another content than the scorer's.
    """
    sources = {split: _open(split, open_source) for split in trace.header.datasets}
    positions = _positions(trace, sources)
    matched = []
    for split, source in sources.items():
        lines = [line for line in trace.episodes if positions[line.id][0] == split]
        played = {positions[line.id][1]: line for line in lines}
        facts = trace.header.datasets[split]
        _check_count(facts, split, len(source), len(played))
        partial = facts.num_episodes < len(source)
        wanted = sorted(played) if partial else range(len(source))
        episodes = {position: source.get(position) for position in wanted}
        found = ""
        if len(episodes) == facts.num_episodes:  # else: which ones were meant is not known
            found = _check_content(facts, split, episodes.values(), trace.header)
        matched.append(
            MatchedSplit(
                split,
                tuple((line, episodes[positions[line.id][1]]) for line in lines),
                tuple(episodes[p] for p in episodes if p not in played),
                partial,
                not partial and found == published_sha256(split),
                source.round if isinstance(source, SealedSplit) else "",
            )
        )
    return matched


def content_sha256(episodes: Iterable[Episode]) -> str:
    """Return the hash of episodes' canonical lines, as a manifest has it for a whole split."""
    hasher = hashlib.sha256()
    for episode in episodes:
        hasher.update(encode_episode(episode))
    return hasher.hexdigest()


@cache
def published_sha256(split: str) -> str | None:
    """Return the content hash of a published split as the package has it, None for another name.

    `LANGREARRANGE_DATASETS` has no effect here.
    """
    if split not in SPLITS:
        return None
    return read_manifest(datasets_path(installed=True) / split).content_sha256


def _open(split: str, open_source: OpenSource) -> EpisodeSource:
    try:
        return open_source(split)
    except LangRearrangeError as error:
        raise SubmissionError(
            f"split {split[:80]!a} of the trace cannot be opened: {error}"
        ) from None


def _positions(trace: Trace, sources: Mapping[str, EpisodeSource]) -> dict[str, tuple[str, int]]:
    found: dict[str, tuple[str, int]] = {}
    for line in trace.episodes:
        if line.id in found:
            raise SubmissionError(f"episode '{line.id}' occurs twice; one attempt an episode")
        found[line.id] = _position(line.id, sources)
    return found


def _position(episode_id: str, sources: Mapping[str, EpisodeSource]) -> tuple[str, int]:
    """Return split and position of an episode; only its exact published id is accepted."""
    for split, source in sources.items():
        try:
            position = source.index_of(episode_id)
        except (DatasetError, EpisodeError):
            continue
        if source.id_at(position) == episode_id:
            return split, position
    raise SubmissionError(
        f"episode {episode_id[:80]!a} is of none of the splits this trace names: "
        f"{', '.join(sources)}"
    )


def _check_count(facts: DatasetFacts, split: str, available: int, played: int) -> None:
    if not max(1, played) <= facts.num_episodes <= available:
        raise SubmissionError(
            f"the header declares {facts.num_episodes} episodes of '{split}'; the split has "
            f"{available} and the trace {played}"
        )


def _check_content(
    facts: DatasetFacts, split: str, episodes: Iterable[Episode], header: Header
) -> str:
    found = content_sha256(episodes)
    if found != facts.sha256:
        raise SubmissionError(
            f"the trace was made on other episodes of '{split}' (content sha256 "
            f"{facts.sha256[:12]}..., here {found[:12]}...); score it with the data set and "
            f"release it was made with ({header.package_version[:20]})"
        )
    return found
