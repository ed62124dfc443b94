from __future__ import annotations

import hashlib
from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.seeding import HOUSE_VERSION, KeyedPermutation, KeyedRng, Version, digest

FIRST = [456, 810, 873, 925, 509, 465, 70, 529]
SHA256 = "6f49ab4dd3c41c04d229984d74cfc1c421c4159b51f5e6a86d84b095bc489dab"


def test_a_thousand_draws_are_pinned() -> None:
    rng = KeyedRng(HOUSE_VERSION, "golden", 0, "draws")
    draws = ",".join(str(rng.below(1000 + i)) for i in range(1000))
    assert draws.startswith(",".join(map(str, FIRST)))
    assert hashlib.sha256(draws.encode()).hexdigest() == SHA256


def test_parts_do_not_run_together() -> None:
    assert digest("ab", "c") != digest("a", "bc")
    assert digest(1) != digest("1")
    assert digest("a", "") != digest("a")


def test_draws_are_about_uniform() -> None:
    rng = KeyedRng(HOUSE_VERSION, "uniform")
    counts = Counter(rng.below(7) for _ in range(14000))
    assert set(counts) == set(range(7))
    assert all(1800 < n < 2200 for n in counts.values())


@given(st.integers(1, 5000), st.text(max_size=5))
def test_a_keyed_permutation_is_a_bijection(size: int, key: str) -> None:
    permutation = KeyedPermutation(size, HOUSE_VERSION, key)
    assert sorted(permutation[i] for i in range(size)) == list(range(size))


def test_a_permutation_refuses_indices_outside() -> None:
    with pytest.raises(IndexError):
        KeyedPermutation(3, HOUSE_VERSION, "x")[3]


@given(st.lists(st.integers(), max_size=20))
def test_shuffling_keeps_every_item(items: list[int]) -> None:
    assert sorted(KeyedRng(HOUSE_VERSION, "s").shuffled(items)) == sorted(items)


def test_a_sample_has_no_repeats_and_refuses_too_many() -> None:
    assert len(set(KeyedRng(HOUSE_VERSION, "s").sample(range(10), 10))) == 10
    with pytest.raises(ValueError, match="sample of 11"):
        KeyedRng(HOUSE_VERSION, "s").sample(range(10), 11)


def test_an_empty_range_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 1"):
        KeyedRng(HOUSE_VERSION, "s").below(0)


def test_version_and_parts_both_key_a_draw() -> None:
    keys = ((Version("0"), "a"), (Version("1"), "a"), (Version("0"), "b"), (Version("0"), "a", ""))
    streams = {tuple(KeyedRng(*key).below(1 << 64) for _ in range(2)) for key in keys}
    orders = {tuple(map(KeyedPermutation(9, *key).__getitem__, range(9))) for key in keys}
    assert len(streams) == len(orders) == len(keys)
