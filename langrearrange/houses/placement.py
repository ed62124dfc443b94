"""Frames of furniture against walls, and rectangles on the floor, in exact integers.

Furniture frame: origin on the floor at the wall, in the middle of the piece's back; +y points into
the wall (where a viewer facing it looks), +x to that viewer's right, z up.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from langrearrange.houses.geometry import Matrix

_FORWARD: Final = ((1, 0), (0, 1), (-1, 0), (0, -1))
YAW_OF_QUARTER: Final = (0, 1571, 3142, -1571)
"""Quarter turn (0 = facing +x, counter-clockwise) -> yaw in milliradians of a viewer."""


class Rect(NamedTuple):
    """An axis-aligned rectangle on the floor, millimetres; x0 < x1, y0 < y1."""

    x0: int
    y0: int
    x1: int
    y1: int

    def overlaps(self, other: Rect) -> bool:
        """Whether the insides meet; touching edges do not count."""
        meets_x = self.x0 < other.x1 and other.x0 < self.x1
        return meets_x and self.y0 < other.y1 and other.y0 < self.y1

    def grown(self, margin: int) -> Rect:
        """Return the rectangle grown by a margin on all sides (shrunk when negative)."""
        return Rect(self.x0 - margin, self.y0 - margin, self.x1 + margin, self.y1 + margin)

    def holds(self, other: Rect) -> bool:
        """Whether the other rectangle lies inside, edges included."""
        inside_x = self.x0 <= other.x0 and other.x1 <= self.x1
        return inside_x and self.y0 <= other.y0 and other.y1 <= self.y1

    def span(self, quarter: int) -> tuple[int, int]:
        """Return the two ends along its side that a viewer of this quarter faces."""
        return (self.y0, self.y1) if quarter % 2 == 0 else (self.x0, self.x1)

    def side(self, quarter: int, along: int) -> tuple[int, int]:
        """Return a point of the side that a viewer of this quarter faces."""
        x, y = ((self.x1, along), (along, self.y1), (self.x0, along), (along, self.y0))[quarter]
        return x, y

    def strip(self, quarter: int, inward: int, outward: int) -> Rect:
        """Return the strip along the side that a viewer of this quarter faces."""
        return (
            Rect(self.x1 - inward, self.y0, self.x1 + outward, self.y1),
            Rect(self.x0, self.y1 - inward, self.x1, self.y1 + outward),
            Rect(self.x0 - outward, self.y0, self.x0 + inward, self.y1),
            Rect(self.x0, self.y0 - outward, self.x1, self.y0 + inward),
        )[quarter]


@dataclass(frozen=True, slots=True)
class WallFrame:
    """The frame of a piece of furniture, in the house frame.

    Attributes:
        x_mm, y_mm: its origin.
        quarter: 0..3, which way a viewer facing the wall looks, in quarter turns from +x.
    """

    x_mm: int
    y_mm: int
    quarter: int

    @property
    def yaw_mrad(self) -> int:
        """Yaw of this frame's x axis."""
        return YAW_OF_QUARTER[(self.quarter + 3) % 4]

    @property
    def viewer_yaw_mrad(self) -> int:
        """Yaw of a viewer who faces the wall."""
        return YAW_OF_QUARTER[self.quarter]

    def point(self, x: int, y: int) -> tuple[int, int]:
        """Return a point of this frame in the house frame, millimetres."""
        fx, fy = _FORWARD[self.quarter]
        return self.x_mm + fy * x + fx * y, self.y_mm - fx * x + fy * y

    def rect(self, x0: int, y0: int, x1: int, y1: int) -> Rect:
        """Return a rectangle of this frame in the house frame."""
        ax, ay = self.point(x0, y0)
        bx, by = self.point(x1, y1)
        return Rect(min(ax, bx), min(ay, by), max(ax, bx), max(ay, by))

    def matrix(self, x: int = 0, y: int = 0, z: int = 0) -> Matrix:
        """Return the (3, 4) pose of a frame parallel to this one, its origin at a point of this."""
        fx, fy = _FORWARD[self.quarter]
        px, py = self.point(x, y)
        return np.array(
            [[fy, fx, 0, px / 1000], [-fx, fy, 0, py / 1000], [0, 0, 1, z / 1000]], np.float32
        )
