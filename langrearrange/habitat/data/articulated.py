"""Where the links of a URDF are, for given joint positions. Not their shapes.

A link's frame is Habitat's: that of its inertial origin, which is the URDF's own where that is 0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import DatasetError
from langrearrange.habitat.data.reading import numbers, read_xml
from langrearrange.habitat.frames import Transform

_FIXED: Final = "fixed"
_KINDS: Final = (_FIXED, "revolute", "continuous", "prismatic")


@dataclass(frozen=True, slots=True, eq=False)
class UrdfJoint:
    """A joint: `child` hangs on `parent`.

    Attributes:
        name, kind, parent, child: as in the file; kind is fixed, revolute, continuous, prismatic.
        origin: (4, 4), the child's frame in its parent's, at position 0.
        axis: (3,) in the child's frame.
        lower, upper: limits, rad or m; 0 where the file gives none.
    """

    name: str
    kind: str
    parent: str
    child: str
    origin: Transform
    axis: NDArray[np.float64]
    lower: float
    upper: float


class Articulated:
    """A URDF file's tree of links."""

    def __init__(self, path: Path) -> None:
        """Read a URDF; DatasetError if it is damaged or its links form no tree."""
        self.path = path
        root = read_xml(path, "a robot description (.urdf)")
        self._inertial = {
            link.get("name", ""): _origin(link.find("inertial"), path)
            for link in root.findall("link")
        }
        self.joints = {j.name: j for j in (_joint(e, path) for e in root.findall("joint"))}
        self._above = {joint.child: joint for joint in self.joints.values()}
        roots = [name for name in self._inertial if name not in self._above]
        if len(roots) != 1 or any(j.parent not in self._inertial for j in self.joints.values()):
            raise DatasetError(f"{path}: damaged: its links form no tree with one root")

        named = (mesh.get("filename", "") for mesh in root.iterfind("link/visual/geometry/mesh"))
        self.meshes = tuple(path.parent / name for name in named)

    @property
    def links(self) -> tuple[str, ...]:
        """Names of the links, as listed."""
        return tuple(self._inertial)

    def joint_above(self, link: str) -> UrdfJoint | None:
        """Return the joint that a link hangs on, the root's None; DatasetError if unknown."""
        if link not in self._inertial:
            raise DatasetError(
                f"{self.path}: no link is called '{link}'; links: {', '.join(self.links)}"
            )
        return self._above.get(link)

    def link_frame(self, link: str, positions: Mapping[str, float]) -> Transform:
        """Return a link's frame in that of the whole thing, (4, 4).

        Args:
            link: name of the link.
            positions: joint name -> rad or m; joints that are not named are at 0.
        """
        above = self.joint_above(link)
        frame = self._inertial[link]
        for _ in range(len(self.joints) + 1):
            if above is None:
                return frame
            frame = above.origin @ _moved(above, positions.get(above.name, 0.0)) @ frame
            above = self._above.get(above.parent)
        raise DatasetError(f"{self.path}: damaged: its links form a ring")


def _joint(element: ET.Element, path: Path) -> UrdfJoint:
    parent, child = element.find("parent"), element.find("child")
    kind = element.get("type", "")
    if parent is None or child is None or kind not in _KINDS:
        raise DatasetError(f"{path}: damaged: joint '{element.get('name')}' cannot be read")
    axis, limit = element.find("axis"), element.find("limit")
    lower, upper = (
        float(numbers([limit.get(key, 0) if limit is not None else 0], 1, str(path))[0])
        for key in ("lower", "upper")
    )
    return UrdfJoint(
        element.get("name", ""),
        kind,
        parent.get("link", ""),
        child.get("link", ""),
        _origin(element, path),
        _triple(axis.get("xyz") if axis is not None else None, "1 0 0", path),
        lower,
        upper,
    )


def _triple(text: str | None, default: str, path: Path) -> NDArray[np.float64]:
    return numbers((text or default).replace(",", " ").split(), 3, str(path))


def _origin(element: ET.Element | None, path: Path) -> Transform:
    origin = element.find("origin") if element is not None else None
    result = np.eye(4)
    if origin is None:
        return result
    roll, pitch, yaw = (float(v) for v in _triple(origin.get("rpy"), "0 0 0", path))
    result[:3, :3] = _about(2, yaw) @ _about(1, pitch) @ _about(0, roll)
    result[:3, 3] = _triple(origin.get("xyz"), "0 0 0", path)
    return result


def _about(axis: int, angle: float) -> NDArray[np.float64]:
    c, s = math.cos(angle), math.sin(angle)
    first, second = (axis + 1) % 3, (axis + 2) % 3
    turn = np.eye(3)
    turn[first, first] = turn[second, second] = c
    turn[first, second], turn[second, first] = -s, s
    return turn


def _moved(joint: UrdfJoint, position: float) -> Transform:
    result = np.eye(4)
    length = float(np.linalg.norm(joint.axis))
    if joint.kind == _FIXED or length < 1e-9:
        return result
    x, y, z = axis = joint.axis / length
    if joint.kind == "prismatic":
        result[:3, 3] = axis * position
        return result
    cross = np.array([[0, -z, y], [z, 0, -x], [-y, x, 0]])
    # Rodrigues' formula.
    result[:3, :3] += math.sin(position) * cross + (1 - math.cos(position)) * (cross @ cross)
    return result
