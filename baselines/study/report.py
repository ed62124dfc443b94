"""`python -m langrearrange_baselines.study.report`: results/ from finished runs. Trains nothing.

Traces are replayed and scored; the scores that a run logged are not used.
"""

import json
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np

from langrearrange.errors import UsageError
from langrearrange.generator import open_split
from langrearrange.leaderboard.groups import BOARD_SPLITS, GROUPS, is_stratified, units_of
from langrearrange.leaderboard.result_json import report_json
from langrearrange.leaderboard.score import Result, score_trace
from langrearrange.leaderboard.statistics import (
    Interval,
    mean_ci,
    mean_of_intervals,
)

from ..command import run_module
from ..tensors import write_json
from .curves import study_curves
from .plan import ENTRIES, REFERENCES

CONCEPTS: Final = ("put", "find", "place_two")
"""Templates that do not say where the object is: an agent must look, or search everywhere."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportArgs:
    """Score the traces of a study and write results/: a JSON a run, tables, curves, checkpoints."""

    runs: Path = Path("out/study")
    """folder of study.run"""
    out: Path = Path("results")
    """folder to write"""
    checkpoints: tuple[str, ...] = ("llarp",)
    """entries whose checkpoints are kept too: what `evaluate --checkpoint` needs"""


@dataclass(frozen=True, slots=True)
class Scored:
    """A finished run: its scores, its folder and its record."""

    name: str
    seed: int
    home: Path
    result: Result
    record: Mapping[str, Any]


def pooled(results: Sequence[Result], split: str, template: str = "") -> Interval:
    """Return success over several seeds: each episode counts with the mean of its seeds.

    Args:
        results: runs of one entry on the same episodes.
        split: whose episodes.
        template: only those of this template.
    """
    outcomes: dict[str, list[float]] = {}
    units: dict[str, str] = {}
    stratified = is_stratified(split) and not template
    for result in results:
        for episode in result.episodes:
            if episode.split == split and template in ("", episode.template):
                outcomes.setdefault(episode.id, []).append(float(episode.success))
                [unit] = units_of([episode], stratified=stratified)
                units[episode.id] = episode.id if template else unit
    values = np.array([np.mean(found) for found in outcomes.values()])
    return mean_ci(values, list(units.values()), stratified=stratified)


def overall(results: Sequence[Result], group: str) -> Interval:
    """Return success over the splits of a group (PR, BG, Total)."""
    return mean_of_intervals([pooled(results, split) for split in GROUPS[group]])


def read_runs(folder: Path) -> list[Scored]:
    """Score every finished run, in the study's order; UsageError where there is none."""
    runs = []
    shared = folder / "demonstrations" / "record.json"
    for name in (*(entry.name for entry in ENTRIES), *REFERENCES):
        for trace in sorted(folder.glob(f"{name}/*/trace.jsonl.gz")):
            home = trace.parent
            record = json.loads((home / "record.json").read_text("utf-8"))
            if name not in REFERENCES and shared.is_file():
                first = json.loads(shared.read_text("utf-8"))["stages"]
                record["stages"] = first | record["stages"]
            runs.append(Scored(name, int(home.name), home, score_trace(trace, open_split), record))
    if not runs:
        raise UsageError(f"{folder} contains no finished run; make some with study.run")
    return runs


def write(args: ReportArgs) -> Path:
    """Write everything; return the folder."""
    runs = read_runs(args.runs)
    by_name: dict[str, list[Scored]] = {}
    for run in runs:
        by_name.setdefault(run.name, []).append(run)
    (args.out / "runs").mkdir(parents=True, exist_ok=True)
    (args.out / "traces").mkdir(exist_ok=True)
    for run in runs:
        stem = f"{run.name}_{run.seed}"
        facts = report_json(run.result) | {"learner": run.name, "seed": run.seed}
        write_json(args.out / "runs" / f"{stem}.json", facts | {"provenance": dict(run.record)})
        shutil.copyfile(run.home / "trace.jsonl.gz", args.out / "traces" / f"{stem}.jsonl.gz")
        if run.name in args.checkpoints:
            _copy_checkpoint(run, args.out / "checkpoints" / stem)
    results = {name: [run.result for run in group] for name, group in by_name.items()}
    text = "\n\n".join([splits_table(results), concepts_table(results), stages_table(by_name)])
    (args.out / "tables.md").write_text(text + "\n", encoding="utf-8")
    homes = {
        name: [run.home for run in by_name[name]] for name in by_name if name not in REFERENCES
    }
    study_curves(homes).savefig(args.out / "curves.png", dpi=120)
    return args.out


