"""Collision shapes of exported flats: convex pieces, and what rays and falling things meet there.

The last test needs habitat-lab: `LANGREARRANGE_HABITAT_PYTHON=... pytest -m habitat`.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from habitat_lab import ask
from numpy.typing import NDArray

from langrearrange.habitat import export_habitat
from langrearrange.habitat.export.collision import convex_pieces
from langrearrange.houses import House, get_house
from langrearrange.houses.meshes import part_mesh
from langrearrange.houses.shapes import box, merged, moved
from langrearrange.world.vocabulary import RECEPTACLES

FLAT = "flat_0_07"
MOVABLE = [part for part in get_house(FLAT).parts if part.openable or part.name in RECEPTACLES]
WHITE = (255, 255, 255)


def test_a_box_is_one_piece_behind_its_plates() -> None:
    solid, *plates = convex_pieces(box(1, 2, 3, WHITE))
    assert len(plates) == 6
    assert np.allclose(np.ptp(solid.positions, axis=0), (0.98, 1.98, 2.98))
    for plate in plates:
        assert np.isclose((np.ptp(plate.positions, axis=0)).min(), 0.01)


def test_a_small_solid_stays_whole_and_solids_apart_stay_apart() -> None:
    mesh = merged(box(0.05, 0.05, 0.05, WHITE), moved(box(0.05, 0.05, 0.05, WHITE), 1, 0, 0))
    assert [len(piece.faces) for piece in convex_pieces(mesh)] == [12, 12]


def test_what_is_hollow_is_made_of_plates_that_leave_it_open() -> None:
    tub = box(1, 1, 1, WHITE)
    inside_out = np.flatnonzero(tub.positions[tub.faces][:, :, 2].min(axis=1) < 0.5)
    (mesh,) = [type(tub)(tub.positions, -tub.normals, tub.colors, tub.faces[inside_out][:, ::-1])]
    pieces = convex_pieces(mesh)
    assert len(pieces) == 5
    for piece in pieces:
        heights = piece.positions - np.array((0, 0, 0.5))
        assert not ((heights.min(axis=0) < 0) & (heights.max(axis=0) > 0)).all()


@pytest.mark.parametrize("part", MOVABLE, ids=lambda part: str(part.name))
def test_pieces_stay_within_the_part(part: Any) -> None:
    mesh = part_mesh(part.mesh)
    pieces = convex_pieces(mesh)
    points = np.concatenate([piece.positions for piece in pieces])
    assert np.allclose([points.min(axis=0), points.max(axis=0)], mesh.bounds, atol=0.0101)
    assert len(pieces) < 500
    assert convex_pieces(replace(mesh, colors=mesh.normals)) is pieces, "of one shape, one result"


def cross(one: NDArray[Any], other: NDArray[Any]) -> NDArray[Any]:
    product: NDArray[Any] = one[..., 0] * other[..., 1] - one[..., 1] * other[..., 0]
    return product


def tops(house: House, points: NDArray[Any], height: float) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return the highest surface below a height at points (n, 2), all open; and whose it is."""
    top, owner = np.full(len(points), -1.0), np.full(len(points), -1)
    for index, part in enumerate(house.parts):
        pose = part.opened if part.openable else part.closed
        mesh = part_mesh(part.mesh)
        corners = (mesh.positions @ pose[:, :3].T + pose[:, 3]).astype(np.float64)[mesh.faces]
        a, b, c = (corners[None, :, k, :2] for k in range(3))
        p = points[:, None]
        area = cross(b - a, c - a)
        with np.errstate(divide="ignore", invalid="ignore"):
            shares = np.stack([cross(b - p, c - p), cross(c - p, a - p)], -1) / area[..., None]
            shares = np.concatenate([shares, 1 - shares.sum(-1, keepdims=True)], -1)
            z = (shares * corners[None, :, :, 2]).sum(-1)
        hit = (shares >= 0).all(-1) & (z < height) & (area > 1e-9)
        highest = np.where(hit, z, -1.0).max(axis=1)
        owner[highest > top], top = index, np.maximum(top, highest)
    return top, owner


@pytest.mark.habitat
def test_things_rest_and_rays_end_on_every_surface(tmp_path: Path) -> None:
    house, start = get_house(FLAT), 2.2
    config = export_habitat([FLAT], tmp_path, ["apple_red"])
    around = np.concatenate([np.array([part.closed[:2, 3]]) for part in MOVABLE])
    offsets = np.random.default_rng(0).uniform(-1, 1, (150, 1, 2))
    points = (around + offsets).reshape(-1, 2)
    expected, owner = tops(house, points, start)
    ours = np.isin(owner, [house.parts.index(part) for part in MOVABLE])
    rays = [([x, start, -y], [0, -1, 0]) for x, y in points[ours].tolist()]
    request = {"config": str(config), "touch": FLAT, "rays": rays, "thing": "apple_red"}
    found = ask(request)
    error = np.abs(start - np.array(found["distances"]) - expected[ours])
    assert len(error) > 500
    assert (error < 0.005).mean() > 0.92
    assert error.max() < 0.02, "Bullet's rays stop short of rims, handles and the sink's bowl"
    assert len(found["landed"]) == len(RECEPTACLES)
    for name, landed in found["landed"].items():
        for how, (done, x, y, z) in landed.items():
            assert done, (name, how)
            assert np.hypot(x, z) < 0.01, (name, how)
            assert abs(y) < 0.005, (name, how)
