"""Where the robot can walk: a grid of free cells as one big integer. Not for paths or driving.

Bit (row * columns + column) says whether the robot's centre may be at that cell's centre.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from langrearrange.houses.placement import Rect
from langrearrange.houses.robot import ROBOT_RADIUS_MM

CELL_MM: Final = 100


@dataclass(frozen=True, slots=True)
class FreeSpace:
    """The free cells of a flat.

    Attributes:
        columns, rows: size of the grid; cell (0, 0) has its centre at (50, 50) mm.
        free: bit mask over cells.
    """

    columns: int
    rows: int
    free: int

    @classmethod
    def around(cls, size_mm: tuple[int, int], obstacles: Iterable[Rect]) -> FreeSpace:
        """Return the cells whose centre keeps the robot's radius from every obstacle.

        The robot's disc is taken as a square, which errs on the safe side at corners.
        """
        columns, rows = size_mm[0] // CELL_MM, size_mm[1] // CELL_MM
        blocked = 0
        for obstacle in obstacles:
            x0, x1 = _covered(obstacle.x0, obstacle.x1, columns)
            y0, y1 = _covered(obstacle.y0, obstacle.y1, rows)
            if x0 >= x1:
                continue
            span = ((1 << (x1 - x0)) - 1) << x0
            for row in range(y0, y1):
                blocked |= span << row * columns
        return cls(columns, rows, ((1 << columns * rows) - 1) & ~blocked)

    def cell(self, x_mm: int, y_mm: int) -> int:
        """Return the bit of the cell that holds a point."""
        return 1 << (y_mm // CELL_MM * self.columns + x_mm // CELL_MM)

    def connected(self, seed: int) -> int:
        """Return the free cells that can be walked to from the seed cells (bit mask), 4-connected.

        Cells at the left and right rim must be blocked (outer walls are), so that rows do not join.
        """
        reached = seed & self.free
        while True:
            wider = reached | reached << 1 | reached >> 1
            wider = (wider | wider << self.columns | wider >> self.columns) & self.free
            if wider == reached:
                return reached
            reached = wider

    def centres(self, cells: int) -> tuple[tuple[int, int], ...]:
        """Return the centres (x_mm, y_mm) of the cells in a mask, in ascending bit order."""
        row = (1 << self.columns) - 1
        return tuple(
            (x * CELL_MM + CELL_MM // 2, y * CELL_MM + CELL_MM // 2)
            for y in range(self.rows)
            for line in [cells >> y * self.columns & row]
            for x in range(self.columns)
            if line >> x & 1
        )


def _covered(low: int, high: int, count: int) -> tuple[int, int]:
    """Return the half-open range of cells whose centre lies inside (low - r, high + r)."""
    first = (low - ROBOT_RADIUS_MM - CELL_MM // 2) // CELL_MM + 1
    last = -((high + ROBOT_RADIUS_MM - CELL_MM // 2) // -CELL_MM)
    return max(0, first), min(count, last)
