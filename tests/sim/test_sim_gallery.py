"""Contact sheets show every flat and refuse what cannot be laid out."""

from __future__ import annotations

import numpy as np
import pytest

from langrearrange.errors import HouseError, UsageError
from langrearrange.sim.embedded.gallery import bird_view, contact_sheet, flats_sheet, room_view


def test_views_are_pictures_of_the_flat_asked_for() -> None:
    above, inside = bird_view("flat_0_00", 96), room_view("flat_0_00", 96)
    for picture in (above, inside):
        assert picture.shape == (96, 96, 3)
        assert picture.dtype == np.uint8
        assert len(np.unique(picture.reshape(-1, 3), axis=0)) > 200
    assert not np.array_equal(above, bird_view("flat_0_01", 96))


def test_a_sheet_holds_two_views_a_flat_and_a_label_each() -> None:
    sheet = flats_sheet(["flat_1_00", "flat_1_01", "flat_1_02"], columns=2, size_px=48)
    assert sheet.shape == (2 * (48 + 18), 2 * (96 + 4), 3)


def test_what_cannot_be_laid_out_is_refused() -> None:
    tile = np.zeros((8, 8, 3), np.uint8)
    with pytest.raises(UsageError, match="1 pictures"):
        contact_sheet([tile], [], 3)
    with pytest.raises(UsageError, match="0 pictures"):
        contact_sheet([], [], 3)
    with pytest.raises(UsageError, match="sizes"):
        contact_sheet([tile, tile[:4]], ["a", "b"], 3)
    with pytest.raises(HouseError, match="flat_9_99"):
        bird_view("flat_9_99", 32)
