"""The rules behind causes and first looks, at their edges, on states made by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest
from handmade import episode, on
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.dataset import Episode
from langrearrange.leaderboard import AgentFacts, EpisodeTrace, Header, replay
from langrearrange.leaderboard.causes import LOOP_SHARE, Wanted, cause_of, wanted_of
from langrearrange.leaderboard.clairvoyance import (
    ALPHA,
    CHANCE,
    CHANCE_WITH_A_CAMERA,
    Clairvoyance,
    _tail,
    clairvoyance,
)
from langrearrange.leaderboard.replay import Replayed
from langrearrange.world import Outcome, WorldState, apply, skill_index
from langrearrange.world.vocabulary import IN_HAND, NAV_INDEX

HEADER = Header(package_version="0", agent=AgentFacts(name="a", modality="state"), datasets={})
THINGS = {"mug_0": "chair", "mug_1": "left_drawer", "pear_0": "sofa", "book_0": "sofa"}


# -- what a goal mentions --------------------------------------------------------------------------


def wanted(goal: str, *open: str) -> Wanted:
    e = episode(0, "Whatever.", goal, THINGS, open=open)
    return wanted_of(goal, e.layout(), e.initial_state())


def names(*parts: str) -> frozenset[str]:
    return frozenset(parts)


NONE: frozenset[str] = frozenset()


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        (on("mug", "sink"), Wanted(names("mug"), NONE, names("sink"), NONE, False)),
        ("(exists (?x - pear) (near ?x))", Wanted(names("pear"), NONE, NONE, NONE, False)),
        ("(exists (?x - book) (holding ?x))", Wanted(names("book"), NONE, NONE, NONE, False)),
        ("(robot_at sofa)", Wanted(NONE, NONE, NONE, NONE, False)),
        (
            "(exists (?x - pear) (and (not (on_top ?x sofa)) (hand_free)))",
            Wanted(names("pear"), NONE, NONE, names("sofa"), False),
        ),
        (
            "(exists (?x - pear) (not (not (on_top ?x sink))))",
            Wanted(names("pear"), NONE, names("sink"), NONE, False),
        ),
        (
            "(and (forall (?x - mug) (on_top ?x sink)) (hand_free))",
            Wanted(names("mug"), NONE, names("sink"), NONE, True),
        ),
        (
            "(and (exists (?x - mug) (on_top ?x sink)) (forall (?y - pear) (undisturbed ?y)))",
            Wanted(names("mug"), names("pear"), names("sink"), NONE, False),
        ),
        (
            "(exists (?x - (either mug pear)) (on_top ?x sofa))",
            Wanted(names("mug", "pear"), NONE, names("sofa"), NONE, False),
        ),
        # What was true at the start is not wanted at the end.
        (
            "(forall (?x - mug) (imply (initially (on_top ?x chair)) (on_top ?x sink)))",
            Wanted(names("mug"), NONE, names("sink"), NONE, True),
        ),
    ],
)
def test_what_a_goal_wants(goal: str, expected: Wanted) -> None:
    assert wanted(goal) == expected


BRANCHES = (
    "(or (and (initially (open fridge)) (exists (?x - mug) (on_top ?x sink)))"
    " (and (initially (closed fridge)) (exists (?y - pear) (on_top ?y chair))))"
)


def test_only_the_branch_that_holds_at_the_start_is_wanted() -> None:
    assert wanted(BRANCHES, "fridge") == Wanted(names("mug"), NONE, names("sink"), NONE, False)
    assert wanted(BRANCHES) == Wanted(names("pear"), NONE, names("chair"), NONE, False)


# -- causes ----------------------------------------------------------------------------------------


def states_of(e: Episode, *skills: str) -> list[WorldState]:
    layout, state = e.layout(), e.initial_state()
    states = [state]
    for skill in skills:
        state = apply(layout, state, skill_index(skill))[0]
        states.append(state)
    return states


def cause(e: Episode, states: Sequence[WorldState], outcomes: Sequence[str] | None = None) -> str:
    told = outcomes if outcomes is not None else ["ok"] * (len(states) - 1)
    return cause_of(e, e.layout(), states, told, "")


MUG = episode(0, "Put a mug in the sink.", on("mug", "sink"), THINGS)


@pytest.mark.parametrize(
    ("invalid", "valid", "expected"),
    [(5, 5, True), (4, 5, False), (1, 1, True), (0, 0, False), (0, 9, False), (9, 0, True)],
)
def test_half_of_the_skills_impossible_is_a_precondition(
    invalid: int, valid: int, expected: bool
) -> None:
    outcomes = [str(Outcome.CLOSED)] * invalid + ["ok", "stop"][: min(valid, 1)]
    outcomes += ["ok"] * (valid - min(valid, 1))
    states = states_of(MUG, *["nav(sofa)"] * len(outcomes))
    assert (cause(MUG, states, outcomes) == "precondition") == expected


def test_stop_is_no_impossible_skill() -> None:
    states = states_of(MUG, "nav(sofa)", "nav(sink)")
    assert cause(MUG, states, ["closed", "stop"]) == "precondition"
    assert cause(MUG, [*states, states[-1]], ["closed", "stop", "stop"]) != "precondition"


@pytest.mark.parametrize("fresh", range(9))
def test_a_loop_brings_at_most_a_share_of_new_states(fresh: int) -> None:
    """Twenty states; of the second ten, `fresh` were not seen in the first."""
    start = MUG.initial_state()
    seen = [start._replace(place=place) for place in range(10)]
    new = [start._replace(place=place, open_mask=1) for place in range(fresh)]
    states = [*seen, *new, *[seen[0]] * (10 - fresh)]
    assert len(states) == 20
    assert (cause(MUG, states) == "loop") == (fresh <= LOOP_SHARE * 10) == (fresh <= 3)


@pytest.mark.parametrize(("fresh", "loops"), [(7, True), (8, False)])
def test_just_the_share_of_new_states_is_a_loop(fresh: int, loops: bool) -> None:
    start = MUG.initial_state()._replace(place=NAV_INDEX["chair"])
    new = [start._replace(open_mask=1 + number) for number in range(fresh)]
    assert LOOP_SHARE * 20 == 7
    assert (cause(MUG, [start] * 20 + new + [start] * (20 - fresh)) == "loop") == loops


@pytest.mark.parametrize(("length", "loops"), [(7, False), (8, True), (9, True)])
def test_a_short_episode_is_no_loop(length: int, loops: bool) -> None:
    near = MUG.initial_state()._replace(place=NAV_INDEX["chair"])
    assert (cause(MUG, [near] * length) == "loop") == loops


def test_a_wanted_thing_in_the_hand_is_not_misplaced() -> None:
    held = states_of(MUG, "nav(chair)", "pick(mug)")
    assert held[-1].receptacles[0] == IN_HAND
    assert cause(MUG, held) == "horizon"
    back = states_of(MUG, "nav(chair)", "pick(mug)", "place(chair)")
    assert cause(MUG, back) == "horizon"
    wrong = states_of(MUG, "nav(chair)", "pick(mug)", "nav(sofa)", "place(sofa)")
    assert cause(MUG, wrong) == "wrong_receptacle"


def test_taken_off_means_anywhere_else() -> None:
    goal = "(exists (?x - pear) (and (not (on_top ?x sofa)) (hand_free)))"
    e = episode(0, "Take it off.", goal, THINGS)
    off = states_of(e, "nav(sofa)", "pick(pear)", "nav(sink)", "place(sink)")
    assert cause(e, off) == "horizon"
    on_and_off = [*off, *states_of(e)]
    assert cause(e, on_and_off) == "horizon"


ALL = episode(
    0, "All.", "(and (forall (?x - mug) (on_top ?x sink)) (hand_free))", THINGS
)  # fmt: skip


def test_some_but_not_all_is_missed_one() -> None:
    one = states_of(ALL, "nav(chair)", "pick(mug)", "nav(sink)", "place(sink)")
    assert cause(ALL, one) == "missed_one"
    assert cause(MUG, one) != "missed_one", "where one is wanted, none is missed"
    wrong = states_of(ALL, "nav(chair)", "pick(mug)", "nav(sofa)", "place(sofa)")
    assert cause(ALL, wrong) == "wrong_receptacle"


def test_what_is_held_or_stood_there_from_the_start_was_not_brought() -> None:
    assert cause(ALL, states_of(ALL, "nav(chair)", "pick(mug)")) == "horizon"
    half_done = episode(0, "All.", ALL.goal, THINGS | {"mug_1": "sink"})
    assert cause(half_done, states_of(half_done, "nav(chair)")) == "horizon"


def test_one_of_two_kinds_is_missed_one_too() -> None:
    goal = (
        "(and (exists (?x - mug) (on_top ?x sink)) (exists (?y - pear) (on_top ?y sink))"
        " (hand_free))"
    )
    e = episode(0, "Both.", goal, THINGS)
    one = states_of(e, "nav(chair)", "pick(mug)", "nav(sink)", "place(sink)")
    assert cause(e, one) == "missed_one"


def test_a_thing_is_found_when_any_of_its_kind_was_in_reach() -> None:
    assert cause(MUG, states_of(MUG, "nav(chair)")) == "horizon"
    assert cause(MUG, states_of(MUG, "nav(sofa)")) == "never_found"
    # In a closed drawer it is out of reach, in an open one within.
    assert cause(MUG, states_of(MUG, "nav(left_drawer)")) == "never_found"
    assert cause(MUG, states_of(MUG, "nav(left_drawer)", "open(left_drawer)")) == "horizon"
    two = episode(0, "Both.", "(and (exists (?x - mug) (near ?x)) (exists (?y - pear) (near ?y)))",
                  THINGS)  # fmt: skip
    assert cause(two, states_of(two, "nav(chair)")) == "never_found"
    assert cause(two, states_of(two, "nav(chair)", "nav(sofa)")) == "horizon"


def test_a_kind_that_the_flat_lacks_cannot_be_missed() -> None:
    either = episode(0, "A drink.", "(exists (?x - (either cup mug)) (near ?x))", THINGS)
    assert cause(either, states_of(either, "nav(chair)")) == "horizon"


def test_what_must_stay_may_be_lifted_and_put_back() -> None:
    goal = "(and (exists (?x - mug) (on_top ?x sink)) (forall (?y - pear) (undisturbed ?y)))"
    e = episode(0, "Mind the pear.", goal, THINGS)
    moved = states_of(e, "nav(sofa)", "pick(pear)", "nav(sink)", "place(sink)")
    assert cause(e, moved) == "wrong_branch"
    back = states_of(e, "nav(sofa)", "pick(pear)", "place(sofa)")
    assert cause(e, back) == "distractor", "named in the sentence, and not wanted"
    unnamed = episode(0, "Mind it.", goal, THINGS)
    assert cause(unnamed, back) == "wrong_object"


# -- first looks -----------------------------------------------------------------------------------

HIDDEN_THINGS = {"mug_0": "fridge", "mug_1": "sofa", "book_0": "chair", "pear_0": "sink"}
FETCH = episode(0, "Bring a mug to the brown table.", on("mug", "brown_table"), HIDDEN_THINGS)


def looked(e: Episode, *skills: str, symbolic: bool = True) -> Clairvoyance:
    return clairvoyance([(replayed(e, *skills), e)], symbolic=symbolic)


def replayed(e: Episode, *skills: str) -> Replayed:
    actions = tuple(map(skill_index, skills))
    return replay(e, EpisodeTrace(id=e.id, actions=actions, failure="crash"), HEADER)


@pytest.mark.parametrize(
    ("skills", "num_looks", "hits"),
    [
        (("nav(sofa)",), 1, 1),
        (("nav(chair)",), 1, 0),
        (("nav(chair)", "nav(sofa)"), 1, 0),  # the first look counts
        (("nav(brown_table)", "nav(sofa)"), 1, 1),  # where it is to go is no look for it
        (("nav(fridge)", "nav(chair)"), 1, 0),  # a closed fridge shows nothing
        (("nav(fridge)", "open(fridge)"), 1, 1),
        (("nav(middle_drawer_handle)", "nav(sofa)"), 1, 1),  # it holds nothing
        ((), 0, 0),
        (("nav(brown_table)",), 0, 0),
        (("nav(fridge)",), 0, 0),
    ],
)
def test_the_first_look_decides(skills: tuple[str, ...], num_looks: int, hits: int) -> None:
    found = looked(FETCH, *skills)
    assert (found.num_looks, found.hits) == (num_looks, hits)


def test_every_place_that_holds_one_is_a_hit_by_chance() -> None:
    """Mugs on two receptacles: chance is two sevenths, with a camera certainty."""
    found = looked(FETCH, "nav(sofa)")
    assert found.expected == pytest.approx(2 * CHANCE) == pytest.approx(2 / 7)
    assert found.p_value == pytest.approx(2 / 7)
    seen = looked(FETCH, "nav(sofa)", symbolic=False)
    assert seen.expected == pytest.approx(min(1.0, 2 * CHANCE_WITH_A_CAMERA)) == 1.0
    assert looked(FETCH, "nav(chair)").p_value == pytest.approx(1.0)
    one = episode(0, FETCH.instruction, FETCH.goal, {"mug_0": "fridge", "book_0": "chair"})
    assert looked(one, "nav(chair)").expected == pytest.approx(1 / 7)
    assert looked(one, "nav(chair)", symbolic=False).expected == pytest.approx(1 / 2)


@pytest.mark.parametrize(
    ("sentence", "goal"),
    [
        ("Move a mug from the sofa to the sink.", on("mug", "sink")),
        ("Take the mugs off the sofa.", "(forall (?x - mug) (not (on_top ?x sofa)))"),
        (
            "Clear it away.",
            "(forall (?x - mug) (imply (initially (on_top ?x sofa)) (on_top ?x sink)))",
        ),
        ("Go to the sofa.", "(robot_at sofa)"),
        ("Put a lid in the sink.", on("lid", "sink")),
    ],
)
def test_where_the_place_is_said_nothing_is_looked_for(sentence: str, goal: str) -> None:
    e = episode(0, sentence, goal, HIDDEN_THINGS)
    assert looked(e, "nav(sofa)").num_looks == 0


@pytest.mark.parametrize(
    ("split", "num_looks"),
    [("spatial_relationships", 0), ("sealed_spatial_relationships", 0), ("sealed_context", 1)],
)
def test_spatial_sentences_say_where_without_naming_it(split: str, num_looks: int) -> None:
    e = episode(0, FETCH.instruction, FETCH.goal, HIDDEN_THINGS, split=split)
    assert looked(e, "nav(sofa)").num_looks == num_looks


def test_what_stands_only_where_it_is_wanted_is_not_looked_for() -> None:
    e = episode(0, FETCH.instruction, FETCH.goal, {"mug_0": "brown_table", "pear_0": "sofa"})
    assert looked(e, "nav(sofa)").num_looks == 0


def test_looks_of_a_run_add_up() -> None:
    runs = [(replayed(FETCH, "nav(sofa)"), FETCH)] * 3 + [(replayed(FETCH, "nav(chair)"), FETCH)]
    found = clairvoyance(runs)
    assert (found.num_looks, found.hits) == (4, 3)
    p = 2 / 7
    assert found.expected == pytest.approx(4 * p)
    assert found.p_value == pytest.approx(4 * p**3 * (1 - p) + p**4)


@given(st.lists(st.floats(0, 1), max_size=8), st.integers(0, 9))
def test_the_tail_is_the_sum_over_all_outcomes(chances: list[float], hits: int) -> None:
    total = 0.0
    for number in range(1 << len(chances)):
        held = [number >> i & 1 for i in range(len(chances))]
        if sum(held) >= hits:
            total += math.prod(c if h else 1 - c for c, h in zip(chances, held, strict=True))
    assert _tail(chances, hits) == pytest.approx(total, abs=1e-12)


@pytest.mark.parametrize(("p_value", "suspicious"), [(ALPHA, False), (ALPHA / 2, True)])
def test_one_honest_run_in_a_million_is_flagged(p_value: float, suspicious: bool) -> None:
    assert ALPHA == 1e-6
    assert Clairvoyance(30, 30, 4.0, p_value).suspicious is suspicious
