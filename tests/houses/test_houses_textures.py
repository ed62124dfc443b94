"""Textures repeat without a seam, keep the average colour and have the same bytes everywhere."""

from __future__ import annotations

import hashlib

import numpy as np
import pytest

from langrearrange.errors import HouseError
from langrearrange.houses.textures import SIZE, TEXTURE_IDS, noise, texture


@pytest.mark.parametrize("texture_id", TEXTURE_IDS)
def test_a_texture_is_even_on_average_and_not_clipped(texture_id: str) -> None:
    texels = texture(texture_id)
    assert texels.shape == (SIZE, SIZE, 3)
    assert texels.dtype == np.uint8
    assert not texels.flags.writeable
    assert abs(texels.mean() - 128) < 1
    assert texels.min() > 30
    assert texels.max() < 230
    assert texels.std() > 1


def test_noise_wraps_round_as_smoothly_as_it_runs() -> None:
    field = noise(8, 8, 1)
    inside = np.abs(np.diff(field, axis=0)).max()
    assert np.abs(field[0] - field[-1]).max() <= inside
    assert np.abs(field[:, 0] - field[:, -1]).max() <= inside
    assert np.abs(field).max() <= 1


def test_an_unknown_texture_is_named_with_those_that_exist() -> None:
    with pytest.raises(HouseError, match=r"no texture 'lava'; there are wood_planks, "):
        texture("lava")


def test_textures_have_the_same_bytes_every_time() -> None:
    hasher = hashlib.sha256()
    for texture_id in TEXTURE_IDS:
        hasher.update(texture(texture_id).tobytes())
    assert hasher.hexdigest()[:16] == "252230437b01db82"
