"""Which splits form PR, BG and Total, and which are strata of fixed templates. Names only."""

from __future__ import annotations

from typing import Final

from langrearrange.world.vocabulary import BEHAVIOR_SPLITS, PARAPHRASTIC_SPLITS, TEST_SPLITS

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "PR": PARAPHRASTIC_SPLITS,
    "BG": BEHAVIOR_SPLITS,
    "Total": (*PARAPHRASTIC_SPLITS, *BEHAVIOR_SPLITS),
}
"""Paper Tables 2 and 5: paraphrastic robustness, behaviour generalisation, all nine."""
STRATIFIED: Final = ("new_scenes", "train_eval", "validation", "train_mini", "train")
"""Splits of the nine fixed training templates: intervals generalise to these templates only."""
BOARD_SPLITS: Final = (*TEST_SPLITS, "train_eval")
"""What a ranked run plays."""


def base_split(name: str) -> str:
    """Return the published split a set is like: `sealed_context` -> `context`."""
    return name.removeprefix("sealed_")
