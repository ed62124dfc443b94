"""Keyed randomness: every draw is a pure function of named parts, never of a global generator.

Same parts, same draws: on every OS, Python version, worker count and order of work. Only integers
come out, so that no floating-point library decides a draw.
"""

from __future__ import annotations

import hashlib
import random
from collections.abc import Sequence
from typing import Final, NewType, TypeVar

Version = NewType("Version", str)
HOUSE_VERSION: Final = Version("0")
"""Keys flats, looks, orders of play and all other draws that enter no episode; fixed within v0."""
EPISODE_VERSION: Final = Version("1")
"""Keys the contents of episodes; changes only when published episodes are regenerated."""

T = TypeVar("T")
KeyPart = str | int


def digest(*parts: KeyPart) -> bytes:
    """Return the 32-byte sha256 of the parts, each length-prefixed so that no two lists collide."""
    pieces: list[bytes] = []
    for part in parts:
        data = (f"i{part}" if isinstance(part, int) else f"s{part}").encode()
        pieces += (len(data).to_bytes(4, "big"), data)
    return hashlib.sha256(b"".join(pieces)).digest()


class KeyedRng:
    """A stream of integer draws keyed by a version and parts, e.g. (split, index, purpose).

    Example:
        >>> rng, again = (KeyedRng(EPISODE_VERSION, "train", 17, "yaw") for _ in range(2))
        >>> rng.below(10) == again.below(10)
        True
    """

    __slots__ = ("_bits",)

    def __init__(self, version: Version, *parts: KeyPart) -> None:
        seed = int.from_bytes(digest(version, *parts), "big")
        self._bits = random.Random(seed).getrandbits

    def below(self, bound: int) -> int:
        """Return a uniform integer in [0, bound). Raises ValueError when bound < 1."""
        if bound < 1:
            raise ValueError(f"below({bound}): the bound must be at least 1")
        width = bound.bit_length()
        draw = self._bits(width)
        while draw >= bound:
            draw = self._bits(width)
        return draw

    def choice(self, items: Sequence[T]) -> T:
        """Return one of the items, uniformly."""
        return items[self.below(len(items))]

    def chance(self, numerator: int, denominator: int) -> bool:
        """Return True with probability numerator / denominator."""
        return self.below(denominator) < numerator

    def shuffled(self, items: Sequence[T]) -> list[T]:
        """Return the items in a uniformly random order (Fisher-Yates); the input is untouched."""
        result, bits = list(items), self._bits
        for i in range(len(result) - 1, 0, -1):
            width = (i + 1).bit_length()
            j = bits(width)  # `below(i + 1)`, written out: a quarter of all draws are here
            while j > i:
                j = bits(width)
            result[i], result[j] = result[j], result[i]
        return result

    def sample(self, items: Sequence[T], count: int) -> list[T]:
        """Return `count` different items in random order; ValueError if there are too few."""
        if count > len(items):
            raise ValueError(f"sample of {count} from {len(items)} items")
        result = list(items)
        for i in range(count):
            j = i + self.below(len(result) - i)
            result[i], result[j] = result[j], result[i]
        return result[:count]


class KeyedPermutation:
    """A keyed bijection of range(size), evaluated at any index without a pass over the others.

    A four-round Feistel network over the smallest even-width binary domain, walked along its cycle
    until the value is below `size` (at most four steps on average).
    """

    __slots__ = ("_half", "_mask", "_round_keys", "size")

    def __init__(self, size: int, version: Version, *parts: KeyPart) -> None:
        if size < 1:
            raise ValueError(f"a permutation needs at least 1 element, got {size}")
        self.size = size
        self._half = max(1, ((size - 1).bit_length() + 1) // 2)
        self._mask = (1 << self._half) - 1
        key = digest(version, *parts)
        self._round_keys = tuple(key[8 * i : 8 * i + 8] for i in range(4))

    def __getitem__(self, index: int) -> int:
        """Return the image of `index`. Raises IndexError outside range(size)."""
        if not 0 <= index < self.size:
            raise IndexError(f"index {index} outside a permutation of {self.size}")
        value = self._scramble(index)
        while value >= self.size:
            value = self._scramble(value)
        return value

    def _scramble(self, value: int) -> int:
        left, right = value >> self._half, value & self._mask
        for key in self._round_keys:
            mixed = hashlib.blake2b(right.to_bytes(8, "big"), key=key, digest_size=8).digest()
            left, right = right, left ^ (int.from_bytes(mixed, "big") & self._mask)
        return left << self._half | right
