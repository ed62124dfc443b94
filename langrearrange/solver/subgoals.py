"""Subgoals of an optimal plan: the facts its steps make that no plan can do without.

Written and tested by `world.subgoals`; this module only finds them. A fact counts when it is
necessary for every box of the goal (a landmark): which of two apples, or which free table, does
not matter to the reward (paper B.4).
"""

from __future__ import annotations

from collections.abc import Sequence

from langrearrange.solver.boxes import Box, goal_boxes
from langrearrange.world.goals import Goal
from langrearrange.world.skills import SKILLS, apply
from langrearrange.world.state import Layout, WorldState
from langrearrange.world.subgoals import Subgoal, compile_subgoal
from langrearrange.world.vocabulary import (
    CATEGORIES,
    CATEGORY_INDEX,
    IN_HAND,
    OPENABLE_INDEX,
    OPENABLE_OF_RECEPTACLE,
    RECEPTACLE_INDEX,
)


def subgoals(
    goal: Goal,
    layout: Layout,
    initial: WorldState,
    plan: Sequence[int],
    *,
    boxes: Sequence[Box] | None = None,
) -> tuple[Subgoal, ...]:
    """Return the subgoals of an episode, in the order in which the plan reaches them.

    Args:
        goal: the parsed goal.
        layout: the episode's layout.
        initial: the state at t=0.
        plan: skill indices of an optimal plan from `initial`.
        boxes: `goal_boxes(goal, layout, initial)` where the caller has them already.

    Returns:
        Facts made by pick, place, open and close steps, lifted to categories and counted; none
        holds at t=0, none occurs twice, each is reached by every plan. May be empty.
    """
    if boxes is None:
        boxes = goal_boxes(goal, layout, initial)

    def is_landmark(fact: Subgoal) -> bool:
        return not compile_subgoal(fact, layout)(initial) and all(
            _is_needed(fact, box, layout, initial) for box in boxes
        )

    found: dict[Subgoal, None] = {}
    for fact in _facts_made(layout, initial, plan):
        if fact.kind == "held" and not is_landmark(fact):
            fact = Subgoal("held", fact.subject)  # the count may not matter, the pick may
        if fact not in found and is_landmark(fact):
            found[fact] = None
    return tuple(found)


def _facts_made(layout: Layout, initial: WorldState, plan: Sequence[int]) -> list[Subgoal]:
    """The fact that each step but navigation makes, in order."""
    states = [initial]
    for index in plan:
        states.append(apply(layout, states[-1], index)[0])
    facts = []
    for position, index in enumerate(plan):
        skill, after = SKILLS[index], states[position + 1]
        match skill.kind:
            case "pick":
                target = _next_target(plan[position + 1 :])
                count = _count(layout, after, skill.target, target)
                facts.append(_held(skill.target, target, count))
            case "place":
                category = CATEGORIES[layout.categories[states[position].held]]
                count = _count(layout, after, category, skill.target)
                facts.append(Subgoal("delivered", category, skill.target, count))
            case "open":
                facts.append(Subgoal("opened", skill.target))
            case "close":
                facts.append(Subgoal("closed", skill.target))
    return facts


def _next_target(rest: Sequence[int]) -> str:
    return next((SKILLS[skill].target for skill in rest if SKILLS[skill].kind == "place"), "")


def _held(category: str, target: str, count: int) -> Subgoal:
    """The first c on its way to a target is plainly "held"; later ones say how many are there."""
    return Subgoal("held", category, target, count) if count else Subgoal("held", category)


def _count(layout: Layout, state: WorldState, category: str, target: str) -> int:
    if not target:
        return 0
    where = RECEPTACLE_INDEX[target]
    instances = layout.instances[CATEGORY_INDEX[category]]
    return sum(state.receptacles[obj] == where for obj in instances)


def _is_needed(fact: Subgoal, box: Box, layout: Layout, initial: WorldState) -> bool:
    """Whether every plan that ends in the box makes the fact true on the way."""
    if fact.kind == "opened":
        return _must_open(OPENABLE_INDEX[fact.subject], box, layout, initial)
    if fact.kind == "closed":
        return bool(box.closed >> OPENABLE_INDEX[fact.subject] & 1)
    category = CATEGORY_INDEX[fact.subject]
    masks = {obj: mask for obj, mask in box.objects if layout.categories[obj] == category}
    if not fact.target:
        return any(
            not mask >> initial.receptacles[obj] & 1 and initial.receptacles[obj] != IN_HAND
            for obj, mask in masks.items()
        )
    # While the number at the target rises from its start to what the box demands, it passes every
    # value in between, and each rise is a delivery by hand.
    only_there = 1 << RECEPTACLE_INDEX[fact.target]
    demanded = sum(mask == only_there for mask in masks.values())
    at_start = _count(layout, initial, fact.subject, fact.target)
    needed = fact.count if fact.kind == "delivered" else fact.count + 1
    return at_start < needed <= demanded


def _must_open(openable: int, box: Box, layout: Layout, initial: WorldState) -> bool:
    if box.opened >> openable & 1:
        return True
    receptacle = next((r for r, o in enumerate(OPENABLE_OF_RECEPTACLE) if o == openable), -1)
    if receptacle < 0:
        return False
    bit = 1 << receptacle
    for obj, mask in box.objects:
        location = initial.receptacles[obj]
        if mask >> location & 1:
            continue
        if location == receptacle and layout.pick_closed[initial.open_mask] & bit:
            return True
        if layout.place_closed[0] & bit and mask == bit:
            return True
    return False
