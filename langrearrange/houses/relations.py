"""Which receptacle stands left of, right of or between others, along one wall of a room.

For a viewer facing that wall; neighbours only, so that each relation has one referent (paper B.5).
"""

from __future__ import annotations

from collections.abc import Iterable
from itertools import pairwise

from langrearrange.houses.fixtures import Fixture, slot_grids
from langrearrange.houses.house import SpatialRelation


def spatial_relations(fixtures: Iterable[Fixture]) -> tuple[SpatialRelation, ...]:
    """Return the relations of a flat, in a fixed order.

    Drawers have no place of their own along a wall: they are below the counters.
    """
    walls: dict[tuple[str, int], list[tuple[int, str]]] = {}
    for fixture in fixtures:
        quarter = fixture.frame.quarter
        for grid in slot_grids(fixture.name, fixture.size):
            if grid.part:
                continue
            x, y = fixture.frame.point(grid.x, grid.y)
            rightward = (-y, x, y, -x)[quarter]
            walls.setdefault((fixture.room, quarter), []).append((rightward, grid.receptacle))
    relations: list[SpatialRelation] = []
    for _, row in sorted(walls.items()):
        names = [name for _, name in sorted(row)]
        for left, right in pairwise(names):
            relations.append(SpatialRelation("left_of", (right,), left))
            relations.append(SpatialRelation("right_of", (left,), right))
        for left, middle, right in zip(names, names[1:], names[2:], strict=False):
            relations.append(SpatialRelation("between", (left, right), middle))
    return tuple(relations)
