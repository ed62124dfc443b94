"""A scored run as plain JSON values: the same bytes for the same run, on every machine."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any, Final

import msgspec

from langrearrange.leaderboard.score import Group, Result, Scores

SCHEMA_VERSION = 1
DIGITS = 6
"""Decimals of floats; further digits differ between processors."""


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
            **rounded(asdict(result.clairvoyance)),
            "p_value": float(f"{result.clairvoyance.p_value:.3g}"),
            "suspicious": result.clairvoyance.suspicious,
        },
        "splits": {split: _scores(scores) for split, scores in result.splits.items()},
        "groups": {name: _group(group) for name, group in result.groups.items()},
        "templates": [rounded(asdict(row)) for row in result.templates],
        "episodes": [
            {name: getattr(episode, name) for name in _EPISODE} for episode in result.episodes
        ],
    }


def rounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with floats rounded; no zero is negative."""
    return {
        name: round(value, DIGITS) + 0.0 if isinstance(value, float) else value
        for name, value in fields.items()
    }


_EPISODE: Final = ("id", "split", "success", "steps", "optimal", "failure", "cause")
_INTERVAL: Final = ("mean", "low", "high", "num_units", "method", "checked")


def _group(scores: Group | Scores) -> dict[str, Any]:
    return {
        measure: rounded({name: getattr(interval, name) for name in _INTERVAL})
        for measure, interval in (("success", scores.success), ("efficiency", scores.efficiency))
    }


def _scores(scores: Scores) -> dict[str, Any]:
    return {
        **_group(scores),
        **rounded(scores.metrics),
        "num_episodes": scores.num_episodes,
        "num_missing": scores.num_missing,
        "causes": dict(scores.causes),
    }
