"""Plans in the action names of the PDDL export, there and back. Not for domains and problems."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Final, Literal

from langrearrange.errors import SolverError
from langrearrange.solver.boxes import goal_boxes
from langrearrange.world.goals import Goal
from langrearrange.world.skills import SKILLS, apply, skill_index
from langrearrange.world.state import Layout, WorldState
from langrearrange.world.vocabulary import (
    CATEGORIES,
    NAV_INDEX,
    RECEPTACLES,
    SPOT_OF_PLACE,
    SPOTS,
    handle_of,
)

Dialect = Literal["adl", "strips"]
START_SPOT: Final = "start"
"""The spot at which the robot stands at t=0."""


def default_object_names(layout: Layout) -> tuple[str, ...]:
    """Return `apple_0`, `apple_1`, ... counted within each category, in object order."""
    names = [""] * layout.num_objects
    for category, instances in enumerate(layout.instances):
        for number, obj in enumerate(instances):
            names[obj] = f"{CATEGORIES[category]}_{number}"
    return tuple(names)


def plan_text(
    plan: Sequence[int],
    goal: Goal,
    layout: Layout,
    initial: WorldState,
    dialect: Dialect = "adl",
    object_names: Sequence[str] | None = None,
) -> str:
    """Write a plan in the action names of the export, one `(action argument ...)` per line.

    Args:
        plan: skill indices, valid from `initial`.
        goal: the goal (strips: the last line says which box it ends in).
        layout: the episode's layout.
        initial: the state at t=0.
        dialect: that of the export.
        object_names: those of the export.

    Raises:
        SolverError: strips, and the plan does not reach the goal.
    """
    names = tuple(object_names or default_object_names(layout))
    lines, state = [], initial
    for index in plan:
        skill, before = SKILLS[index], state
        state, _ = apply(layout, state, index)
        match skill.kind:
            case "nav":
                spots = spot_name(before.place), spot_name(state.place)
                if spots[0] != spots[1]:  # the domain has no way from a container to its handle
                    lines.append(f"(nav {spots[0]} {spots[1]})")
            case "pick":
                receptacle = RECEPTACLES[before.receptacles[state.held]]
                lines.append(f"(pick {names[state.held]} {receptacle})")
            case "place":
                lines.append(f"(place {names[before.held]} {skill.target})")
            case "open" | "close":
                lines.append(f"({skill.kind}_fixture {skill.target})")
            case _:
                raise SolverError(f"the PDDL domain has no action for '{skill.id}'")
    if dialect == "strips":
        boxes = goal_boxes(goal, layout, initial)
        reached = [k for k, box in enumerate(boxes) if box.holds(state)]
        if not reached:
            raise SolverError("the plan does not reach the goal; only whole plans can be written")
        lines.append(f"(achieve_{reached[0]})")
    return "".join(f"{line}\n" for line in lines)


def parse_plan(
    text: str, layout: Layout, object_names: Sequence[str] | None = None
) -> tuple[int, ...]:
    """Read a plan in the export's action names back to skill indices.

    Args:
        text: one action per line, with or without parentheses; `;` begins a comment.
        layout: the episode's layout.
        object_names: those of the export.

    Returns:
        Skill indices; `achieve_k` has none. Replay them: an outside planner may have counted on
        an instance that the skill would not take.

    Raises:
        SolverError: a line that is not an action of the export.
    """
    names = tuple(object_names or default_object_names(layout))
    skills = []
    for line in text.lower().splitlines():
        words = re.sub(r"[(),]", " ", line.split(";", 1)[0]).split()
        if not words or words[0].startswith("achieve_"):
            continue
        try:
            skills.append(_skill_of(words, layout, names))
        except (KeyError, ValueError, IndexError):
            raise SolverError(
                f"'{line.strip()}' is not an action of the export; actions look like (nav start "
                "sofa), (pick apple_0 sofa), (place apple_0 sink), (open_fixture fridge)"
            ) from None
    return tuple(skills)


def _skill_of(words: Sequence[str], layout: Layout, names: Sequence[str]) -> int:
    action, arguments = words[0], words[1:]
    if action == "nav":
        target = arguments[1]
        return NAV_INDEX[target if target in NAV_INDEX else handle_of(target)]
    if action == "pick":
        category = CATEGORIES[layout.categories[names.index(arguments[0])]]
        return skill_index(f"pick({category})")
    if action == "place":
        return skill_index(f"place({arguments[1]})")
    return skill_index(f"{action.removesuffix('_fixture')}({arguments[0]})")


def spot_name(place: int) -> str:
    """Return the PDDL spot of a robot place (0..16): a handle counts as its container."""
    spot = SPOT_OF_PLACE[place]
    return SPOTS[spot] if spot < len(SPOTS) else START_SPOT
