"""The exact solver: shortest plans by iterative deepening on a lower bound. Not for making goals.

Unit costs. A depth-first dive may not exceed a bound on depth plus steps left; the bound starts at
the start state's own and rises to the least value that cut a dive off, so the first plan found is a
shortest one. A transposition table per dive keeps the least depth of each state. Where a random
generator is given, it orders what is tried, so that every shortest plan can come out.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, Literal

from langrearrange.errors import SolverError
from langrearrange.seeding import KeyedRng
from langrearrange.solver.bound import NEVER, make_bound
from langrearrange.solver.boxes import Box, goal_boxes
from langrearrange.solver.problem import Problem, Stance, Step
from langrearrange.world.goals import Goal, compile_goal
from langrearrange.world.skills import SKILLS, apply
from langrearrange.world.state import Layout, Outcome, WorldState
from langrearrange.world.vocabulary import HORIZON, NUM_NAV_TARGETS

DEFAULT_LIMIT: Final = HORIZON - 1
"""Longest plan looked for: one step less than the horizon, so that Hard's `stop` fits."""
DEFAULT_MAX_VISITS: Final = 300_000
"""States looked at before giving up; about a second and 100 MB."""

BOXES_A_VISIT: Final = 64

Status = Literal["solved", "unsolvable", "gave_up"]


@dataclass(frozen=True, slots=True)
class Solution:
    """What the solver found.

    Attributes:
        status: `solved`: the plan is shortest. `unsolvable`: proved that no plan of at most `limit`
            steps exists. `gave_up`: the bound on visits was reached; nothing is proved but
            `lower_bound`.
        plan: skill indices (0..69); empty unless solved (and when the goal holds already).
        visits: states looked at; one counts again for every `BOXES_A_VISIT` boxes compared with.
        lower_bound: no plan is shorter than this; None: proved that there is none of any length.
    """

    status: Status
    plan: tuple[int, ...]
    visits: int
    lower_bound: int | None

    @property
    def too_long(self) -> bool:
        """Unsolvable within the limit, though a longer plan is not excluded."""
        return self.status == "unsolvable" and self.lower_bound is not None


def solve(
    goal: Goal,
    layout: Layout,
    initial: WorldState,
    limit: int = DEFAULT_LIMIT,
    max_visits: int = DEFAULT_MAX_VISITS,
    *,
    rng: KeyedRng | None = None,
    boxes: Sequence[Box] | None = None,
    start: WorldState | None = None,
) -> Solution:
    """Find a shortest plan, or prove that there is none of at most `limit` steps.

    Args:
        goal: the parsed goal.
        layout: the episode's layout; any reach is solved exactly, standard reach much faster.
        initial: the state at t=0 (for `initially` and `undisturbed`).
        limit: longest plan looked for, in steps.
        max_visits: states looked at before giving up.
        rng: draws one of the shortest plans; None: the first in canonical order.
        boxes: `goal_boxes(goal, layout, initial)` where the caller has them already.
        start: the state to plan from; None: `initial`.

    Returns:
        The solution. The plan has been replayed with `world.apply`: every step is valid and the
        goal holds at its end.

    Raises:
        SolverError: the goal has too many boxes, or the replay failed (a bug in the solver).
        GoalError: the goal is too large to evaluate.
    """
    if boxes is None:
        boxes = goal_boxes(goal, layout, initial)
    start = initial if start is None else start
    solution = _Search(Problem(layout, start, tuple(boxes)), limit, max_visits, rng).run()
    if solution.status == "solved":
        _check_plan(goal, layout, initial, start, solution.plan)
    return solution


class _OutOfVisits(Exception):
    """The work bound was reached (control flow within this module)."""


class _Search:
    def __init__(self, problem: Problem, limit: int, max_visits: int, rng: KeyedRng | None) -> None:
        self._problem = problem
        self._limit = limit
        self._max_visits = max_visits
        self._rng = rng
        self._stances: list[Sequence[Stance]] = []  # by depth, in the order to try them
        self._visits = 0

    def run(self) -> Solution:
        problem = self._problem
        if problem.is_goal(problem.initial):
            return Solution("solved", (), 0, 0)
        costs = [make_bound(problem, (box,))(problem.initial) for box in problem.boxes]
        bound = max(1, min(costs, default=NEVER))
        while bound <= self._limit:
            near = [box for box, cost in zip(problem.boxes, costs, strict=True) if cost <= bound]
            try:
                plan, next_bound = self._dive(bound, near)
            except _OutOfVisits:
                return Solution("gave_up", (), self._visits, bound)
            if plan is not None:
                return Solution("solved", plan, self._visits, len(plan))
            bound = min((cost for cost in costs if cost > bound), default=NEVER)
            bound = min(bound, next_bound)
        return Solution("unsolvable", (), self._visits, None if bound >= NEVER else bound)

    def _children(self, state: WorldState, depth: int, after_drive: bool) -> list[Step]:
        steps = self._problem.steps(state)
        if self._rng is not None and len(steps) > 1:
            steps = self._rng.shuffled(steps)
        if after_drive:
            return steps  # driving to the second place at once is shorter than driving twice
        while depth >= len(self._stances):
            stances = self._problem.stances
            self._stances.append(self._rng.shuffled(stances) if self._rng else stances)
        drives = self._problem.drives(state, self._stances[depth])
        if steps and self._rng is not None and self._rng.chance(1, 2):
            return drives + steps
        return steps + drives

    def _dive(self, bound: int, boxes: Sequence[Box]) -> tuple[tuple[int, ...] | None, int]:
        """Return a plan of `bound` steps into one of the boxes, or None and the next bound."""
        problem, bound_of = self._problem, cache(make_bound(self._problem, boxes))
        price = 1 + len(boxes) // BOXES_A_VISIT
        depths = {problem.initial: 0}
        plan: list[int] = []
        pending = [iter(self._children(problem.initial, 0, False))]
        next_bound = NEVER
        while pending:
            depth = len(pending)
            for skill, state in pending[-1]:
                if depths.get(state, NEVER) <= depth:
                    continue
                self._visits += price
                if self._visits > self._max_visits:
                    raise _OutOfVisits
                left = bound_of(state)
                if depth + left > bound:
                    if depth + left < next_bound:
                        next_bound = depth + left
                    continue
                depths[state] = depth
                plan.append(skill)
                if not left and problem.is_goal(state):
                    return tuple(plan), bound
                pending.append(iter(self._children(state, depth, skill < NUM_NAV_TARGETS)))
                break
            else:
                pending.pop()
                if plan:
                    plan.pop()
        return None, min(next_bound, NEVER)


def _check_plan(
    goal: Goal, layout: Layout, initial: WorldState, start: WorldState, plan: Sequence[int]
) -> None:
    state = start
    for position, skill in enumerate(plan):
        state, outcome = apply(layout, state, skill)
        if outcome is not Outcome.OK:
            raise SolverError(
                f"bug in the solver: step {position}, {SKILLS[skill].id}, of its plan is invalid "
                f"({outcome}); please report the episode"
            )
    if not compile_goal(goal, layout, initial)(state):
        raise SolverError("bug in the solver: its plan does not reach the goal; please report it")
