"""From a trace to scores: success and efficiency per split and group, with honest intervals.

Pure: a trace and the episodes in, numbers out. Printing is `cli`'s, comparing is `compare`'s.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset import Episode, EpisodeSource, encode_episode
from langrearrange.errors import (
    DatasetError,
    EpisodeError,
    LangRearrangeError,
    ScoreError,
    SubmissionError,
)
from langrearrange.leaderboard.replay import Replayed, replay
from langrearrange.leaderboard.statistics import (
    Interval,
    clustered_mean_ci,
    mean_of_intervals,
    stratified_mean_ci,
)
from langrearrange.leaderboard.trace import EpisodeTrace, Header, Trace, read_trace
from langrearrange.world.vocabulary import BEHAVIOR_SPLITS, PARAPHRASTIC_SPLITS

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "PR": PARAPHRASTIC_SPLITS,
    "BG": BEHAVIOR_SPLITS,
    "Total": (*PARAPHRASTIC_SPLITS, *BEHAVIOR_SPLITS),
}
"""Paper Tables 2 and 5: paraphrastic robustness, behaviour generalisation, all nine."""
STRATIFIED: Final = ("new_scenes", "train_eval", "validation", "train_mini", "train")
"""Splits of the nine fixed training templates: intervals generalise to these templates only."""

OpenSource = Callable[[str], EpisodeSource]
"""Split name -> its episodes, from where the scorer trusts them to be."""


@dataclass(frozen=True, slots=True)
class Scores:
    """What a set of episodes came to.

    Attributes:
        success, efficiency: with intervals; efficiency is 1 - n/32, 0 on failure.
        regret: mean skills beyond the proved optimum, over the successes; None without any.
        invalid_rate: invalid skills / skills taken.
        subgoals: mean fraction of subgoals reached.
        reward: mean return.
        num_episodes: how many count, missing ones included.
        num_missing: how many were not in the trace; they count as failed.
    """

    success: Interval
    efficiency: Interval
    regret: float | None
    invalid_rate: float
    subgoals: float
    reward: float
    num_episodes: int
    num_missing: int


@dataclass(frozen=True, slots=True)
class TemplateScores:
    """One template of a split: episodes, mean success and efficiency, without interval."""

    split: str
    template: str
    num_episodes: int
    success: float
    efficiency: float


@dataclass(frozen=True, slots=True)
class Group:
    """PR, BG or Total: the unweighted mean of its splits."""

    success: Interval
    efficiency: Interval


@dataclass(frozen=True, slots=True)
class Result:
    """A scored run.

    Attributes:
        header: of the trace; its agent facts are declared, not checked.
        splits: split -> scores, in board order.
        groups: PR, BG, Total, those of which every split was played.
        templates: a row per split and template.
        partial: splits of which only a part was to be played: such a run is never ranked.
        num_missing: episodes that were to be played and are not in the trace: counted as failed.
        false_claims: episodes declared successful that replay shows to have failed.
        episodes: every replayed episode, in trace order.
    """

    header: Header
    splits: Mapping[str, Scores]
    groups: Mapping[str, Group]
    templates: tuple[TemplateScores, ...]
    partial: tuple[str, ...]
    num_missing: int
    false_claims: tuple[str, ...]
    episodes: tuple[Replayed, ...]


def score_trace(path: Path | str, open_source: OpenSource) -> Result:
    """Read and score a trace file; see `score`."""
    return score(read_trace(path), open_source)


def score(trace: Trace, open_source: OpenSource) -> Result:
    """Rebuild every episode, replay its actions and score what happened.

    Args:
        trace: of one run.
        open_source: gives the episodes of a split, from the package or a folder the caller
            trusts; the trace itself is never asked for them.

    Raises:
        SubmissionError: unknown or duplicate episodes, or actions that cannot be replayed.
        ScoreError: nothing to score.
    """
    sources = {split: _open(split, open_source) for split in trace.header.datasets}
    found = _find_all(trace, sources)
    for split, source in sources.items():
        _check_content(trace.header, split, source, [f.position for f in found if f.split == split])
    replayed = tuple(_replay(one, sources, trace.header) for one in found)
    splits = {}
    for split, source in sources.items():
        played = [episode for episode in replayed if episode.split == split]
        if trace.header.datasets[split].num_episodes:
            absent = _absent(trace.header, split, source, played)
            splits[split] = score_episodes(played, absent, split in STRATIFIED)
    if not splits:
        raise ScoreError("the trace names no episodes to score")
    claims = {line.id for line in trace.episodes if line.success}
    return Result(
        header=trace.header,
        splits=splits,
        groups=group_scores(splits),
        templates=template_scores(replayed),
        partial=tuple(
            split
            for split, source in sources.items()
            if trace.header.datasets[split].num_episodes < len(source)
        ),
        num_missing=sum(scores.num_missing for scores in splits.values()),
        false_claims=tuple(e.id for e in replayed if e.id in claims and not e.success),
        episodes=replayed,
    )


def score_episodes(
    played: Sequence[Replayed], absent: Sequence[Episode] = (), stratified: bool = False
) -> Scores:
    """Score episodes of one split.

    Args:
        played: replayed ones.
        absent: those that were to be played and were not: failed.
        stratified: intervals over fixed templates instead of clusters.

    Raises:
        ScoreError: no episodes.
    """
    if not played and not absent:
        raise ScoreError("no episodes to score; evaluate some first")
    zeros = [0.0] * len(absent)
    success = np.array([float(e.success) for e in played] + zeros)
    efficiency = np.array([e.efficiency for e in played] + zeros)
    everything: list[Replayed | Episode] = [*played, *absent]
    names = [e.template if stratified else e.cluster for e in everything]
    units = np.unique(names, return_inverse=True)[1].astype(np.int64)
    regrets = [e.regret for e in played if e.regret is not None]
    taken = sum(e.steps for e in played)
    return Scores(
        success=_interval(success, units, stratified),
        efficiency=_interval(efficiency, units, stratified),
        regret=sum(regrets) / len(regrets) if regrets else None,
        invalid_rate=sum(e.invalid for e in played) / taken if taken else 0.0,
        subgoals=sum(e.subgoals for e in played) / len(success),
        reward=sum(e.reward for e in played) / len(success),
        num_episodes=len(success),
        num_missing=len(absent),
    )


def group_scores(splits: Mapping[str, Scores]) -> dict[str, Group]:
    """Return PR, BG and Total, those of which every split is there."""
    return {
        name: Group(
            mean_of_intervals([splits[split].success for split in members]),
            mean_of_intervals([splits[split].efficiency for split in members]),
        )
        for name, members in GROUPS.items()
        if all(split in splits for split in members)
    }


def template_scores(episodes: Iterable[Replayed]) -> tuple[TemplateScores, ...]:
    """Return one row per split and template, in order of first appearance."""
    groups: dict[tuple[str, str], list[Replayed]] = defaultdict(list)
    for episode in episodes:
        groups[episode.split, episode.template].append(episode)
    return tuple(
        TemplateScores(
            split,
            template,
            len(group),
            sum(e.success for e in group) / len(group),
            sum(e.efficiency for e in group) / len(group),
        )
        for (split, template), group in groups.items()
    )


def content_sha256(episodes: Iterable[Episode]) -> str:
    """Return the hash of episodes' canonical lines, as a manifest has it for a whole split."""
    hasher = hashlib.sha256()
    for episode in episodes:
        hasher.update(encode_episode(episode))
    return hasher.hexdigest()


