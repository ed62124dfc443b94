"""Paired differences between arms, all seeds pooled: what PPO changed, and which arm is better."""

from collections.abc import Mapping, Sequence
from pathlib import Path

from langrearrange.leaderboard.groups import GROUPS
from langrearrange.leaderboard.score import Result, score_trace

from ..compare import fresh_split
from .lift import Lift, difference
from .plan import FRESH_KEY, Arm, Study
from .run import read_record

FIRST = "llarp"
"""The arm that the others are compared with."""


def fresh_results(arm: Arm, folder: Path) -> dict[str, tuple[Result, Result]]:
    """Return seed -> scores before and after PPO on fresh episodes, of runs that have them."""
    found: dict[str, tuple[Result, Result]] = {}
    if not arm.budget.fresh:
        return found
    split = fresh_split("new_scenes", FRESH_KEY, arm.budget.fresh)
    for home in sorted((folder / arm.name).glob("*/")):
        if read_record(home)["stages"].get("lift", {}).get("done"):
            before, after = (
                score_trace(home / "lift" / f"{side}.jsonl.gz", {split.split: split}.__getitem__)
                for side in "ab"
            )
            found[home.name] = before, after
    return found


def lift_rows(study: Study, folder: Path) -> list[list[str]]:
    """Return a row a run and one of all seeds of an arm: before, after, difference, p."""
    rows = []
    for arm in study.arms:
        runs = fresh_results(arm, folder)
        groups = {f"{arm.name} {seed}": [pair] for seed, pair in runs.items()}
        if len(runs) > 1:
            groups |= {f"**{arm.name}, pooled**": [*runs.values()]}
        for name, pairs in groups.items():
            before, after = zip(*pairs, strict=True)
            rows.append([name, *_cells(difference(before, after))])
    return rows


def order_rows(results: Mapping[str, Sequence[Result]]) -> list[list[str]]:
    """Return a row for each other arm: Total of LLaRP, of it, difference, p; nothing without."""
    ours = [name for name in results if name.partition("@")[0] == FIRST]
    return [
        [
            f"{name} - {mine}",
            *_cells(difference(results[mine], results[name], splits=GROUPS["Total"])),
        ]
        for mine in ours
        for name in results
        if name.partition("@")[0] != FIRST
    ]


def _cells(found: Lift) -> list[str]:
    interval = f"{found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    first = found.mean - found.difference
    return [f"{first:.3f}", f"{found.mean:.3f}", interval, f"{found.p_value:.2g}"]
