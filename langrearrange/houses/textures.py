"""Surface patterns drawn by code: planks, tiles, carpet, fabric, marble. Not which flat uses which.

A texture multiplies the colour beneath it: 128 leaves a channel as it is, 64 halves it. All are
256 x 256, repeat without a seam, and are the same bytes everywhere: lattice values come from
integer mixing, and between them only + - * on float64 are used.
"""

import math
from collections.abc import Callable
from functools import cache

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import HouseError

SIZE = 256
Field = NDArray[np.float64]
"""(256, 256) float64: a deviation about 0; rows run along v, columns along u."""
V, U = np.arange(SIZE)[:, None], np.arange(SIZE)[None, :]
"""Coordinates of all texels, shapes (256, 1) and (1, 256)."""


def mixed_bits(x: NDArray[np.int64], y: NDArray[np.int64], seed: int) -> Field:
    """Return pseudo-random values in [-1, 1) of integer points, the same for the same point."""
    h = (x * 0x27D4EB2D) ^ (y * 0x165667B1) ^ (seed * 0x9E3779B1)
    for multiplier in (0x2C1B3C6D, 0x297A2D39):
        h = ((h ^ ((h & 0xFFFFFFFF) >> 15)) & 0xFFFFFFFF) * multiplier
    h = (h ^ ((h & 0xFFFFFFFF) >> 16)) & 0xFFFF
    return h.astype(np.float64) / 32768 - 1


def noise(columns: int, rows: int, seed: int) -> Field:
    """Return smooth noise in [-1, 1] from a lattice of columns x rows that wraps round."""

    def axis(cells: int) -> tuple[NDArray[np.int64], NDArray[np.int64], Field]:
        at = (np.arange(SIZE) + 0.5) * cells / SIZE
        low = at.astype(np.int64)
        t = at - low
        return low % cells, (low + 1) % cells, t * t * (3 - 2 * t)

    x0, x1, tx = axis(columns)
    y0, y1, ty = axis(rows)
    corner = [[mixed_bits(x[None, :], y[:, None], seed) for x in (x0, x1)] for y in (y0, y1)]
    upper = corner[0][0] + (corner[0][1] - corner[0][0]) * tx
    lower = corner[1][0] + (corner[1][1] - corner[1][0]) * tx
    return upper + (lower - upper) * ty[:, None]


def cloud(columns: int, rows: int, seed: int, octaves: int = 3) -> Field:
    """Return noise upon noise, each twice as fine and half as strong, within about [-1, 1]."""
    total = np.zeros((SIZE, SIZE))
    for k in range(octaves):
        total += noise(columns << k, rows << k, seed + k) * (0.5 / (1 << k))
    return total


