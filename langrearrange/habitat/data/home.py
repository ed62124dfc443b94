"""A Habitat scene as a `House` of ours: stances, gazes, surfaces with slots. Nothing to draw.

Stances come from the scene's own user data where our exporter wrote them, else from its navigation
mesh: the standing place nearest to what is visited, facing it, as the official release drives.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.official.names import PREFIX
from langrearrange.errors import DatasetError
from langrearrange.habitat.data.navmesh import NavMesh, inside, read_navmesh
from langrearrange.habitat.data.reading import numbers
from langrearrange.habitat.data.scene import HabitatScene, PlacedBox
from langrearrange.habitat.frames import to_z_up
from langrearrange.houses.geometry import Pose2D, rigid
from langrearrange.houses.house import House, Part, Slot, Surface
from langrearrange.world.vocabulary import (
    CONTAINERS,
    NAV_TARGETS,
    OPENABLES,
    RECEPTACLES,
    handle_of,
    spot_of,
)

CELL_MM: Final = 180
"""Slots are at least so wide; a surface holds as many as fit, at least one."""
SPAN_MM: Final = 1040
"""Slots lie within so much of a surface's middle, as in our flats: what the head camera sees."""
REACH_M: Final = 2.0
"""The release's own reach: a receptacle farther from every standing place cannot be used."""
FREE_HEIGHT_MM: Final = 1000
HOME: Final = "home"
"""Name of the part that stands for walls, floor and furniture."""
_START_GRID_MM: Final = 250
_OURS: Final = "langrearrange"


def habitat_home(scene: HabitatScene) -> House:
    """Return what a robot can do in a Habitat scene, in our frame (x, -z of Habitat's, z up).

    The house is called as the scene where our exporter wrote it, else `official_<scene>`. It has no
    meshes: a simulator that draws it loads the scene itself.

    Raises:
        DatasetError: the scene lacks a receptacle or something that opens, or there is no place
            to stand near one; the message names it.
    """
    if scene.lacking:
        raise DatasetError(
            f"{scene.config}: scene '{scene.name}' has no {', '.join(scene.lacking)}; its homes "
            "need all 11 receptacles and 5 that open"
        )
    given = _given_stances(scene)
    if given is not None:
        stances, gazes = given
        cells = tuple((pose.x_mm, pose.y_mm) for pose in stances.values())
    else:
        mesh = _navmesh(scene)
        stances, gazes = _stances(scene, mesh)
        cells = _start_cells(mesh)
    surfaces = {name: _surface(name, scene.boxes[name], stances[name]) for name in RECEPTACLES}
    corners = np.array(cells)
    return House(
        id=scene.name if given else PREFIX + scene.name,
        size_mm=(int(np.ptp(corners[:, 0])), int(np.ptp(corners[:, 1]))),
        stances=MappingProxyType({target: stances[target] for target in NAV_TARGETS}),
        gazes=MappingProxyType({target: gazes[target] for target in NAV_TARGETS}),
        surfaces=MappingProxyType(surfaces),
        start_cells=tuple(dict.fromkeys(cells)),
        relations=(),
        parts=tuple(_parts(scene)),
        outlines=tuple(_outlines(scene)),
    )


Stances = tuple[dict[str, Pose2D], dict[str, tuple[int, int, int]]]
"""Nav target -> where the robot stands, and the point it looks at (mm)."""


def _given_stances(scene: HabitatScene) -> Stances | None:
    ours = scene.user_defined.get(_OURS)
    given: Any = ours.get("stances") if isinstance(ours, dict) else None
    if not isinstance(given, dict):
        return None
    place = f"{scene.config}: scene '{scene.name}'"
    if set(given) != set(NAV_TARGETS):
        raise DatasetError(f"{place}: damaged: its stances are not the 16 nav targets")
    stances, gazes = {}, {}
    for target, entry in given.items():
        fields = entry if isinstance(entry, dict) else {}
        x, _, z = numbers(fields.get("position"), 3, place)
        yaw = float(numbers([fields.get("yaw")], 1, place)[0])
        stances[target] = Pose2D(round(x * 1000), round(-z * 1000), round(yaw * 1000))
        gazes[target] = _mm(to_z_up(numbers(fields.get("gaze"), 3, place)))
    return stances, gazes


def _navmesh(scene: HabitatScene) -> NavMesh:
    if scene.navmesh is None:
        raise DatasetError(
            f"{scene.config}: scene '{scene.name}' has no navigation mesh, which says where "
            "a robot can stand; download ReplicaCAD again"
        )
    return read_navmesh(scene.navmesh)


def _points(scene: HabitatScene) -> dict[str, NDArray[np.float64]]:
    """Return nav target -> the point that is visited, Habitat's frame."""
    points = {name: box.centre for name, box in scene.boxes.items()}
    return points | {handle_of(name): scene.openables[name].grip for name in OPENABLES}


def _stances(scene: HabitatScene, mesh: NavMesh) -> Stances:
    points = _points(scene)
    stances, gazes = {}, {}
    for target in NAV_TARGETS:
        x, _, z = points[target]
        standing = mesh.nearest(float(x), float(z))
        if standing.distance > REACH_M:
            raise DatasetError(
                f"{scene.navmesh}: the nearest place to stand is {standing.distance:.1f} m from "
                f"{spot_of(target)} in '{scene.name}'; accepted: up to {REACH_M} m"
            )
        px, _, pz = standing.point
        yaw = math.atan2(-(z - pz), x - px)
        stances[target] = Pose2D(round(px * 1000), round(-pz * 1000), round(yaw * 1000))
        gazes[target] = _mm(to_z_up(points[target]))
    return stances, gazes


