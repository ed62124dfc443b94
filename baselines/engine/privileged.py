"""Privileged information for training: facts for a critic, remaining steps of an optimal plan.

It is read from the env's tasks. Policies never receive it, and evaluation does not use it.
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from langrearrange.dataset.episode import Episode
from langrearrange.env.task import Task
from langrearrange.errors import UsageError
from langrearrange.solver import goal_boxes, solve
from langrearrange.world import WorldState
from langrearrange.world.goals import parse_goal
from langrearrange.world.vocabulary import (
    CATEGORIES,
    CATEGORY_INDEX,
    NUM_NAV_TARGETS,
    NUM_OPENABLES,
    NUM_RECEPTACLES,
    RECEPTACLE_INDEX,
)

_TEMPLATES: Final = 32
_SUBGOALS: Final = 8
_PLACES: Final = NUM_RECEPTACLES + 1
_THINGS: Final = len(CATEGORIES) * _PLACES
PRIVILEGED_DIM: Final = (
    _TEMPLATES + 1 + 2 * _SUBGOALS + NUM_RECEPTACLES + _THINGS + NUM_NAV_TARGETS + 1 + NUM_OPENABLES
)
"""Number of privileged facts."""
MAX_VISITS: Final = 20_000
"""States that the planner visits before its lower bound is used instead."""


def tasks_of(envs: Any, what: str) -> Sequence[Task]:
    """Return the tasks of a vector env; UsageError if it has none."""
    if not hasattr(envs, "tasks"):
        raise UsageError(f"{what} needs envs that show their tasks; {type(envs).__name__} does not")
    tasks: Sequence[Task] = envs.tasks
    return tasks


def privileged_facts(tasks: Sequence[Task]) -> Tensor:
    """Return template, step, subgoals and the places of the goal's objects.

    Returns:
        (n, PRIVILEGED_DIM), float32.
    """
    states, fixed = [task.state for task in tasks], [_fixed(task.episode) for task in tasks]
    rows, bits = np.arange(len(tasks)), np.arange(_SUBGOALS)
    moving = np.zeros((len(tasks), NUM_NAV_TARGETS + 1 + NUM_OPENABLES))
    moving[rows, [state.place for state in states]] = 1
    opened = np.array([state.open_mask for state in states])[:, None]
    moving[:, NUM_NAV_TARGETS + 1 :] = opened >> np.arange(NUM_OPENABLES) & 1
    owner = np.repeat(rows, [len(one.categories) for one in fixed])
    where = owner * len(CATEGORIES) + np.concatenate([one.categories for one in fixed])
    where = where * _PLACES + np.array(list(chain.from_iterable(s.receptacles for s in states)))
    matters = np.concatenate([one.matters for one in fixed])
    columns = [
        np.stack([one.template for one in fixed]),
        np.array([[task.steps / task.rules.horizon] for task in tasks]),
        np.array([[task.reached] for task in tasks]) >> bits & 1,
        bits < np.array([[task.num_subgoals] for task in tasks]),
        np.stack([one.targets for one in fixed]),
        np.bincount(where, matters, len(tasks) * _THINGS).reshape(len(tasks), -1),
        moving,
    ]
    return torch.from_numpy(np.concatenate(columns, 1).astype(np.float32))


class _Fixed(NamedTuple):
    """Constants of an episode: template, target receptacles, and two facts of each object."""

    template: NDArray[np.float32]
    targets: NDArray[np.float32]
    categories: NDArray[np.int64]
    matters: NDArray[np.float32]


@lru_cache(maxsize=4096)
def _fixed_by(template: str, goal: str, categories: tuple[str, ...]) -> _Fixed:
    words = set(re.findall(r"[a-z_]+", goal))
    one_hot, targets = np.zeros(_TEMPLATES, np.float32), np.zeros(NUM_RECEPTACLES, np.float32)
    one_hot[zlib.crc32(template.encode()) % _TEMPLATES] = 1
    targets[[RECEPTACLE_INDEX[word] for word in words & RECEPTACLE_INDEX.keys()]] = 1
    return _Fixed(
        one_hot,
        targets,
        np.array([CATEGORY_INDEX[name] for name in categories]),
        np.array([name in words for name in categories], np.float32),
    )


def _fixed(episode: Episode) -> _Fixed:
    names = tuple(thing.category for thing in episode.objects)
    return _fixed_by(episode.template, episode.goal, names)


class PlannerPotential:
    """Potential-based shaping (Ng et al. 1999): minus the remaining steps of an optimal plan.

    The potential of an episode's end is 0, so the shaped rewards of an episode, discounted, add up
    to minus the potential of its start, whatever the policy does.

    Args:
        scale: reward for each step nearer.
        gamma: the learner's discount.
    """

    def __init__(self, scale: float, gamma: float) -> None:
        self._scale, self._gamma = scale, gamma
        self._plans: list[_Remaining | None] = []
        self.values: NDArray[np.float64] = np.zeros(0)

    def begin(self, tasks: Sequence[Task]) -> None:
        """Start with these tasks, one per row."""
        self._plans = [None] * len(tasks)
        self.values = np.array([self._potential(row, task, -1) for row, task in enumerate(tasks)])

    def step(
        self, tasks: Sequence[Task], actions: Sequence[int], ends: NDArray[np.bool_]
    ) -> NDArray[np.float64]:
        """Return the shaping reward of each row.

        Args:
            tasks: after the step; where an episode ended, the next one.
            actions: taken.
            ends: which episodes the actions ended.
        """
        before = self.values
        following = np.zeros(len(tasks))
        for row, (task, action) in enumerate(zip(tasks, actions, strict=True)):
            if ends[row]:
                self._plans[row] = None
            following[row] = self._potential(row, task, -1 if ends[row] else action)
        self.values = following
        shaped: NDArray[np.float64] = self._gamma * np.where(ends, 0.0, following) - before
        return shaped

    def saved(self) -> dict[str, Any]:
        """Return the state of the rows, JSON-able."""
        left = [None if p is None else [list(p.plan), p.steps] for p in self._plans]
        return {"values": self.values.tolist(), "left": left}

    def restore(self, saved: dict[str, Any], tasks: Sequence[Task]) -> None:
        """Continue with these tasks from a saved state."""
        self.values = np.array(saved["values"])
        self._plans = [
            None if left is None else _Remaining(task.state, tuple(left[0]), left[1])
            for task, left in zip(tasks, saved["left"], strict=True)
        ]

    def _potential(self, row: int, task: Task, action: int) -> float:
        known = self._plans[row]
        if known is None or known.state != task.state:
            if known is not None and known.plan and known.plan[0] == action:
                known = _Remaining(task.state, known.plan[1:], known.steps - 1)
            else:
                known = _planned(task)
            self._plans[row] = known
        return -self._scale * known.steps


class _Remaining(NamedTuple):
    """A shortest plan from a state; empty if the planner gave up, and `steps` is then a bound."""

    state: WorldState
    plan: tuple[int, ...]
    steps: int


def _planned(task: Task) -> _Remaining:
    initial = task.episode.initial_state()
    goal = parse_goal(task.episode.goal)
    boxes = goal_boxes(goal, task.layout, initial)
    found = solve(goal, task.layout, initial, max_visits=MAX_VISITS, boxes=boxes, start=task.state)
    known = len(found.plan) if found.status == "solved" else found.lower_bound
    steps = task.rules.horizon if known is None else min(known, task.rules.horizon)
    return _Remaining(task.state, found.plan, steps)
