"""Paired differences between arms, all seeds pooled: what PPO changed, and which arm is better."""

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from langrearrange.leaderboard.groups import GROUPS, is_stratified, units_of
from langrearrange.leaderboard.score import Result, score_trace
from langrearrange.leaderboard.statistics import variance_of_mean
from langrearrange.leaderboard.student import t_cdf, t_quantile

from ..compare import fresh_split
from .lift import Lift
from .plan import FRESH_KEY, Arm, Study
from .run import read_record

FIRST = "llarp"
"""The arm that the others are compared with."""


def difference(first: Sequence[Result], second: Sequence[Result], splits: Collection[str]) -> Lift:
    """Return the second arm's success, and how far it is from the first's, paired by episode.

    Args:
        first: runs of an arm; each episode counts with its mean over them.
        second: runs of another one on the same episodes.
        splits: whose episodes.
    """
    episodes = [episode for episode in first[0].episodes if episode.split in splits]

    def means(runs: Sequence[Result]) -> Any:
        found = [{e.id: float(e.success) for e in run.episodes} for run in runs]
        return np.mean([[one[e.id] for e in episodes] for one in found], axis=0)

    values = means(second)
    changes = values - means(first)
    stratified = all(map(is_stratified, splits))
    units = units_of(episodes, stratified=stratified)
    variance = variance_of_mean(changes, units, stratified=stratified)
    change, error = float(changes.mean()), float(np.sqrt(variance.value))
    half = t_quantile(0.975, variance.degrees) * error
    p = 2 * (1 - t_cdf(abs(change) / error, variance.degrees)) if error else float(change == 0)
    return Lift(float(values.mean()), change, change - half, change + half, p)


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
            rows.append([name, *_cells(difference(before, after, before[0].splits))])
    return rows


def order_rows(results: Mapping[str, Sequence[Result]]) -> list[list[str]]:
    """Return a row for each other arm: Total of LLaRP, of it, difference, p; nothing without."""
    ours = [name for name in results if name.partition("@")[0] == FIRST]
    return [
        [f"{name} - {mine}", *_cells(difference(results[mine], results[name], GROUPS["Total"]))]
        for mine in ours
        for name in results
        if name.partition("@")[0] != FIRST
    ]


def _cells(found: Lift) -> list[str]:
    interval = f"{found.difference:+.3f} [{found.low:+.3f}, {found.high:+.3f}]"
    first = found.mean - found.difference
    return [f"{first:.3f}", f"{found.mean:.3f}", interval, f"{found.p_value:.2g}"]
