"""Spatial relations (left of, right of, between) of the receptacles along one wall of a room.

For a viewer facing that wall; neighbours only, so that each relation has one referent (paper B.5).
"""

from collections.abc import Iterable
from itertools import pairwise

from langrearrange.houses.furniture import Piece
from langrearrange.houses.house import SpatialRelation


def spatial_relations(pieces: Iterable[Piece]) -> tuple[SpatialRelation, ...]:
    """Return the relations of a flat, in a fixed order.

    Drawers have no place of their own along a wall: they are below the counters.
    """
    walls: dict[tuple[str, int], list[tuple[int, str]]] = {}
    for piece in pieces:
        quarter = piece.frame.quarter
        for grid in piece.kind.grids(piece.size):
            if grid.slide or not grid.rows:
                continue
            x, y = piece.frame.point(grid.x, grid.y)
            rightward = (-y, x, y, -x)[quarter]
            walls.setdefault((piece.room, quarter), []).append((rightward, grid.fixture))
    relations: list[SpatialRelation] = []
    for _, row in sorted(walls.items()):
        names = [name for _, name in sorted(row)]
        for left, right in pairwise(names):
            relations.append(SpatialRelation("left_of", (right,), left))
            relations.append(SpatialRelation("right_of", (left,), right))
        for left, middle, right in zip(names, names[1:], names[2:], strict=False):
            relations.append(SpatialRelation("between", (left, right), middle))
    return tuple(relations)
