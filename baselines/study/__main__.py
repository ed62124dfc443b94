"""`python -m langrearrange_baselines.study list|run|report`: the paper's tables and figures."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import tyro

from ..command import run_command
from .report import ReportArgs, write
from .run import RunArgs, run
from .studies import STUDIES


@dataclass(frozen=True, slots=True, kw_only=True)
class ListArgs:
    """Name every study: the tables and figures it stands behind, and what it costs here."""

    arms: bool = False
    """list the arms of each study too"""


def listing(args: ListArgs) -> str:
    """Return one line a study."""
    lines = [f"{'study':18s} {'paper':22s} runs  core-hours  effect"]
    for study in STUDIES:
        runs = sum(len(arm.seeds) for arm in study.arms)
        lines.append(
            f"{study.name:18s} {study.paper:22s} {runs:4d} {study.core_hours:11.1f}  {study.effect}"
        )
        if args.arms:
            lines += [
                f"    {arm.name:16s} {len(arm.seeds)} seeds, {arm.core_hours:.1f} each: {arm.what}"
                for arm in study.arms
            ]
    return "\n".join(lines)


Command = (
    Annotated[ListArgs, tyro.conf.subcommand("list")]
    | Annotated[RunArgs, tyro.conf.subcommand("run")]
    | Annotated[ReportArgs, tyro.conf.subcommand("report")]
)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a subcommand; 0 done, 1 failed, 2 wrong usage."""

    def work() -> object:
        args = tyro.cli(
            Command,
            args=arguments,
            prog="python -m langrearrange_baselines.study",
        )
        if isinstance(args, ListArgs):
            return listing(args)
        return run(args) if isinstance(args, RunArgs) else write(args)

    return run_command(work)


if __name__ == "__main__":
    sys.exit(main())
