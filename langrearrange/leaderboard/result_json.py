"""A scored run as plain JSON values: the same bytes for the same run, on every machine.

`read_result` takes them back, and nothing else: every field typed, finite and in range.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Annotated, Any, Final, Literal

import msgspec

from langrearrange.errors import SubmissionError
from langrearrange.leaderboard.chain import Pictures
from langrearrange.leaderboard.score import Result, Tier
from langrearrange.leaderboard.statistics import Method
from langrearrange.leaderboard.trace import Count, Digest, Failure, Header, Name, Split

SCHEMA_VERSION: Final[Literal[2]] = 2
DIGITS = 6
"""Decimals of floats; further digits differ between processors."""
Share = Annotated[float, msgspec.Meta(ge=0, le=1)]
Number = Annotated[float, msgspec.Meta(ge=-1e6, le=1e6)]


class _Strict(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A record of a result file."""


class IntervalRecord(_Strict, frozen=True):
    """A mean with its 95 % interval."""

    mean: Share
    low: Share
    high: Share
    num_units: Count
    method: Method
    checked: bool


class GroupRecord(_Strict, frozen=True):
    """PR, BG or Total."""

    success: IntervalRecord
    efficiency: IntervalRecord


class SplitRecord(GroupRecord, frozen=True):
    """A split: also `METRICS`, counts and causes of failure."""

    metrics: dict[Name, Number | None]
    num_episodes: Count
    num_missing: Count
    causes: dict[Name, Count]


class LooksRecord(_Strict, frozen=True):
    """The clairvoyance test."""

    num_looks: Count
    hits: Count
    expected: Number
    p_value: Share
    suspicious: bool


class TemplateRecord(_Strict, frozen=True):
    """A template of a split."""

    split: Split
    template: Name
    num_episodes: Count
    success: Share
    efficiency: Share


class EpisodeRecord(_Strict, frozen=True):
    """An episode; its actions stay in the trace."""

    id: Name
    split: Split
    success: bool
    steps: Count
    optimal: Count
    failure: Failure
    cause: Annotated[str, msgspec.Meta(max_length=40, pattern="^[a-z_]*$")]


class ResultRecord(_Strict, frozen=True):
    """A result file; see `Result` for what the fields mean."""

    schema_version: Literal[2]
    run: Header
    tier: Tier
    ranked: bool
    partial: list[Split]
    foreign: list[Split]
    round: Digest
    compared: Pictures
    num_interrupted: Count
    num_missing: Count
    false_claims: list[Name]
    clairvoyance: LooksRecord
    splits: dict[Split, SplitRecord]
    groups: dict[Literal["PR", "BG", "Total"], GroupRecord]
    templates: list[TemplateRecord]
    episodes: list[EpisodeRecord]


def read_result(data: bytes, place: str) -> ResultRecord:
    """Read a result file of one run.

    Raises:
        SubmissionError: not one that `report_json` gives.
    """
    try:
        return msgspec.json.decode(data, type=ResultRecord)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        reason = ascii(str(error))[1:-1][:500]
        raise SubmissionError(f"{place}: not a result of this release ({reason})") from None


def report_json(result: Result) -> dict[str, Any]:
    """Return a run's scores as plain values.

    Episodes are listed by id with success, steps and failure; their actions stay in the trace.
    """
    looks = result.clairvoyance
    return {
        "schema_version": SCHEMA_VERSION,
        "run": msgspec.to_builtins(result.header),
        "tier": result.tier,
        "ranked": result.tier == "T2",
        "partial": list(result.partial),
        "foreign": list(result.foreign),
        "round": result.round,
        "compared": result.compared,
        "num_interrupted": result.num_interrupted,
        "num_missing": result.num_missing,
        "false_claims": list(result.false_claims),
        "clairvoyance": _plain(looks, LooksRecord) | {"p_value": float(f"{looks.p_value:.3g}")},
        "splits": {split: _plain(scores, SplitRecord) for split, scores in result.splits.items()},
        "groups": {name: _plain(group, GroupRecord) for name, group in result.groups.items()},
        "templates": [_plain(row, TemplateRecord) for row in result.templates],
        "episodes": [_plain(episode, EpisodeRecord) for episode in result.episodes],
    }


def _plain(source: object, record: type[_Strict]) -> dict[str, Any]:
    """Return an object's attributes as the fields of a record, floats rounded."""
    return rounded(msgspec.to_builtins(msgspec.convert(source, record, from_attributes=True)))


def rounded(fields: Mapping[str, Any]) -> dict[str, Any]:
    """Return fields with floats rounded, nested ones too; no zero is negative."""
    return {
        name: rounded(value) if isinstance(value, dict)
        else round(value, DIGITS) + 0.0 if isinstance(value, float) else value
        for name, value in fields.items()
    }  # fmt: skip
