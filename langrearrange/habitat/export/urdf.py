"""Furniture that opens as URDF: a fixed body, hinged doors, sliding drawers. Not the meshes.

Everything is y up and every inertial origin zero: Habitat places links by their inertial frames.
"""

from __future__ import annotations

from typing import NamedTuple
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from langrearrange.habitat.export.pieces import Joint, joint_name
from langrearrange.habitat.frames import translation_y_up, yaw_of
from langrearrange.houses.geometry import Matrix

ROOT_LINK = "root"
_BODY_KG, _MOVING_KG = 40.0, 6.0
_EFFORT, _VELOCITY, _FRICTION = 20.0, 1.0, 0.2


class Link(NamedTuple):
    """A part of a piece of furniture.

    Attributes:
        name: of the link; its joint is called `<name>_joint`.
        pose: (3, 4), where it is when closed, in the frame of the piece (z up).
        bounds: (2, 3) corners of its mesh, metres, its own frame (z up).
        joint: how it opens; None for a fixed part.
    """

    name: str
    pose: Matrix
    bounds: NDArray[np.float32]
    joint: Joint | None


def urdf_text(name: str, links: list[Link]) -> str:
    """Return a robot description; the meshes of link L are `L.glb` and `L_collision.glb`."""
    robot = ET.Element("robot", name=name)
    ET.SubElement(robot, "link", name=ROOT_LINK)
    for link in links:
        _add_link(robot, link)
        _add_joint(robot, link)
    ET.indent(robot)
    return '<?xml version="1.0"?>\n' + ET.tostring(robot, encoding="unicode") + "\n"


def _add_link(robot: ET.Element, link: Link) -> None:
    element = ET.SubElement(robot, "link", name=link.name)
    low, high = link.bounds.astype(np.float64)
    sides = high - low
    mass = _BODY_KG if link.joint is None else _MOVING_KG
    inertial = ET.SubElement(element, "inertial")
    ET.SubElement(inertial, "origin", xyz="0 0 0", rpy="0 0 0")
    ET.SubElement(inertial, "mass", value=_numbers(mass))
    x, z, y = (float(side) for side in sides)  # y up
    moments = [mass / 12 * (b * b + c * c) for b, c in ((y, z), (x, z), (x, y))]
    ET.SubElement(
        inertial, "inertia", ixx=_numbers(moments[0]), ixy="0", ixz="0",
        iyy=_numbers(moments[1]), iyz="0", izz=_numbers(moments[2]),
    )  # fmt: skip
    for role, file in (("visual", f"{link.name}.glb"), ("collision", f"{link.name}_collision.glb")):
        shape = ET.SubElement(element, role)
        ET.SubElement(shape, "origin", xyz="0 0 0", rpy="0 0 0")
        ET.SubElement(ET.SubElement(shape, "geometry"), "mesh", filename=file)


def _add_joint(robot: ET.Element, link: Link) -> None:
    kind = link.joint.kind if link.joint else "fixed"
    element = ET.SubElement(robot, "joint", name=joint_name(link.name), type=kind)
    ET.SubElement(element, "parent", link=ROOT_LINK)
    ET.SubElement(element, "child", link=link.name)
    turned = _numbers(0.0, yaw_of(link.pose), 0.0)
    ET.SubElement(element, "origin", xyz=_numbers(*translation_y_up(link.pose)), rpy=turned)
    if link.joint is None:
        return
    ET.SubElement(element, "axis", xyz=_numbers(*link.joint.axis))
    ET.SubElement(
        element, "limit", lower="0", upper=_numbers(link.joint.travel),
        effort=_numbers(_EFFORT), velocity=_numbers(_VELOCITY),
    )  # fmt: skip
    ET.SubElement(element, "dynamics", damping=_numbers(_FRICTION), friction=_numbers(_FRICTION))


def _numbers(*values: float) -> str:
    return " ".join(f"{round(float(value), 6) + 0.0:g}" for value in values)
