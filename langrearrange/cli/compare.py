"""`langrearrange compare`: is one agent better than another, on the same episodes?"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from langrearrange.cli import common
from langrearrange.errors import UsageError

if TYPE_CHECKING:
    from rich.table import Table

    from langrearrange.leaderboard.compare import Difference
    from langrearrange.leaderboard.score import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Args(common.ScoringOptions):
    """Compare two runs: paired differences, clustered intervals, Holm over splits.

    A winner is named only where the interval of the difference leaves out zero after correction.
    `detectable` is the smallest difference that this many episodes could have shown.
    """

    runs: Annotated[tuple[Path, Path], tyro.conf.Positional]
    """two traces written by `evaluate`"""
    json: common.Json = False


def run(args: Args) -> int:
    """Compare and print; exit code 0 whoever wins."""
    from langrearrange.leaderboard.compare import as_values, compare

    if args.runs[0] == args.runs[1]:
        raise UsageError("the two runs are the same file")
    first, second = map(args.score, args.runs)
    differences = compare(first, second)
    if args.json:
        common.print_json(as_values(differences))
        return 0
    common.print_table(difference_table(first, second, differences))
    return 0


def difference_table(first: Result, second: Result, differences: Sequence[Difference]) -> Table:
    """Return the differences of two runs as a table, with the least that could have shown."""
    from rich.markup import escape

    from langrearrange.cli.score_tables import name_of

    runs = {"a": first, "b": second}
    names = {side: name_of(run) for side, run in runs.items()}
    columns = ["split", "measure", *(f"{side}: {name}" for side, name in names.items())]
    columns += ["a - b", "95 %", "p (Holm)", "detectable", "better"]
    rows = []
    for row in differences:
        change = f"{row.difference:+.3f}", f"[{row.low:+.2f}, {row.high:+.2f}]"
        p = f"{row.p_holm:.2g}" if row.p_holm >= 1e-9 else "< 1e-9"
        better = names.get(row.winner, "-")
        means = row.mean_a, row.mean_b
        rows.append((row.name, row.measure, *means, *change, p, row.detectable, better))
    seen_by = (
        f"perception of {side}: {escape(run.header.agent.seen_by)}" for side, run in runs.items()
    )
    legend = "95 %: clustered interval of a - b; detectable: smallest difference that could show"
    legend = "; ".join([legend, *seen_by])
    return common.make_table("paired comparison", columns, rows, 2, legend)
