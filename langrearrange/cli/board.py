"""`langrearrange board`: a static leaderboard page from traces."""

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from langrearrange.cli.common import Force, ScoringOptions, note
from langrearrange.paths import cache_path, refuse_existing, source_sha256


@dataclass(frozen=True, slots=True, kw_only=True)
class Args(ScoringOptions):
    """Build one self-contained page: sortable, with rank ranges instead of a false order.

    Every trace of the folder is replayed; a bad one is named and left out. Scores are kept by the
    trace's hash, so that only new traces take time. The board plays `explorer` and `blind_sweep`.

      langrearrange evaluate --agent my_package:MyAgent --out traces/mine.jsonl.gz
      langrearrange board traces --out board.html
    """

    traces: Annotated[Path, tyro.conf.Positional]
    """folder of traces written by `evaluate`"""
    out: Path = Path("out/board.html")
    """the page to write"""
    force: Force = False


def run(args: Args) -> int:
    """Build the page; its path goes to stdout."""
    from langrearrange.generator import open_split
    from langrearrange.leaderboard.board import read_traces, write_board
    from langrearrange.leaderboard.groups import BOARD_SPLITS
    from langrearrange.leaderboard.reference import with_reference_rows
    from langrearrange.leaderboard.sealed import sealed_name

    refuse_existing(args.out, overwrite=args.force)
    settings = (args.pictures, args.observation)
    salt = f"{source_sha256()} {os.environ.get('LANGREARRANGE_DATASETS', '')} {settings}"
    cache = None if args.episodes or args.round else cache_path() / "scores"
    results, left_out = read_traces(args.traces, args.score, cache, salt)
    for sentence in left_out:
        note(sentence)
    rows = with_reference_rows(results, open_split)
    if args.round is not None:
        rows = with_reference_rows(rows, args.find, [sealed_name(split) for split in BOARD_SPLITS])
    path = write_board(args.out, rows)
    note(
        f"{len(results)} traces, {len(left_out)} left out, "
        f"{len(rows) - len(results)} reference rows added"
    )
    print(path)
    return 0
