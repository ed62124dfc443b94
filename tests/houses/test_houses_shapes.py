"""Shapes are closed, face outward, have the size asked for and the same bytes every time."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langrearrange.errors import HouseError
from langrearrange.houses import shapes
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.polygon import counter_clockwise, signed_area, triangulate

GREY = (128.0, 128.0, 128.0)
length = st.floats(0.01, 1.0)


def volume(mesh: Mesh) -> float:
    """Signed volume: positive when a closed mesh faces outward."""
    a, b, c = (mesh.positions[mesh.faces[:, k]].astype(np.float64) for k in range(3))
    return float((np.cross(a, b) * c).sum()) / 6


def is_closed(mesh: Mesh) -> bool:
    """Every edge is met once in each direction, after welding equal positions."""
    _, weld = np.unique(np.round(mesh.positions * 1e5), axis=0, return_inverse=True)
    face = weld.reshape(-1)[mesh.faces]
    edges = np.concatenate([face[:, [0, 1]], face[:, [1, 2]], face[:, [2, 0]]])
    ahead = sorted(map(tuple, edges.tolist()))
    back = sorted((b, a) for a, b in edges.tolist())
    return ahead == back


SOLIDS = {
    "box": (shapes.box(1, 2, 3, GREY), 6.0),
    "rounded_box": (shapes.rounded_box(1, 2, 0.5, 0.05, GREY, 4), 0.99),
    "cylinder": (shapes.cylinder(0.5, 2, GREY, 48), math.pi / 2),
    "cone": (shapes.frustum(0.5, 0, 1, GREY, 48), math.pi / 12),
    "sphere": (shapes.sphere(0.5, GREY, 40, 20), math.pi / 6),
    "torus": (shapes.torus(1.0, 0.2, GREY, 40, 20), 2 * math.pi**2 * 0.04),
    "tube": (
        shapes.tube([(0, 0, 0), (0.5, 0, 0), (1, 0, 0)], 0.1, GREY, sides=40),
        math.pi * 0.01,
    ),
    "ring": (
        shapes.tube([(x, y, 0) for x, y in shapes.circle(40)], 0.1, GREY, sides=24, closed=True),
        2 * math.pi**2 * 0.01,
    ),
    "plate with a hole": (
        shapes.extrude(
            [(0, 0), (1, 0), (1, 1), (0, 1)], 0.5, GREY, [[(0.2, 0.2), (0.6, 0.2), (0.6, 0.6)]]
        ),
        0.46,
    ),
    "vessel": (
        shapes.lathe([(0, 0), (0.5, 0), (0.5, 1), (0.4, 1), (0.4, 0.1), (0, 0.1)], GREY, 48),
        math.pi * (0.25 - 0.16 * 0.9),
    ),
    "mirrored": (
        shapes.mirrored(shapes.extrude([(0, 0), (1, 0), (0, 1)], 1, GREY), "y"),
        0.5,
    ),
    "turned": (shapes.turned(shapes.box(1, 2, 3, GREY), "x", 37), 6.0),
}


@pytest.mark.parametrize("name", SOLIDS)
def test_a_solid_is_closed_and_faces_outward_with_its_volume(name: str) -> None:
    mesh, expected = SOLIDS[name]
    assert is_closed(mesh)
    assert volume(mesh) == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("name", SOLIDS)
def test_normals_have_unit_length_and_agree_with_their_faces(name: str) -> None:
    mesh, _ = SOLIDS[name]
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1.0, abs=1e-3)
    a, b, c = (mesh.positions[mesh.faces[:, k]] for k in range(3))
    face = np.cross(b - a, c - a)
    face /= np.linalg.norm(face, axis=1, keepdims=True)
    for k in range(3):
        assert ((face * mesh.normals[mesh.faces[:, k]]).sum(axis=1) > 0.4).all()


@settings(max_examples=30, deadline=None)
@given(length, length, length)
def test_a_box_has_the_size_asked_for_and_stands_on_the_floor(x: float, y: float, z: float) -> None:
    low, high = shapes.box(x, y, z, GREY).bounds
    assert high - low == pytest.approx([x, y, z], abs=2.1e-5)
    assert low[2] == 0
    assert low[:2] == pytest.approx(-high[:2], abs=1e-5)


def test_a_crease_is_sharp_and_a_round_is_smooth() -> None:
    assert len(shapes.box(1, 1, 1, GREY).positions) == 24
    smooth = shapes.cylinder(1, 1, GREY, 20)
    assert len(smooth.positions) == 4 * 20 + 2


def test_rested_puts_the_footprint_round_the_axis_on_the_floor() -> None:
    low, high = shapes.rested(shapes.moved(shapes.box(1, 2, 3, GREY), 4, 5, 6)).bounds
    assert low.tolist() == [-0.5, -1.0, 0.0]
    assert high.tolist() == [0.5, 1.0, 3.0]


def test_bands_take_their_colours_in_order() -> None:
    red, blue = (255.0, 0.0, 0.0), (0.0, 0.0, 255.0)
    mesh = shapes.lathe([(1, 0), (1, 1), (1, 2)], [red, blue], 8)
    assert {tuple(c) for c in mesh.colors[mesh.positions[:, 2] == 0].tolist()} == {red}
    assert {tuple(c) for c in mesh.colors[mesh.positions[:, 2] == 2].tolist()} == {blue}
    with pytest.raises(HouseError, match="3 colours for 2 bands; give one per band"):
        shapes.lathe([(1, 0), (1, 1), (1, 2)], [red, blue, red], 8)


def test_a_plane_faces_up_from_a_corner_at_the_origin() -> None:
    mesh = shapes.plane(3, 2, GREY, cells=(3, 2))
    assert mesh.bounds.tolist() == [[0, 0, 0], [3, 2, 0]]
    assert (mesh.normals == [0, 0, 1]).all()
    assert len(mesh.faces) == 12
    a, b, c = (mesh.positions[mesh.faces[:, k]].astype(float) for k in range(3))
    assert np.cross(b - a, c - a)[:, 2].tolist() == [1.0] * 12  # twice the area, upwards


def test_box_coordinates_run_along_the_faces() -> None:
    mesh = shapes.with_box_uv(shapes.box(1, 2, 3, GREY), "wood", 2.0)
    assert mesh.uv is not None
    side = mesh.normals[:, 0] > 0.9
    assert np.ptp(mesh.uv[side], axis=0).tolist() == [1.0, 1.5]


@settings(max_examples=60, deadline=None)
@given(st.lists(st.floats(0.3, 1.0), min_size=3, max_size=14))
def test_triangles_cover_a_star_shaped_outline_exactly(radii: list[float]) -> None:
    n = len(radii)
    outline = [(r * x, r * y) for r, (x, y) in zip(radii, shapes.circle(n), strict=True)]
    triangles = triangulate(outline)
    assert len(triangles) <= n - 2
    areas = [signed_area([outline[i] for i in t]) for t in triangles]
    assert all(a > 0 for a in areas)
    assert sum(areas) == pytest.approx(signed_area(outline))


def test_holes_are_left_out_of_an_outline() -> None:
    outline = [(0.0, 0.0), (10.0, 0.0), (10.0, 4.0), (0.0, 4.0)]
    holes = [
        counter_clockwise([(x, 1.0), (x + 1, 1.0), (x + 1, 3.0), (x, 3.0)])[::-1]
        for x in (1.0, 3.0, 5.0, 7.0)
    ]
    points = [*outline, *(p for hole in holes for p in hole)]
    areas = [signed_area([points[i] for i in t]) for t in triangulate(outline, holes)]
    assert sum(areas) == pytest.approx(40 - 4 * 2)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: shapes.scaled(shapes.box(1, 1, 1, GREY), -1), "must be positive; use `mirrored`"),
        (lambda: shapes.turned(shapes.box(1, 1, 1, GREY), "w", 9), "not one of x, y, z"),
        (lambda: shapes.tube([(0, 0, 0), (0, 0, 1)], 0.1, GREY), "change the path or `up`"),
        (lambda: shapes.solid([(0, 0, 0), (1, 0, 0), (2, 0, 0)], [(0, 1, 2)], GREY), "no face"),
    ],
)
def test_a_shape_that_cannot_be_says_what_to_change(call: Callable[..., Any], message: str) -> None:
    with pytest.raises(HouseError, match=message):
        call()


def test_shapes_have_the_same_bytes_every_time() -> None:
    hasher = hashlib.sha256()
    for mesh, _ in SOLIDS.values():
        for array in (mesh.positions, mesh.normals, mesh.colors, mesh.faces):
            hasher.update(np.ascontiguousarray(array).tobytes())
    assert hasher.hexdigest()[:16] == "3231685e69fd2356"
