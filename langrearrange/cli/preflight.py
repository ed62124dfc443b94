"""`langrearrange preflight`: would this trace be accepted, and with a place?"""

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from langrearrange.cli.common import ScoringOptions
from langrearrange.errors import printable


@dataclass(frozen=True, slots=True, kw_only=True)
class Args(ScoringOptions):
    """Check a trace as the board would, before you send it: every reason, and what to do.

    Exit code 0: it would have a place, self-reported on published episodes, ranked on sealed ones.
    1: it would be rejected, or listed without a place.
    """

    run: Annotated[Path, tyro.conf.Positional]
    """a trace written by `evaluate`"""


def run(args: Args) -> int:
    """Print the verdict and its reasons."""
    from langrearrange.leaderboard.preflight import preflight

    checked = preflight(args.run, args.score)
    for title, reasons in (
        ("rejected", checked.rejected),
        ("no place", checked.unranked),
        ("remark", checked.remarks),
    ):
        for reason in reasons:
            print(printable(f"{title}: {reason}"))
    if checked.result is not None:
        tier = checked.result.tier
        verdict = "ranked" if tier == "T2" else "listed as self-reported"
        verdict = verdict if checked.accepted else "listed without a place"
        print(f"{args.run}: would be {verdict}, tier {tier}")
    return 0 if checked.accepted else 1
