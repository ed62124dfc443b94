"""Subgoals and rewards of whole episodes, judged by the slow reference world and plain counting.

The rules, read once more: a subgoal is reached when its fact becomes true for the first time; one
that holds at the start has to become false before. Two at once pay once, and the step that
succeeds pays no subgoal.
"""

from __future__ import annotations

import re

from handmade import episode, on
from hypothesis import given, settings
from hypothesis import strategies as st
from reference_world import SKILLS, ReferenceWorld, reference_world

from langrearrange.dataset import Episode
from langrearrange.env import RELEASE_REWARD, Rules, Task
from langrearrange.world import skill_index

PLACES = ("sofa", "chair", "fridge", "left_drawer")
OPENABLES = ("fridge", "left_drawer")
FACTS = (
    *(f"held({category})" for category in ("apple", "pear")),
    *(f"held(apple,{place},{n})" for place in PLACES for n in (1, 2)),
    *(f"delivered({category},{place},{n})"
      for category in ("apple", "pear") for place in PLACES for n in (1, 2, 3)),
    *(f"{kind}({name})" for name in OPENABLES for kind in ("opened", "closed")),
)  # fmt: skip
USEFUL = [
    skill_index(skill)
    for skill in (
        *(f"nav({place})" for place in ("sofa", "chair", "fridge_handle", "left_drawer_handle")),
        *(f"place({place})" for place in PLACES),
        *(f"{verb}({name})" for name in OPENABLES for verb in ("open", "close")),
        "pick(apple)", "pick(pear)",
    )
]  # fmt: skip


def holds(fact: str, world: ReferenceWorld) -> bool:
    """Whether the fact of a subgoal holds, by its definition."""
    match = re.fullmatch(r"(\w+)\((\w+)(?:,(\w+),(\d+))?\)", fact)
    assert match
    kind, subject, place, count = match.groups()
    if kind in ("opened", "closed"):
        return (subject in world.opened) == (kind == "opened")
    in_hand = world.held is not None and world.categories[world.held] == subject
    lying = [
        number
        for number, (where, _) in world.resting.items()
        if where == place and world.categories[number] == subject
    ]
    enough = len(lying) >= int(count or 0)
    return in_hand and enough if kind == "held" else enough


@st.composite
def crowded(draw: st.DrawFn) -> Episode:
    """An episode of five to eight apples and pears at few places, with subgoals of any kind."""
    kinds = draw(st.lists(st.sampled_from(["apple", "pear"]), min_size=5, max_size=8))
    things = {
        f"{kind}_{number}": draw(st.sampled_from(PLACES)) for number, kind in enumerate(kinds)
    }
    return episode(
        0,
        "Do what you like.",
        on("book", "sink"),  # there is no book: the episode goes on to its horizon
        things,
        open=tuple(name for name in OPENABLES if draw(st.booleans())),
        subgoals=tuple(draw(st.lists(st.sampled_from(FACTS), max_size=6))),
    )


@settings(max_examples=150)
@given(crowded(), st.lists(st.sampled_from(USEFUL) | st.integers(0, 69), max_size=31))
def test_subgoals_are_reached_when_their_facts_come_about(
    played: Episode, actions: list[int]
) -> None:
    task = Task(played)
    released = Task(played, Rules(reward=RELEASE_REWARD))
    world = reference_world(played.layout(), played.initial_state())
    facts = played.subgoals
    true_before = [holds(fact, world) for fact in facts]
    reached: set[int] = set()
    ever = {i for i, true in enumerate(true_before) if true}
    for steps, action in enumerate(actions, start=1):
        outcome = world.act(SKILLS[action])
        true_now = [holds(fact, world) for fact in facts]
        fresh = {
            i
            for i, (before, now) in enumerate(zip(true_before, true_now, strict=True))
            if now and not before and i not in reached
        }
        first_held = {i for i, now in enumerate(true_now) if now and i not in ever}
        reached, ever = reached | fresh, ever | first_held
        expected = -0.01 - (0 if outcome == "ok" else 0.1) + (5 if fresh else 0)
        assert abs(task.step(action) - expected) < 1e-9
        share = len(first_held) / len(facts) if facts else 0
        assert abs(released.step(action) - 5 * share) < 1e-9
        assert {i for i in range(len(facts)) if task.reached >> i & 1} == reached
        assert (task.num_reached, released.num_reached) == (len(reached), len(ever))
        assert task.state == world.state()
        assert (task.outcome.value, task.steps, task.over) == (outcome, steps, False)
        true_before = true_now


def test_a_fact_that_holds_at_the_start_is_reached_when_it_comes_back() -> None:
    played = episode(
        0,
        "Do what you like.",
        on("book", "sink"),
        {"apple_0": "sofa", "pear_0": "chair"},
        subgoals=("delivered(apple,sofa,1)", "held(apple)"),
    )
    task = Task(played)
    counts = []
    for skill in ("nav(sofa)", "pick(apple)", "place(sofa)", "pick(apple)", "place(sofa)"):
        task.step(skill_index(skill))
        counts.append((task.num_reached, task.reached))
    assert counts == [(0, 0b00), (1, 0b10), (2, 0b11), (2, 0b11), (2, 0b11)]
