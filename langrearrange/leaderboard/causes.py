"""Causes of failure, assigned by fixed rules: the first rule that matches.

The rules, in their order:

    timeout, crash, refusal, bad_action   the agent stopped answering
    precondition        at least half of the skills were impossible
    wrong_branch        an object was moved that the condition forbids to move
    distractor          an object named in the sentence, but not a target, was picked up
    wrong_object        another object that is not a target was picked up
    missed_one          some, but not all, of the targets were moved
    wrong_receptacle    a target was put down in a wrong place
    loop                the second half of the episode has hardly any new states
    never_found         a target was never in reach
    horizon             none of these: the horizon was reached
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import lru_cache
from typing import Final, NamedTuple

from langrearrange.agents.words import find_mentions
from langrearrange.dataset import Episode
from langrearrange.leaderboard.trace import Failure
from langrearrange.world import Layout, Outcome, WorldState, in_reach
from langrearrange.world.goals import (
    And,
    Atom,
    Goal,
    Initially,
    Not,
    Or,
    Quantified,
    compile_goal,
    parse_goal,
    walk,
)
from langrearrange.world.vocabulary import CATEGORIES, CATEGORY_INDEX, IN_HAND, RECEPTACLES

CAUSES: Final = (
    "timeout", "crash", "refusal", "bad_action", "precondition", "wrong_branch", "distractor",
    "wrong_object", "missed_one", "wrong_receptacle", "loop", "never_found", "horizon",
)  # fmt: skip
LOOP_SHARE: Final = 0.35
"""Second halves with at most this share of new states count as a loop."""


class Wanted(NamedTuple):
    """The categories and receptacles of a goal.

    Attributes:
        categories: to bring or find.
        kept: that must not be moved.
        targets: receptacles to bring them to.
        forbidden: receptacles to take them off.
        every: whether all of a category are meant.
    """

    categories: frozenset[str]
    kept: frozenset[str]
    targets: frozenset[str]
    forbidden: frozenset[str]
    every: bool


def cause_of(
    episode: Episode,
    layout: Layout,
    states: Sequence[WorldState],
    outcomes: Sequence[str],
    failure: Failure,
) -> str:
    """Return why a failed episode failed: one of `CAUSES`.

    Args:
        episode: what was played.
        layout: its static part.
        states: the world before each skill and after the last.
        outcomes: outcome of each skill.
        failure: why the agent stopped answering, "" if it did not.
    """
    if failure:
        return failure
    invalid = sum(outcome not in (Outcome.OK, "stop") for outcome in outcomes)
    if outcomes and 2 * invalid >= len(outcomes):
        return "precondition"
    wanted = wanted_of(episode.goal, layout, states[0])
    for name, fits in (
        ("wrong_branch", _moved_what_must_stay(wanted, layout, states)),
        ("distractor", bool(_unwanted(wanted, layout, states) & _named(episode.instruction))),
        ("wrong_object", bool(_unwanted(wanted, layout, states))),
        ("missed_one", _missed_one(wanted, layout, states)),
        ("wrong_receptacle", _misplaced(wanted, layout, states)),
        ("loop", _loops(states)),
        ("never_found", _never_found(wanted, layout, states)),
    ):
        if fits:
            return name
    return "horizon"


def wanted_of(goal: str, layout: Layout, initial: WorldState) -> Wanted:
    """Return the categories and receptacles of a goal's branch that applies in this episode."""
    tree = _branch(_parsed(goal), layout, initial)
    quantified = [part for part in walk(tree) if isinstance(part, Quantified)]
    types = {v.name: v.members for part in quantified for v in part.variables}
    atoms = list(_atoms(tree))
    of = {
        predicate: {c for a, _ in atoms if a.predicate == predicate for c in types[a.arguments[0]]}
        for predicate in ("on_top", "holding", "near", "undisturbed")
        if any(a.predicate == predicate for a, _ in atoms)
    }
    kept = of.pop("undisturbed", set())
    categories = set().union(*of.values())
    placed = [(a.arguments[1], negated) for a, negated in atoms if a.predicate == "on_top"]
    return Wanted(
        frozenset(categories - kept),
        frozenset(kept - categories),
        frozenset(r for r, negated in placed if not negated and r in RECEPTACLES),
        frozenset(r for r, negated in placed if negated and r in RECEPTACLES),
        any(
            categories.intersection(v.members)
            for part in quantified
            if part.quantifier == "forall"
            for v in part.variables
        ),
    )


