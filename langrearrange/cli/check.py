"""`langrearrange check`: check a data set, episode by episode."""

from dataclasses import asdict, dataclass
from typing import Annotated, Literal

import tyro

from langrearrange.cli import common
from langrearrange.errors import UsageError, did_you_mean


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Check data sets, episode by episode.

    Checks content hash and schema; replays every plan and proves it optimal; checks that the goal
    is false at the start, that the presuppositions of the sentence hold, and that texts are
    distinct and unambiguous.

    Exit code 0 without findings, 1 otherwise.

    That no household shows what its sentence is about (extra `analysis`):
      langrearrange check --probes context

    All published splits, and that nothing held out leaks into train:
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
    probes: bool = False
    """instead: are targets predictable from households alone, or hidden facts from sentences?"""
    probe_episodes: int = 20_000
    """of each split, to train probes on; they are tested on as many others, or twice as many"""
    show: common.Show = 20
    json: common.Json = False


def run(args: Args) -> int:
    """Check; returns 0 when every set passed."""
    from langrearrange.dataset import Dataset
    from langrearrange.generator.check import check_dataset
    from langrearrange.generator.disjoint import report_between

    if args.probes:
        return _probe(args)
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


def _probe(args: Args) -> int:
    """Run the probes on splits, all by default; returns 0 when none is better than chance."""
    from langrearrange.generator.probes import MAX_LIFT, probe_split
    from langrearrange.leaderboard.compare import holm
    from langrearrange.world.vocabulary import SPLITS

    if not 100 <= args.probe_episodes <= 500_000:
        raise UsageError(f"--probe-episodes {args.probe_episodes}; accepted: 100 to 500,000")
    unknown = [name for name in args.sets if name not in SPLITS]
    if unknown:
        raise UsageError(
            f"--probes takes names of splits, not '{unknown[0]}'{did_you_mean(unknown[0], SPLITS)}"
        )
    splits = args.sets or tuple(name for name in SPLITS if name != "train_mini")  # train's spec
    found = [
        lift for split in splits for lift in probe_split(split, args.probe_episodes, args.workers)
    ]
    adjusted = holm([lift.p_value for lift in found])
    leaks = [
        lift for lift, p in zip(found, adjusted, strict=True) if lift.lift > MAX_LIFT and p < 0.05
    ]
    if args.json:
        common.print_json([
            {**asdict(lift), "p_holm": p, "leak": lift in leaks}
            for lift, p in zip(found, adjusted, strict=True)
        ])  # fmt: skip
    else:
        rows = [
            (lift.split, lift.task, lift.probe, lift.num_episodes, lift.chance, f"{lift.lift:+.3f}",
             lift.half_width, f"{p:.2g}", "leak" if lift in leaks else "")
            for lift, p in zip(found, adjusted, strict=True)
        ]  # fmt: skip
        columns = "split task probe episodes chance lift +- p".split()
        common.print_table(
            common.make_table("probes", [*columns[:-1], "p (Holm)", ""], rows, left=3)
        )
    return 1 if leaks else 0
