"""The robot's arm: seven joints, what it looks like, where it holds a thing. Not its base or head.

A Fetch-like arm that follows the gaze: it is carried by the head, so that it looks the same from
every stance. At rest its fingers show at the lower edge of the default camera's frame; what it
holds hangs upright at the lower right. The joint angles are those of the arm that is drawn.
"""

import math
from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.houses.geometry import Matrix, compose, rigid
from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.shapes import box, cylinder, moved, rounded_box, sphere, turned
from langrearrange.sim.camera import HFOV_DEG, Vector

NUM_JOINTS: Final = 7
JOINT_NAMES: Final = (
    "shoulder_pan", "shoulder_lift", "upperarm_roll", "elbow_flex", "forearm_roll", "wrist_flex",
    "wrist_roll",
)  # fmt: skip
"""Order of the `joints` observation; the rolls stay 0."""
LINKS: Final = ("upper_arm", "forearm", "gripper")

_SHOULDER: Final = Vector(-0.02, -0.20, -0.44)
"""In the head's frame: x along the gaze, y left, z up; the camera is its origin."""
_UPPER_ARM_M: Final = 0.36
_FOREARM_M: Final = 0.34
_GRIPPER_M: Final = 0.17
"""From the wrist to the point between the finger tips."""
_RISE: Final = 0.9
"""The gripper points ahead and up by this angle (rad): it holds from below and hides nothing."""
_REACH_M: Final = _UPPER_ARM_M + _FOREARM_M - 0.01

_HAND_DISTANCE_M: Final = 0.46
_REST: Final = (0.40, -1.0)
_HOLD: Final = (0.34, -0.56)
"""Where in the default frame the hand rests, and the upper left corner of a held thing: in halves
of the frame right of and above its centre."""


@dataclass(frozen=True, slots=True, eq=False)
class Arm:
    """The arm at one moment.

    Attributes:
        joints: (7,) float32, rad, each in [-pi, pi]; order of `JOINT_NAMES`.
        links: (3, 3, 4) float32, poses of `LINKS` in the house frame.
        grasp: (3, 4) float32, pose of a held thing's base centre in the house frame.
    """

    joints: NDArray[np.float32]
    links: NDArray[np.float32]
    grasp: Matrix


def pose_arm(camera: Matrix, held_mm: tuple[int, int, int] | None) -> Arm:
    """Return the arm of a robot that looks somewhere and holds something or nothing.

    Args:
        camera: (3, 4) view of the default head camera (house frame -> camera).
        held_mm: bounding box of the held thing, None for a free hand.
    """
    right, up, back = camera[0, :3], camera[1, :3], camera[2, :3]
    # Written out and composed, since a matrix product's last bit depends on the machine's BLAS.
    eye = -(camera[0, 3] * right + camera[1, 3] * up + camera[2, 3] * back)
    head = np.stack([-back, -right, up, eye], axis=1)
    joints, links = _posture(held_mm)
    drop = _pinch(held_mm) if held_mm else 0.0
    grasp = np.zeros((3, 4), np.float32)
    grasp[:, :3] = _upright(head)
    grasp[:, 3] = compose(head, rigid(*_hand(held_mm), 0.0))[:, 3]
    grasp[2, 3] -= np.float32(drop)
    return Arm(joints, np.stack([compose(head, link) for link in links]), grasp)


def _upright(head: Matrix) -> NDArray[np.float32]:
    """Return the rotation that stands upright and faces where the head does."""
    x, y = float(head[0, 0]), float(head[1, 0])
    length = math.sqrt(x * x + y * y)
    x, y = x / length, y / length
    return np.array([[x, -y, 0], [y, x, 0], [0, 0, 1]], np.float32)


def _pinch(held_mm: tuple[int, int, int]) -> float:
    """Return how far above its base a thing is held, metres."""
    return min(held_mm[2] / 2000, 0.03)


