"""Habitat's navigation meshes: where a robot can stand, and which such place is nearest. Read only.

The files are Recast's tiles behind a short header; of a tile only vertices and polygons are read.
"""

from __future__ import annotations

import struct
from functools import cached_property
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import DatasetError
from langrearrange.habitat.data.reading import read_bytes

Polygon = NDArray[np.float64]
"""(n, 3): the corners of a convex polygon, y up, metres."""

_MAX_BYTES: Final = 256 * 1024 * 1024
_SET: Final = struct.Struct("<4s2i5f2i")
_SETTINGS_BYTES: Final = 56
"""Of version 2: 13 floats and 4 flags."""
_TILE: Final = struct.Struct("<Ii")
_MESH: Final = struct.Struct("<4s4iI9i10f")
_POLYGON: Final = np.dtype(
    [("link", "<u4"), ("corners", "<u2", 6), ("sides", "<u2", 6), ("flags", "<u2"),
     ("count", "u1"), ("kind", "u1")]
)  # fmt: skip
_GROUND: Final = 0


class Standing(NamedTuple):
    """The nearest place to stand: a point (x, y, z) of a polygon, and how far away it is, level."""

    point: tuple[float, float, float]
    distance: float


class NavMesh:
    """The polygons of a navigation mesh, by island (what can be walked to from one another)."""

    def __init__(self, polygons: list[Polygon]) -> None:
        """Take at least one polygon; they belong together where they share two corners."""
        self.polygons = polygons
        self._islands = _islands(polygons)

    @cached_property
    def largest(self) -> list[Polygon]:
        """The polygons of the island with the largest area."""
        areas: dict[int, float] = {}
        for polygon, island in zip(self.polygons, self._islands, strict=True):
            areas[island] = areas.get(island, 0.0) + _area(polygon)
        best = max(areas, key=lambda island: (areas[island], -island))
        return [p for p, i in zip(self.polygons, self._islands, strict=True) if i == best]

    def nearest(self, x: float, z: float) -> Standing:
        """Return the point of the largest island that is nearest to (x, z), seen from above."""
        return min((_nearest(polygon, x, z) for polygon in self.largest), key=lambda s: s.distance)


def read_navmesh(path: Path) -> NavMesh:
    """Read a navigation mesh that Habitat wrote (`.navmesh`, versions 1 and 2).

    Raises:
        DatasetError: missing, a git-lfs pointer, damaged, or without a place to stand.
    """
    data = read_bytes(path, "a navigation mesh (.navmesh)", _MAX_BYTES)
    try:
        polygons = _read(data)
    except (struct.error, ValueError, IndexError) as error:
        raise DatasetError(
            f"{path}: damaged, or no navigation mesh of Habitat ({error}); download it again"
        ) from None
    if not polygons:
        raise DatasetError(f"{path}: this navigation mesh has no place to stand")
    return NavMesh(polygons)


def _read(data: bytes) -> list[Polygon]:
    magic, version, num_tiles, *_ = _SET.unpack_from(data)
    if magic != b"TESM" or version not in (1, 2):
        raise ValueError(f"header {magic!a}, version {version}")
    at = _SET.size + (_SETTINGS_BYTES if version == 2 else 0)
    polygons: list[Polygon] = []
    for _ in range(num_tiles):
        reference, size = _TILE.unpack_from(data, at)
        at += _TILE.size
        if not reference or not size:
            break
        if size < 0 or at + size > len(data):
            raise ValueError("a tile reaches past the end")
        polygons += _tile(data[at : at + size])
        at += size
    return polygons


def _tile(data: bytes) -> list[Polygon]:
    magic, version, _, _, _, _, num_polygons, num_corners, *_ = _MESH.unpack_from(data)
    if magic != b"VAND" or version != 7:
        raise ValueError(f"tile {magic!a}, version {version}")
    if not 0 <= num_corners <= len(data) // 12 or not 0 <= num_polygons <= len(data) // 32:
        raise ValueError("a tile's counts exceed it")
    corners = np.frombuffer(data, "<f4", 3 * num_corners, _MESH.size).reshape(-1, 3)
    records = np.frombuffer(data, _POLYGON, num_polygons, _MESH.size + 12 * num_corners)
    if not np.isfinite(corners).all():
        raise ValueError("a corner is not finite")
    return [
        corners[record["corners"][: record["count"]]].astype(np.float64)
        for record in records
        if record["kind"] >> 6 == _GROUND and record["count"] >= 3
    ]


def _islands(polygons: list[Polygon]) -> list[int]:
    """Return an island's number for each polygon; they join where they share an edge."""
    parents = list(range(len(polygons)))

    def root(i: int) -> int:
        while parents[i] != i:
            parents[i] = parents[parents[i]]
            i = parents[i]
        return i

    owner: dict[frozenset[tuple[int, int, int]], int] = {}
    for number, polygon in enumerate(polygons):
        keys = [(int(x), int(y), int(z)) for x, y, z in np.round(polygon * 1000)]
        for edge in map(frozenset, zip(keys, [*keys[1:], keys[0]], strict=True)):
            other = owner.setdefault(edge, number)
            parents[root(number)] = root(other)
    return [root(i) for i in range(len(polygons))]


def _area(polygon: Polygon) -> float:
    x, z = polygon[:, 0], polygon[:, 2]
    return abs(float(np.dot(x, np.roll(z, 1)) - np.dot(z, np.roll(x, 1)))) / 2


def inside(polygon: Polygon, x: float, z: float) -> bool:
    """Whether (x, z) lies within a convex polygon, seen from above, edges included."""
    ahead = np.roll(polygon, -1, axis=0) - polygon
    side = ahead[:, 0] * (z - polygon[:, 2]) - ahead[:, 2] * (x - polygon[:, 0])
    return bool((side >= -1e-9).all() or (side <= 1e-9).all())


def _nearest(polygon: Polygon, x: float, z: float) -> Standing:
    if inside(polygon, x, z):
        return Standing((x, float(polygon[:, 1].mean()), z), 0.0)
    ends = np.roll(polygon, -1, axis=0)
    ahead = ends - polygon
    level = ahead[:, [0, 2]]
    length = np.maximum((level * level).sum(axis=1), 1e-12)
    share = np.clip(((np.array([x, z]) - polygon[:, [0, 2]]) * level).sum(axis=1) / length, 0, 1)
    points = polygon + share[:, None] * ahead
    away = np.hypot(points[:, 0] - x, points[:, 2] - z)
    best = int(np.argmin(away))
    px, py, pz = (float(v) for v in points[best])
    return Standing((px, py, pz), float(away[best]))
