"""Checks of one episode that need neither its flat nor its templates nor a solver.

Not for proofs of optimality, presuppositions or readings (`langrearrange.generator.check_dataset`).
"""

from __future__ import annotations

from typing import Final

from langrearrange.dataset.codec import check_episode
from langrearrange.dataset.episode import Episode
from langrearrange.errors import EpisodeError, GoalError
from langrearrange.world import (
    Layout,
    Outcome,
    WorldState,
    apply,
    compile_subgoal,
    parse_subgoal,
    skill_index,
)
from langrearrange.world.goals import Source, Test, compile_goal, parse_goal
from langrearrange.world.vocabulary import HORIZON

Fault = tuple[str, str]
"""(kind of fault, sentence)."""
MAX_PLAN: Final = HORIZON - 1
"""Episodes are solvable in at most 31 skills, so that the harder variant can add its stop."""


def episode_problems(episode: Episode, max_plan: int = MAX_PLAN) -> list[Fault]:
    """Return the faults of a single episode; empty if there are none.

    Checked: the loader's limits, the goal's syntax, that it is false at the start, that the plan
    replays without an invalid skill and reaches the goal with its last skill and not before, and
    that the subgoals parse, are false at the start and are reached by the plan in their order.
    """
    try:
        check_episode(episode, episode.id)
        layout, state = episode.layout(), episode.initial_state()
    except EpisodeError as error:
        return [("format", str(error))]
    try:
        reached = compile_goal(
            parse_goal(episode.goal, Source(f"{episode.id}: goal")), layout, state
        )
    except GoalError as error:
        return [("goal", str(error))]
    found: list[Fault] = []
    if reached(state):
        found.append(("solved_at_start", f"{episode.id}: the goal is already true at the start"))
    if not 1 <= len(episode.plan) <= max_plan:
        found.append(
            ("plan_length", f"{episode.id}: {len(episode.plan)} skills; accepted: 1 to {max_plan}")
        )
    subgoals, wrong = _subgoals(episode, layout, state)
    return [*found, *wrong, *_replay(episode, layout, state, reached, subgoals)]


def _subgoals(
    episode: Episode, layout: Layout, state: WorldState
) -> tuple[list[tuple[str, Test]], list[Fault]]:
    """Return the subgoals that parse, as (text, test), and what is wrong with any."""
    tests: list[tuple[str, Test]] = []
    found: list[Fault] = []
    for text in episode.subgoals:
        try:
            test = compile_subgoal(parse_subgoal(text), layout)
        except EpisodeError as error:
            found.append(("subgoal", f"{episode.id}: {error}"))
            continue
        if test(state):
            found.append(("subgoal", f"{episode.id}: subgoal {text} is true at the start"))
        tests.append((text, test))
    return tests, found


def _replay(
    episode: Episode,
    layout: Layout,
    state: WorldState,
    reached: Test,
    subgoals: list[tuple[str, Test]],
) -> list[Fault]:
    """Play the plan and return where it goes wrong."""
    found: list[Fault] = []
    for number, skill in enumerate(episode.plan, 1):
        state, outcome = apply(layout, state, skill_index(skill))
        if outcome is not Outcome.OK:
            text = f"{episode.id}: step {number}, {skill}, is invalid: {outcome}"
            return [*found, ("plan", text)]
        if reached(state) and number < len(episode.plan):
            found.append(("plan", f"{episode.id}: the goal is reached at step {number} already"))
        while subgoals and subgoals[0][1](state):
            subgoals.pop(0)
    if not reached(state):
        found.append(("plan", f"{episode.id}: the plan does not reach the goal {episode.goal}"))
    for text, _ in subgoals:
        found.append(("subgoal", f"{episode.id}: the plan does not reach subgoal {text} in order"))
    return found
