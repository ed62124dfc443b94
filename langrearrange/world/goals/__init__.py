"""Goals: a small first-order language over the world's facts, parsed from PDDL (paper B.1)."""

from langrearrange.world.goals.ast import (
    CONSTANTS,
    OBJECT_TYPES,
    PREDICATES,
    RECEPTACLE_TYPES,
    And,
    Atom,
    Goal,
    Initially,
    Not,
    Or,
    Quantified,
    Variable,
    to_pddl,
    walk,
)
from langrearrange.world.goals.compile import MAX_GROUND_ATOMS, Test, compile_goal, domain
from langrearrange.world.goals.parse import Source, parse_goal
from langrearrange.world.goals.stale import StaleGoal

__all__ = [
    "CONSTANTS",
    "MAX_GROUND_ATOMS",
    "OBJECT_TYPES",
    "PREDICATES",
    "RECEPTACLE_TYPES",
    "And",
    "Atom",
    "Goal",
    "Initially",
    "Not",
    "Or",
    "Quantified",
    "Source",
    "StaleGoal",
    "Test",
    "Variable",
    "compile_goal",
    "domain",
    "parse_goal",
    "to_pddl",
    "walk",
]
