"""Independent planners as a second check of episodes: pyperplan on the exported PDDL.

Not for planning inside the product: that is `langrearrange.solver`.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Literal, get_args

from langrearrange.dataset import Episode
from langrearrange.errors import MissingExtraError, UsageError
from langrearrange.generator.prove import Planner
from langrearrange.solver import pddl
from langrearrange.world.goals import parse_goal

PlannerName = Literal["own", "pyperplan"]


def planner_named(name: str) -> Planner | None:
    """Return an independent planner by name, None for our own solver.

    Raises:
        UsageError: no such planner.
        MissingExtraError: pyperplan is not installed.
    """
    if name == "own":
        return None
    if name != "pyperplan":
        raise UsageError(f"unknown planner '{name}'; accepted: {', '.join(get_args(PlannerName))}")
    try:
        import pyperplan.planner  # noqa: F401
    except ImportError:
        raise MissingExtraError("check --planner pyperplan", "planning", "pyperplan") from None
    return pyperplan_says


def pyperplan_says(episode: Episode) -> str:
    """Return "" if pyperplan (greedy best first, h_FF) finds a plan, else what is wrong."""
    from pyperplan.planner import HEURISTICS, SEARCHES, search_plan

    pair = pddl.export(
        parse_goal(episode.goal),
        episode.layout(),
        episode.initial_state(),
        episode.id,
        dialect="strips",
    )
    with tempfile.TemporaryDirectory() as folder:
        domain, problem = Path(folder, "domain.pddl"), Path(folder, "problem.pddl")
        domain.write_text(pair.domain)
        problem.write_text(pair.problem)
        plan = search_plan(str(domain), str(problem), SEARCHES["gbf"], HEURISTICS["hff"])
    if plan is None:
        return "pyperplan finds no plan for the exported problem"
    if len(plan) - 1 < len(episode.plan):  # its last step states that the goal is achieved
        return f"pyperplan needs {len(plan) - 1} skills, the plan has {len(episode.plan)}"
    return ""
