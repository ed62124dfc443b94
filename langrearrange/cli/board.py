"""`langrearrange board`: a static leaderboard page from result files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from langrearrange.cli.common import Force, note, open_source
from langrearrange.paths import refuse_existing


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Build a self-contained, sortable page with rank ranges.

    The reference rows `explorer` and `blind_sweep` are played and added if they are missing.

      langrearrange score out/mine.jsonl.gz --out results/mine.json
      langrearrange board results --out board.html
    """

    results: Annotated[Path, tyro.conf.Positional]
    """folder of files written by `score --out`"""
    out: Path = Path("out/board.html")
    """the page to write"""
    force: Force = False


def run(args: Args) -> int:
    """Build the page; its path goes to stdout."""
    from langrearrange.leaderboard.board import read_results, write_board
    from langrearrange.leaderboard.reference import with_reference_rows

    refuse_existing(args.out, overwrite=args.force)
    results = read_results(args.results)
    rows = with_reference_rows(results, open_source)
    path = write_board(args.out, rows)
    note(f"{len(results)} results and {len(rows) - len(results)} reference rows")
    print(path)
    return 0