def _surface(name: str, box: PlacedBox, stance: Pose2D) -> Surface:
    """Return a box's floor as a grid of slots; what slides has them in its own frame.

    Filled from the middle outwards; `row` is the rank by distance from the robot.
    """
    x, y, z, yaw, width, depth = _floor(box)
    width, depth = min(width, SPAN_MM), min(depth, SPAN_MM)
    columns, rows = max(1, int(width // CELL_MM)), max(1, int(depth // CELL_MM))
    cell = int(width // columns), int(depth // rows)
    moving = name.endswith("_drawer")
    c, s = math.cos(yaw), math.sin(yaw)
    found: list[tuple[float, float, Slot]] = []
    for i, j in itertools.product(range(columns), range(rows)):
        right = (2 * i + 1 - columns) * cell[0] / 2
        ahead = (2 * j + 1 - rows) * cell[1] / 2
        px, py = x + c * right - s * ahead, y + s * right + c * ahead
        slot = Slot(round(px), round(py), round(z), round(yaw * 1000), 0)
        if moving:
            slot = Slot(round(right), round(ahead), 0, 0, 0)
        away = math.hypot(px - stance.x_mm, py - stance.y_mm)
        found.append((math.hypot(right, ahead), away, slot))
    nearer = sorted(away for _, away, _ in found)
    slots = tuple(
        replace(slot, row=nearer.index(away))
        for _, away, slot in sorted(found, key=lambda entry: entry[:2])
    )
    height = 2000 * float(box.half[_up_axis(box)])
    free = int(height) if name in CONTAINERS else FREE_HEIGHT_MM
    return Surface(name, name if moving else "", slots, free, cell)


def _floor(box: PlacedBox) -> tuple[float, float, float, float, float, float]:
    """Return a box's lower face: its middle x, y, z (mm), yaw (rad), width and depth (mm)."""
    k = _up_axis(box)
    a, b = (k + 1) % 3, (k + 2) % 3
    turn = np.stack([to_z_up(column) for column in box.frame[:3, :3].T], axis=1)
    size = np.linalg.norm(turn, axis=0)
    if float(turn[2] @ box.up) < 0.9 * size[k]:
        raise DatasetError(f"{box.unique_name}: its 'up' does not point up in the scene")
    middle = to_z_up(box.centre) - turn @ box.up * box.half[k]
    x, y, z = (float(v) * 1000 for v in middle)
    yaw = math.atan2(turn[1, a], turn[0, a])
    return x, y, z, yaw, 2000 * float(box.half[a] * size[a]), 2000 * float(box.half[b] * size[b])


def _up_axis(box: PlacedBox) -> int:
    return int(np.argmax(np.abs(box.up)))


def _parts(scene: HabitatScene) -> Iterator[Part]:
    """Yield the home as one, and the drawers that carry things: what their slots move with."""
    house_id = PREFIX + scene.name
    still = rigid(0, 0, 0, 0)
    yield Part(HOME, f"{house_id}/{HOME}", still, still, "", "wall")
    for name in CONTAINERS:
        if not name.endswith("_drawer"):
            continue
        x, y, z, yaw, _, _ = _floor(scene.boxes[name])
        dx, dy, dz = to_z_up(scene.openables[name].travel)
        closed = rigid(x / 1000, y / 1000, z / 1000, yaw)
        opened = rigid(x / 1000 + dx, y / 1000 + dy, z / 1000 + dz, yaw)
        yield Part(name, f"{house_id}/{name}", closed, opened, name, name)


def _outlines(scene: HabitatScene) -> Iterator[tuple[str, int, int, int, int]]:
    for name, box in scene.boxes.items():
        if name.endswith("_drawer"):
            continue
        x, y, _, yaw, width, depth = _floor(box)
        c, s = abs(math.cos(yaw)), abs(math.sin(yaw))
        right, ahead = (c * width + s * depth) / 2, (s * width + c * depth) / 2
        yield name, round(x - right), round(y - ahead), round(x + right), round(y + ahead)


def _start_cells(mesh: NavMesh) -> tuple[tuple[int, int], ...]:
    """Return the points of a grid on which a robot can stand, millimetres, our frame."""
    found: dict[tuple[int, int], None] = {}
    for polygon in mesh.largest:
        (x0, _, z0), (x1, _, z1) = polygon.min(axis=0) * 1000, polygon.max(axis=0) * 1000
        step = _START_GRID_MM
        for x in range(math.ceil(x0 / step) * step, math.floor(x1) + 1, step):
            for z in range(math.ceil(z0 / step) * step, math.floor(z1) + 1, step):
                if inside(polygon, x / 1000, z / 1000):
                    found[x, -z] = None
    if not found:
        middles = (polygon.mean(axis=0) * 1000 for polygon in mesh.largest)
        found = {(round(x), round(-z)): None for x, _, z in middles}
    return tuple(sorted(found))


def _mm(point: NDArray[np.float64]) -> tuple[int, int, int]:
    x, y, z = (round(float(value) * 1000) for value in point)
    return x, y, z