@lru_cache(maxsize=4096)
def _parsed(goal: str) -> Goal:
    return parse_goal(goal)


def _branch(goal: Goal, layout: Layout, initial: WorldState) -> Goal:
    """Return the goal without the branches whose condition did not hold at the start."""
    if not isinstance(goal, Or):
        return goal
    return Or(tuple(part for part in goal.parts if _applies(part, layout, initial)))


def _applies(part: Goal, layout: Layout, initial: WorldState) -> bool:
    conditions = part.parts if isinstance(part, And) else (part,)
    return all(
        compile_goal(condition, layout, initial)(initial)
        for condition in conditions
        if isinstance(condition, Initially)
    )


def _atoms(goal: Goal, negated: bool = False) -> Iterator[tuple[Atom, bool]]:
    """Yield the atoms about the final state, each with whether it is negated."""
    match goal:
        case Atom("="):
            return
        case Atom():
            yield goal, negated
        case Not(part):
            yield from _atoms(part, not negated)
        case Initially():
            return
        case Quantified(_, _, body):
            yield from _atoms(body, negated)
        case _:
            for part in goal.parts:
                yield from _atoms(part, negated)  # And, Or


def _named(sentence: str) -> set[str]:
    return {mention.name for mention in find_mentions(sentence)}


def _picked(layout: Layout, states: Sequence[WorldState]) -> set[int]:
    return {state.held for state in states if state.held >= 0}


def _unwanted(wanted: Wanted, layout: Layout, states: Sequence[WorldState]) -> set[str]:
    picked = {CATEGORIES[layout.categories[thing]] for thing in _picked(layout, states)}
    return picked - wanted.categories


def _moved_what_must_stay(wanted: Wanted, layout: Layout, states: Sequence[WorldState]) -> bool:
    first, last = states[0].receptacles, states[-1].receptacles
    return any(
        first[thing] != last[thing]
        for category in wanted.kept
        for thing in layout.instances[CATEGORY_INDEX[category]]
    )


def _things(wanted: Wanted, layout: Layout) -> list[int]:
    return [t for c in wanted.categories for t in layout.instances[CATEGORY_INDEX[c]]]


def _at_target(wanted: Wanted, where: int) -> bool:
    if where == IN_HAND:
        return False
    name = RECEPTACLES[where]
    return name in wanted.targets or (bool(wanted.forbidden) and name not in wanted.forbidden)


def _missed_one(wanted: Wanted, layout: Layout, states: Sequence[WorldState]) -> bool:
    if not (wanted.every or len(wanted.categories) > 1):
        return False
    first, last = states[0].receptacles, states[-1].receptacles
    brought = [
        thing
        for thing in _things(wanted, layout)
        if first[thing] != last[thing] and _at_target(wanted, last[thing])
    ]
    return bool(brought)


def _misplaced(wanted: Wanted, layout: Layout, states: Sequence[WorldState]) -> bool:
    first, last = states[0].receptacles, states[-1].receptacles
    return any(
        last[thing] not in (first[thing], IN_HAND) and not _at_target(wanted, last[thing])
        for thing in _things(wanted, layout)
    )


def _loops(states: Sequence[WorldState]) -> bool:
    half = len(states) // 2
    if half < 4:
        return False
    fresh = set(states[half:]) - set(states[:half])
    return len(fresh) <= LOOP_SHARE * (len(states) - half)


def _never_found(wanted: Wanted, layout: Layout, states: Sequence[WorldState]) -> bool:
    for category in wanted.categories:
        things = layout.instances[CATEGORY_INDEX[category]]
        if things and not any(in_reach(layout, state, t) for state in states for t in things):
            return True
    return False