def splits_table(results: Mapping[str, Sequence[Result]]) -> str:
    """Return success per split and group as Markdown, runs of one entry pooled."""
    head = ["split", *(f"{name} ({len(runs)})" for name, runs in results.items())]
    rows = [
        [f"**{group}**", *(_cell(overall(runs, group)) for runs in results.values())]
        for group in reversed(GROUPS)
    ]
    for split in ("train_eval", *(s for s in BOARD_SPLITS if s != "train_eval")):
        rows.append([split, *(_cell(pooled(runs, split)) for runs in results.values())])
    return _table("Success per split (runs), 95 % clustered interval over episodes", head, rows)


def concepts_table(results: Mapping[str, Sequence[Result]]) -> str:
    """Return success per template of the training concepts, train_eval and new_scenes together."""
    first = next(iter(results.values()))[0]
    templates = sorted({e.template for e in first.episodes if e.split == "train_eval"})
    templates = [*CONCEPTS, *(t for t in templates if t not in CONCEPTS)]
    head = ["template", "split", "episodes", *results]
    rows = []
    for template in templates:
        for split in ("train_eval", "new_scenes"):
            found = [pooled(runs, split, template) for runs in results.values()]
            cells = [
                f"{_cell(interval)}; {_efficiency(runs, split, template):.2f}"
                for interval, runs in zip(found, results.values(), strict=True)
            ]
            rows.append([template, split, str(found[0].num_episodes), *cells])
    title = "Success; efficiency per training template (the first three hide where the thing is)"
    return _table(title, head, rows)


def stages_table(by_name: Mapping[str, Sequence[Scored]]) -> str:
    """Return what each run cost, and its success before and after PPO."""
    head = ["run", "train_eval before PPO", "after", "CPU minutes: imitation", "PPO", "evaluation"]
    rows = []
    for run in (run for runs in by_name.values() for run in runs):
        before = run.home / "before_ppo.jsonl.gz"
        if before.is_file():
            warm = score_trace(before, open_split).splits["train_eval"].success.mean
            after = run.result.splits["train_eval"].success.mean
            costs = [_minutes(run.record, stage) for stage in ("imitation", "ppo", "trace")]
            rows.append([f"{run.name} {run.seed}", f"{warm:.2f}", f"{after:.2f}", *costs])
    return _table("What each run cost", head, rows)


def _efficiency(runs: Sequence[Result], split: str, template: str) -> float:
    """Return the mean of 1 - steps/32, 0 for failures: blind search succeeds, but slowly."""
    kept = [e for run in runs for e in run.episodes if (e.split, e.template) == (split, template)]
    return float(np.mean([episode.efficiency for episode in kept]))


def _copy_checkpoint(run: Scored, target: Path) -> None:
    source = max((run.home / "ppo" / "checkpoints").glob("[0-9]*"), key=lambda p: int(p.name))
    target.mkdir(parents=True, exist_ok=True)
    for name in ("state.json", "weights.safetensors"):
        shutil.copyfile(source / name, target / name)  # copies no mode: readable by all


def _minutes(record: Mapping[str, Any], stage: str) -> str:
    found = record["stages"].get(stage)
    return f"{found['cpu_s'] / 60:.1f}" if found and found["cpu_s"] is not None else "-"


def _cell(interval: Interval) -> str:
    return f"{interval.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table under its title."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join([f"## {title}", "", *lines])


if __name__ == "__main__":
    sys.exit(run_module("study.report", ReportArgs, write))
