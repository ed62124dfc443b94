"""`study report NAME`: results/ from finished runs: scores, tables, plots. Trains nothing.

Traces are replayed and scored; the scores that a run logged are not used.
"""

import shutil
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, Final

import numpy as np
import tyro

from langrearrange.errors import UsageError
from langrearrange.generator import open_split
from langrearrange.leaderboard.groups import BOARD_SPLITS, GROUPS, is_stratified, units_of
from langrearrange.leaderboard.result_json import report_json
from langrearrange.leaderboard.score import Result, score_trace
from langrearrange.leaderboard.statistics import Interval, mean_ci, mean_of_intervals

from ..tensors import write_json
from .figures import bars, curves
from .pairs import lift_rows, order_rows
from .paper import Published, published
from .plan import DEMONSTRATIONS, REFERENCES, Study
from .run import read_record
from .studies import find_study

CONCEPTS: Final = ("put", "find", "place_two")
"""Templates that do not say where the object is: an agent must look, or search everywhere."""
COLUMNS: Final = (*reversed(GROUPS), "train_eval", *(s for s in BOARD_SPLITS if s != "train_eval"))
"""Groups and splits in the order of tables and plots."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReportArgs:
    """Score the traces of a study and write results/NAME: a JSON a run, tables, plots, policies."""

    name: Annotated[str, tyro.conf.Positional]
    """of the study, as `study list` has it"""
    runs: Path = Path("out/study")
    """folder of `study run`"""
    out: Path = Path("results")
    """the study gets a folder in it"""
    checkpoints: tuple[str, ...] = ("llarp",)
    """arms whose policies are kept too: what `evaluate --checkpoint` needs"""


@dataclass(frozen=True, slots=True)
class Scored:
    """A trace of a run: its scores after so many updates, its folder and its record.

    Attributes:
        updates: of PPO; 0 for an agent that does not learn.
    """

    name: str
    seed: int
    updates: int
    home: Path
    result: Result
    record: Mapping[str, Any]


def pooled(
    results: Sequence[Result], split: str, template: str = "", metric: str = "success"
) -> Interval:
    """Return a metric over several seeds: each episode counts with the mean of its seeds.

    Args:
        results: runs of one arm on the same episodes.
        split: whose episodes.
        template: only those of this template.
        metric: `success`, or `efficiency`: 1 - steps/32, 0 for failures.
    """
    outcomes: dict[str, list[float]] = {}
    units: dict[str, str] = {}
    stratified = is_stratified(split) and not template
    for result in results:
        for episode in result.episodes:
            if episode.split == split and template in ("", episode.template):
                outcomes.setdefault(episode.id, []).append(float(getattr(episode, metric)))
                [unit] = units_of([episode], stratified=stratified)
                units[episode.id] = episode.id if template else unit
    values = np.array([np.mean(found) for found in outcomes.values()])
    return mean_ci(values, list(units.values()), stratified=stratified)


def overall(results: Sequence[Result], column: str, metric: str = "success") -> Interval:
    """Return a metric over a split, or over the splits of a group (PR, BG, Total)."""
    if column not in GROUPS:
        return pooled(results, column, metric=metric)
    return mean_of_intervals([pooled(results, split, metric=metric) for split in GROUPS[column]])


def read_runs(folder: Path, study: Study) -> list[Scored]:
    """Score every finished trace, in the study's order; UsageError where there is none."""
    first = read_record(folder / DEMONSTRATIONS)["stages"]
    runs = []
    for name in (*(arm.name for arm in study.arms), *REFERENCES):
        for trace in sorted(folder.glob(f"{name}/*/trace*.jsonl.gz")):
            home = trace.parent
            record = read_record(home)
            if name not in REFERENCES:
                record["stages"] = first | record["stages"]
            updates = int(trace.name.partition(".")[0].partition("_")[2] or 0)
            result = score_trace(trace, open_split)
            runs.append(Scored(name, int(home.name), updates, home, result, record))
    if not runs:
        raise UsageError(f"{folder} contains no finished run of '{study.name}'; use study run")
    return runs


def write(args: ReportArgs) -> Path:
    """Write everything; return the folder."""
    study, out = find_study(args.name), args.out / args.name
    runs = read_runs(args.runs, study)
    for part in ("runs", "traces"):
        (out / part).mkdir(parents=True, exist_ok=True)
    for run in runs:
        stem = f"{run.name}_{run.seed}" + f"_{run.updates}" * bool(run.updates)
        facts = report_json(run.result) | {"learner": run.name, "seed": run.seed}
        facts |= {"updates": run.updates, "provenance": dict(run.record)}
        write_json(out / "runs" / f"{stem}.json", facts)
        trace = run.home / f"trace{f'_{run.updates}' if run.updates else ''}.jsonl.gz"
        shutil.copyfile(trace, out / "traces" / f"{stem}.jsonl.gz")
        if run.name in args.checkpoints:
            _copy_checkpoint(run, out / "checkpoints" / f"{run.name}_{run.seed}")
    results = grouped(runs)
    parts = [splits_table(results), paper_table(results), concepts_table(results)]
    parts += [efficiency_table(results), costs_table(runs)]
    paired = ["first", "second", "difference, 95 %", "p"]
    for title, rows in (
        ("Fresh episodes before and after PPO, paired", lift_rows(study, args.runs)),
        ("Total beside LLaRP's, paired, seeds pooled", order_rows(results)),
    ):
        parts.append(_table(title, ["", *paired], rows))
    tables = [f"{part}\n\n{perceptions(results)}" for part in parts]
    (out / "tables.md").write_text("\n\n".join(tables) + "\n", encoding="utf-8")
    for metric in ("success", "efficiency"):
        ours = {
            name: {c: overall(found, c, metric) for c in COLUMNS} for name, found in results.items()
        }
        bars(ours, published(metric), metric).savefig(out / f"{metric}.png", dpi=120)
    homes = {arm.name: sorted((args.runs / arm.name).glob("*/")) for arm in study.arms}
    curves(homes).savefig(out / "curves.png", dpi=120)
    return out


