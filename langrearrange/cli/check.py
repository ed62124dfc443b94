"""`langrearrange check`: prove everything a data set promises, episode by episode."""

from __future__ import annotations

import json
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from langrearrange.cli.common import make_table, note, print_table

if TYPE_CHECKING:
    from langrearrange.generator.check import Report


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Check data sets, episode by episode.

    Content hash and schema; every plan replayed and re-proved optimal; the goal false at the start;
    what the sentence presupposes true; texts distinct, with one reading each.

    Exit code 0 when nothing is found, 1 otherwise.

    All published splits, and that nothing held out leaks into train:
      langrearrange check --between
    """

    sets: Annotated[tuple[str, ...], tyro.conf.Positional]
    """folders written by `generate`, or names of splits"""
    planner: Literal["own", "pyperplan"] = "own"
    """pyperplan: also ask a planner that is not ours whether each goal can be reached (slow)"""
    key: str = ""
    """of a sealed set, to rebuild its episodes; or set LANGREARRANGE_KEY"""
    between: bool = False
    """also check what holds between the published splits: texts, flats and held-out words"""
    workers: int | None = None
    """processes; None for one per available core"""
    show: int = 20
    """print at most so many findings per set"""
    json: bool = False
    """print JSON instead of tables"""


def run(args: Args) -> int:
    """Check; returns 0 when every set passed."""
    from langrearrange.cli.common import open_source
    from langrearrange.dataset import Dataset
    from langrearrange.errors import UsageError
    from langrearrange.generator.check import check_dataset
    from langrearrange.generator.disjoint import report_between

    if not args.sets and not args.between:
        raise UsageError("no data set given; name a split or a folder written by `generate`")
    key = args.key or os.environ.get("LANGREARRANGE_KEY", "")
    reports = []
    for name in args.sets:
        source = open_source(name)
        reports.append(check_dataset(source, planner=args.planner, key=key, workers=args.workers))
        if not key and isinstance(source, Dataset) and source.manifest.commitment:
            note(
                f"{name} is sealed: only with --key is it proved that its spec made these episodes"
            )
    if args.between:
        reports.append(report_between())
    if args.json:
        print(json.dumps([_as_json(report) for report in reports], indent=1))
    else:
        _print(reports, args.show)
    return 0 if all(report.passed for report in reports) else 1


def _as_json(report: Report) -> dict[str, object]:
    return {
        "split": report.split,
        "num_episodes": report.num_episodes,
        "passed": report.passed,
        "content_sha256": report.content_sha256,
        "proved_by": report.proved_by,
        "findings": [
            {"kind": f.kind, "episode_id": f.episode_id, "message": f.message}
            for f in report.findings
        ],
    }


def _print(reports: list[Report], show: int) -> None:
    table = make_table("check", ("set", "episodes", "findings", "content sha256", "proved by"))
    for report in reports:
        found = ", ".join(f"{n} {kind}" for kind, n in report.counts.items()) or "none"
        sha256 = report.content_sha256[:16] or "(computed)"
        table.add_row(report.split, str(report.num_episodes), found, sha256, report.proved_by)
    print_table(table)
    for report in reports:
        for finding in report.findings[:show]:
            note(f"{finding.episode_id}: {finding.kind}: {finding.message}")
        if len(report.findings) > show:
            note(f"... and {len(report.findings) - show} more in {report.split}; see --show")
