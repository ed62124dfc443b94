from __future__ import annotations

import pytest
from crowded_worlds import CrowdedWorld, crowded_worlds
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.errors import ActionError, EpisodeError, VocabularyError
from langrearrange.world import (
    NUM_SKILLS,
    Layout,
    Outcome,
    WorldState,
    apply,
    initial_state,
    skill_index,
    valid_mask,
)
from langrearrange.world.vocabulary import (
    CATEGORY_INDEX,
    IN_HAND,
    RECEPTACLE_INDEX,
    START,
)

R = RECEPTACLE_INDEX


def world(*objects: tuple[str, str], open_mask: int = 0) -> tuple[Layout, WorldState]:
    layout = Layout(tuple(CATEGORY_INDEX[category] for category, _ in objects))
    slots: list[int] = []
    for index, (_, receptacle) in enumerate(objects):
        slots.append(sum(other == receptacle for _, other in objects[:index]))
    return layout, initial_state([R[r] for _, r in objects], slots, open_mask)


def play(layout: Layout, state: WorldState, *skills: str) -> tuple[WorldState, list[str]]:
    outcomes = []
    for skill in skills:
        state, outcome = apply(layout, state, skill_index(skill))
        outcomes.append(str(outcome))
    return state, outcomes


def test_an_apple_moves_from_the_sink_to_the_sofa() -> None:
    layout, state = world(("apple", "sink"))
    state, outcomes = play(layout, state, "nav(sink)", "pick(apple)", "nav(sofa)", "place(sofa)")
    assert outcomes == ["ok"] * 4
    assert state.receptacles == (R["sofa"],)
    assert state.held == -1


def test_nothing_is_in_reach_from_the_start_pose() -> None:
    layout, state = world(("apple", "sink"))
    assert state.place == START
    for skill in ("pick(apple)", "open(fridge)", "close(left_drawer)"):
        assert play(layout, state, skill)[1] == ["not_near"]


def test_place_fails_for_an_empty_hand_before_distance() -> None:
    layout, state = world(("apple", "sink"))
    assert play(layout, state, "place(sofa)")[1] == ["hand_empty"]
    assert play(layout, state, "nav(sink)", "pick(apple)", "place(sofa)")[1][-1] == "not_near"


def test_a_closed_container_neither_gives_nor_takes() -> None:
    layout, state = world(("apple", "fridge"), ("pear", "sink"))
    assert play(layout, state, "nav(fridge)", "pick(apple)")[1] == ["ok", "closed"]
    moves = (
        "nav(sink)",
        "pick(pear)",
        "nav(fridge)",
        "place(fridge)",
        "open(fridge)",
        "place(fridge)",
    )
    assert play(layout, state, *moves)[1][-3:] == ["closed", "ok", "ok"]


def test_the_outcome_at_a_closed_container_does_not_tell_what_is_inside() -> None:
    layout, full = world(("apple", "fridge"))
    _, empty = world(("apple", "sink"))
    for category in ("apple", "pear"):
        for state in (full, empty):
            assert play(layout, state, "nav(fridge)", f"pick({category})")[1][-1] == "closed"


def test_a_full_hand_is_reported_before_anything_else() -> None:
    layout, state = world(("apple", "fridge"), ("pear", "sink"))
    outcomes = play(layout, state, "nav(sink)", "pick(pear)", "nav(fridge)", "pick(apple)")[1]
    assert outcomes[-1] == "hand_full"


def test_handles_reach_their_container_and_surfaceless_drawers_only_open() -> None:
    layout, state = world(("spoon", "left_drawer"))
    moves = ("nav(left_drawer_handle)", "open(left_drawer)", "pick(spoon)")
    assert play(layout, state, *moves)[1] == ["ok"] * 3
    others = ("nav(bottom_drawer_handle)", "open(bottom_drawer)", "open(bottom_drawer)",
              "close(bottom_drawer)", "close(bottom_drawer)")  # fmt: skip
    assert play(layout, state, *others)[1] == ["ok", "ok", "already_open", "ok", "already_closed"]


def test_of_several_instances_the_lowest_object_index_is_picked() -> None:
    layout, state = world(("apple", "sofa"), ("apple", "sofa"))
    assert play(layout, state, "nav(sofa)", "pick(apple)")[0].held == 0


def test_place_takes_the_first_free_slot_and_never_runs_out() -> None:
    layout, state = world(*[("apple", "sofa")] * 20, ("pear", "sink"))
    state, _ = play(layout, state, "nav(sofa)", "pick(apple)", "nav(sink)", "place(sink)")
    assert state.slots[0] == 1
    state, _ = play(layout, state, "pick(pear)", "nav(sofa)", "place(sofa)")
    assert state.slots[20] == 0


def test_a_fixture_the_house_lacks_is_absent() -> None:
    layout = Layout((17,), present=(1 << 16) - 1 & ~(1 << 5) & ~(1 << 4))
    state = initial_state([1], [0], 0)
    assert play(layout, state, "nav(chair)", "place(chair)", "open(fridge)")[1] == ["absent"] * 3


def test_release_semantics_reach_into_a_closed_fridge() -> None:
    layout = Layout((CATEGORY_INDEX["apple"],), semantics="release")
    state = initial_state([R["fridge"]], [0], 0)
    assert play(layout, state, "nav(fridge)", "pick(apple)")[1] == ["ok", "ok"]


@pytest.mark.parametrize("action", [-1, 70, 1000])
def test_an_action_outside_the_seventy_is_refused(action: int) -> None:
    layout, state = world(("apple", "sink"))
    with pytest.raises(ActionError, match=r"accepted: 0\.\.69"):
        apply(layout, state, action)


def test_an_unknown_skill_id_is_refused_with_examples() -> None:
    with pytest.raises(VocabularyError, match="skills look like"):
        skill_index("pick(fork)")


def test_two_objects_cannot_share_a_slot() -> None:
    with pytest.raises(EpisodeError, match="shares"):
        initial_state([0, 0], [1, 1], 0)


@given(crowded_worlds(), st.lists(st.integers(0, NUM_SKILLS - 1), max_size=40))
def test_any_action_string_keeps_the_world_consistent(
    drawn: CrowdedWorld, actions: list[int]
) -> None:
    layout, state, _ = drawn
    for action in actions:
        before = state
        state, outcome = apply(layout, state, action)
        assert (outcome is Outcome.OK) == bool(valid_mask(layout, before) >> action & 1)
        if outcome.invalid:
            assert state is before
        held = [i for i, r in enumerate(state.receptacles) if r == IN_HAND]
        assert held == ([state.held] if state.held >= 0 else [])
        resting = [
            pair for pair in zip(state.receptacles, state.slots, strict=True) if pair[0] != IN_HAND
        ]
        assert len(set(resting)) == len(resting)
        assert hash(state) == hash(WorldState(*state))
