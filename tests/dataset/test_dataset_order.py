"""The closed form of a split's order equals the slow definition of round-robin."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.dataset import EpisodeOrder
from langrearrange.errors import DatasetError

counts = st.lists(st.integers(0, 9), min_size=1, max_size=6).filter(any)


def slow_round_robin(sizes: list[int]) -> list[tuple[int, int]]:
    order = []
    for rank in range(max(sizes)):
        order += [(template, rank) for template, size in enumerate(sizes) if rank < size]
    return order


def named(sizes: list[int]) -> EpisodeOrder:
    return EpisodeOrder({f"t{number}": size for number, size in enumerate(sizes)})


@given(counts)
def test_closed_form_is_round_robin(sizes: list[int]) -> None:
    order = named(sizes)
    assert [order.locate(i) for i in range(sum(sizes))] == slow_round_robin(sizes)


@given(counts)
def test_position_index_and_template_agree(sizes: list[int]) -> None:
    order = named(sizes)
    slow = slow_round_robin(sizes)
    by_template = sorted(range(len(slow)), key=slow.__getitem__)
    assert [order.index_at(p) for p in range(len(slow))] == by_template
    for position, index in enumerate(by_template):
        template, rank = slow[index]
        assert order.position(index) == position
        assert order.index(template, rank) == index
        assert order.template_of(position) == f"t{template}"
    covered = [p for positions in order.ranges().values() for p in positions]
    assert covered == list(range(len(slow)))


@given(counts, st.data())
def test_prefix_is_the_split_of_its_own_counts(sizes: list[int], data: st.DataObject) -> None:
    order = named(sizes)
    cut = data.draw(st.integers(0, sum(sizes)))
    prefix = order.prefix(cut)
    assert [prefix.locate(i) for i in range(cut)] == slow_round_robin(sizes)[:cut]


def test_the_150_000_of_train_cost_nothing() -> None:
    order = EpisodeOrder({"small": 11, "middle": 40_000, "huge": 1_280_000}).prefix(150_000)
    assert order.counts == (11, 40_000, 109_989)
    assert order.locate(149_999) == (2, 109_988)


def test_outside_is_refused() -> None:
    order = named([2, 1])
    for call in (order.locate, order.index_at, order.template_of, order.position):
        with pytest.raises(IndexError):
            call(3)
        with pytest.raises(IndexError):
            call(-1)
    with pytest.raises(IndexError):
        order.index(1, 1)
    with pytest.raises(IndexError):
        order.prefix(4)
    with pytest.raises(DatasetError, match="negative"):
        named([-1])
