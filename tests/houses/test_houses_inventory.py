"""What every record of furniture must say, so that a new fixture is told what it lacks."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest

from langrearrange.houses.furniture import NUM_STYLES, Furniture, Piece
from langrearrange.houses.inventory import INVENTORY, PART_DESIGNS
from langrearrange.houses.palette import palette_of
from langrearrange.houses.placement import WallFrame
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.world.fixtures import FIXTURES
from langrearrange.world.vocabulary import NAV_TARGETS, OPENABLES

FRAME = WallFrame(1000, 2000, 1)
KINDS = pytest.mark.parametrize("kind", INVENTORY, ids=lambda kind: kind.name)


def piece(kind: Furniture, draw: int = 0) -> Piece:
    return Piece(kind, "kitchen", kind.draw_size(KeyedRng(HOUSE_VERSION, "size", draw)), FRAME)


def test_every_fixture_stands_on_one_piece_and_has_slots_if_it_holds_something() -> None:
    grids = [grid for kind in INVENTORY for grid in kind.grids(piece(kind).size)]
    assert Counter(grid.fixture for grid in grids) == Counter(f.name for f in FIXTURES)
    holds = {grid.fixture: grid.rows * grid.columns > 0 for grid in grids}
    assert holds == {fixture.name: fixture.holds for fixture in FIXTURES}


def test_every_nav_target_has_one_stance() -> None:
    stands = [stand for kind in INVENTORY for stand in kind.stands(piece(kind).size)]
    assert sorted(stand.target for stand in stands) == sorted(NAV_TARGETS)


def test_what_opens_moves_a_part_of_its_own_piece() -> None:
    for kind in INVENTORY:
        own = {grid.fixture for grid in kind.grids(piece(kind).size)} & set(OPENABLES)
        assert {part.openable for part in kind.parts} - {""} == own


def test_no_two_parts_share_a_name() -> None:
    assert len(PART_DESIGNS) == sum(len(kind.parts) for kind in INVENTORY)


@KINDS
def test_parts_move_exactly_if_they_open_and_slots_move_with_them(kind: Furniture) -> None:
    size = piece(kind).size
    slides = {grid.fixture: grid.slide for grid in kind.grids(size)}
    for part in kind.parts:
        closed, opened = part.motion(FRAME, size)
        assert np.array_equal(closed, opened) == (not part.openable)
        if slides.get(part.name):  # towards the viewer, who faces the wall
            moved = (opened - closed)[:, 3]
            assert moved == pytest.approx([0, -slides[part.name] / 1000, 0], abs=1e-6)


@KINDS
@pytest.mark.parametrize("draw", range(5))
def test_columns_fill_the_width_and_stances_stay_clear_of_the_front(
    kind: Furniture, draw: int
) -> None:
    placed = piece(kind, draw)
    outlines = list(placed.outlines)
    assert [name for name, _ in outlines] == list(kind.columns or (kind.name,))
    assert sum(rect.x1 - rect.x0 for _, rect in outlines) == placed.size.width
    assert all(placed.footprint.holds(rect) for _, rect in outlines)
    for stand in kind.stands(placed.size):
        assert stand.y < -placed.size.depth
    for strip in placed.standing:
        assert not strip.overlaps(placed.footprint)


@KINDS
@pytest.mark.parametrize("style", range(NUM_STYLES))
def test_every_part_has_a_mesh_in_every_style(kind: Furniture, style: int) -> None:
    for part in kind.parts:
        mesh = part.build(piece(kind).size, palette_of(0, 0), style)
        assert len(mesh.faces)
        assert np.isfinite(mesh.positions).all()
