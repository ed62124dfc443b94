"""The hand-made episodes are what they say: legal, with optimal plans and the subgoals of these."""

from __future__ import annotations

import pytest

from langrearrange.dataset import Episode
from langrearrange.dataset.codec import check_episode
from langrearrange.solver import solve, subgoals
from langrearrange.testing import toy_episodes
from langrearrange.world import skill_index
from langrearrange.world.goals import parse_goal


@pytest.mark.parametrize("episode", toy_episodes(), ids=lambda episode: episode.id)
def test_plans_are_optimal_and_subgoals_follow_from_them(episode: Episode) -> None:
    check_episode(episode, episode.id)
    goal, layout, initial = parse_goal(episode.goal), episode.layout(), episode.initial_state()
    solution = solve(goal, layout, initial)
    assert solution.status == "solved"
    assert len(solution.plan) == len(episode.plan)
    plan = tuple(map(skill_index, episode.plan))
    assert set(map(str, subgoals(goal, layout, initial, plan))) == set(episode.subgoals)
