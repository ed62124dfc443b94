"""Outside planners and validators as functions of an exported pair (test dependencies only)."""

from __future__ import annotations

import logging
import warnings
from pathlib import Path

from langrearrange.solver.pddl import PddlPair


def write_pair(pair: PddlPair, folder: Path) -> tuple[str, str]:
    """Write both files and return their paths."""
    domain, problem = folder / "domain.pddl", folder / "problem.pddl"
    domain.write_text(pair.domain)
    problem.write_text(pair.problem)
    return str(domain), str(problem)


def pyperplan_plan(pair: PddlPair, folder: Path) -> list[str] | None:
    """Return an optimal plan (A* with LM-cut) as action names, None when there is none."""
    from pyperplan import grounding
    from pyperplan.heuristics.lm_cut import LmCutHeuristic
    from pyperplan.pddl.parser import Parser
    from pyperplan.search import astar_search

    logging.disable(logging.INFO)
    try:
        parser = Parser(*write_pair(pair, folder))
        task = grounding.ground(parser.parse_problem(parser.parse_domain()))
        plan = astar_search(task, LmCutHeuristic(task))
    finally:
        logging.disable(logging.NOTSET)
    return None if plan is None else [operator.name for operator in plan]


def validator_accepts(pair: PddlPair, plan: str, folder: Path) -> tuple[bool, bool]:
    """Ask unified-planning's validator about a plan and about the same without its last step."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # its dependencies' deprecations are not ours
        from unified_planning.engines import SequentialPlanValidator, ValidationResultStatus
        from unified_planning.io import PDDLReader
        from unified_planning.shortcuts import get_environment

        get_environment().credits_stream = None
        reader = PDDLReader()
        problem = reader.parse_problem(*write_pair(pair, folder))
        lines = plan.splitlines(keepends=True)
        verdicts = []
        for text in (plan, "".join(lines[:-1])):
            parsed = reader.parse_plan_string(problem, text)
            result = SequentialPlanValidator().validate(problem, parsed)
            verdicts.append(result.status is ValidationResultStatus.VALID)
        return verdicts[0], verdicts[1]
