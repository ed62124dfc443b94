"""The fixed words of the benchmark: categories, receptacles, handles, containers, splits.

Every other room takes these names from here; nothing here depends on a house, an episode or a
simulator. The order of each tuple is part of the v0 contract (skill indices are built from it).

Source: Szot et al. 2024 (arXiv 2310.17722), sections B.3 and B.4; 33 categories and 70 skills as in
the released action space (`fork` of the paper's list does not occur there).
"""

from __future__ import annotations

from itertools import chain, groupby
from operator import attrgetter
from typing import Final, Literal, get_args

from langrearrange.world.fixtures import FIXTURES

TRAIN_CATEGORIES: Final = (
    "ball", "clamp", "hammer", "screwdriver", "padlock", "scissors", "block", "drill", "spatula",
    "knife", "spoon", "plate", "sponge", "cleanser", "plum", "pear", "peach", "apple", "lemon",
    "can", "box", "banana", "strawberry", "lego", "rubiks_cube", "book", "bowl", "cup",
)  # fmt: skip
HELD_OUT_CATEGORIES: Final = ("mug", "orange", "lid", "toy_airplane", "wrench")
"""Never named in a single-object training sentence (find, move, put, take off); paper B.4."""
CATEGORIES: Final = TRAIN_CATEGORIES + HELD_OUT_CATEGORIES

GROUPS: Final[dict[str, tuple[str, ...]]] = {
    "fruit": ("plum", "pear", "peach", "apple", "lemon", "banana", "strawberry", "orange"),
    "tool": ("clamp", "hammer", "screwdriver", "padlock", "scissors", "drill", "wrench"),
    "toy": ("ball", "block", "lego", "rubiks_cube", "toy_airplane"),
    "kitchenware": ("spatula", "knife", "spoon", "plate", "bowl", "cup", "mug", "lid"),
    "household": ("sponge", "cleanser", "can", "box", "book"),
}
"""Supertypes of the categories; disjoint, so that they form a PDDL type tree (paper B.1)."""

RECEPTACLES: Final = tuple(f.name for f in FIXTURES if f.holds)
CONTAINERS: Final = tuple(f.name for f in FIXTURES if f.holds and f.opening)
"""Receptacles that can be closed."""
PREPOSITIONS: Final = {f.name: f.preposition for f in FIXTURES if f.holds}
"""Receptacle -> `on` or `in`."""
SURFACES: Final = tuple(r for r in RECEPTACLES if r not in CONTAINERS)
AREAS: Final[dict[str, tuple[str, ...]]] = {
    "kitchen": ("sink", "right_counter", "left_counter", "fridge", "left_drawer", "right_drawer"),
    "counters": ("right_counter", "left_counter"),
    "tables": ("black_table", "brown_table"),
    "drawers": ("left_drawer", "right_drawer"),
}
"""Receptacles that one word names together; true of every flat: nothing else is in a kitchen."""


def receptacles_of(place: str) -> tuple[str, ...]:
    """Return the receptacles of an area; of a receptacle, itself."""
    return AREAS.get(place, (place,))


OPENABLE_GROUPS: Final = tuple(
    tuple(fixture.name for fixture in alike)
    for opening, alike in groupby(FIXTURES, attrgetter("opening"))
    if opening
)
"""What opens alike: the fridge, then the drawers; skills are numbered group by group."""
OPENABLES: Final = tuple(chain.from_iterable(OPENABLE_GROUPS))
"""What opens and closes, in skill order. Middle and bottom drawer hold nothing."""


def handle_of(openable: str) -> str:
    """Return the handle (a nav target) of an openable: `fridge` -> `fridge_handle`."""
    return f"{openable}_handle"


HANDLES: Final = tuple(map(handle_of, chain.from_iterable(reversed(OPENABLE_GROUPS))))
NAV_TARGETS: Final = HANDLES + RECEPTACLES
"""The 16 places a `nav` skill drives to: handles first."""

SPOTS: Final = (*RECEPTACLES, *(o for o in OPENABLES if o not in CONTAINERS))
"""Where a robot can be said to stand (`robot_at`): a handle counts as its container."""

NUM_CATEGORIES: Final = len(CATEGORIES)
NUM_RECEPTACLES: Final = len(RECEPTACLES)
NUM_OPENABLES: Final = len(OPENABLES)
NUM_NAV_TARGETS: Final = len(NAV_TARGETS)
START: Final = NUM_NAV_TARGETS
"""Index of the random start pose among the robot's places (16); nothing is in reach from it."""
IN_HAND: Final = NUM_RECEPTACLES
"""Location index of a held object (11); the receptacles are 0..10."""

CATEGORY_INDEX: Final = {name: i for i, name in enumerate(CATEGORIES)}
RECEPTACLE_INDEX: Final = {name: i for i, name in enumerate(RECEPTACLES)}
OPENABLE_INDEX: Final = {name: i for i, name in enumerate(OPENABLES)}
NAV_INDEX: Final = {name: i for i, name in enumerate(NAV_TARGETS)}
SPOT_INDEX: Final = {name: i for i, name in enumerate(SPOTS)}


def spot_of(nav_target: str) -> str:
    """Return the spot a nav target counts as: a handle is its container, a receptacle itself."""
    return nav_target.removesuffix("_handle")


SPOT_OF_PLACE: Final = (*(SPOT_INDEX[spot_of(t)] for t in NAV_TARGETS), len(SPOTS))
"""Robot place (0..16, 16 = start) -> spot index (0..12, 13 = no spot)."""

OPENABLE_OF_RECEPTACLE: Final = tuple(OPENABLE_INDEX.get(r, -1) for r in RECEPTACLES)
"""Receptacle index -> openable index, -1 for a plain surface."""

_ENGLISH: Final = {
    "rubiks_cube": "Rubik's cube",
    "lego": "Lego brick",
    "cleanser": "cleanser bottle",
    **{fixture.name: fixture.english for fixture in FIXTURES if fixture.english},
}


def english(name: str) -> str:
    """Return an id as English without article: `left_counter` -> `left counter`."""
    return _ENGLISH.get(name, name.replace("_", " "))


SplitName = Literal[
    "train", "train_mini", "train_eval", "validation", "new_scenes", "instruction_rephrasing",
    "referring_expressions", "spatial_relationships", "context", "irrelevant_text",
    "multiple_rearrangements", "novel_objects", "multiple_objects", "conditional_instructions",
]  # fmt: skip
SPLITS: Final[tuple[str, ...]] = get_args(SplitName)
TRAINING_SPLITS: Final = ("train", "train_mini")
"""Splits whose episodes are drawn in keyed random order and, by default, as fresh variants."""
PARAPHRASTIC_SPLITS: Final = (
    "instruction_rephrasing", "referring_expressions", "spatial_relationships", "context",
    "irrelevant_text",
)  # fmt: skip
BEHAVIOR_SPLITS: Final = (
    "multiple_rearrangements", "novel_objects", "multiple_objects", "conditional_instructions",
)  # fmt: skip
TEST_SPLITS: Final = ("new_scenes", *PARAPHRASTIC_SPLITS, *BEHAVIOR_SPLITS)
"""The ten test splits; Total is the mean of all but new_scenes (paper Table 1)."""

HORIZON: Final = 32
"""Skills an episode may take (paper B.4)."""
