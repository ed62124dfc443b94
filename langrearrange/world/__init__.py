"""The vocabulary of facts: names, states, skills, goals. Standard library only.

Not for houses, episodes or pictures: this room knows that an apple can stand on the sofa, not
where the sofa is.
"""

from langrearrange.world.action_names import ACTION_IDS, ACTION_NAMES, parse_action
from langrearrange.world.skills import (
    KINDS,
    NUM_SKILLS,
    SKILL_INDEX,
    SKILLS,
    Skill,
    apply,
    skill_index,
    valid_mask,
)
from langrearrange.world.state import (
    CLOSED_RECEPTACLES,
    OUTCOMES,
    STANDARD_OPERABLE,
    STANDARD_REACH,
    Layout,
    Outcome,
    Semantics,
    WorldState,
    first_free_slot,
    in_reach,
    initial_state,
)
from langrearrange.world.subgoals import Subgoal, compile_subgoal, parse_subgoal

__all__ = [
    "ACTION_IDS",
    "ACTION_NAMES",
    "CLOSED_RECEPTACLES",
    "KINDS",
    "NUM_SKILLS",
    "OUTCOMES",
    "SKILLS",
    "SKILL_INDEX",
    "STANDARD_OPERABLE",
    "STANDARD_REACH",
    "Layout",
    "Outcome",
    "Semantics",
    "Skill",
    "Subgoal",
    "WorldState",
    "apply",
    "compile_subgoal",
    "first_free_slot",
    "in_reach",
    "initial_state",
    "parse_action",
    "parse_subgoal",
    "skill_index",
    "valid_mask",
]
