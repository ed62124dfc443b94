"""Which splits form PR, BG and Total, and which are strata of fixed templates. Names only."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Final

from langrearrange.world.vocabulary import BEHAVIOR_SPLITS, PARAPHRASTIC_SPLITS, TEST_SPLITS

if TYPE_CHECKING:
    from langrearrange.dataset import Episode
    from langrearrange.leaderboard.replay import Replayed

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "PR": PARAPHRASTIC_SPLITS,
    "BG": BEHAVIOR_SPLITS,
    "Total": (*PARAPHRASTIC_SPLITS, *BEHAVIOR_SPLITS),
}
"""Paper Tables 2 and 5: paraphrastic robustness, behaviour generalisation, all nine."""
STRATIFIED: Final = ("new_scenes", "train_eval", "validation", "train_mini", "train")
"""Splits of the nine fixed training templates: intervals generalise to these templates only."""
BOARD_SPLITS: Final = (*TEST_SPLITS, "train_eval")
"""Splits of a ranked run."""


def is_stratified(split: str) -> bool:
    """Whether a split's intervals generalise to its fixed templates only."""
    return base_split(split) in STRATIFIED


def units_of(episodes: Iterable[Episode | Replayed], *, stratified: bool) -> list[str]:
    """Return the unit of each episode (`variance_of_mean`): its template, or its cluster."""
    return [episode.template if stratified else episode.cluster for episode in episodes]


def base_split(name: str) -> str:
    """Return the published split a set is like: `sealed_context`, `fresh_context` -> `context`."""
    return name.removeprefix("sealed_").removeprefix("fresh_")
