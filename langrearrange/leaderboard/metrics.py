"""Further metrics beside success and efficiency, without intervals: one row per metric.

Scores, result files, tables and pages all derive from `METRICS`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from langrearrange.leaderboard.replay import Replayed


@dataclass(frozen=True, slots=True)
class Metric:
    """A number computed from a set of episodes.

    Attributes:
        title: of its column.
        of: (episodes played, number of episodes that count) -> value, None where it is undefined;
            the second is larger if episodes are missing, which count as failed.
        digits: decimals shown.
    """

    title: str
    of: Callable[[Sequence[Replayed], int], float | None]
    digits: int = 2

    def text(self, value: float | None) -> str:
        """Return the value as tables show it."""
        return "-" if value is None else f"{value:.{self.digits}f}"


def mean(values: Iterable[float | None]) -> float | None:
    """Return the mean of the values that are defined; None if none is."""
    defined = [value for value in values if value is not None]
    return sum(defined) / len(defined) if defined else None


def _invalid_rate(played: Sequence[Replayed], count: int) -> float:
    taken = sum(episode.steps for episode in played)
    return sum(episode.invalid for episode in played) / taken if taken else 0.0


METRICS: Final[dict[str, Metric]] = {
    "regret": Metric("regret", lambda played, count: mean(e.regret for e in played)),
    "invalid_rate": Metric("invalid", _invalid_rate),
    "subgoals": Metric("subgoals", lambda played, count: sum(e.subgoals for e in played) / count),
    "reward": Metric("return", lambda played, count: sum(e.reward for e in played) / count),
}
"""Name in result files -> metric, in the order of columns.

    regret: mean skills beyond the proved optimum, over the successes.
    invalid_rate: invalid skills / skills taken.
    subgoals: mean fraction of subgoals reached.
    reward: mean return.
"""
