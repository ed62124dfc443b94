"""States and layouts at the edges of what is accepted; reach and slots as they are defined."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.errors import EpisodeError
from langrearrange.world import (
    CLOSED_RECEPTACLES,
    STANDARD_OPERABLE,
    STANDARD_REACH,
    Layout,
    Outcome,
    WorldState,
    first_free_slot,
    in_reach,
    initial_state,
)
from langrearrange.world.vocabulary import (
    CATEGORIES,
    CONTAINERS,
    IN_HAND,
    NAV_INDEX,
    NAV_TARGETS,
    OPENABLE_INDEX,
    OPENABLES,
    RECEPTACLE_INDEX,
    RECEPTACLES,
    START,
    spot_of,
)

LAST = len(RECEPTACLES) - 1


def test_the_first_state_is_at_the_start_with_a_free_hand() -> None:
    state = initial_state([0, LAST, LAST], [7, 0, 1], 31)
    assert state == WorldState(START, -1, (0, LAST, LAST), (7, 0, 1), 31)
    assert initial_state([], [], 0) == WorldState(START, -1, (), (), 0)


@pytest.mark.parametrize(
    ("receptacles", "slots", "open_mask", "message"),
    [
        ([0], [0, 1], 0, "1 receptacles but 2 slots"),
        ([0, 1], [0], 0, "2 receptacles but 1 slots"),
        ([LAST + 1], [0], 0, rf"receptacles \[{LAST + 1}\]; accepted: 0\.\.{LAST}"),
        ([0, -1], [0, 1], 0, r"receptacles \[0, -1\]"),
        ([0], [-1], 0, r"slots \[-1\]; accepted: 0 and above"),
        ([0], [0], 32, "open mask 32"),
        ([0], [0], -1, "open mask -1"),
        ([3, 2, 3], [4, 4, 4], 0, f"object 2 shares slot 4 of {RECEPTACLES[3]}"),
    ],
)
def test_a_state_that_cannot_be_is_refused(
    receptacles: list[int], slots: list[int], open_mask: int, message: str
) -> None:
    with pytest.raises(EpisodeError, match=message):
        initial_state(receptacles, slots, open_mask)


@given(st.lists(st.tuples(st.integers(0, LAST), st.integers(0, 6)), max_size=12, unique=True))
def test_the_first_free_slot_is_the_lowest_one(spots: list[tuple[int, int]]) -> None:
    state = initial_state([r for r, _ in spots], [s for _, s in spots], 0)
    for receptacle in range(len(RECEPTACLES)):
        slot = first_free_slot(state, receptacle)
        assert (receptacle, slot) not in spots
        assert all((receptacle, lower) in spots for lower in range(slot))


@pytest.mark.parametrize("open_mask", range(1 << len(OPENABLES)))
def test_containers_are_closed_unless_their_bit_is_set(open_mask: int) -> None:
    closed = {r for i, r in enumerate(RECEPTACLES) if CLOSED_RECEPTACLES[open_mask] >> i & 1}
    assert closed == {r for r in CONTAINERS if not open_mask >> OPENABLE_INDEX[r] & 1}


def test_a_stance_reaches_what_it_is_named_after() -> None:
    assert len(STANDARD_REACH) == len(STANDARD_OPERABLE) == START + 1
    assert STANDARD_REACH[START] == STANDARD_OPERABLE[START] == 0
    for place, target in enumerate(NAV_TARGETS):
        spot = spot_of(target)
        reach = {r for i, r in enumerate(RECEPTACLES) if STANDARD_REACH[place] >> i & 1}
        operable = {o for i, o in enumerate(OPENABLES) if STANDARD_OPERABLE[place] >> i & 1}
        assert reach == {spot} & set(RECEPTACLES)
        assert operable == {spot} & set(OPENABLES)


@given(st.integers(0, START), st.integers(0, LAST + 1), st.integers(0, 31))
def test_in_reach_is_held_or_here_and_not_shut_away(place: int, where: int, mask: int) -> None:
    held = where == IN_HAND
    state = WorldState(place, 0 if held else -1, (where,), (0,), mask)
    spot = spot_of(NAV_TARGETS[place]) if place != START else ""
    expected = held or (
        RECEPTACLES[where] == spot
        and not (spot in CONTAINERS and not mask >> OPENABLE_INDEX[spot] & 1)
    )
    assert in_reach(Layout((0,)), state, 0) == expected


def test_instances_are_listed_by_category_in_object_order() -> None:
    layout = Layout((3, 0, 3, 32, 3))
    assert layout.num_objects == 5
    assert layout.instances[3] == (0, 2, 4)
    assert layout.instances[0] == (1,)
    assert layout.instances[32] == (3,)
    assert sum(map(len, layout.instances)) == 5
    assert len(layout.instances) == len(CATEGORIES)


@pytest.mark.parametrize("category", [-1, len(CATEGORIES)])
def test_a_category_that_does_not_exist_is_refused(category: int) -> None:
    with pytest.raises(
        EpisodeError, match=rf"\(0, {category}\); accepted: 0\.\.32 \(ball \.\. wrench\)"
    ):
        Layout((0, category))


@pytest.mark.parametrize(
    "masks", [STANDARD_REACH[:-1], (*STANDARD_REACH, 0), (*STANDARD_REACH[:-1], 1)]
)
@pytest.mark.parametrize("name", ["reach", "operable"])
def test_masks_are_one_a_place_and_nothing_from_the_start(
    name: str, masks: tuple[int, ...]
) -> None:
    options: dict[str, Any] = {name: masks}
    with pytest.raises(EpisodeError, match=f"'{name}' needs 17 masks"):
        Layout((0,), **options)


def test_a_house_has_what_its_mask_says() -> None:
    only = Layout((), present=1 << NAV_INDEX["sofa"] | 1 << NAV_INDEX["fridge_handle"])
    assert [r for r in RECEPTACLES if only.has_receptacle(RECEPTACLE_INDEX[r])] == ["sofa"]
    assert [o for o in OPENABLES if only.has_openable(OPENABLE_INDEX[o])] == ["fridge"]
    assert all(Layout(()).has_receptacle(i) for i in range(len(RECEPTACLES)))
    assert all(Layout(()).has_openable(i) for i in range(len(OPENABLES)))


def test_reach_is_standard_only_as_it_came() -> None:
    wider = (STANDARD_REACH[0] | 1, *STANDARD_REACH[1:])
    assert Layout(()).has_standard_reach
    assert not Layout((), reach=wider).has_standard_reach
    assert not Layout((), operable=wider).has_standard_reach
    assert not Layout((), semantics="release").has_standard_reach


def test_layouts_are_equal_by_what_was_given() -> None:
    assert Layout((1, 2)) == Layout((1, 2))
    assert hash(Layout((1, 2))) == hash(Layout((1, 2)))
    assert Layout((1, 2)) != Layout((2, 1))
    assert Layout((1,)) != Layout((1,), semantics="release")
    shown = repr(Layout((1,)))
    assert "categories=(1,)" in shown
    assert not any(derived in shown for derived in ("instances", "pick_closed", "place_closed"))


def test_the_release_opens_the_fridge_for_picking_and_all_for_placing() -> None:
    paper, release = Layout(()), Layout((), semantics="release")
    fridge = 1 << RECEPTACLE_INDEX["fridge"]
    for open_mask, closed in enumerate(CLOSED_RECEPTACLES):
        assert paper.pick_closed[open_mask] == paper.place_closed[open_mask] == closed
        assert release.pick_closed[open_mask] == closed & ~fridge
        assert release.place_closed[open_mask] == 0


def test_invalid_outcomes_have_a_reason_of_their_own() -> None:
    reasons = [outcome.reason for outcome in Outcome if outcome.invalid]
    assert len(set(reasons)) == len(reasons) == 7
    assert all(reasons)
    assert {outcome for outcome in Outcome if not outcome.reason} == {Outcome.NONE, Outcome.OK}
