"""Outside planners and validators as functions of an exported pair (test dependencies only)."""

from __future__ import annotations

import importlib.util
import logging
import subprocess
import sys
import warnings
from pathlib import Path
from typing import NamedTuple

from solver_problems import Exercise

from langrearrange.solver import Solution
from langrearrange.solver.pddl import PddlPair, parse_plan
from langrearrange.world import Outcome, apply
from langrearrange.world.goals import compile_goal


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


class Verdict(NamedTuple):
    """What Fast Downward says: a plan, a proof that there is none, or neither in time."""

    finished: bool
    plan: list[str] | None


_FD_SOLVED, _FD_UNSOLVABLE = 0, (10, 11)


def fast_downward(pair: PddlPair, folder: Path, time_limit_s: int = 10) -> Verdict:
    """Run Fast Downward's A* with LM-cut (package up-fast-downward) on a STRIPS pair."""
    spec = importlib.util.find_spec("up_fast_downward")
    assert spec is not None, "pip install up-fast-downward"
    assert spec.origin is not None
    driver = Path(spec.origin).parent / "downward" / "fast-downward.py"
    plan_path = folder / "plan"
    plan_path.unlink(missing_ok=True)
    command = [sys.executable, str(driver), "--plan-file", str(plan_path)]
    command += ["--overall-time-limit", f"{time_limit_s}s", *write_pair(pair, folder)]
    done = subprocess.run(
        [*command, "--search", "astar(lmcut())"], capture_output=True, cwd=folder, check=False
    )
    if done.returncode == _FD_SOLVED:
        lines = plan_path.read_text().splitlines()
        return Verdict(True, [line for line in lines if not line.startswith(";")])
    return Verdict(done.returncode in _FD_UNSOLVABLE, None)


def check_same_optimum(problem: Exercise, solution: Solution, found: list[str] | None) -> None:
    """Assert that an optimal STRIPS planner agrees with us.

    Its plan may be shorter only by picking an instance that the skill would not take; then the
    plan must fail when replayed as skills.
    """
    kind, goal, layout, initial = problem
    if found is None or solution.status != "solved":
        assert found is None, (kind, found)
        assert solution.status == "unsolvable", kind
        return
    assert len(found) <= len(solution.plan) + 1, (kind, found)
    if len(found) == len(solution.plan) + 1:
        return
    state, valid = initial, True
    for skill in parse_plan("\n".join(found), layout):
        state, outcome = apply(layout, state, skill)
        valid = valid and outcome is Outcome.OK
    assert not (valid and compile_goal(goal, layout, initial)(state)), (kind, found)
