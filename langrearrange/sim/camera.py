"""Where the head camera is and what it looks at; not what it sees.

Only square roots and divisions are taken here, so that the same camera comes out on every machine.
"""

import math
from functools import lru_cache
from typing import Final, Literal, NamedTuple, get_args

import numpy as np

from langrearrange.errors import UsageError
from langrearrange.houses.geometry import Pose2D
from langrearrange.houses.house import House
from langrearrange.houses.robot import HEAD_FORWARD_MM, HEAD_HEIGHT_MM
from langrearrange.sim.protocol import Camera
from langrearrange.world.vocabulary import NAV_TARGETS, START

CameraPreset = Literal["default", "habitat"]
CAMERA_PRESETS: Final = get_args(CameraPreset)

HFOV_DEG: Final = 65.0
"""Horizontal field of view of the head camera; frozen for v0."""
START_TILT: Final = 0.45
"""Drop per metre ahead of the default camera's gaze at the start pose (24 degrees down)."""

_HABITAT_HFOV_DEG: Final = 90.0
_HABITAT_FORWARD_M: Final = 0.25
_HABITAT_TILT: Final = 0.4
"""The official release looks from (0.25, 1.2) at (0.75, 1.0), 21.8 degrees down, everywhere."""


class Vector(NamedTuple):
    """A point or direction, metres; the house frame or the robot's (x ahead, y left, z up)."""

    x: float
    y: float
    z: float


def check_preset(name: str) -> CameraPreset:
    """Return the preset's name; UsageError for anything else."""
    for preset in CAMERA_PRESETS:
        if name == preset:
            return preset  # type: ignore[no-any-return]
    raise UsageError(f"unknown camera '{name}'; accepted: {', '.join(CAMERA_PRESETS)}")


def look_at(eye: Vector, target: Vector, hfov_deg: float = HFOV_DEG) -> Camera:
    """Return an upright camera at `eye` that looks at `target`.

    Args:
        eye: metres, house frame.
        target: metres, house frame; neither the eye itself nor straight above or below it.
        hfov_deg: horizontal field of view, degrees, in (0, 180).

    Raises:
        UsageError: the target is straight above or below, or `hfov_deg` is out of range.
    """
    ahead = Vector(target.x - eye.x, target.y - eye.y, target.z - eye.z)
    level = math.sqrt(ahead.x * ahead.x + ahead.y * ahead.y)
    length = math.sqrt(level * level + ahead.z * ahead.z)
    if level < 1e-6 or not 0 < hfov_deg < 180:
        raise UsageError(
            f"no upright camera at {eye} can look at {target} with hfov {hfov_deg}; the target "
            "must not be straight above or below it, the field of view must be in (0, 180) degrees"
        )
    right = Vector(ahead.y / level, -ahead.x / level, 0.0)
    back = Vector(-ahead.x / length, -ahead.y / length, -ahead.z / length)
    up = Vector(back.y * right.z - back.z * right.y, back.z * right.x - back.x * right.z,
                back.x * right.y - back.y * right.x)  # fmt: skip
    rows = [
        (*axis, -(axis.x * eye.x + axis.y * eye.y + axis.z * eye.z)) for axis in (right, up, back)
    ]
    return Camera(np.array(rows, np.float32), hfov_deg)


def ahead_of(base: Pose2D, forward_m: float, height_m: float) -> Vector:
    """Return the point `forward_m` ahead of the robot's base and `height_m` above the floor."""
    yaw = base.yaw_mrad / 1000
    return Vector(
        base.x_mm / 1000 + forward_m * math.cos(yaw),
        base.y_mm / 1000 + forward_m * math.sin(yaw),
        height_m,
    )


def gaze(house: House, place: int, start: Pose2D) -> tuple[Vector, Vector]:
    """Return the default camera's position and the point it looks at (metres, house frame).

    Args:
        house: the flat.
        place: where the robot stands, 0..16; 16 is the start pose.
        start: the start pose.
    """
    base = start if place == START else house.stance(place)
    forward, height = HEAD_FORWARD_MM / 1000, HEAD_HEIGHT_MM / 1000
    eye = ahead_of(base, forward, height)
    if place == START:
        return eye, ahead_of(base, forward + 1, height - START_TILT)
    x_mm, y_mm, z_mm = house.gazes[NAV_TARGETS[place]]
    return eye, Vector(x_mm / 1000, y_mm / 1000, z_mm / 1000)


def head_camera(house: House, place: int, start: Pose2D, preset: CameraPreset) -> Camera:
    """Return the robot's head camera where it stands; at a stance always the same object."""
    if place == START:
        return _camera(house, place, start, preset)
    return _stance_camera(house, place, preset)


@lru_cache(maxsize=4096)
def _stance_camera(house: House, place: int, preset: CameraPreset) -> Camera:
    return _camera(house, place, house.stance(place), preset)


def _camera(house: House, place: int, base: Pose2D, preset: CameraPreset) -> Camera:
    if preset == "default":
        return look_at(*gaze(house, place, base))
    height = HEAD_HEIGHT_MM / 1000
    return look_at(
        ahead_of(base, _HABITAT_FORWARD_M, height),
        ahead_of(base, _HABITAT_FORWARD_M + 1, height - _HABITAT_TILT),
        _HABITAT_HFOV_DEG,
    )
