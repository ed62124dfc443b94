"""`study run NAME`: train and score the arms of a study. What is done is not run again.

Each run is a chain of commands. What a study is stands in `plan` and `studies`; `report` makes the
tables.
"""

import dataclasses
import json
import os
import shutil
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, Final

import tyro

from langrearrange.errors import LangRearrangeError, UsageError
from langrearrange.log import get_logger

from ..command import on_signals
from ..engine.checkpoint import checkpoints
from ..engine.config import check_range
from ..imitation.run import unfinished_folder
from ..tensors import write_json
from .plan import DEMONSTRATIONS, Stage, Study, demonstrations, references, stages
from .studies import find_arms, find_study

logger = get_logger(__name__)


class StudyError(LangRearrangeError, RuntimeError):
    """A command of the study that failed; its log says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RunArgs:
    """Train and score the arms of a study. Resumes: finished commands are not run again."""

    name: Annotated[str, tyro.conf.Positional]
    """of the study, as `study list` has it"""
    out: Path = Path("out/study")
    """folder of the runs of all studies, which share them"""
    arms: tuple[str, ...] = ()
    """some of them, in the order to run; by default all"""
    seeds: tuple[int, ...] = ()
    """some seeds; by default those of the study"""
    jobs: int = 1
    """runs at once, each on one core"""
    scale: float = 1.0
    """times the env steps and fresh episodes of the study: for smaller or larger machines"""
    cap_hours: float = 24.0
    """refuse to begin if the forecast exceeds so many core-hours"""
    dry_run: bool = False
    """print forecast and commands, and run nothing"""

    def __post_init__(self) -> None:
        check_range(self, 1, "jobs")
        check_range(self, 1e-6, "scale", "cap_hours")

    @property
    def study(self) -> Study:
        """The study at the chosen scale, with the chosen arms and seeds."""
        whole = find_study(self.name)
        arms = [
            dataclasses.replace(
                arm,
                budget=arm.budget.scaled(self.scale) if self.scale != 1 else arm.budget,
                seeds=tuple(s for s in arm.seeds if not self.seeds or s in self.seeds),
            )
            for arm in find_arms(whole, self.arms)
        ]
        return dataclasses.replace(whole, arms=tuple(arms))


def forecast(study: Study) -> str:
    """Return what a study is expected to cost, arm by arm, as lines of text."""
    lines = [f"{'arm':16s} runs  PPO steps  core-hours"]
    for arm in study.arms:
        total = arm.core_hours * len(arm.seeds)
        lines.append(f"{arm.name:16s} {len(arm.seeds):4d} {arm.budget.ppo_steps:10,} {total:11.1f}")
    return "\n".join([*lines, f"{'all':16s} {study.core_hours:27.1f}"])


def run(args: RunArgs) -> str:
    """Run every command that is not done yet; return what to tell.

    Raises:
        UsageError: the forecast exceeds the cap, or the folder has runs of another scale.
        StudyError: a command failed; the other runs are completed first.
    """
    study, out = args.study, args.out
    budget = max((arm.budget for arm in study.arms), key=lambda one: one.expert_steps)
    first = out / DEMONSTRATIONS, (demonstrations(study, budget, out),)
    chains = [
        (out / arm.name / str(seed), stages(study, arm, seed, out))
        for arm in study.arms
        for seed in arm.seeds
    ]
    chains += [(home, (stage,)) for home, stage in references(out)]
    told = forecast(study)
    if args.dry_run:
        lines = [stage.line() for _, chain in (first, *chains) for stage in chain]
        return "\n".join([told, *lines])
    sys.stderr.write(told + "\n")
    if study.core_hours > args.cap_hours:
        raise UsageError(
            f"the forecast is {study.core_hours:.1f} core-hours, the cap {args.cap_hours:g}; "
            "choose --arms or --seeds, a smaller --scale, or a higher --cap-hours"
        )
    _same_scale(args)
    out.mkdir(parents=True, exist_ok=True)
    (out / f"forecast_{args.name}.txt").write_text(told + "\n", encoding="utf-8")
    _STOPPED.clear()
    with on_signals(_stop_commands), ThreadPoolExecutor(args.jobs) as pool:
        pool.submit(_chain, *first).result()
        done = [pool.submit(_chain, *chain) for chain in chains]
        errors = [error for future in done if (error := future.exception()) is not None]
    if _STOPPED.is_set():
        raise StudyError("stopped and saved; run the same command again to continue")
    for error in errors:
        if not isinstance(error, StudyError):
            raise error
        logger.error("%s", error)
    if errors:
        raise StudyError(f"{len(errors)} of {len(chains)} runs failed; the first: {errors[0]}")
    return f"{args.name} is complete; python -m langrearrange_baselines.study report {args.name}"


_STOPPED: Final = threading.Event()
_RUNNING: Final[set[subprocess.Popen[bytes]]] = set()
_LOCK: Final = threading.Lock()


def _stop_commands(number: int) -> None:
    """Pass a signal on to the commands, which save their progress, and start no more."""
    _STOPPED.set()
    for process in tuple(_RUNNING):
        process.terminate()


def _same_scale(args: RunArgs) -> None:
    """Raise UsageError if the folder has runs of another scale."""
    path = args.out / "scale.json"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        write_json(path, args.scale)
    elif (found := json.loads(path.read_text("utf-8"))) != args.scale:
        raise UsageError(f"{args.out} was begun with --scale {found:g}; use another --out")


def _chain(home: Path, chain: Sequence[Stage]) -> None:
    home.mkdir(parents=True, exist_ok=True)
    for stage in chain:
        if not read_record(home)["stages"].get(stage.name, {}).get("done") and (
            not _STOPPED.is_set()
        ):
            logger.info("%s: %s", home, stage.name)
            _run(home, stage)


def _run(home: Path, stage: Stage) -> None:
    command, folder = stage.command, stage.trains
    if folder is not None and (checkpoints(folder) or checkpoints(unfinished_folder(folder))):
        command = (*command, "--resume")
    elif folder is not None:
        # Killed before anything was saved: what is left would be taken for a run.
        (folder / "metrics.jsonl").unlink(missing_ok=True)
        for rest in (unfinished_folder(folder), folder / "checkpoints"):
            shutil.rmtree(rest, ignore_errors=True)
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
    _note(home, stage, usage.ru_utime + usage.ru_stime, done=not process.returncode)
    if process.returncode:
        raise StudyError(
            f"{home.parent.name} {home.name}: {stage.name} ended with status "
            f"{process.returncode}; read {log}, then run the same command again to continue"
        )


def read_record(home: Path) -> dict[str, Any]:
    """Return the record of a run: its stages, with command, commit, CPU seconds, and if done."""
    path = home / "record.json"
    record: dict[str, Any] = {"stages": {}}
    return json.loads(path.read_text("utf-8")) if path.exists() else record


def _note(home: Path, stage: Stage, cpu_s: float, *, done: bool) -> None:
    """Add a stage to the record of its run; the time of its attempts adds up."""
    with _LOCK:
        record = read_record(home)
        before = record["stages"].get(stage.name, {"cpu_s": 0.0})
        record["stages"][stage.name] = {
            "command": stage.line(),
            "commit": commit(),
            "cpu_s": round(before["cpu_s"] + cpu_s, 1),
            "done": done,
        }
        write_json(home / "record.json", record)


def commit() -> str:
    """Return the commit of a checkout, `release X` of an installed package."""
    here = Path(__file__).resolve().parent
    answer = subprocess.run(
        ["git", "-C", str(here), "rev-parse", "HEAD"], capture_output=True, text=True, check=False
    )
    return answer.stdout.strip() or f"release {version('langrearrange')}"
