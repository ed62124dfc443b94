"""`langrearrange import-official`: the official release's pickled episodes, read safely."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from langrearrange.cli import common
from langrearrange.errors import UsageError


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Write the episodes of the official release in our format, one folder a file.

    The pickles are parsed as data and never executed; any other opcode is refused. Texts, goals and
    poses are kept; plans come from our solver. Inconsistent episodes are kept and reported.

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
    show: common.Show = 20
    json: common.Json = False
    force: common.Force = False


def run(args: Args) -> int:
    """Import; returns 1 when an episode had to be rejected."""
    from langrearrange.generator.official import import_files

    if not args.files:
        raise UsageError("no file given; name one or more pickles of the official release")
    if args.max_mb < 1:
        raise UsageError(f"--max-mb {args.max_mb}; accepted: at least 1")
    max_bytes = args.max_mb * 1024 * 1024
    reports = list(import_files(args.files, args.out, max_bytes, overwrite=args.force))
    if args.json:
        common.print_json([report.as_dict() for report in reports])
    else:
        rows = []
        for r in reports:
            lengths = [length for length in r.plan_lengths if length]
            skills = f"{min(lengths)}-{max(lengths)}" if lengths else "-"
            found = ", ".join(f"{n} {kind}" for kind, n in r.counts.items()) or "none"
            counts = r.num_episodes, r.num_written, r.num_scenes, r.num_texts
            rows.append((r.split, r.file, *counts, skills, found))
        columns = ("split", "file", "episodes", "written", "scenes", "texts", "skills", "findings")
        common.print_table(common.make_table("import-official", columns, rows, left=2))
        common.note_findings(reports, args.show)
    return int(any(report.num_written < report.num_episodes for report in reports))
