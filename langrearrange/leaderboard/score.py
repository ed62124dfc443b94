"""From a trace to scores: success and efficiency per split and group, with honest intervals.

Pure: a trace and the episodes in, numbers out. Printing is `cli`'s, comparing is `compare`'s.
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import numpy as np

from langrearrange.dataset import Episode
from langrearrange.env import RANKED_MODALITIES
from langrearrange.errors import ScoreError
from langrearrange.leaderboard.chain import verifier
from langrearrange.leaderboard.clairvoyance import Clairvoyance, clairvoyance
from langrearrange.leaderboard.groups import GROUPS, base_split, is_stratified, units_of
from langrearrange.leaderboard.matching import OpenSource, match
from langrearrange.leaderboard.metrics import METRICS
from langrearrange.leaderboard.replay import Replayed, replay
from langrearrange.leaderboard.statistics import (
    Interval,
    mean_ci,
    mean_of_intervals,
)
from langrearrange.leaderboard.trace import Header, Trace, read_trace
from langrearrange.world.vocabulary import HORIZON

Tier = Literal["T0", "T1", "T2"]


@dataclass(frozen=True, slots=True)
class Scores:
    """What a set of episodes came to.

    Attributes:
        success, efficiency: with intervals; efficiency is 1 - n/32, 0 on failure.
        metrics: name -> value of each of `METRICS`; None where it is undefined.
        num_episodes: how many count, missing ones included.
        num_missing: how many were not in the trace; they count as failed.
        causes: why episodes failed -> how many (`causes`), most frequent first.
    """

    success: Interval
    efficiency: Interval
    metrics: Mapping[str, float | None]
    num_episodes: int
    num_missing: int
    causes: Mapping[str, int]


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
        sealed: whether all of it was played on sealed sets.
        false_claims: episodes declared successful that replay shows to have failed.
        clairvoyance: whether it found hidden things faster than an honest search could.
        episodes: every replayed episode, by split, then in trace order.
    """

    header: Header
    splits: Mapping[str, Scores]
    groups: Mapping[str, Group]
    templates: tuple[TemplateScores, ...]
    partial: tuple[str, ...]
    num_missing: int
    sealed: bool
    false_claims: tuple[str, ...]
    clairvoyance: Clairvoyance
    episodes: tuple[Replayed, ...]

    @property
    def num_unproved(self) -> int:
        """How many episodes keep no hash of what the agent was shown."""
        return sum(not episode.chained for episode in self.episodes)

    @property
    def tier(self) -> Tier:
        """T0 is not ranked; T1: replay-verified on public episodes; T2: on sealed ones.

        Not ranked: privileged (said or shown), partial, unproved, of another horizon, or of a
        modality that is not this package's.
        """
        privileged = self.header.agent.privileged or (
            self.clairvoyance.suspicious and not self.sealed
        )
        ours = self.header.horizon == HORIZON and self.header.agent.modality in RANKED_MODALITIES
        if privileged or self.partial or self.num_unproved or not ours:
            return "T0"
        return "T2" if self.sealed else "T1"


def score_trace(path: Path | str, open_source: OpenSource, *, pixels: bool = False) -> Result:
    """Read and score a trace file; see `score`."""
    return score(read_trace(path), open_source, pixels=pixels)


def score(trace: Trace, open_source: OpenSource, *, pixels: bool = False) -> Result:
    """Rebuild every episode, replay its actions and score what happened.

    Args:
        trace: of one run.
        open_source: gives the episodes of a split, from the package or a folder the caller
            trusts; the trace itself is never asked for them.
        pixels: draw the pictures of rgb runs again and compare their hashes too; only on x86-64,
            where they are bit-identical.

    Raises:
        SubmissionError: unknown or duplicate episodes, or actions that cannot be replayed.
        ScoreError: nothing to score.
    """
    matched = match(trace, open_source)
    if not matched:
        raise ScoreError("the trace names no episodes to score")
    splits: dict[str, Scores] = {}
    pairs: list[tuple[Replayed, Episode]] = []
    symbolic, observations = verifier(trace.header.agent.modality, pixels=pixels)
    for part in matched:
        played = [
            dataclasses.replace(replay(episode, line, trace.header, observations), split=part.split)
            for line, episode in part.lines
        ]
        splits[part.split] = score_episodes(played, part.absent, is_stratified(part.split))
        pairs += zip(played, (episode for _, episode in part.lines), strict=True)
    if observations:
        observations.close()
    replayed = tuple(episode for episode, _ in pairs)
    claims = {line.id for line in trace.episodes if line.success}
    return Result(
        header=trace.header,
        splits=splits,
        groups=group_scores(splits),
        templates=template_scores(replayed),
        partial=tuple(part.split for part in matched if part.partial),
        num_missing=sum(scores.num_missing for scores in splits.values()),
        sealed=all(part.sealed for part in matched),
        false_claims=tuple(e.id for e in replayed if e.id in claims and not e.success),
        clairvoyance=clairvoyance(pairs, symbolic=symbolic),
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
    units = units_of(everything, stratified=stratified)
    return Scores(
        success=mean_ci(success, units, stratified=stratified),
        efficiency=mean_ci(efficiency, units, stratified=stratified),
        metrics={name: metric.of(played, len(success)) for name, metric in METRICS.items()},
        num_episodes=len(success),
        num_missing=len(absent),
        causes=_causes(played, len(absent)),
    )


def group_scores(splits: Mapping[str, Scores]) -> dict[str, Group]:
    """Return PR, BG and Total, those of which every split, or a sealed set like it, is there."""
    by_base = {base_split(name): scores for name, scores in splits.items()}
    return {
        name: Group(
            mean_of_intervals([by_base[split].success for split in members]),
            mean_of_intervals([by_base[split].efficiency for split in members]),
        )
        for name, members in GROUPS.items()
        if all(split in by_base for split in members)
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


def _causes(played: Sequence[Replayed], num_missing: int) -> dict[str, int]:
    counts = Counter(episode.cause for episode in played if not episode.success)
    if num_missing:
        counts["missing"] = num_missing
    return dict(sorted(counts.items(), key=lambda item: (-item[1], item[0])))