def grouped(runs: Sequence[Scored]) -> dict[str, list[Result]]:
    """Return label -> results of all seeds; an arm scored twice has its env steps in its label."""
    marks = {run.name: {r.updates for r in runs if r.name == run.name} for run in runs}
    found: dict[str, list[Result]] = {}
    for run in runs:
        label = run.name if len(marks[run.name]) == 1 else f"{run.name}@{run.updates}"
        found.setdefault(label, []).append(run.result)
    return found


def perceptions(results: Mapping[str, Sequence[Result]]) -> str:
    """Return what the runs see by in one line, for below a table."""
    named: dict[str, dict[str, None]] = {}
    for name, runs in results.items():
        for run in runs:
            named.setdefault(run.header.agent.seen_by, {})[name] = None
    return "Perception: " + "; ".join(f"{', '.join(names)}: {s}" for s, names in named.items())


def splits_table(results: Mapping[str, Sequence[Result]]) -> str:
    """Return success per split and group as Markdown, runs of one arm pooled."""
    head = ["split", *(f"{name} ({len(runs)})" for name, runs in results.items())]
    rows = []
    for column in COLUMNS:
        cells = [_cell(overall(runs, column)) for runs in results.values()]
        rows.append([f"**{column}**" if column in GROUPS else column, *cells])
    return _table("Success per split (runs), 95 % clustered interval over episodes", head, rows)


def paper_table(results: Mapping[str, Sequence[Result]]) -> str:
    """Return the paper's rows, greyed, below ours: mean and spread over seeds."""
    head = ["method", *COLUMNS]
    rows = []
    for name, runs in results.items():
        means = np.array([[overall([run], c).mean for c in COLUMNS] for run in runs])
        spreads = means.std(0, ddof=1) if len(runs) > 1 else [None] * len(COLUMNS)
        found = [Published(*pair) for pair in zip(means.mean(0), spreads, strict=True)]
        rows.append([name, *map(_seeds, found)])
    for method, numbers in published("success").items():
        grey = [method, *(_seeds(numbers[c]) for c in COLUMNS if c in numbers)]
        rows.append([f'<span style="color:gray">{cell}</span>' for cell in grey])
    return _table(
        "Ours above the paper's (grey: Habitat, not comparable), +- over seeds", head, rows
    )


def concepts_table(results: Mapping[str, Sequence[Result]]) -> str:
    """Return success per template of the training concepts, train_eval and new_scenes together."""
    first = next(iter(results.values()))[0]
    templates = sorted({e.template for e in first.episodes if e.split == "train_eval"})
    templates = [*CONCEPTS, *(t for t in templates if t not in CONCEPTS)]
    rows = []
    for template in templates:
        for split in ("train_eval", "new_scenes"):
            found = [pooled(runs, split, template) for runs in results.values()]
            rows.append([template, split, str(found[0].num_episodes), *map(_cell, found)])
    title = "Success per training template (the first three hide where the thing is)"
    return _table(title, ["template", "split", "episodes", *results], rows)


def efficiency_table(results: Mapping[str, Sequence[Result]]) -> str:
    """Return efficiency per split and group: blind search succeeds, but slowly."""
    rows = [
        [column, *(_cell(overall(runs, column, "efficiency")) for runs in results.values())]
        for column in COLUMNS
    ]
    return _table("Efficiency: 1 - steps/32, 0 for failures", ["split", *results], rows)


def costs_table(runs: Sequence[Scored]) -> str:
    """Return CPU minutes of every stage of every run."""
    homes = {run.home: run for run in runs if run.name not in REFERENCES}
    rows = []
    for run in homes.values():
        spent = ", ".join(
            f"{name} {stage['cpu_s'] / 60:.1f}" for name, stage in run.record["stages"].items()
        )
        rows.append([f"{run.name} {run.seed}", spent])
    return _table("CPU minutes", ["run", "stages"], rows)


def _copy_checkpoint(run: Scored, target: Path) -> None:
    source = max((run.home / "ppo" / "checkpoints").glob("[0-9]*"), key=lambda p: int(p.name))
    target.mkdir(parents=True, exist_ok=True)
    for name in ("state.json", "weights.safetensors"):
        shutil.copyfile(source / name, target / name)  # copies no mode: readable by all


def _cell(interval: Interval) -> str:
    return f"{interval.mean:.2f} [{interval.low:.2f}, {interval.high:.2f}]"


def _seeds(number: Published) -> str:
    spread = "" if number.spread is None else f" ± {100 * number.spread:.0f}"
    return f"{100 * number.mean:.0f}{spread}"


def _table(title: str, head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return a Markdown table under its title."""
    lines = ["| " + " | ".join(cells) + " |" for cells in (head, ["---"] * len(head), *rows)]
    return "\n".join([f"## {title}", "", *lines])
