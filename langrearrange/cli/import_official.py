"""`langrearrange import-official`: the official release's pickled episodes, read safely."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from langrearrange.cli.common import make_table, note, print_table

if TYPE_CHECKING:
    from langrearrange.generator.official import ImportReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Write the episodes of the official release in our format, one folder a file.

    The pickles are read as data and never run; whatever else they ask for is refused. Texts, goals
    and poses are kept; plans are our solver's. Inconsistent episodes are kept and named.

      langrearrange import-official ml-llarp/datasets/context.pickle --out out/official
      langrearrange play official_context/000017 --episodes out/official/official_context

    Exit code 0 when every episode was written, 1 when some did not fit. docs/official-episodes.md
    says what is kept and what differs.
    """

    files: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """pickles, named as they were published"""
    out: Path
    """folder to write; each file becomes --out/official_<split>"""
    max_mb: int = 32
    """largest file admitted, MiB; reading may take 16 times as much memory"""
    show: int = 20
    """print at most so many findings per file; import_report.json has them all"""
    json: bool = False
    """print JSON instead of a table"""
    force: bool = False
    """replace data sets that lie there"""


def run(args: Args) -> int:
    """Import; returns 1 when an episode had to be rejected."""
    from langrearrange.errors import UsageError
    from langrearrange.generator.official import import_files

    if not args.files:
        raise UsageError("no file given; name one or more pickles of the official release")
    if args.max_mb < 1:
        raise UsageError(f"--max-mb {args.max_mb}; accepted: at least 1")
    reports = list(
        import_files(args.files, args.out, args.max_mb * 1024 * 1024, overwrite=args.force)
    )
    if args.json:
        print(json.dumps([report.as_dict() for report in reports], indent=1))
    else:
        _print(reports, args.show)
    return int(any(report.num_written < report.num_episodes for report in reports))


def _print(reports: list[ImportReport], show: int) -> None:
    columns = ("split", "file", "episodes", "written", "scenes", "texts", "skills", "findings")
    table = make_table("import-official", columns, left=2)
    for report in reports:
        lengths = [length for length in report.plan_lengths if length]
        table.add_row(
            report.split,
            report.file,
            str(report.num_episodes),
            str(report.num_written),
            str(report.num_scenes),
            str(report.num_texts),
            f"{min(lengths)}-{max(lengths)}" if lengths else "-",
            ", ".join(f"{n} {kind}" for kind, n in report.counts.items()) or "none",
        )
    print_table(table)
    for report in reports:
        for finding in report.findings[:show]:
            note(str(finding))
        if len(report.findings) > show:
            note(f"... and {len(report.findings) - show} more of {report.split}; see --show")
