"""Checks whether a trace would be accepted and ranked, and lists all reasons if not."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langrearrange import __version__
from langrearrange.agents import BUNDLED
from langrearrange.errors import ScoreError, SubmissionError
from langrearrange.leaderboard.groups import BOARD_SPLITS, base_split
from langrearrange.leaderboard.score import Result
from langrearrange.leaderboard.trace import ISOLATED
from langrearrange.paths import source_sha256
from langrearrange.world.vocabulary import HORIZON

_FACTS: Final = {
    "authors": ("authors", "--authors"),
    "url": ("home page", "--homepage"),
    "train_data": ("training data", "--train-data"),
    "perception": ("perception", "--perception"),
}
"""Field of the header -> its name in messages, and the option of `evaluate`."""
RESERVED: Final = frozenset((*(name.replace("_", "") for name in BUNDLED), "human"))
"""Names that no submission may have, letters and digits alone: the board plays these itself."""


@dataclass(frozen=True, slots=True)
class Preflight:
    """How a board would treat a submission.

    Attributes:
        rejected: why the file cannot be scored at all; empty if it can.
        unranked: why it would be listed without a place; empty if it would have one.
        remarks: facts that a reader of the board may ask about.
        result: its scores, None when rejected.
    """

    rejected: tuple[str, ...]
    unranked: tuple[str, ...]
    remarks: tuple[str, ...]
    result: Result | None

    @property
    def accepted(self) -> bool:
        """Whether it would have a place: among the self-reported runs, or in the ranking."""
        return not (self.rejected or self.unranked)


def preflight(path: Path, judge: Callable[[Path], Result]) -> Preflight:
    """Check a trace as the board would.

    Args:
        path: the file that would be submitted.
        judge: scores it, `score_trace` with the scorer's episodes.
    """
    try:
        result = judge(path)
        refuse_reserved(result.header.agent.name)
    except (SubmissionError, ScoreError) as error:
        return Preflight((str(error),), (), (), None)
    return Preflight((), tuple(_unranked(result)), tuple(_remarks(result)), result)


def refuse_reserved(name: str) -> None:
    """Raise SubmissionError for a name that reads like one of the package's own agents."""
    if "".join(filter(str.isalnum, name.casefold())) in RESERVED:
        raise SubmissionError(
            f"the name '{name}' is reserved: the board plays the bundled agents itself; evaluate "
            "with another --name"
        )


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
    if result.header.horizon != HORIZON:
        reasons.append(f"the horizon was {result.header.horizon}; ranked runs have {HORIZON}")
    return reasons


def flaws(result: Result) -> list[str]:
    """Return why a run's episodes keep it from having a place."""
    found = []
    if result.foreign:
        found.append(
            f"the episodes of {', '.join(result.foreign)} are neither this package's published "
            "ones nor of a sealed round (--round)"
        )
    played = result.header.played
    if result.round and played.isolation not in ISOLATED:
        found.append(
            f"nothing kept the agent from the sealed episodes (isolation: {played.isolation})"
        )
    elif result.round and played.round != result.round:
        found.append("it was not played by `langrearrange round run` for this round")
    if result.round and result.compared != "all":
        found.append("not all pictures were drawn again; score with --pictures all")
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
            f"the first place visited held the hidden object in {looks.hits} of {looks.num_looks} "
            f"episodes, by chance at most about {looks.expected:.0f} (p = {looks.p_value:.1g}): "
            "the agent seems to know where objects are"
        )
    return found


def oddities(result: Result) -> list[str]:
    """Return facts of a run's episodes that a reader may ask about, ranked or not."""
    header = result.header
    stopped = sum(bool(episode.failure) for episode in result.episodes)
    counted = {
        f"{result.num_missing} episodes are missing and count as failed": result.num_missing,
        f"{len(result.false_claims)} episodes are declared successful and are not": len(
            result.false_claims
        ),
        f"in {stopped} episodes the agent stopped answering": stopped,
        f"{result.num_interrupted} episodes were begun more than once": result.num_interrupted,
        f"the run was resumed {header.played.resumes} times": header.played.resumes,
        f"the pictures of {result.compared} episodes were drawn again": result.compared != "all",
        "it was played with a langrearrange of other source than this one": (
            header.played.package_sha256 not in ("", source_sha256())
        ),
    }
    return [text for text, count in counted.items() if count]


def _remarks(result: Result) -> list[str]:
    agent = result.header.agent
    return oddities(result) + [
        f"the trace has no {name} of the agent; give evaluate {option}"
        for field, (name, option) in _FACTS.items()
        if not getattr(agent, field)
    ]
