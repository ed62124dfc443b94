"""The `text` observation: short, and nothing that the `state` observation does not tell."""

from __future__ import annotations

import random
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from langrearrange.agents import ExplorerAgent
from langrearrange.dataset import Episode
from langrearrange.env import EnvConfig, Observations, Rules, Task, feedback, text
from langrearrange.env.text_observation import MAX_TURN
from langrearrange.generator import open_split
from langrearrange.testing import toy_episodes
from langrearrange.world import NUM_SKILLS, SKILL_INDEX, skill_index
from langrearrange.world.vocabulary import (
    CATEGORIES,
    NAV_INDEX,
    OPENABLE_INDEX,
    RECEPTACLES,
    SPLITS,
    SURFACES,
)
from langrearrange.world.wording import counted, outcome_of

TOY = toy_episodes()
STATE = Observations(EnvConfig(observation="state"))


def seen(task: Task) -> tuple[Any, ...]:
    """Return the state observation as a value that can be compared."""
    return tuple(
        value if isinstance(value, str) else value.tobytes()
        for value in STATE.observe(0, task).values()
    )


def random_skills(episode: Episode, task: Task) -> Iterator[int]:
    rng = random.Random(episode.id)
    while True:
        yield rng.randrange(rng.choice((16, NUM_SKILLS)))


def oracle_skills(episode: Episode, task: Task) -> Iterator[int]:
    yield from map(skill_index, episode.plan)


def explorer_skills(episode: Episode, task: Task) -> Iterator[int]:
    agent = ExplorerAgent()
    agent.reset(episode.instruction)
    while True:
        yield agent.act(STATE.observe(0, task))


@pytest.mark.parametrize("agent", [random_skills, oracle_skills, explorer_skills])
@pytest.mark.parametrize("split", SPLITS)
def test_every_text_after_the_first_is_short_and_tells_action_hand_and_steps(
    split: Any, agent: Any
) -> None:
    source = open_split(split)
    for index in range(0, len(source), len(source) // 5):
        task = Task(source.get(index))
        for action in agent(task.episode, task):
            task.step(action)
            words = text(task)
            first, second = words.split("\n")
            assert len(words) <= MAX_TURN
            assert outcome_of(feedback(task)) is task.outcome
            assert first.startswith(f"{feedback(task)} ")
            left = task.rules.horizon - task.steps
            assert first.endswith(f" {left or 'No'} step{'s' * (left != 1)} left.")
            assert second.startswith("You are at ")
            held = task.state.held
            thing = counted(1, task.episode.objects[held].category)
            hand = f"You are holding {thing}." if held >= 0 else "Your hand is empty."
            assert second.endswith(hand)
            if task.over:
                break


def test_the_longest_text_of_32_steps_is_short() -> None:
    """Five objects to begin with, seven brought, one held: the longest names everywhere."""
    longest = sorted(CATEGORIES, key=lambda c: len(counted(1, c)))[-12:]
    things = tuple(
        replace(TOY[0].objects[0], id=f"{c}_{i}", category=c, receptacle="right_drawer", slot=i)
        for i, c in enumerate([*longest, "cleanser"])
    )
    task = Task(replace(TOY[0], objects=things))
    state = task.state._replace(
        place=NAV_INDEX["right_drawer"],
        held=12,
        receptacles=(*task.state.receptacles[:12], len(RECEPTACLES)),
        open_mask=1 << OPENABLE_INDEX["right_drawer"],
    )
    task.restore(task.progress._replace(state=state, steps=12))
    task.step(SKILL_INDEX["place(right_counter)"])
    assert all(f" {english}" in text(task) for english in ("a Lego brick", "a pair of scissors"))
    assert 350 < len(text(task)) <= MAX_TURN


def shuffled(episode: Episode, rng: random.Random) -> Episode:
    """Return the same task in a home where some objects are elsewhere and some doors are not."""
    objects = tuple(
        replace(thing, receptacle=rng.choice(RECEPTACLES), slot=20 + i)
        if rng.random() < 0.4
        else thing
        for i, thing in enumerate(episode.objects)
    )
    opened = tuple(name for name in OPENABLE_INDEX if rng.random() < 0.4)
    return replace(episode, objects=objects, open=opened)


@given(st.sampled_from(TOY), st.randoms(use_true_random=False), st.booleans())
def test_who_sees_the_same_states_reads_the_same_texts(
    episode: Episode, rng: random.Random, hard: bool
) -> None:
    tasks = [Task(home, Rules(hard=hard)) for home in (episode, shuffled(episode, rng))]
    assert seen(tasks[0]) == seen(tasks[1])
    assert text(tasks[0]) == text(tasks[1])
    for _ in range(12):
        action = rng.randrange(rng.choice((16, NUM_SKILLS)))
        if any(task.over for task in tasks):
            break
        for task in tasks:
            task.step(action)
        if seen(tasks[0]) != seen(tasks[1]):
            break
        assert text(tasks[0]) == text(tasks[1])
        assert feedback(tasks[0]) == feedback(tasks[1])


def test_a_closed_container_looks_the_same_whatever_it_holds() -> None:
    """The homes differ in what the fridge holds only, and so do the texts once it is open."""
    empty, full = (
        replace(
            TOY[0],
            open=(),
            objects=tuple(
                replace(thing, receptacle=where if i == 0 else SURFACES[0], slot=i)
                for i, thing in enumerate(TOY[0].objects)
            ),
        )
        for where in (SURFACES[0], "fridge")
    )
    tasks = [Task(home) for home in (empty, full)]
    category = TOY[0].objects[0].category
    for skill in ("nav(fridge)", f"pick({category})", "place(fridge)", "close(fridge)"):
        for task in tasks:
            task.step(skill_index(skill))
        assert text(tasks[0]) == text(tasks[1])
        assert "The fridge is closed; you cannot see inside." in text(tasks[0])
    for task in tasks:
        task.step(skill_index("open(fridge)"))
    assert "You see no objects." in text(tasks[0])
    assert f"You see {counted(1, category)}." in text(tasks[1])


def test_a_handle_and_its_container_are_one_place() -> None:
    tasks = [Task(TOY[0]) for _ in range(2)]
    for task, skill in zip(tasks, ("nav(fridge)", "nav(fridge_handle)"), strict=True):
        task.step(skill_index(skill))
    assert len({text(task).split("\n")[1] for task in tasks}) == 1
    assert [feedback(task) for task in tasks] == [
        "You went to the fridge.",
        "You went to the fridge handle.",
    ]
