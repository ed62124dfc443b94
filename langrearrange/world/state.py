"""What a household is at one moment (`WorldState`) and what stays fixed meanwhile (`Layout`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from langrearrange.errors import EpisodeError
from langrearrange.world.vocabulary import (
    CATEGORIES,
    HANDLES,
    IN_HAND,
    NAV_INDEX,
    NAV_TARGETS,
    NUM_CATEGORIES,
    NUM_NAV_TARGETS,
    NUM_OPENABLES,
    NUM_RECEPTACLES,
    OPENABLE_INDEX,
    OPENABLE_OF_RECEPTACLE,
    OPENABLES,
    RECEPTACLE_INDEX,
    START,
    handle_of,
    spot_of,
)

Semantics = Literal["paper", "release"]


class Outcome(StrEnum):
    """What became of a skill: a closed set. `sentence` says it in English for a language model."""

    NONE = "none"
    OK = "ok"
    HAND_FULL = "hand_full"
    HAND_EMPTY = "hand_empty"
    NOT_NEAR = "not_near"
    CLOSED = "closed"
    ALREADY_OPEN = "already_open"
    ALREADY_CLOSED = "already_closed"
    ABSENT = "absent"

    @property
    def sentence(self) -> str:
        """One English sentence that an agent can act on; it never tells what is hidden."""
        return _SENTENCES[self]

    @property
    def invalid(self) -> bool:
        """Whether the skill was a no-op that costs the invalid penalty (paper B.4)."""
        return self not in (Outcome.NONE, Outcome.OK)


_SENTENCES: Final = {
    Outcome.NONE: "The episode begins.",
    Outcome.OK: "Done.",
    Outcome.HAND_FULL: "You already hold something; put it down first.",
    Outcome.HAND_EMPTY: "You hold nothing; pick something up first.",
    Outcome.NOT_NEAR: "That is not within reach from here; go somewhere else first.",
    Outcome.CLOSED: "What you stand at is closed; open it first.",
    Outcome.ALREADY_OPEN: "It is already open.",
    Outcome.ALREADY_CLOSED: "It is already closed.",
    Outcome.ABSENT: "This home has no such thing.",
}
OUTCOMES: Final = tuple(Outcome)


class WorldState(NamedTuple):
    """One moment of an episode: immutable, hashable, compared by value.

    Attributes:
        place: where the robot stands, 0..15 a nav target, 16 (`START`) the start pose.
        held: index of the held object, -1 for none.
        receptacles: receptacle index of every object (0..10), 11 (`IN_HAND`) for the held one.
        slots: slot of every object on its receptacle; 0 for the held one. Slots beyond the
            receptacle's own (overflow) are legal and have a deterministic pose.
        open_mask: bit i set: openable i is open.
    """

    place: int
    held: int
    receptacles: tuple[int, ...]
    slots: tuple[int, ...]
    open_mask: int


def _closed_table() -> tuple[int, ...]:
    table = []
    for open_mask in range(1 << NUM_OPENABLES):
        closed = 0
        for receptacle, openable in enumerate(OPENABLE_OF_RECEPTACLE):
            if openable >= 0 and not open_mask >> openable & 1:
                closed |= 1 << receptacle
        table.append(closed)
    return tuple(table)


CLOSED_RECEPTACLES: Final = _closed_table()
"""open_mask -> bit mask of the receptacles that are closed."""


def _standard_reach() -> tuple[tuple[int, ...], tuple[int, ...]]:
    reach, operable = [], []
    for target in NAV_TARGETS:
        spot = spot_of(target)
        reach.append(1 << RECEPTACLE_INDEX[spot] if spot in RECEPTACLE_INDEX else 0)
        operable.append(1 << OPENABLE_INDEX[spot] if spot in OPENABLE_INDEX else 0)
    return (*reach, 0), (*operable, 0)


STANDARD_REACH, STANDARD_OPERABLE = _standard_reach()
"""place -> bit mask of receptacles / openables in reach, as in every flat of our own."""

ALL_NAV_TARGETS: Final = (1 << NUM_NAV_TARGETS) - 1


@dataclass(frozen=True, slots=True)
class Layout:
    """The static part of an episode: what its objects are and what can be reached from where.

    Attributes:
        categories: category index of every object, in object order (order breaks ties in `pick`).
        reach: 17 bit masks over receptacles, by robot place; nothing from the start pose.
        operable: 17 bit masks over openables, by robot place.
        present: bit mask over nav targets: the fixtures this house has. Ours have all 16.
        semantics: `paper` (ranked) or `release` (the official code's deviations, for comparison:
            objects can be picked from a closed fridge and placed into closed containers; goals are
            then judged by `goals.StaleGoal`).
        instances: category index -> object indices of that category, ascending (derived).
    """

    categories: tuple[int, ...]
    reach: tuple[int, ...] = STANDARD_REACH
    operable: tuple[int, ...] = STANDARD_OPERABLE
    present: int = ALL_NAV_TARGETS
    semantics: Semantics = "paper"
    instances: tuple[tuple[int, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, masks in (("reach", self.reach), ("operable", self.operable)):
            if len(masks) != NUM_NAV_TARGETS + 1 or masks[START]:
                raise EpisodeError(
                    f"layout: '{name}' needs {NUM_NAV_TARGETS + 1} masks, the last one (start "
                    f"pose) 0; got {masks}"
                )
        found: list[tuple[int, ...]] = [()] * NUM_CATEGORIES
        for index, category in enumerate(self.categories):
            if not 0 <= category < NUM_CATEGORIES:
                raise EpisodeError(
                    f"layout: object {index} has category index {category}; accepted: 0.."
                    f"{NUM_CATEGORIES - 1} ({CATEGORIES[0]} .. {CATEGORIES[-1]})"
                )
            found[category] += (index,)
        object.__setattr__(self, "instances", tuple(found))

    @property
    def num_objects(self) -> int:
        """How many objects the episode has."""
        return len(self.categories)

    @property
    def has_standard_reach(self) -> bool:
        """Whether every stance reaches only its own receptacle (the solver's pruning needs it)."""
        return (
            self.reach == STANDARD_REACH
            and self.operable == STANDARD_OPERABLE
            and self.semantics == "paper"
        )

    def has_receptacle(self, receptacle: int) -> bool:
        """Whether the house has this receptacle."""
        return bool(self.present >> (len(HANDLES) + receptacle) & 1)

    def has_openable(self, openable: int) -> bool:
        """Whether the house has this drawer or fridge."""
        return bool(self.present >> NAV_INDEX[handle_of(OPENABLES[openable])] & 1)


def initial_state(receptacles: Sequence[int], slots: Sequence[int], open_mask: int) -> WorldState:
    """Return the state at t=0: the robot at its start pose, its hand free.

    Args:
        receptacles: receptacle index (0..10) of every object.
        slots: slot of every object; no two objects share one.
        open_mask: bit mask over openables.

    Raises:
        EpisodeError: lengths differ, an index is out of range or two objects share a slot.
    """
    if len(receptacles) != len(slots):
        raise EpisodeError(f"{len(receptacles)} receptacles but {len(slots)} slots")
    if not 0 <= open_mask < 1 << NUM_OPENABLES:
        raise EpisodeError(f"open mask {open_mask} names an openable that does not exist")
    taken: set[tuple[int, int]] = set()
    for index, spot in enumerate(zip(receptacles, slots, strict=True)):
        if not 0 <= spot[0] < NUM_RECEPTACLES or spot[1] < 0:
            raise EpisodeError(f"object {index} stands at receptacle {spot[0]}, slot {spot[1]}")
        if spot in taken:
            raise EpisodeError(f"object {index} shares receptacle {spot[0]}, slot {spot[1]}")
        taken.add(spot)
    return WorldState(START, -1, tuple(receptacles), tuple(slots), open_mask)


def first_free_slot(state: WorldState, receptacle: int) -> int:
    """Return the lowest slot of the receptacle on which no object stands."""
    taken = {
        slot
        for where, slot in zip(state.receptacles, state.slots, strict=True)
        if where == receptacle
    }
    slot = 0
    while slot in taken:
        slot += 1
    return slot


def in_reach(layout: Layout, state: WorldState, obj: int) -> bool:
    """Whether an object is held, or in reach and not in a closed container (`near`)."""
    where = state.receptacles[obj]
    if where == IN_HAND:
        return True
    return bool((layout.reach[state.place] & ~CLOSED_RECEPTACLES[state.open_mask]) >> where & 1)
