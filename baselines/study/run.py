"""`python -m langrearrange_baselines.study.run`: train and score every entry of the study.

Each run is a chain of commands; those that are done are not run again. What is compared is in
`plan`, the tables are made by `report`.
"""

import json
import os
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from langrearrange.errors import LangRearrangeError, UsageError
from langrearrange.log import get_logger

from ..command import on_signals, run_module
from ..engine.checkpoint import checkpoints
from ..engine.config import check_range
from .plan import Budget, Stage, demonstrations, find, references, stages

logger = get_logger(__name__)


class StudyError(LangRearrangeError, RuntimeError):
    """A command of the study that failed; its log says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunArgs:
    """Train and score the entries of results/. Resumes: finished commands are not run again."""

    out: Path = Path("out/study")
    """folder for all runs, some 200 MB"""
    entries: tuple[str, ...] = ()
    """some of them, in the order to run; by default all"""
    seeds: tuple[int, ...] = ()
    """some seeds; by default those of the study"""
    jobs: int = 1
    """runs at once, each on one core"""
    budget: Budget = field(default_factory=Budget)
    """env steps of each run"""
    dry_run: bool = False
    """print the commands and run none"""


def run(args: RunArgs) -> None:
    """Run every command that is not done yet.

    Raises:
        StudyError: a command failed; the other runs are completed first.
    """
    check_range(args, 1, "jobs")
    chains = [
        (f"{entry.name} seed {seed}", args.out / entry.name / str(seed),
         stages(entry, seed, args.budget, args.out))
        for entry in find(args.entries)
        for seed in entry.seeds
        if not args.seeds or seed in args.seeds
    ]  # fmt: skip
    first = demonstrations(args.budget, args.out)
    if args.dry_run:
        for stage in (first, *references(args.out), *(s for *_, chain in chains for s in chain)):
            sys.stdout.write(stage.line() + "\n")
        return
    _same_budget(args)
    broken: list[str] = []
    _STOPPED.clear()
    with ThreadPoolExecutor(args.jobs) as pool, on_signals(_stop_commands):
        shared = [("explorer", args.out / "demonstrations", (first,))]
        shared += [(s.done.parts[-3], s.done.parent, (s,)) for s in references(args.out)]
        for chain in shared:
            pool.submit(_chain, *chain, args.budget).result()
        done = [pool.submit(_chain, *chain, args.budget) for chain in chains]
        for future in done:
            try:
                future.result()
            except StudyError as error:
                logger.error("%s", error)
                broken.append(str(error))
    if _STOPPED.is_set():
        raise StudyError("stopped and saved; run the same command again to continue")
    if broken:
        raise StudyError(f"{len(broken)} of {len(chains)} runs failed; the first: {broken[0]}")


_STOPPED: Final = threading.Event()
_RUNNING: Final[set[subprocess.Popen[bytes]]] = set()


def _stop_commands(number: int) -> None:
    """Pass a signal on to the commands, which save their progress, and start no more."""
    _STOPPED.set()
    for process in tuple(_RUNNING):
        process.terminate()


def _same_budget(args: RunArgs) -> None:
    """Raise UsageError if the folder has runs of another budget."""
    path, budget = args.out / "budget.json", asdict(args.budget)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(budget, indent=1) + "\n", encoding="utf-8")
    elif (found := json.loads(path.read_text("utf-8"))) != budget:
        raise UsageError(f"{args.out} was begun with the budget {found}; use another --out")


def _chain(name: str, home: Path, chain: Sequence[Stage], budget: Budget) -> None:
    home.mkdir(parents=True, exist_ok=True)
    for stage in chain:
        if not stage.done.exists() and not _STOPPED.is_set():
            logger.info("%s: %s", name, stage.name)
            _run(name, home, stage, budget)


def _run(name: str, home: Path, stage: Stage, budget: Budget) -> None:
    command = stage.command
    if stage.resumes is not None and checkpoints(stage.resumes):
        command = (*command, "--resume")
    log = home / f"{stage.name}.log"
    with log.open("a", encoding="utf-8") as file:
        threads = {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1"}
        process = subprocess.Popen(
            [sys.executable, *command], stdout=file, stderr=file, env=os.environ | threads
        )
        _RUNNING.add(process)
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        _RUNNING.discard(process)
    if process.returncode or not stage.done.exists():
        raise StudyError(
            f"{name}: {stage.name} ended with status {process.returncode}; read {log}, then run "
            "the same command again to continue"
        )
    _note(home, stage, usage.ru_utime + usage.ru_stime, budget)


_LOCK = threading.Lock()


def _note(home: Path, stage: Stage, cpu_s: float, budget: Budget) -> None:
    """Add a finished stage to the record of its run."""
    path = home / "record.json"
    with _LOCK:
        record: dict[str, Any] = {"budget": asdict(budget), "stages": {}}
        if path.exists():
            record = json.loads(path.read_text("utf-8"))
        before = record["stages"].get(stage.name, {"cpu_s": 0.0})
        record["stages"][stage.name] = {
            "command": stage.line(),
            "commit": commit(),
            "cpu_s": round(before["cpu_s"] + cpu_s, 1),
        }
        path.write_text(json.dumps(record, indent=1) + "\n", encoding="utf-8")


def commit() -> str:
    """Return the commit of a checkout, `release X` of an installed package."""
    here = Path(__file__).resolve().parent
    answer = subprocess.run(
        ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or f"release {version('langrearrange')}"


if __name__ == "__main__":
    sys.exit(run_module("study.run", RunArgs, run))
