"""Occlusion darkens what is hidden, leaves alone what is open, and costs little."""

from __future__ import annotations

import numpy as np

from langrearrange.houses import shapes
from langrearrange.houses.occlusion import (
    baked,
    directions,
    occluders,
    openness,
    shaded,
)

GREY = (200.0, 200.0, 200.0)


def test_a_lone_plate_in_the_air_sees_the_whole_sky() -> None:
    plate = shapes.box(1, 1, 0.05, GREY)
    seen = openness(plate, occluders([plate], 0.02, 0.3, ground_z=None))
    assert (seen > 0.95).all()


def test_the_bottom_on_the_ground_is_dark_and_the_top_is_not() -> None:
    box = shapes.box(0.1, 0.1, 0.1, GREY)
    colors = baked(box).colors[:, 0]
    assert (colors[box.normals[:, 2] > 0.9] == 200).all()
    assert (colors[box.normals[:, 2] < -0.9] < 80).all()
    side = np.abs(box.normals[:, 2]) < 0.1
    foot = box.positions[:, 2] == 0
    assert colors[side & foot].max() < colors[side & ~foot].min()


def test_a_corner_between_walls_is_darker_than_the_open_floor() -> None:
    floor = shapes.plane(2, 2, GREY, cells=(20, 20))
    wall = shapes.moved(shapes.box(0.1, 2, 1, GREY), -0.05, 1, 0)
    seen = openness(floor, occluders([floor, wall], 0.05, 0.5, ground_z=None))
    x = floor.positions[:, 0]
    assert seen[x > 1].min() > 0.95
    assert seen[(x > 0) & (x < 0.11)].max() < 0.8


def test_strength_nought_changes_nothing_and_more_is_darker() -> None:
    ball = shapes.moved(shapes.sphere(0.05, GREY), z=0.05)
    seen = openness(ball, occluders([ball], 0.004, 0.05))
    assert np.array_equal(shaded(ball, seen, 0.0).colors, ball.colors)
    assert shaded(ball, seen, 0.9).colors.mean() < shaded(ball, seen, 0.4).colors.mean()


def test_directions_are_spread_evenly() -> None:
    rows = directions(56)
    assert np.allclose((rows**2).sum(axis=1), 1)
    assert np.abs(rows.mean(axis=0)).max() < 0.02
