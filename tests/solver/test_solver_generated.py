"""Real generated episodes against outside planners and the validator."""

from __future__ import annotations

from pathlib import Path

import pytest
from solver_judges import (
    check_same_optimum,
    fast_downward,
    pyperplan_plan,
    validator_accepts,
)
from solver_problems import Exercise

from langrearrange.dataset import Episode
from langrearrange.generator import load_spec, make_episode, num_episodes
from langrearrange.solver import pddl, solve
from langrearrange.world import skill_index
from langrearrange.world.goals import parse_goal
from langrearrange.world.vocabulary import SPLITS as ALL_SPLITS

SPLITS = tuple(split for split in ALL_SPLITS if split != "train_mini")
EACH = 24
"""Episodes of each split, 312 in all, that outside programs judge in the slow tests."""


def episode_of(split: str, index: int, count: int) -> Episode:
    """The index-th of `count` episodes spread evenly over a split."""
    spec = load_spec(split)
    return make_episode(spec, index * num_episodes(spec) // count)


def problem_of(episode: Episode) -> Exercise:
    return Exercise(
        f"{episode.id} {episode.goal}",
        parse_goal(episode.goal),
        episode.layout(),
        episode.initial_state(),
    )


def strips(problem: Exercise) -> pddl.PddlPair:
    return pddl.export(problem.goal, problem.layout, problem.initial, "episode", "strips")


def _check_validator(split: str, index: int, count: int, folder: Path) -> None:
    episode = episode_of(split, index, count)
    kind, goal, layout, initial = problem_of(episode)
    names = [item.id for item in episode.objects]
    plan = [skill_index(skill) for skill in episode.plan]
    pair = pddl.export(goal, layout, initial, episode.id, object_names=names)
    text = pddl.plan_text(plan, goal, layout, initial, object_names=names)
    assert validator_accepts(pair, text, folder) == (True, False), kind


@pytest.mark.parametrize("split", ["train", "multiple_objects", "conditional_instructions"])
def test_a_validator_accepts_the_plan_and_not_its_beginning(split: str, tmp_path: Path) -> None:
    _check_validator(split, 1, 3, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_a_validator_accepts_the_plans_of_every_split(split: str, tmp_path: Path) -> None:
    for index in range(EACH):
        _check_validator(split, index, EACH, tmp_path)


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_pyperplan_finds_the_same_optimum_on_short_episodes(split: str, tmp_path: Path) -> None:
    compared = 0
    for index in range(24):
        problem = problem_of(episode_of(split, index, 24))
        solution = solve(problem.goal, problem.layout, problem.initial)
        if len(solution.plan) <= 5 and compared < 10:
            check_same_optimum(problem, solution, pyperplan_plan(strips(problem), tmp_path))
            compared += 1
    assert compared >= 6 or split == "multiple_rearrangements"  # three objects take 12 steps


@pytest.mark.slow
@pytest.mark.parametrize("split", SPLITS)
def test_fast_downward_finds_the_same_optimum_wherever_it_finishes(
    split: str, tmp_path: Path
) -> None:
    finished = 0
    for index in range(EACH):
        problem = problem_of(episode_of(split, index, EACH))
        solution = solve(problem.goal, problem.layout, problem.initial)
        verdict = fast_downward(strips(problem), tmp_path)
        if verdict.finished:
            finished += 1
            check_same_optimum(problem, solution, verdict.plan)
    assert finished >= 20 or split == "multiple_rearrangements"
