"""Would a trace be accepted and ranked? Tells a submitter before sending, with every reason."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langrearrange import __version__
from langrearrange.errors import ScoreError, SubmissionError
from langrearrange.leaderboard.groups import BOARD_SPLITS, base_split
from langrearrange.leaderboard.matching import OpenSource
from langrearrange.leaderboard.score import Result, score_trace

_FACTS: Final = {"authors": "--authors", "url": "--homepage", "train_data": "--train-data"}


@dataclass(frozen=True, slots=True)
class Preflight:
    """What would become of a submission.

    Attributes:
        rejected: why the file cannot be scored at all; empty if it can.
        unranked: why it would be shown without a rank; empty if it would be ranked.
        remarks: what a reader of the board may ask about.
        result: its scores, None when rejected.
    """

    rejected: tuple[str, ...]
    unranked: tuple[str, ...]
    remarks: tuple[str, ...]
    result: Result | None

    @property
    def accepted(self) -> bool:
        """Whether it would be ranked."""
        return not (self.rejected or self.unranked)


def preflight(path: Path | str, open_source: OpenSource) -> Preflight:
    """Check a trace as the board would.

    Args:
        path: the file that would be submitted.
        open_source: gives the episodes of a split.
    """
    try:
        result = score_trace(path, open_source)
    except (SubmissionError, ScoreError) as error:
        return Preflight((str(error),), (), (), None)
    return Preflight((), tuple(_unranked(result)), tuple(_remarks(result)), result)


def _unranked(result: Result) -> list[str]:
    reasons = flaws(result)
    if result.header.agent.privileged:
        reasons.append("the agent is privileged: it was shown the episodes")
    played = {base_split(split) for split in result.splits}
    lacking = [split for split in BOARD_SPLITS if split not in played]
    if lacking:
        reasons.append(f"splits are missing: {', '.join(lacking)}; evaluate them in the same run")
    if result.header.package_version != __version__:
        reasons.append(
            f"the run was made with langrearrange {result.header.package_version}, this board is "
            f"of {__version__}; evaluate again with it"
        )
    if result.header.horizon != 32:
        reasons.append(f"the horizon was {result.header.horizon}; ranked runs have 32")
    return reasons


def flaws(result: Result) -> list[str]:
    """Return what of a run's episodes keeps it from being ranked."""
    found = []
    if result.partial:
        found.append(f"only a part was played of {', '.join(result.partial)}; evaluate all of it")
    if result.num_unproved:
        found.append(
            f"{result.num_unproved} episodes keep no hash of what the agent was shown; submit the "
            "file as evaluate wrote it"
        )
    looks = result.clairvoyance
    if looks.suspicious and not result.header.agent.privileged:
        found.append(
            f"the first place looked at held the hidden thing in {looks.hits} of {looks.num_looks} "
            f"episodes, by chance at most about {looks.expected:.0f} (p = {looks.p_value:.1g}): "
            "the agent seems to know where things are; only a run on sealed episodes can be ranked"
        )
    return found


def oddities(result: Result) -> list[str]:
    """Return what of a run's episodes a reader may ask about, ranked or not."""
    stopped = sum(bool(episode.failure) for episode in result.episodes)
    counted = {
        f"{result.num_missing} episodes are missing and count as failed": result.num_missing,
        f"{len(result.false_claims)} episodes are declared successful and are not": len(
            result.false_claims
        ),
        f"in {stopped} episodes the agent stopped answering": stopped,
    }
    return [text for text, count in counted.items() if count]


def _remarks(result: Result) -> list[str]:
    agent = result.header.agent
    return oddities(result) + [
        f"nothing is said of the agent's {name}; evaluate takes {option}"
        for name, option in _FACTS.items()
        if not getattr(agent, name)
    ]
