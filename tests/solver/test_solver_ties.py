"""Which of the shortest plans the solver draws: each can come out, none much more often."""

from __future__ import annotations

import itertools
from collections import Counter

import pytest
from solver_problems import crowded_problem, random_problem
from solver_worlds import household

from langrearrange.generator import load_spec, make_episode
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.solver import solve
from langrearrange.world import SKILLS, Layout, Outcome, WorldState, apply
from langrearrange.world.goals import Goal, compile_goal, parse_goal
from langrearrange.world.vocabulary import RECEPTACLES, SPOT_OF_PLACE

Plan = tuple[str, ...]


def as_spots(plan: tuple[int, ...]) -> Plan:
    """A plan in which a handle counts as its container."""
    return tuple(
        f"nav {SPOT_OF_PLACE[skill]}" if SKILLS[skill].kind == "nav" else SKILLS[skill].id
        for skill in plan
    )


def shortest_plans(goal: Goal, layout: Layout, initial: WorldState, length: int) -> set[Plan]:
    """All plans of this length, by trying every skill in every state that can still succeed."""
    holds = compile_goal(goal, layout, initial)
    layers: list[dict[WorldState, set[Plan]]] = [{initial._replace(slots=()): {()}}]
    for _ in range(length):
        after: dict[WorldState, set[Plan]] = {}
        for state, plans in layers[-1].items():
            for skill in range(len(SKILLS)):
                child, outcome = apply(layout, state, skill)
                if outcome is Outcome.OK:
                    step = as_spots((skill,))
                    after.setdefault(child, set()).update(plan + step for plan in plans)
        layers.append(after)
    return {plan for state, plans in layers[-1].items() if holds(state) for plan in plans}


def drawn(goal: Goal, layout: Layout, initial: WorldState, *key: str | int) -> tuple[int, ...]:
    return solve(goal, layout, initial, rng=KeyedRng(HOUSE_VERSION, "ties", *key)).plan


@pytest.mark.parametrize("index", range(30))
def test_every_shortest_plan_can_be_drawn_and_no_other(index: int) -> None:
    for attempt in itertools.count():
        _, goal, layout, initial = crowded_problem("ties", index, attempt)
        first = solve(goal, layout, initial)
        if first.status == "solved" and 2 <= len(first.plan) <= 4:
            break
    wanted = shortest_plans(goal, layout, initial, len(first.plan))
    found = {as_spots(drawn(goal, layout, initial, key)) for key in range(25 * len(wanted))}
    assert found == wanted


@pytest.mark.parametrize("index", range(40))
def test_a_key_draws_one_plan_and_all_are_as_short(index: int) -> None:
    kind, goal, layout, initial = random_problem("keys", index)
    length = len(solve(goal, layout, initial).plan)
    plans = [drawn(goal, layout, initial, key) for key in range(5)]
    assert {len(plan) for plan in plans} == {length}, kind
    assert plans[0] == drawn(goal, layout, initial, 0)


def test_two_instances_at_open_places_are_taken_alike() -> None:
    layout, initial = household([("apple", r) for r in ("chair", "sink", "sofa")])
    goal = parse_goal("(exists (?x - apple) (and (on_top ?x tv_stand) (hand_free)))")
    firsts = Counter(drawn(goal, layout, initial, key)[0] for key in range(600))
    assert len(firsts) == 3
    assert max(firsts.values()) < 250


def test_an_object_to_be_taken_off_ends_everywhere_alike() -> None:
    """Over 1,000 generated plans no end has more than twice its share of them."""
    spec, ends = load_spec("train"), Counter[str]()
    drafts = blueprint_of(spec)
    wanted = (i for i in itertools.count() if drafts.draft(i).template.id == "take_off")
    for index in itertools.islice(wanted, 1000):
        ends[make_episode(spec, index).plan[-1]] += 1
    open_places = [end for end in ends if end in {f"place({r})" for r in RECEPTACLES[:8]}]
    assert len(open_places) == 8
    assert max(ends.values()) <= 2 * 1000 / len(ends)
