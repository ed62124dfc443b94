"""`langrearrange preflight`: would this trace be accepted and ranked?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from langrearrange.cli.common import Folders, sources_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Check a trace as the board does, and list all reasons against it with remedies.

    Exit code 0: it would be ranked. 1: it would be rejected, or shown without a rank.
    """

    run: Annotated[Path, tyro.conf.Positional]
    """a trace written by `evaluate`"""
    episodes: Folders = ()


def run(args: Args) -> int:
    """Print the verdict and its reasons."""
    from langrearrange.leaderboard.preflight import preflight

    checked = preflight(args.run, sources_of(args.episodes))
    for title, reasons in (
        ("rejected", checked.rejected),
        ("not ranked", checked.unranked),
        ("remark", checked.remarks),
    ):
        for reason in reasons:
            print(f"{title}: {reason}")
    if checked.result is not None:
        verdict = "would be ranked" if checked.accepted else "would be shown without a rank"
        print(f"{args.run}: {verdict}, tier {checked.result.tier}")
    return 0 if checked.accepted else 1
