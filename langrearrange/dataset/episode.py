"""One stored episode: the record, and its meaning as a world (`layout`, `initial_state`).

Not for files (`dataset.reader`, `dataset.writer`) and not for poses: house and slot give them.
"""

from __future__ import annotations

import re
from typing import Any, Final

import msgspec

from langrearrange.errors import EpisodeError
from langrearrange.world import Layout, Semantics, WorldState, initial_state
from langrearrange.world.vocabulary import (
    CATEGORY_INDEX,
    OPENABLE_INDEX,
    RECEPTACLE_INDEX,
)

SCHEMA_VERSION: Final = 1
MAX_OBJECTS: Final = 64
MAX_INSTRUCTION: Final = 256
MAX_LINE: Final = 1 << 15
"""Longest line of JSON an episode may take, in bytes; ours have about 3,000."""
MAX_VARIANT: Final = 999_999
"""The variants of an episode are 1 .. MAX_VARIANT, so that ids stay short."""
SPLIT_NAME: Final = r"^[a-z][a-z0-9_]{0,63}$"
_ID: Final = re.compile(r"([a-z_]{1,64})/([0-9]{6})(?:#([1-9][0-9]{0,5}))?\Z")


class Pose(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """An explicit pose that overrides the slot's, for imported episodes.

    Attributes:
        position: x, y, z in millimetres, z up.
        rotation: quaternion w, x, y, z times 10^6.
    """

    position: tuple[int, int, int]
    rotation: tuple[int, int, int, int]


class ObjectPlacement(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True
):
    """An object and where it stands at t=0.

    Attributes:
        id: unique within the episode, `apple_0`.
        category: one of the 33.
        model: id of the mesh, e.g. `apple_red`.
        receptacle: one of the 11.
        slot: index of the slot on that receptacle.
        yaw: rotation about the vertical, milliradians in [0, 6283].
        pose: only for imported episodes.
    """

    id: str
    category: str
    model: str
    receptacle: str
    slot: int
    yaw: int
    pose: Pose | None = None


class Start(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The robot's start pose: x, y in millimetres, yaw in milliradians in [-3142, 3142]."""

    x: int
    y: int
    yaw: int


class Episode(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """One episode, complete: sentence, goal, household, proved optimal plan.

    Attributes:
        schema_version: of this record; readers refuse newer ones.
        id: `<split>/<index, 6 digits>`, `#k` behind it for variant k >= 1.
        split: name of the split.
        template: id of the template within the split's file.
        phrasing: index of the phrasing within the template.
        cluster: held-out unit for statistics (design: situation, description, ...).
        instruction: 1-256 printable ASCII characters.
        goal: grounded goal in PDDL.
        house: id of the flat.
        objects: at most 64; their order breaks ties in `pick`.
        open: openables that are open at t=0, in vocabulary order.
        start: the robot's start pose.
        plan: skill ids of an optimal plan.
        subgoals: written subgoals (`world.subgoals`), in plan order.
    """

    schema_version: int = SCHEMA_VERSION
    id: str
    split: str
    template: str
    phrasing: int
    cluster: str
    instruction: str
    goal: str
    house: str
    objects: tuple[ObjectPlacement, ...]
    open: tuple[str, ...]
    start: Start
    plan: tuple[str, ...]
    subgoals: tuple[str, ...]

    def layout(self, *, semantics: Semantics = "paper", **reach: Any) -> Layout:
        """Return the world's static part; `reach` overrides Layout's reach, operable, present."""
        categories = tuple(CATEGORY_INDEX[o.category] for o in self.objects)
        return Layout(categories, semantics=semantics, **reach)

    def initial_state(self) -> WorldState:
        """Return the world at t=0."""
        return initial_state(
            [RECEPTACLE_INDEX[o.receptacle] for o in self.objects],
            [o.slot for o in self.objects],
            sum(1 << OPENABLE_INDEX[name] for name in self.open),
        )


class EpisodeId(msgspec.Struct, frozen=True):
    """A parsed episode id: split, index and variant (0 = the published one)."""

    split: str
    index: int
    variant: int = 0

    def __str__(self) -> str:
        suffix = f"#{self.variant}" if self.variant else ""
        return f"{self.split}/{self.index:06d}{suffix}"


def parse_episode_id(text: str) -> EpisodeId:
    """Parse `train/000017` or `train/000017#2`; EpisodeError for anything else."""
    match = _ID.fullmatch(text)
    if match is None:
        raise EpisodeError(
            f"{text[:80]!a} is not an episode id; ids look like train/000017, variants like "
            f"train/000017#2, up to #{MAX_VARIANT}"
        )
    return EpisodeId(match[1], int(match[2]), int(match[3] or 0))
