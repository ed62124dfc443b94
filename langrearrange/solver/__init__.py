"""The exact planner: shortest plans, their subgoals, and episodes written as PDDL.

Not for making or judging episodes: it answers how many skills a goal takes in a household.
"""

from langrearrange.solver.boxes import Box, goal_boxes
from langrearrange.solver.reference import breadth_first
from langrearrange.solver.search import Solution, solve
from langrearrange.solver.subgoals import subgoals

__all__ = [
    "Box",
    "Solution",
    "breadth_first",
    "goal_boxes",
    "solve",
    "subgoals",
]