def _boards(width: int, length: int, seam: float, tone: float, seed: int) -> Field:
    """Rows of boards along u, staggered, each of its own tone, dark in the seams."""
    row = V // width
    shift = ((mixed_bits(row, row * 0, seed) + 1) * length).astype(np.int64)
    along = (U + shift) % SIZE
    field = tone * mixed_bits(along // length, row + 0 * U, seed + 1)
    edge = (V % width == 0) | (along % length == 0)
    return np.where(edge, -seam, field)


def _wood_planks() -> Field:
    """Eight boards across a repeat, two along."""
    grain = 10 * cloud(3, 64, 11, 2) + 5 * cloud(2, 24, 17, 2)
    return _boards(32, 128, 46, 12, 5) + grain


def _parquet() -> Field:
    """Squares of four short boards, turned from one square to the next."""
    turned = ((U // 64) + (V // 64)) % 2 == 0
    across = np.where(turned, V, U)
    along = np.where(turned, U, V)
    tone = 11 * mixed_bits(across // 16 + 64 * (along // 64), along // 64, 21)
    edge = (across % 16 == 0) | (along % 64 == 0)
    grain = np.where(turned, noise(6, 96, 23), noise(96, 6, 24))
    field: Field = np.where(edge, -34, tone) + 8 * grain
    return field


def _wood() -> Field:
    """Grain along u without boards, for furniture."""
    rings = cloud(2, 20, 31, 3) + 0.6 * noise(1, 6, 37)
    return 16 * rings + 5 * noise(8, 128, 39)


def _grout(side: int, line: int) -> NDArray[np.bool_]:
    return (U % side < line) | (V % side < line)


def _tiles() -> Field:
    """Four by four square tiles, light joints."""
    tone = 5 * mixed_bits(U // 64, V // 64 + 0 * U, 41)
    return np.where(_grout(64, 2), -36, tone + 6 * cloud(6, 6, 43))


def _small_tiles() -> Field:
    """Sixteen by sixteen tiles for splashbacks."""
    tone = 7 * mixed_bits(U // 16, V // 16 + 0 * U, 47)
    return np.where(_grout(16, 1), 16, tone)


def _carpet() -> Field:
    """Loops: fine speckle and slow patches."""
    return 15 * mixed_bits(U // 2, V // 2 + 0 * U, 61) + 9 * noise(64, 64, 63) + 6 * cloud(4, 4, 67)


def _plaster() -> Field:
    """A rolled wall: faint, almost even."""
    return 3 * cloud(8, 8, 71) + 3 * noise(96, 96, 73)


def _fabric() -> Field:
    """A plain weave."""
    over = ((U // 2) + (V // 2)) % 2 * 2 - 1
    thread = mixed_bits(U // 2, 0 * U, 79) + mixed_bits(0 * V, V // 2, 83)
    return 9.0 * over + 5 * thread + 4 * cloud(5, 5, 89)


def _marble() -> Field:
    """Pale clouds with thin dark veins where two noises cross."""
    distance = np.abs(cloud(3, 3, 97, 4) + 0.5 * noise(7, 5, 99))
    vein: Field = np.maximum(0.0, 0.055 - distance) * 520
    return 8 * cloud(4, 4, 101) - vein


def _terrazzo() -> Field:
    """Stone chips in cement."""
    chips = noise(40, 40, 103) + 0.5 * noise(23, 23, 107)
    tone = 30 * noise(19, 19, 109)
    return np.where(np.abs(chips) > 0.55, tone, 3 * noise(64, 64, 113))


_DRAWN: dict[str, tuple[Callable[[], Field], tuple[float, float, float]]] = {
    "wood_planks": (_wood_planks, (0.94, 1.0, 1.06)),
    "parquet": (_parquet, (0.94, 1.0, 1.06)),
    "wood": (_wood, (0.92, 1.0, 1.08)),
    "tiles": (_tiles, (1.0, 1.0, 1.0)),
    "small_tiles": (_small_tiles, (1.0, 1.0, 1.0)),
    "carpet": (_carpet, (1.0, 1.0, 1.0)),
    "plaster": (_plaster, (1.0, 1.0, 1.0)),
    "fabric": (_fabric, (1.0, 1.0, 1.0)),
    "marble": (_marble, (1.0, 0.98, 0.94)),
    "terrazzo": (_terrazzo, (1.0, 0.92, 0.8)),
}
"""Id -> (deviation from 128, its strength in red, green, blue)."""

TEXTURE_IDS: tuple[str, ...] = tuple(_DRAWN)


@cache
def texture(texture_id: str) -> NDArray[np.uint8]:
    """Return a texture, (256, 256, 3) uint8, read-only; row 0 is v = 0, column 0 is u = 0.

    Raises:
        HouseError: no texture has this id.
    """
    if texture_id not in _DRAWN:
        raise HouseError(
            f"no texture {texture_id!r}; there are {', '.join(TEXTURE_IDS)}. Check the spelling."
        )
    draw, strength = _DRAWN[texture_id]
    field = draw()
    field = field - math.fsum(field.ravel().tolist()) / field.size  # exact in any order
    levels = np.floor(128.5 + field[..., None] * np.array(strength))
    texels: NDArray[np.uint8] = np.clip(levels, 0, 255).astype(np.uint8)
    texels.setflags(write=False)
    return texels
