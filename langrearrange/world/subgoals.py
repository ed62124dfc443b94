"""Subgoals: facts on the way to a goal that earn +5 once each (paper B.4), as text and as tests.

Not for finding them: the solver extracts them from the optimal plan. Written form:

    held(apple)             an apple has been picked up
    held(apple,sofa,1)      an apple is held while at least 1 apple is on the sofa
    delivered(apple,sofa,2) at least 2 apples are on the sofa
    opened(fridge)  closed(left_drawer)
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from typing import Literal

from langrearrange.errors import EpisodeError
from langrearrange.world.state import Layout, WorldState
from langrearrange.world.vocabulary import CATEGORY_INDEX, OPENABLE_INDEX, RECEPTACLE_INDEX

SubgoalKind = Literal["held", "delivered", "opened", "closed"]
_FORM = re.compile(r"(held|delivered|opened|closed)\(([a-z_]+)(?:,([a-z_]+),([0-9]{1,2}))?\)\Z")


@dataclass(frozen=True, slots=True)
class Subgoal:
    """One subgoal, lifted to categories, since an agent says `pick(apple)` and not which apple.

    Attributes:
        kind: held, delivered, opened or closed.
        subject: a category (held, delivered) or an openable (opened, closed).
        target: the receptacle deliveries are counted at, "" for none.
        count: how many of the category are at the target.
    """

    kind: SubgoalKind
    subject: str
    target: str = ""
    count: int = 0

    def __str__(self) -> str:
        if self.target:
            return f"{self.kind}({self.subject},{self.target},{self.count})"
        return f"{self.kind}({self.subject})"


@lru_cache(maxsize=8192)
def parse_subgoal(text: str) -> Subgoal:
    """Parse the written form; EpisodeError says what is wrong with it."""
    match = _FORM.fullmatch(text)
    if match is None:
        raise EpisodeError(
            f"subgoal '{text[:80]}' is not of a known form; accepted: held(c), held(c,r,n), "
            "delivered(c,r,n), opened(o), closed(o)"
        )
    kind, subject, target, count = match.groups()
    vocabulary = CATEGORY_INDEX if kind in ("held", "delivered") else OPENABLE_INDEX
    if subject not in vocabulary or (target or "sofa") not in RECEPTACLE_INDEX:
        raise EpisodeError(f"subgoal '{text}' names something the vocabulary does not have")
    if (kind == "delivered") > bool(target) or (kind in ("opened", "closed") and target):
        raise EpisodeError(f"subgoal '{text}': '{kind}' takes another number of arguments")
    return Subgoal(kind, subject, target or "", int(count or 0))  # type: ignore[arg-type]


def compile_subgoal(subgoal: Subgoal, layout: Layout) -> Callable[[WorldState], bool]:
    """Return a fast test of whether the subgoal's fact holds in a state."""
    if subgoal.kind in ("opened", "closed"):
        bit, wanted = OPENABLE_INDEX[subgoal.subject], subgoal.kind == "opened"
        return lambda state: bool(state.open_mask >> bit & 1) is wanted
    instances = layout.instances[CATEGORY_INDEX[subgoal.subject]]
    target, count = RECEPTACLE_INDEX.get(subgoal.target, -1), subgoal.count

    def enough(state: WorldState) -> bool:
        return sum(state.receptacles[obj] == target for obj in instances) >= count

    if subgoal.kind == "delivered":
        return enough
    if target < 0:
        return lambda state: state.held in instances
    return lambda state: state.held in instances and enough(state)