def _hand(held_mm: tuple[int, int, int] | None) -> Vector:
    """Return where the fingers are, in the head's frame; a held thing needs room to its left."""
    half = math.tan(math.radians(HFOV_DEG / 2))
    u, v = _REST if held_mm is None else _HOLD
    right, up = _HAND_DISTANCE_M * u * half, _HAND_DISTANCE_M * v * half
    if held_mm is not None:
        right += max(held_mm[0], held_mm[1]) / 2000
        up -= held_mm[2] / 1000 - _pinch(held_mm)
    return Vector(_HAND_DISTANCE_M, -right, up)


@lru_cache(maxsize=1024)
def _posture(held_mm: tuple[int, int, int] | None) -> tuple[NDArray[np.float32], list[Matrix]]:
    """Return the joints and the links' poses in the head's frame."""
    pan, lift, elbow, wrist = _reach(_hand(held_mm))
    joints = np.array([pan, lift, 0, elbow, 0, wrist, 0], np.float32)
    joints.flags.writeable = False
    links = []
    frame = rigid(_SHOULDER.x, _SHOULDER.y, _SHOULDER.z, pan)
    for angle, length in ((lift, _UPPER_ARM_M), (elbow, _FOREARM_M), (wrist, _GRIPPER_M)):
        frame = compose(frame, _pitch(angle))
        links.append(frame)
        frame = compose(frame, rigid(length, 0, 0, 0))
    return joints, links


def _reach(hand: Vector) -> tuple[float, float, float, float]:
    """Return pan, lift, elbow and wrist that put the fingers there (head's frame).

    Two links in a vertical plane have a closed solution by the law of cosines; a hand out of reach
    is approached as far as the arm goes.
    """
    x, y, z = hand.x - _SHOULDER.x, hand.y - _SHOULDER.y, hand.z - _SHOULDER.z
    pan = math.atan2(y, x)
    out, z = math.hypot(x, y) - _GRIPPER_M * math.cos(_RISE), z - _GRIPPER_M * math.sin(_RISE)
    distance = min(math.hypot(out, z), _REACH_M)
    a, b = _UPPER_ARM_M, _FOREARM_M
    inner = math.acos(max(-1.0, min(1.0, (a * a + b * b - distance * distance) / (2 * a * b))))
    side = math.acos(
        max(-1.0, min(1.0, (a * a + distance * distance - b * b) / (2 * a * max(distance, 1e-6))))
    )
    direction = math.atan2(z, out)
    # Positive angles pitch down, as a Fetch's do: the elbow points down and out of the frame.
    lift, elbow = -(direction - side), -(math.pi - inner)
    return pan, _wrap(lift), _wrap(elbow), _wrap(-_RISE - lift - elbow)


def _wrap(angle: float) -> float:
    return (angle + math.pi) % (2 * math.pi) - math.pi


def _pitch(angle: float) -> Matrix:
    c, s = math.cos(angle), math.sin(angle)
    return np.array([[c, 0, s, 0], [0, 1, 0, 0], [-s, 0, c, 0]], np.float32)


@lru_cache(maxsize=8)
def link_mesh(link: str) -> Mesh:
    """Return the mesh of one of `LINKS`: it lies along +x from its joint."""
    white, grey, black = (214.0, 216.0, 218.0), (120.0, 124.0, 130.0), (52.0, 54.0, 58.0)
    if link == "gripper":
        palm = moved(turned(rounded_box(0.07, 0.11, 0.07, 0.015, grey), "y", 90), x=0.02)
        finger = box(0.075, 0.014, 0.024, black)
        left = moved(finger, x=0.13, y=0.042, z=-0.012)
        right = moved(finger, x=0.13, y=-0.042, z=-0.012)
        return merged(palm, left, right)
    length, radius = (_UPPER_ARM_M, 0.042) if link == "upper_arm" else (_FOREARM_M, 0.036)
    tube = turned(cylinder(radius, length, white, 14), "y", 90)
    joint = sphere(radius * 1.15, grey, 14, 8)
    return merged(tube, joint)
