"""Where everything is: poses of parts, objects and arm from (house, objects, state). No drawing.

Shared by all simulators, so that they agree by construction.
"""

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.episode import Episode, ObjectPlacement, Pose
from langrearrange.houses import House, Matrix, Pose2D, get_house, model_size, slot_pose
from langrearrange.houses.homes import source_name
from langrearrange.sim.camera import head_camera
from langrearrange.sim.protocol import SEGMENT_PART, SEGMENT_ROBOT, Simulator
from langrearrange.sim.robot import LINKS, Arm, pose_arm
from langrearrange.world import CLOSED_RECEPTACLES, WorldState, vocabulary

_OPENED_BY: Final = (*((1 << o if o >= 0 else 0) for o in vocabulary.OPENABLE_OF_RECEPTACLE), 0)
"""Receptacle index (11: the hand) -> bit mask of the openable that moves or hides its objects."""


class MeshKey(NamedTuple):
    """Names a mesh: of a house part, an object model or a link of the robot.

    Attributes:
        kind: which of them.
        name: `Part.mesh`, the model's id or the link's name.
        source: whose parts and models (`houses.homes.source_name`); "" for links.
    """

    kind: Literal["part", "model", "link"]
    name: str
    source: str


class Scene:
    """The parts, objects and arm of one episode, each posed as in the state shown last.

    Attributes:
        keys: mesh of every instance: first the house's parts, then objects, then the arm's links.
        segments: (n,) int32, segmentation value of every instance (see `Frame`).
        poses: (n, 3, 4) float32, house frame; changed in place by `show`.
        drawn: (n,) bool; False for what a closed container hides; changed in place by `show`.
        resting: (n,) bool; True for objects that stand on something: they cast a contact shadow.
        arm: the arm, with its joint angles.
        state: the state shown last; None before the first.
    """

    def __init__(self, house: House, objects: Sequence[ObjectPlacement], start: Pose2D) -> None:
        self.house = house
        self.objects = tuple(objects)
        self.start = start
        source = source_name(house.id)
        self.keys = (
            *(MeshKey("part", part.mesh, source) for part in house.parts),
            *(MeshKey("model", thing.model, source) for thing in self.objects),
            *(MeshKey("link", link, "") for link in LINKS),
        )
        num_parts, num_objects = len(house.parts), len(self.objects)
        self._first_object = num_parts
        self._first_link = num_parts + num_objects
        parts = range(SEGMENT_PART, SEGMENT_PART + num_parts)
        links = [SEGMENT_ROBOT] * len(LINKS)
        self.segments = np.array([*parts, *range(num_objects), *links], np.int32)
        self.poses = np.zeros((len(self.keys), 3, 4), np.float32)
        self.drawn = np.ones(len(self.keys), np.bool_)
        self.resting = np.zeros(len(self.keys), np.bool_)
        for index, part in enumerate(house.parts):
            self.poses[index] = part.closed
        self.state: WorldState | None = None
        self.arm: Arm

    def show(self, state: WorldState) -> None:
        """Put everything where the state says it is; what did not move is not touched."""
        old, self.state = self.state, state
        if old is state:
            return
        changed_mask = old.open_mask ^ state.open_mask if old else -1
        if changed_mask:
            self._turn_parts(state.open_mask, changed_mask)
        if old is None or old.place != state.place or old.held != state.held:
            self.arm = self._pose_arm(state)
            self.poses[self._first_link :] = self.arm.links
            if state.held >= 0:
                self.poses[self._first_object + state.held] = self.arm.grasp
        places = list(zip(state.receptacles, state.slots, strict=True))
        before = zip(old.receptacles, old.slots, strict=True) if old else [None] * len(places)
        for index, (place, old_place) in enumerate(zip(places, before, strict=True)):
            if place != old_place or changed_mask & _OPENED_BY[place[0]]:
                self._place_object(index, state)

    def _turn_parts(self, open_mask: int, changed_mask: int) -> None:
        for index, part in enumerate(self.house.parts):
            if part.openable and changed_mask >> vocabulary.OPENABLE_INDEX[part.openable] & 1:
                is_open = open_mask >> vocabulary.OPENABLE_INDEX[part.openable] & 1
                self.poses[index] = part.opened if is_open else part.closed

    def _place_object(self, index: int, state: WorldState) -> None:
        row = self._first_object + index
        receptacle = state.receptacles[index]
        self.drawn[row] = not (1 << receptacle) & CLOSED_RECEPTACLES[state.open_mask]
        self.resting[row] = receptacle != vocabulary.IN_HAND
        if receptacle == vocabulary.IN_HAND:
            return  # at the gripper, see `show`
        thing, slot = self.objects[index], state.slots[index]
        if thing.pose and (vocabulary.RECEPTACLES[receptacle], slot) == (
            thing.receptacle,
            thing.slot,
        ):
            self.poses[row] = explicit_pose(thing.pose)
        else:
            pose = _slot_pose(self.house, receptacle, slot, state.open_mask)
            self.poses[row] = turned(pose, thing.yaw / 1000)

    def _pose_arm(self, state: WorldState) -> Arm:
        held = None
        if state.held >= 0:
            held = model_size(self.house, self.objects[state.held].model)
        if state.place == vocabulary.START:
            view = head_camera(self.house, vocabulary.START, self.start, "default").view
            return pose_arm(view, held)
        return _arm_at_stance(self.house, state.place, held)


def start_pose(episode: Episode) -> Pose2D:
    """Return the robot's pose before its first nav."""
    return Pose2D(episode.start.x, episode.start.y, episode.start.yaw)


def load_episode(simulator: Simulator, episode: Episode) -> House:
    """Load the household of an episode into a simulator; return its house."""
    house = get_house(episode.house)
    simulator.load(house, episode.objects, start_pose(episode))
    return house


def turned(pose: Matrix, yaw: float) -> Matrix:
    """Return a (3, 4) pose turned about its own z axis by yaw, rad."""
    c, s = math.cos(yaw), math.sin(yaw)
    result = pose.copy()
    result[:, 0] = c * pose[:, 0] + s * pose[:, 1]
    result[:, 1] = c * pose[:, 1] - s * pose[:, 0]
    return result


def explicit_pose(pose: Pose) -> NDArray[np.float32]:
    """Return the (3, 4) transform of an imported episode's pose (its quaternion is normalised)."""
    w, x, y, z = (value / 1_000_000 for value in pose.rotation)
    norm = w * w + x * x + y * y + z * z
    scale = 2 / norm if norm else 0.0
    px, py, pz = (value / 1000 for value in pose.position)
    return np.array(
        [
            [1 - scale * (y * y + z * z), scale * (x * y - w * z), scale * (x * z + w * y), px],
            [scale * (x * y + w * z), 1 - scale * (x * x + z * z), scale * (y * z - w * x), py],
            [scale * (x * z - w * y), scale * (y * z + w * x), 1 - scale * (x * x + y * y), pz],
        ],
        np.float32,
    )


@lru_cache(maxsize=16384)
def _slot_pose(house: House, receptacle: int, slot: int, open_mask: int) -> Matrix:
    return slot_pose(house, vocabulary.RECEPTACLES[receptacle], slot, open_mask)


@lru_cache(maxsize=8192)
def _arm_at_stance(house: House, place: int, held_mm: tuple[int, int, int] | None) -> Arm:
    return pose_arm(head_camera(house, place, house.stance(place), "default").view, held_mm)
