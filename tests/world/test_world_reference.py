"""`apply` against the rules written down a second time, in worlds where much happens."""

from __future__ import annotations

from collections import Counter

import pytest
from crowded_worlds import CrowdedWorld, crowded_worlds, skills_in
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_world import (
    CONTAINERS,
    OPENABLES,
    PLACES,
    RECEPTACLES,
    SKILLS,
    reference_world,
)

from langrearrange.world import SKILLS as OUR_SKILLS
from langrearrange.world import (
    Layout,
    Outcome,
    WorldState,
    apply,
    first_free_slot,
    in_reach,
    initial_state,
    skill_index,
    valid_mask,
    vocabulary,
)
from langrearrange.world.vocabulary import CATEGORY_INDEX


def test_names_and_their_order_are_those_of_the_reference() -> None:
    assert tuple(skill.id for skill in OUR_SKILLS) == SKILLS
    assert vocabulary.RECEPTACLES == RECEPTACLES
    assert vocabulary.CONTAINERS == CONTAINERS
    assert vocabulary.OPENABLES == OPENABLES
    assert (*vocabulary.NAV_TARGETS, "start") == PLACES
    assert vocabulary.SPOTS == (*RECEPTACLES, "middle_drawer", "bottom_drawer")


@settings(max_examples=150)
@given(crowded_worlds(), st.data())
def test_every_step_is_that_of_the_reference(world: CrowdedWorld, data: st.DataObject) -> None:
    layout, state, _ = world
    reference = reference_world(layout, state)
    for skill in data.draw(skills_in(world)):
        before = state
        state, outcome = apply(layout, state, skill_index(skill))
        assert (reference.act(skill), reference.state()) == (str(outcome), state), skill
        assert outcome.invalid == (state is before)


@settings(max_examples=60)
@given(crowded_worlds(), st.data())
def test_valid_skills_and_what_is_near_are_those_of_the_reference(
    world: CrowdedWorld, data: st.DataObject
) -> None:
    layout, state, _ = world
    for skill in data.draw(skills_in(world)):
        state = apply(layout, state, skill_index(skill))[0]
    wanted = [reference_world(layout, state).act(skill) == "ok" for skill in SKILLS]
    assert [bool(valid_mask(layout, state) >> i & 1) for i in range(70)] == wanted
    now = reference_world(layout, state)
    for number in range(layout.num_objects):
        receptacle = now.resting.get(number, ("", 0))[0]
        seen = receptacle in now.reach[now.place] and not now.closed(receptacle)
        assert in_reach(layout, state, number) == (number == now.held or seen)


@settings(max_examples=60)
@given(crowded_worlds(), st.data())
def test_states_without_slots_step_alike(world: CrowdedWorld, data: st.DataObject) -> None:
    layout, state, _ = world
    bare = state._replace(slots=())
    for skill in data.draw(skills_in(world)):
        state, outcome = apply(layout, state, skill_index(skill))
        bare, same = apply(layout, bare, skill_index(skill))
        assert (bare, same) == (state._replace(slots=()), outcome)


def test_the_drawn_worlds_are_crowded() -> None:
    """Of 100: places beyond slot 5, shut containers of several, instances side by side."""
    found: Counter[str] = Counter()

    @settings(max_examples=100, database=None)
    @given(crowded_worlds())
    def count(world: CrowdedWorld) -> None:
        layout, state, _ = world
        number = Counter(state.receptacles)
        shut = [r for r in number if reference_world(layout, state).closed(RECEPTACLES[r])]
        alike = Counter(zip(layout.categories, state.receptacles, strict=True))
        found["full"] += any(first_free_slot(state, r) > 5 for r in number)
        found["shut"] += any(number[r] > 1 for r in shut)
        found["alike"] += max(alike.values()) > 2

    count()
    assert found["full"] >= 10
    assert found["shut"] >= 30
    assert found["alike"] >= 50


SOFA = RECEPTACLES.index("sofa")


@pytest.mark.parametrize(
    ("taken", "expected"),
    [((), 0), ((0,), 1), ((1,), 0), ((0, 1), 2), ((0, 1, 2, 3, 4, 5, 6, 7), 8), ((0, 2), 1),
     ((3, 1, 0), 2), ((0, 1, 2, 9), 3)],
)  # fmt: skip
def test_the_first_free_slot_lies_below_gaps_and_beyond_full_rows(
    taken: tuple[int, ...], expected: int
) -> None:
    elsewhere = [(RECEPTACLES.index("sink"), slot) for slot in range(3)]
    spots = [(SOFA, slot) for slot in taken] + elsewhere
    state = initial_state([r for r, _ in spots], [s for _, s in spots], 0)
    assert first_free_slot(state, SOFA) == expected


def test_twenty_objects_stack_up_in_twenty_slots() -> None:
    apple = CATEGORY_INDEX["apple"]
    layout = Layout((apple,) * 20)
    state: WorldState = initial_state([RECEPTACLES.index("sink")] * 20, range(20), 0)
    for number in range(20):
        for skill in ("nav(sink)", "pick(apple)", "nav(sofa)", "place(sofa)"):
            state, outcome = apply(layout, state, skill_index(skill))
            assert outcome is Outcome.OK
        assert (state.receptacles[number], state.slots[number]) == (SOFA, number)


@pytest.mark.parametrize("container", CONTAINERS)
def test_a_closed_container_of_several_gives_them_lowest_number_first(container: str) -> None:
    layout = Layout(tuple(CATEGORY_INDEX[name] for name in ("pear", "apple", "apple", "apple")))
    where = RECEPTACLES.index(container)
    state = initial_state([where] * 4, [4, 3, 1, 0], 0)
    picked = []
    state = apply(layout, state, skill_index(f"nav({container})"))[0]
    assert apply(layout, state, skill_index("pick(apple)"))[1] is Outcome.CLOSED
    state = apply(layout, state, skill_index(f"open({container})"))[0]
    for _ in range(3):
        state, outcome = apply(layout, state, skill_index("pick(apple)"))
        assert outcome is Outcome.OK
        picked.append(state.held)
        for skill in ("nav(sofa)", "place(sofa)", f"nav({container})"):
            state = apply(layout, state, skill_index(skill))[0]
    assert picked == [1, 2, 3]
    assert apply(layout, state, skill_index("pick(apple)"))[1] is Outcome.NOT_NEAR


@pytest.mark.parametrize("container", CONTAINERS)
def test_the_release_gives_from_a_closed_fridge_and_takes_into_anything_closed(
    container: str,
) -> None:
    apple, pear = CATEGORY_INDEX["apple"], CATEGORY_INDEX["pear"]
    layout = Layout((apple, pear), semantics="release")
    state = initial_state([RECEPTACLES.index(container), SOFA], [0, 0], 0)
    at_container = apply(layout, state, skill_index(f"nav({container})"))[0]
    outcome = apply(layout, at_container, skill_index("pick(apple)"))[1]
    assert outcome is (Outcome.OK if container == "fridge" else Outcome.CLOSED)
    for skill in ("nav(sofa)", "pick(pear)", f"nav({container})", f"place({container})"):
        state, outcome = apply(layout, state, skill_index(skill))
        assert outcome is Outcome.OK
    assert (state.receptacles[1], state.slots[1]) == (RECEPTACLES.index(container), 1)