def _interval(values: NDArray[np.float64], units: NDArray[np.int64], stratified: bool) -> Interval:
    counts = np.bincount(units)
    if stratified and counts.min() >= 2:
        return stratified_mean_ci(values, units)
    if len(values) == 1:
        mean = float(values[0])
        return Interval(mean, 0.0, 1.0, 1, 1, 0.0, 1.0, "agreeing")
    if stratified or len(counts) < 2:  # nothing above the episode varies
        units = np.arange(len(values))
    return clustered_mean_ci(values, units)


def _open(split: str, open_source: OpenSource) -> EpisodeSource:
    try:
        return open_source(split)
    except LangRearrangeError as error:
        raise SubmissionError(f"split '{split}' of the trace cannot be opened: {error}") from None


def _check_content(
    header: Header, split: str, source: EpisodeSource, played: Sequence[int]
) -> None:
    facts = header.datasets[split]
    if not len(played) <= facts.num_episodes <= len(source):
        raise SubmissionError(
            f"the header speaks of {facts.num_episodes} episodes of '{split}'; the split has "
            f"{len(source)} and the trace {len(played)}"
        )
    if facts.num_episodes == len(source):
        positions: Iterable[int] = range(len(source))
    elif facts.num_episodes == len(played):
        positions = sorted(played)
    else:
        return  # which ones were to be played is not known; the run is partial and never ranked
    found = content_sha256(map(source.get, positions))
    if found != facts.sha256:
        raise SubmissionError(
            f"the trace was made on other episodes of '{split}' (content sha256 "
            f"{facts.sha256[:12]}..., here {found[:12]}...); score it with the data set and "
            f"release it was made with ({header.package_version})"
        )


def _absent(
    header: Header, split: str, source: EpisodeSource, played: Sequence[Replayed]
) -> list[Episode]:
    """Return the episodes of a wholly claimed split that the trace lacks."""
    if header.datasets[split].num_episodes < len(source) or len(played) == len(source):
        return []
    ids = {episode.id for episode in played}
    return [source.get(i) for i in range(len(source)) if source.id_at(i) not in ids]


class _Found(NamedTuple):
    line: EpisodeTrace
    split: str
    position: int


def _find_all(trace: Trace, sources: Mapping[str, EpisodeSource]) -> list[_Found]:
    seen: set[str] = set()
    for line in trace.episodes:
        if line.id in seen:
            raise SubmissionError(f"episode '{line.id}' occurs twice; one attempt an episode")
        seen.add(line.id)
    return [_find(line, sources) for line in trace.episodes]


def _find(line: EpisodeTrace, sources: Mapping[str, EpisodeSource]) -> _Found:
    """Say where the episode of a line is: exactly a published id, no variant and no near miss."""
    for split, source in sources.items():
        try:
            position = source.index_of(line.id)
        except (DatasetError, EpisodeError):
            continue
        if source.id_at(position) == line.id:
            return _Found(line, split, position)
    raise SubmissionError(
        f"episode {line.id[:80]!a} is of none of the splits this trace names: {', '.join(sources)}"
    )


def _replay(found: _Found, sources: Mapping[str, EpisodeSource], header: Header) -> Replayed:
    episode = sources[found.split].get(found.position)
    return dataclasses.replace(replay(episode, found.line, header), split=found.split)
