"""Goals: a small first-order language over the world's facts, parsed from PDDL (paper B.1)."""

from langrearrange.world.goals.ast import (
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
from langrearrange.world.goals.atoms import PREDICATES, Binding, Test, ground
from langrearrange.world.goals.compile import (
    branches,
    compile_goal,
    domain,
    is_conjunction,
)
from langrearrange.world.goals.distinct import shared_variables
from langrearrange.world.goals.factor import factored
from langrearrange.world.goals.parse import Source, parse_goal
from langrearrange.world.goals.stale import StaleGoal

__all__ = [
    "PREDICATES",
    "And",
    "Atom",
    "Binding",
    "Goal",
    "Initially",
    "Not",
    "Or",
    "Quantified",
    "Source",
    "StaleGoal",
    "Test",
    "Variable",
    "branches",
    "compile_goal",
    "domain",
    "factored",
    "ground",
    "is_conjunction",
    "parse_goal",
    "shared_variables",
    "to_pddl",
    "walk",
]
