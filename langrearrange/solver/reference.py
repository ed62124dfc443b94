"""Breadth-first search without any pruning: slow and plainly right, to judge the solver by.

Not for production: the number of states grows with every object of the episode.
"""

from __future__ import annotations

from typing import Final

from langrearrange.solver.search import DEFAULT_LIMIT, Solution
from langrearrange.world.goals import Goal, compile_goal
from langrearrange.world.skills import NUM_SKILLS, apply
from langrearrange.world.state import Layout, Outcome, WorldState

DEFAULT_MAX_STATES: Final = 200_000


def breadth_first(
    goal: Goal,
    layout: Layout,
    initial: WorldState,
    limit: int = DEFAULT_LIMIT,
    max_states: int = DEFAULT_MAX_STATES,
    *,
    start: WorldState | None = None,
) -> Solution:
    """Find a shortest plan by trying all 70 skills in every state (`world.apply`, compiled goal).

    Slots are left out: no outcome and no goal depends on them.

    Args:
        goal: the parsed goal.
        layout: the episode's layout.
        initial: the state at t=0 (for `initially` and `undisturbed`).
        limit: longest plan looked for, in steps.
        max_states: states kept before giving up.
        start: the state to plan from; None: `initial`.

    Returns:
        The same kind of answer as `solve`; `visits` counts states.
    """
    holds = compile_goal(goal, layout, initial)
    first = (initial if start is None else start)._replace(slots=())
    parents: dict[WorldState, tuple[WorldState, int] | None] = {first: None}
    if holds(first):
        return Solution("solved", (), 1, 0)
    layer = [first]
    for depth in range(1, limit + 1):
        next_layer = []
        for state in layer:
            for skill in range(NUM_SKILLS):
                child, outcome = apply(layout, state, skill)
                if outcome is not Outcome.OK:
                    continue
                if child in parents:
                    continue
                parents[child] = (state, skill)
                if holds(child):
                    return Solution("solved", _unwind(parents, child), len(parents), depth)
                next_layer.append(child)
            if len(parents) > max_states:
                return Solution("gave_up", (), len(parents), depth)
        if not next_layer:
            return Solution("unsolvable", (), len(parents), None)
        layer = next_layer
    return Solution("unsolvable", (), len(parents), limit + 1)


def _unwind(
    parents: dict[WorldState, tuple[WorldState, int] | None], state: WorldState
) -> tuple[int, ...]:
    plan = []
    while (parent := parents[state]) is not None:
        state, skill = parent
        plan.append(skill)
    return tuple(reversed(plan))
