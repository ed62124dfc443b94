"""A scored run as plain JSON values: the same bytes for the same run, on every machine."""

from __future__ import annotations

from typing import Any

import msgspec

from langrearrange.leaderboard.score import Group, Result, Scores, TemplateScores
from langrearrange.leaderboard.statistics import Interval

SCHEMA_VERSION = 1
DIGITS = 6
"""Floats are rounded to so many decimals: what lies behind them differs between processors."""


def report_json(result: Result) -> dict[str, Any]:
    """Return a run's scores as plain values.

    Episodes are listed by id with success, steps and failure; their actions stay in the trace.
    """
    return {
        "schema_version": SCHEMA_VERSION,
        "run": msgspec.to_builtins(result.header),
        "tier": result.tier,
        "ranked": result.tier != "T0",
        "partial": list(result.partial),
        "num_missing": result.num_missing,
        "false_claims": list(result.false_claims),
        "clairvoyance": {
            "num_looks": result.clairvoyance.num_looks,
            "hits": result.clairvoyance.hits,
            "expected": _round(result.clairvoyance.expected),
            "p_value": float(f"{result.clairvoyance.p_value:.3g}"),
            "suspicious": result.clairvoyance.suspicious,
        },
        "splits": {split: _scores(scores) for split, scores in result.splits.items()},
        "groups": {name: _group(group) for name, group in result.groups.items()},
        "templates": [_template(row) for row in result.templates],
        "episodes": [
            {
                "id": episode.id,
                "split": episode.split,
                "success": episode.success,
                "steps": episode.steps,
                "optimal": episode.optimal,
                "failure": episode.failure,
                "cause": episode.cause,
            }
            for episode in result.episodes
        ],
    }


def _round(value: float | None) -> float | None:
    return None if value is None else round(value, DIGITS) + 0.0  # + 0.0: no negative zero


def _interval(interval: Interval) -> dict[str, Any]:
    return {
        "mean": _round(interval.mean),
        "low": _round(interval.low),
        "high": _round(interval.high),
        "num_units": interval.num_units,
        "method": interval.method,
        "checked": interval.checked,
    }


def _group(group: Group) -> dict[str, Any]:
    return {"success": _interval(group.success), "efficiency": _interval(group.efficiency)}


def _scores(scores: Scores) -> dict[str, Any]:
    return {
        "success": _interval(scores.success),
        "efficiency": _interval(scores.efficiency),
        **{name: _round(value) for name, value in scores.metrics.items()},
        "num_episodes": scores.num_episodes,
        "num_missing": scores.num_missing,
        "causes": dict(scores.causes),
    }


def _template(row: TemplateScores) -> dict[str, Any]:
    return {
        "split": row.split,
        "template": row.template,
        "num_episodes": row.num_episodes,
        "success": _round(row.success),
        "efficiency": _round(row.efficiency),
    }
