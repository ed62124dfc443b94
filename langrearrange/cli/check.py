"""`langrearrange check`: check a data set, episode by episode."""

from dataclasses import asdict, dataclass
from typing import Annotated, Literal

import tyro

from langrearrange.cli import common
from langrearrange.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Check data sets, episode by episode.

    Checks content hash and schema; replays every plan and proves it optimal; checks that the goal
    is false at the start, that the presuppositions of the sentence hold, and that texts are
    distinct and unambiguous.

    Exit code 0 without findings, 1 otherwise.

    To check all published splits for leaks of held-out words, flats and texts into train:
      langrearrange check --between
    """

    sets: Annotated[tuple[str, ...], tyro.conf.Positional]
    """folders written by `generate`, or names of splits"""
    planner: Literal["own", "pyperplan"] = "own"
    """pyperplan: also check with an independent planner that each goal can be reached (slow)"""
    key: common.Key = ""
    between: bool = False
    """also check what holds between the published splits: texts, flats and held-out words"""
    workers: common.Workers = None
    show: common.Show = 20
    json: common.Json = False


def run(args: Args) -> int:
    """Check; returns 0 when every set passed."""
    from langrearrange.dataset import Dataset
    from langrearrange.generator.check import check_dataset
    from langrearrange.generator.disjoint import report_between

    if not args.sets and not args.between:
        raise UsageError("no data set given; name a split or a folder written by `generate`")
    key = common.secret_key(args.key)
    reports = []
    for name in args.sets:
        source = common.open_source(name)
        reports.append(check_dataset(source, planner=args.planner, key=key, workers=args.workers))
        if not key and isinstance(source, Dataset) and source.manifest.commitment:
            common.note(
                f"{name} is sealed: only with --key is it proved that its spec made these episodes"
            )
    if args.between:
        reports.append(report_between())
    if args.json:
        common.print_json([{**asdict(report), "passed": report.passed} for report in reports])
    else:
        rows = [
            (
                report.split,
                report.num_episodes,
                ", ".join(f"{n} {kind}" for kind, n in report.counts.items()) or "none",
                report.content_sha256[:16] or "(computed)",
                report.proved_by,
            )
            for report in reports
        ]
        columns = ("set", "episodes", "findings", "content sha256", "proved by")
        common.print_table(common.make_table("check", columns, rows))
        common.note_findings(reports, args.show)
    return 0 if all(report.passed for report in reports) else 1
