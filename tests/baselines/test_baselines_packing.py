"""Rollouts as rows: segments, layouts and masks, each against a slow or obvious way."""

from __future__ import annotations

import dataclasses

import numpy as np
import torch
from hypothesis import given
from hypothesis import strategies as st
from langrearrange_baselines.engine.instructions import Instruction
from langrearrange_baselines.engine.packing import Carried, Rows, Segment, Segments, spread
from langrearrange_baselines.llarp.layout import lay_out


@dataclasses.dataclass(frozen=True)
class Row:
    """A row in words: lengths of its segments, of their instructions, and steps carried."""

    segments: tuple[tuple[int, int], ...]
    carried: int


def rows_strategy(num_steps: int = 6) -> st.SearchStrategy[list[Row]]:
    cuts = st.sets(st.integers(1, num_steps - 1), max_size=3).map(sorted)
    lengths = cuts.map(lambda c: np.diff([0, *c, num_steps]).tolist())
    segments = lengths.flatmap(
        lambda steps: st.tuples(*(st.tuples(st.just(n), st.integers(1, 4)) for n in steps))
    )
    return st.lists(st.builds(Row, segments, st.integers(0, 3)), min_size=1, max_size=4)


def rows_of(described: list[Row], num_steps: int = 6) -> Rows:
    segments = []
    for number, row in enumerate(described):
        ends = np.cumsum([steps for steps, _ in row.segments]).tolist()
        for end, (steps, words) in zip(ends, row.segments, strict=True):
            said = Instruction(tuple(range(100 * number, 100 * number + words)))
            segments.append(Segment(number, end - steps, end, said))
    count = len(described)
    most = max(row.carried for row in described)
    features = torch.arange(count * num_steps).reshape(count, num_steps, 1).half()
    memory = (torch.arange(2 * count).reshape(2, count, 1),)
    counts = torch.tensor([row.carried for row in described])
    carried = Carried(torch.zeros(count, most, 1), torch.zeros(count, most, 0), counts, memory)
    collected = Segments.collect(reversed(segments))
    assert list(collected) == segments
    return Rows(features, torch.zeros(count, num_steps, 0), collected, carried)


@given(counts=st.lists(st.integers(0, 4), min_size=1, max_size=5))
def test_parts_are_spread_one_thing_after_the_other(counts: list[int]) -> None:
    owner, place = spread(torch.tensor(counts))
    pairs = [(thing, part) for thing, count in enumerate(counts) for part in range(count)]
    assert list(zip(owner.tolist(), place.tolist(), strict=True)) == pairs


@given(described=rows_strategy())
def test_segments_say_whose_each_step_and_token_is(described: list[Row]) -> None:
    segments = rows_of(described).segments
    steps, tokens = [], []
    columns: list[int] = []
    numbers = [number for row in described for number in range(len(row.segments))]
    whose = iter(range(len(numbers)))
    for row in described:
        own = [(next(whose), *lengths) for lengths in row.segments]
        steps.append([i for i, count, _ in own for _ in range(count)])
        steps[-1] += steps[-1][-1:]  # beyond the last step
        tokens += [(i, place) for i, _, words in own for place in range(words)]
        columns += range(sum(words for _, _, words in own))
    assert segments.of_steps(7).tolist() == steps
    assert segments.numbers.tolist() == numbers
    segment, place, column = segments.tokens()
    assert list(zip(segment.tolist(), place.tolist(), strict=True)) == tokens
    assert column.tolist() == columns


@given(described=rows_strategy(), tokens_per_step=st.integers(1, 3))
def test_a_layout_can_be_read_back(described: list[Row], tokens_per_step: int) -> None:
    layout = lay_out(rows_of(described), tokens_per_step)
    for number, row in enumerate(described):
        for episode, (steps, words) in enumerate(row.segments):
            own = layout.episode[number] == episode
            before = row.carried if episode == 0 else 0
            length = words + (before + steps) * tokens_per_step
            # Every place of the episode once, instruction first, in order.
            assert layout.position[number, own].tolist() == list(range(length))
            ids = layout.prefix_ids[number][own[: layout.num_prefix]]
            assert ids.tolist() == list(range(100 * number, 100 * number + words))
            assert int(own[layout.num_context :].sum()) == steps * tokens_per_step
        last = len(row.segments) - 1
        assert set(layout.episode[number].tolist()) <= set(range(-1, last + 1))


@given(described=rows_strategy())
def test_a_mask_lets_a_token_see_its_own_episode_so_far(described: list[Row]) -> None:
    layout = lay_out(rows_of(described), 1)
    causal = layout.mask(bidirectional_prefix=False)
    both_ways = layout.mask(bidirectional_prefix=True)
    size = layout.episode.shape[1]
    for number in range(len(described)):
        episode, position = layout.episode[number].tolist(), layout.position[number].tolist()
        for i in range(size):
            for j in range(size):
                same = episode[i] == episode[j] >= 0
                sees = (same and position[j] <= position[i]) or i == j
                assert bool(causal[number, i, j]) == sees
                prefix = same and i < layout.num_prefix and j < layout.num_prefix
                assert bool(both_ways[number, i, j]) == (sees or prefix)


@given(described=rows_strategy(), data=st.data())
def test_some_rows_are_those_of_all(described: list[Row], data: st.DataObject) -> None:
    rows = rows_of(described)
    chosen = data.draw(st.lists(st.integers(0, len(described) - 1), min_size=1, max_size=5))
    some = rows.of(torch.tensor(chosen))
    assert some.features[:, 0, 0].tolist() == [6.0 * row for row in chosen]
    expected = [
        segment._replace(row=new)
        for new, old in enumerate(chosen)
        for segment in rows.segments
        if segment.row == old
    ]
    assert list(some.segments) == expected
    assert some.carried.counts.tolist() == [described[row].carried for row in chosen]
    assert some.carried.memory[0][0, :, 0].tolist() == chosen
