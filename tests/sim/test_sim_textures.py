"""Textures: the right texel in the right pixel, averages from afar, and what is refused."""

from __future__ import annotations

import numpy as np
import pytest
from _langrearrange_raster import Library
from numpy.typing import NDArray
from raster_scenes import FLAT_LIGHT, IDENTITY, camera

from langrearrange.sim.embedded.native import native


def square(
    texture: NDArray[np.uint8] | None, repeats: float = 1.0, z: float = -1.0, color: float = 200.0
) -> tuple[Library, NDArray[np.int32]]:
    """Return (library, ids) of a square that fills a view of focal 1, its texture repeated."""
    half = -z
    library = native().Library()
    index = -1 if texture is None else library.add_texture(np.ascontiguousarray(texture))
    positions = np.array(
        [[-half, -half, z], [half, -half, z], [half, half, z], [-half, half, z]], np.float32
    )
    # v runs down, as rows do
    uv = np.array([[0, 1], [1, 1], [1, 0], [0, 0]], np.float32) * np.float32(repeats)
    normals = np.tile(np.array([0, 0, 1], np.float32), (4, 1))
    faces = np.array([[0, 1, 2], [0, 2, 3]], np.int32)
    colors = np.full((4, 3), color, np.float32)
    mesh = library.add_mesh(positions, normals, colors, faces, uv, index)
    return library, np.array([[mesh, 0, 0]], np.int32)


def draw(
    library: Library, ids: NDArray[np.int32], size: int, textured: bool = True
) -> NDArray[np.uint8]:
    rgb = np.zeros((size, size, 3), np.uint8)
    library.draw([(ids, IDENTITY[None], camera(), rgb, None, None)], FLAT_LIGHT, 1, textured, 1)
    return rgb


def test_every_pixel_shows_its_own_texel() -> None:
    texture = np.random.default_rng(0).integers(0, 129, (16, 16, 3), dtype=np.uint8)
    rgb = draw(*square(texture, color=100.0), 16)
    expected = np.floor(100.0 * texture / 128 + 0.5)
    assert np.abs(rgb - expected).max() <= 1
    assert (rgb[0, 0] - expected[0, 0]).max() <= 1  # the first row is the upper one


def test_textures_repeat() -> None:
    texture = np.random.default_rng(1).integers(0, 129, (8, 8, 3), dtype=np.uint8)
    rgb = draw(*square(texture, repeats=3.0), 24)
    assert (rgb == np.tile(rgb[:8, :8], (3, 3, 1))).all()


def test_texel_128_leaves_the_colour_as_it_is() -> None:
    grey = np.full((4, 4, 3), 128, np.uint8)
    assert (draw(*square(grey), 20) == draw(*square(None), 20)).all()
    assert (draw(*square(grey), 20, textured=False) == 200).all()


def test_from_afar_a_texture_is_its_average() -> None:
    checker = np.indices((64, 64)).sum(axis=0) % 2 * 128
    texture = np.repeat(checker[..., None], 3, axis=-1).astype(np.uint8)
    rgb = draw(*square(texture, repeats=16.0), 32)  # 32 texels a pixel
    assert np.abs(rgb.astype(int) - 100).max() <= 2


def test_sides_may_differ() -> None:
    texture = np.zeros((2, 8, 3), np.uint8)
    texture[0], texture[1, :4] = 128, 64
    rgb = draw(*square(texture), 8)[..., 0]
    assert (rgb[:4] == 200).all()
    assert (rgb[4:, :4] == 100).all()
    assert (rgb[4:, 4:] == 0).all()


@pytest.mark.parametrize("shape", [(3, 4, 3), (0, 4, 3), (8192, 4, 3)])
def test_sides_that_are_no_powers_of_two_or_too_large_are_refused(shape: tuple[int, ...]) -> None:
    with pytest.raises(ValueError, match="power of two, at most 4096"):
        native().Library().add_texture(np.zeros(shape, np.uint8))


def test_a_textured_mesh_needs_uv_and_a_texture_that_exists() -> None:
    triangle = np.eye(3, dtype=np.float32)
    faces = np.array([[0, 1, 2]], np.int32)
    library = native().Library()
    with pytest.raises(ValueError, match="texture 0: the library has 0 textures"):
        library.add_mesh(triangle, triangle, triangle, faces, np.zeros((3, 2), np.float32), 0)
    library.add_texture(np.zeros((2, 2, 3), np.uint8))
    with pytest.raises(ValueError, match="needs uv"):
        library.add_mesh(triangle, triangle, triangle, faces, None, 0)
    with pytest.raises(ValueError, match="uv: 2 rows for 3 vertices"):
        library.add_mesh(triangle, triangle, triangle, faces, np.zeros((2, 2), np.float32), 0)
