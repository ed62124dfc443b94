"""Scores a trace: success and efficiency per split and group, with confidence intervals.

Not for printing (`cli`) or comparing runs (`compare`).
"""

from __future__ import annotations

import dataclasses
from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import msgspec
import numpy as np

from langrearrange.dataset import Episode
from langrearrange.env import RANKED_MODALITIES
from langrearrange.errors import ScoreError
from langrearrange.leaderboard.chain import Pictures, verifier
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
from langrearrange.leaderboard.trace import ISOLATED, Header, Trace
from langrearrange.leaderboard.trace_reader import read_trace
from langrearrange.world.vocabulary import HORIZON

Tier = Literal["T0", "T1", "T2"]


@dataclass(frozen=True, slots=True)
class Scores:
    """The scores of a set of episodes.

    Attributes:
        success, efficiency: with intervals; efficiency is 1 - n/32, 0 on failure.
        metrics: name -> value of each of `METRICS`; None where it is undefined.
        num_episodes: how many count, missing ones included.
        num_missing: how many were not in the trace; they count as failed.
        causes: cause of failure (`causes`) -> number of episodes, most frequent first.
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
        partial: splits of which the header declares only a part; such a run is never ranked.
        num_missing: declared episodes that the trace lacks; they count as failed.
        foreign: splits whose episodes are neither the published ones nor of a sealed round.
        round: commitment of the sealed round whose sets all of it was played on, or "".
        compared: for which share of the episodes the observation hashes were recomputed.
        num_interrupted: episodes begun more than once; in a sealed round they count as failed.
        false_claims: episodes declared successful that replay shows to have failed.
        clairvoyance: whether it found hidden objects faster than an honest search could.
        episodes: every replayed episode, by split, then in trace order.
    """

    header: Header
    splits: Mapping[str, Scores]
    groups: Mapping[str, Group]
    templates: tuple[TemplateScores, ...]
    partial: tuple[str, ...]
    num_missing: int
    foreign: tuple[str, ...]
    round: str
    compared: Pictures
    num_interrupted: int
    false_claims: tuple[str, ...]
    clairvoyance: Clairvoyance
    episodes: tuple[Replayed, ...]

    @property
    def num_unproved(self) -> int:
        """How many episodes have no hash of the agent's observations."""
        return sum(not episode.chained for episode in self.episodes)

    @property
    def tier(self) -> Tier:
        """T0: listed without a place; T1: self-reported, on published episodes; T2: sealed.

        A run is of tier T0 if it is privileged (declared or detected), partial, without hashes, on
        other episodes, of another horizon or of a modality from outside this package; on sealed
        episodes also if the agent was not isolated or not all observations are verified.
        """
        header, played = self.header, self.header.played
        ours = header.horizon == HORIZON and header.agent.modality in RANKED_MODALITIES
        barred = header.agent.privileged or self.clairvoyance.suspicious or not ours
        if barred or self.partial or self.num_unproved or self.foreign:
            return "T0"
        if self.round:
            kept = played.isolation in ISOLATED and played.round == self.round
            return "T2" if kept and self.compared == "all" else "T0"
        return "T1"


def score_trace(
    path: Path | str,
    open_source: OpenSource,
    *,
    pictures: Pictures = "some",
    observations: Collection[str] = (),
) -> Result:
    """Read and score a trace file; see `score`."""
    return score(read_trace(path), open_source, pictures=pictures, observations=observations)


def score(
    trace: Trace,
    open_source: OpenSource,
    *,
    pictures: Pictures = "some",
    observations: Collection[str] = (),
) -> Result:
    """Rebuild every episode, replay its actions and score what happened.

    Args:
        trace: of one run.
        open_source: gives the episodes of a split, from the package or a folder that the
            caller trusts; never from the trace.
        pictures: for which share of the episodes of rgb runs images are rendered again.
        observations: modalities `module:factory` of third parties whose code may be imported.

    Raises:
        SubmissionError: unknown or duplicate episodes, or actions that cannot be replayed.
        ScoreError: nothing to score.
    """
    matched = match(trace, open_source)
    if not matched:
        raise ScoreError("the trace names no episodes to score")
    splits: dict[str, Scores] = {}
    pairs: list[tuple[Replayed, Episode]] = []
    checker = verifier(trace.header, len(trace.episodes), pictures, observations)
    for part in matched:
        played: list[Replayed] = []
        for line, episode in part.lines:
            count = len(pairs) + len(played)
            if part.round and line.attempts > 1:
                line = msgspec.structs.replace(line, failure="interrupted")
            seen = checker.observations if count % checker.every == 0 else None
            found = replay(episode, line, trace.header, seen)
            played.append(dataclasses.replace(found, split=part.split))
        splits[part.split] = score_episodes(played, part.absent, is_stratified(part.split))
        pairs += zip(played, (episode for _, episode in part.lines), strict=True)
    if checker.observations:
        checker.observations.close()
    replayed = tuple(episode for episode, _ in pairs)
    claims = {line.id for line in trace.episodes if line.success}
    return Result(
        header=trace.header,
        splits=splits,
        groups=group_scores(splits),
        templates=template_scores(replayed),
        partial=tuple(part.split for part in matched if part.partial),
        num_missing=sum(scores.num_missing for scores in splits.values()),
        foreign=tuple(p.split for p in matched if not (p.partial or p.published or p.round)),
        round=matched[0].round if all(part.round for part in matched) else "",
        compared=checker.compared,
        num_interrupted=sum(line.attempts > 1 for line in trace.episodes),
        false_claims=tuple(e.id for e in replayed if e.id in claims and not e.success),
        clairvoyance=clairvoyance(pairs, symbolic=checker.symbolic),
        episodes=replayed,
    )


def score_episodes(
    played: Sequence[Replayed], absent: Sequence[Episode] = (), stratified: bool = False
) -> Scores:
    """Score episodes of one split.

    Args:
        played: replayed ones.
        absent: declared episodes that were not played; they count as failed.
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
