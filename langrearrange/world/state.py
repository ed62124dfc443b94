"""What a household is at one moment (`WorldState`) and what stays fixed meanwhile (`Layout`)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, Literal, NamedTuple

from langrearrange.errors import EpisodeError
from langrearrange.world.fixtures import FIXTURES
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
    RECEPTACLES,
    START,
    handle_of,
    spot_of,
)

Semantics = Literal["paper", "release"]


class Outcome(StrEnum):
    """What became of a skill: a closed set.

    Attributes:
        reason: why an invalid skill changed nothing, in English that an agent can act on; it never
            tells what is hidden. `world.wording` puts in what `{names}` stand for.
    """

    NONE = "none"
    OK = "ok"
    HAND_FULL = "hand_full", "you are already holding {held}"
    HAND_EMPTY = "hand_empty", "your hand is empty"
    NOT_NEAR = "not_near", "you cannot reach {target} from here"
    CLOSED = "closed", "{closed} is closed; open it first"
    ALREADY_OPEN = "already_open", "it is already open"
    ALREADY_CLOSED = "already_closed", "it is already closed"
    ABSENT = "absent", "this home has no such thing"

    reason: str

    def __new__(cls, value: str, reason: str = "") -> Outcome:
        """Make a member from its text and its reason."""
        outcome = str.__new__(cls, value)
        outcome._value_, outcome.reason = value, reason
        return outcome

    @property
    def invalid(self) -> bool:
        """Whether the skill was a no-op that costs the invalid penalty (paper B.4)."""
        return self not in (Outcome.NONE, Outcome.OK)


OUTCOMES: Final = tuple(Outcome)


class WorldState(NamedTuple):
    """One moment of an episode: immutable, hashable, compared by value.

    Attributes:
        place: where the robot stands, 0..15 a nav target, 16 (`START`) the start pose.
        held: index of the held object, -1 for none.
        receptacles: receptacle index of every object (0..10), 11 (`IN_HAND`) for the held one.
        slots: slot of every object on its receptacle; 0 for the held one. Slots beyond the
            receptacle's own (overflow) are legal and have a deterministic pose. Empty where slots
            are left out (the solver's states): no skill's outcome and no goal depends on them.
        open_mask: bit i set: openable i is open.
    """

    place: int
    held: int
    receptacles: tuple[int, ...]
    slots: tuple[int, ...]
    open_mask: int


def _closed_receptacles(open_mask: int) -> int:
    closed = 0
    for receptacle, openable in enumerate(OPENABLE_OF_RECEPTACLE):
        if openable >= 0 and not open_mask >> openable & 1:
            closed |= 1 << receptacle
    return closed


CLOSED_RECEPTACLES: Final = tuple(map(_closed_receptacles, range(1 << NUM_OPENABLES)))
"""open_mask -> bit mask of the receptacles that are closed."""

_DOORS: Final = sum(1 << RECEPTACLE_INDEX[f.name] for f in FIXTURES if f.opening == "door")
_PICK_CLOSED: Final = {
    "paper": CLOSED_RECEPTACLES,
    "release": tuple(closed & ~_DOORS for closed in CLOSED_RECEPTACLES),
}
_PLACE_CLOSED: Final = {"paper": CLOSED_RECEPTACLES, "release": (0,) * len(CLOSED_RECEPTACLES)}
"""Semantics -> open_mask -> bit mask of the receptacles into which nothing can be put."""


def _standard_masks(index: Mapping[str, int]) -> tuple[int, ...]:
    spots = map(spot_of, NAV_TARGETS)
    return (*(1 << index[spot] if spot in index else 0 for spot in spots), 0)


STANDARD_REACH: Final = _standard_masks(RECEPTACLE_INDEX)
STANDARD_OPERABLE: Final = _standard_masks(OPENABLE_INDEX)
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
        pick_closed, place_closed: open_mask -> bit mask of the receptacles that are too closed to
            take from or to put into (derived from the semantics).
    """

    categories: tuple[int, ...]
    reach: tuple[int, ...] = STANDARD_REACH
    operable: tuple[int, ...] = STANDARD_OPERABLE
    present: int = ALL_NAV_TARGETS
    semantics: Semantics = "paper"
    instances: tuple[tuple[int, ...], ...] = field(init=False, repr=False, compare=False)
    pick_closed: tuple[int, ...] = field(init=False, repr=False, compare=False)
    place_closed: tuple[int, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        for name, masks in (("reach", self.reach), ("operable", self.operable)):
            if len(masks) != NUM_NAV_TARGETS + 1 or masks[START]:
                raise EpisodeError(
                    f"layout: '{name}' needs {NUM_NAV_TARGETS + 1} masks, the last one (start "
                    f"pose) 0; got {masks}"
                )
        if (
            not 0
            <= min(self.categories, default=0)
            <= max(self.categories, default=0)
            < NUM_CATEGORIES
        ):
            raise EpisodeError(
                f"layout: category indices {self.categories}; accepted: 0..{NUM_CATEGORIES - 1} "
                f"({CATEGORIES[0]} .. {CATEGORIES[-1]})"
            )
        found: list[tuple[int, ...]] = [()] * NUM_CATEGORIES
        for index, category in enumerate(self.categories):
            found[category] += (index,)
        object.__setattr__(self, "instances", tuple(found))
        object.__setattr__(self, "pick_closed", _PICK_CLOSED[self.semantics])
        object.__setattr__(self, "place_closed", _PLACE_CLOSED[self.semantics])

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
    if not 0 <= min(receptacles, default=0) <= max(receptacles, default=0) < NUM_RECEPTACLES:
        raise EpisodeError(f"receptacles {list(receptacles)}; accepted: 0..{NUM_RECEPTACLES - 1}")
    if min(slots, default=0) < 0:
        raise EpisodeError(f"slots {list(slots)}; accepted: 0 and above")
    spots = list(zip(receptacles, slots, strict=True))
    if len(set(spots)) < len(spots):
        index = next(i for i, spot in enumerate(spots) if spot in spots[:i])
        raise EpisodeError(
            f"object {index} shares slot {slots[index]} of {RECEPTACLES[receptacles[index]]}"
        )
    return WorldState(START, -1, tuple(receptacles), tuple(slots), open_mask)


def first_free_slot(state: WorldState, receptacle: int) -> int:
    """Return the lowest slot of the receptacle on which no object stands."""
    if receptacle not in state.receptacles:  # the usual case, and the fast one
        return 0
    stood = zip(state.receptacles, state.slots, strict=True)
    taken = {slot for where, slot in stood if where == receptacle}
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
