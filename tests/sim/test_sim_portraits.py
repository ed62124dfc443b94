"""A portrait fills its picture with the thing, whole and from any side."""

from __future__ import annotations

import numpy as np
import pytest

from langrearrange.errors import HouseError
from langrearrange.sim.embedded.portraits import models_sheet, portrait


@pytest.mark.parametrize("model_id", ["strawberry_red", "spoon_wood", "box_cereal", "plate_white"])
@pytest.mark.parametrize("azimuth", [-120.0, -60.0, 45.0])
def test_a_thing_fills_its_portrait_and_is_not_cut(model_id: str, azimuth: float) -> None:
    picture = portrait(model_id, 96, azimuth).astype(int)
    ground = picture[2, 2]
    thing = np.abs(picture - ground).max(axis=2) > 60
    rows, columns = np.flatnonzero(thing.any(axis=1)), np.flatnonzero(thing.any(axis=0))
    assert max(np.ptp(rows), np.ptp(columns)) > 45
    assert min(rows[0], columns[0]) > 0
    assert max(rows[-1], columns[-1]) < 95


def test_a_sheet_holds_all_that_are_named() -> None:
    sheet = models_sheet(["apple_red", "mug_red", "book_blue"], columns=2, size_px=48)
    assert sheet.shape[0] > 2 * 48
    assert sheet.shape[1] > 2 * 48


def test_a_portrait_of_nothing_is_refused() -> None:
    with pytest.raises(HouseError, match="no model 'apple_golden'"):
        portrait("apple_golden")
