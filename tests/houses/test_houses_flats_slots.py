"""Objects and slots: who starts where, at which yaw, and where a slot is at any moment."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from langrearrange.errors import HouseError
from langrearrange.houses import (
    HOUSE_IDS,
    MODELS,
    assign_slots,
    draw_yaw,
    get_house,
    slot_pose,
    yaw_fits,
)
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.world.vocabulary import OPENABLE_INDEX, RECEPTACLES

MODEL_IDS = sorted(MODELS)


@given(
    st.sampled_from(HOUSE_IDS[::9]),
    st.sampled_from(RECEPTACLES),
    st.lists(st.sampled_from(MODEL_IDS), max_size=5),
    st.integers(0, 1000),
)
@settings(max_examples=60, deadline=None)
def test_no_shorter_thing_starts_behind_a_taller_one(
    house_id: str, receptacle: str, models: list[str], key: int
) -> None:
    house = get_house(house_id)
    slots = assign_slots(house, receptacle, models, KeyedRng(HOUSE_VERSION, "test", key))
    assert len(set(slots)) == len(models)
    rows = [house.surfaces[receptacle].slots[slot].row for slot in slots]
    heights = [MODELS[model].size_mm[2] for model in models]
    for row, height in zip(rows, heights, strict=True):
        for other_row, other_height in zip(rows, heights, strict=True):
            assert not (row > other_row and height < other_height)
    assert slots == assign_slots(house, receptacle, models, KeyedRng(HOUSE_VERSION, "test", key))


def test_more_objects_than_slots_are_refused() -> None:
    house = get_house("flat_0_00")
    with pytest.raises(HouseError, match="6 slots"):
        assign_slots(house, "chair", ["apple_red"] * 7, KeyedRng(HOUSE_VERSION, "test"))
    with pytest.raises(HouseError, match="unknown model"):
        assign_slots(house, "chair", ["unicorn"], KeyedRng(HOUSE_VERSION, "test"))


@pytest.mark.parametrize("model_id", MODEL_IDS)
def test_every_model_fits_its_cell_at_the_yaws_drawn(model_id: str) -> None:
    house = get_house("flat_0_00")
    width, depth, _ = MODELS[model_id].size_mm
    cell = house.surfaces["sofa"].cell_mm[0]
    rng = KeyedRng(HOUSE_VERSION, "test", model_id)
    for _ in range(8):
        yaw = draw_yaw(house, "sofa", model_id, rng)
        assert 0 <= yaw < 6283
        cos, sin = abs(np.cos(yaw / 1000)), abs(np.sin(yaw / 1000))
        assert max(width * cos + depth * sin, width * sin + depth * cos) <= cell + 3
        assert yaw_fits(house, "sofa", model_id, yaw)


def test_every_model_fits_below_the_lids_of_drawers_and_fridge() -> None:
    house = get_house("flat_0_00")
    tallest = max(model.size_mm[2] for model in MODELS.values())
    for receptacle in ("left_drawer", "right_drawer", "fridge"):
        assert tallest <= house.surfaces[receptacle].max_height_mm


@pytest.mark.parametrize("receptacle", ["left_drawer", "right_drawer"])
def test_contents_move_with_their_drawer_and_with_no_other(receptacle: str) -> None:
    house = get_house("flat_1_01")
    closed = slot_pose(house, receptacle, 2, 0)
    own = 1 << OPENABLE_INDEX[receptacle]
    opened = slot_pose(house, receptacle, 2, own)
    assert np.abs(opened[:2, 3] - closed[:2, 3]).sum() == pytest.approx(0.565, abs=1e-3)
    assert np.array_equal(slot_pose(house, receptacle, 2, 31 & ~own), closed)
    assert np.array_equal(opened[:, :3], closed[:, :3])


def test_still_surfaces_ignore_what_is_open() -> None:
    house = get_house("flat_1_01")
    for receptacle in ("fridge", "sofa", "left_counter"):
        assert np.array_equal(
            slot_pose(house, receptacle, 0, 0), slot_pose(house, receptacle, 0, 31)
        )


@pytest.mark.parametrize("receptacle", RECEPTACLES)
def test_overflow_poses_are_all_different_and_above_the_surface(receptacle: str) -> None:
    house = get_house("flat_3_04")
    poses = [slot_pose(house, receptacle, slot, 31) for slot in range(64)]
    base = poses[0][2, 3]
    limit = house.surfaces[receptacle].max_height_mm / 1000
    assert all(base - 1e-6 <= pose[2, 3] <= base + limit for pose in poses)
    assert len({pose[:, 3].round(4).tobytes() for pose in poses}) == 64


def test_slots_that_cannot_be_are_refused() -> None:
    house = get_house("flat_0_00")
    for receptacle, slot in (("sofa", -1), ("attic", 0)):
        with pytest.raises(HouseError, match="no slot"):
            slot_pose(house, receptacle, slot, 0)
