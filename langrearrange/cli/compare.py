"""`langrearrange compare`: is one agent better than another, on the same episodes?"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from langrearrange.cli.common import make_table, print_table, sources_of
from langrearrange.cli.score_tables import name_of
from langrearrange.errors import UsageError

if TYPE_CHECKING:
    from langrearrange.leaderboard.compare import Difference


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Compare two runs: paired differences, clustered intervals, Holm over splits.

    A winner is named only where the interval of the difference leaves out zero after correction.
    `detectable` is the smallest difference that this many episodes could have shown.
    """

    runs: Annotated[tuple[Path, Path], tyro.conf.Positional]
    """two traces written by `evaluate`"""
    episodes: tuple[str, ...] = ()
    """folders of data sets that are no published split"""
    json: bool = False
    """print JSON instead of a table"""


def run(args: Args) -> int:
    """Compare and print; exit code 0 whoever wins."""
    from langrearrange.leaderboard.compare import as_values, compare
    from langrearrange.leaderboard.score import score_trace

    if args.runs[0] == args.runs[1]:
        raise UsageError("the two runs are the same file")
    find = sources_of(args.episodes)
    first, second = (score_trace(path, find) for path in args.runs)
    rows = compare(first, second)
    if args.json:
        print(json.dumps(as_values(rows), indent=1))
        return 0
    _print(name_of(first), name_of(second), rows)
    return 0


def _print(first: str, second: str, rows: tuple[Difference, ...]) -> None:
    columns = ["split", "measure", f"a: {first}", f"b: {second}", "a - b", "95 %", "p (Holm)"]
    table = make_table("paired comparison", [*columns, "detectable", "better"], left=2)
    for row in rows:
        table.add_row(
            row.name,
            row.measure,
            f"{row.mean_a:.3f}",
            f"{row.mean_b:.3f}",
            f"{row.difference:+.3f}",
            f"[{row.low:+.2f}, {row.high:+.2f}]",
            f"{row.p_holm:.2g}" if row.p_holm >= 1e-9 else "< 1e-9",
            f"{row.detectable:.3f}",
            {"a": first, "b": second}.get(row.winner, "-"),
        )
    print_table(table)
