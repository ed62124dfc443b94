"""Imports the official release's episodes: reads, translates, solves, checks, writes.

Not for reading its pickles (`dataset.official`), which never runs any part of them.
"""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

from langrearrange.dataset import Episode, check_episode, write_dataset
from langrearrange.dataset.manifest import replace_file
from langrearrange.dataset.official import (
    DEFAULT_MAX_BYTES,
    PREFIX,
    OfficialEpisode,
    OfficialFile,
    open_official,
    phrasings,
    split_of,
    translate,
)
from langrearrange.dataset.writer import disk_errors, refuse_existing
from langrearrange.errors import DatasetError, EpisodeError, GoalError, SolverError, UsageError
from langrearrange.generator.make import with_plan
from langrearrange.generator.official_findings import NOTES, sentence_findings
from langrearrange.generator.prove import Finding
from langrearrange.progress import progress
from langrearrange.solver import solve, subgoals
from langrearrange.world.goals import compile_goal, parse_goal

REPORT: Final = "import_report.json"
BY_DESCRIPTION: Final = (f"{PREFIX}context", f"{PREFIX}referring_expressions")
"""Splits whose held-out unit is the situation or description (the template), not the wording."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """The result of importing one released file.

    Attributes:
        file: its name.
        split: what it is called here.
        num_episodes: how many it holds.
        num_written: how many were written; the others are `rejected` among the findings.
        num_scenes, num_wordings, num_texts: how many different ones were written.
        objects: fewest and most objects of an episode.
        templates: the release's template id -> episodes.
        plan_lengths: skills of a shortest plan -> episodes; 0 where there is none.
        stored_subgoals: subgoals stored by the release (not kept) -> episodes.
        findings: what does not hold, in file order.
    """

    file: str
    split: str
    num_episodes: int
    num_written: int
    num_scenes: int
    num_wordings: int
    num_texts: int
    objects: tuple[int, int]
    templates: dict[str, int]
    plan_lengths: dict[int, int]
    stored_subgoals: dict[int, int]
    findings: tuple[Finding, ...]

    @property
    def counts(self) -> dict[str, int]:
        """Kind of finding -> how often."""
        return dict(sorted(Counter(finding.kind for finding in self.findings).items()))

    @property
    def inconsistent(self) -> tuple[str, ...]:
        """Ids of the written episodes that are inconsistent or cannot be played as intended."""
        kinds = {*NOTES, "rejected"}
        return tuple(dict.fromkeys(f.episode_id for f in self.findings if f.kind not in kinds))

    def as_dict(self) -> dict[str, Any]:
        """Return everything, JSON-able."""
        return {**asdict(self), "counts": self.counts, "inconsistent": list(self.inconsistent)}


@dataclass(frozen=True, slots=True)
class Imported:
    """The episodes of one released file, in file order, with findings."""

    episodes: tuple[Episode, ...]
    report: ImportReport


def import_official(path: str | Path, max_bytes: int = DEFAULT_MAX_BYTES) -> Imported:
    """Read a released pickle without running it, translate its episodes and solve them.

    Args:
        path: the file, named as it was published: its name gives the split.
        max_bytes: size that is admitted.

    Returns:
        Every episode that fits our format, those included that are inconsistent, true at the start
        or unsolvable (their plan is empty); the report names each.

    Raises:
        DatasetError: the file is missing, too large, truncated, not a released one, or more than
            data.
        EpisodeError: the file's name makes no split name.
    """
    path = Path(path)
    file = open_official(path, max_bytes)
    records, rejected = _records(file)
    split = split_of(path.stem, any(_quantifies_all(record.goal) for record in records.values()))
    numbers = dict(zip(records, phrasings(list(records.values())), strict=True))
    findings = [Finding("rejected", f"{split}/{n:06d}", why) for n, why in rejected.items()]
    wordings = {(record.template, numbers[n]) for n, record in records.items()}
    episodes = []
    with progress(f"import {split}", len(records)) as advance:
        for number, record in records.items():
            episode_id = f"{split}/{number:06d}"
            try:
                cluster = _cluster(split, record.template, numbers[number], number, len(wordings))
                episode = translate(record, episode_id, numbers[number], cluster)
                check_episode(episode, episode_id)
                episode, found = _solved(episode)
                episodes.append(episode)
                findings += [*found, *sentence_findings(record, episode)]
            except (EpisodeError, GoalError) as error:
                message = str(error).removeprefix(f"{episode_id}: ")
                findings.append(Finding("rejected", episode_id, message))
            advance(1, "")
    stored = Counter(record.num_subgoals for record in records.values())
    report = _report(path.name, split, len(file), episodes, stored, findings)
    return Imported(tuple(episodes), report)


def import_files(
    paths: Sequence[str | Path],
    out: str | Path,
    max_bytes: int = DEFAULT_MAX_BYTES,
    *,
    overwrite: bool = False,
) -> Iterator[ImportReport]:
    """Import files and write each as a data set folder, `out/official_<name>`, with its report.

    Raises:
        UsageError: two files are of one split, or the folder holds a finished set.
        DatasetError, EpisodeError: as `import_official`; also when no episode can be written.
    """
    done: dict[str, str] = {}
    for path in paths:
        imported = import_official(path, max_bytes)
        report = imported.report
        if report.split in done:
            raise UsageError(
                f"{path} and {done[report.split]} are both {report.split}; give each file once"
            )
        done[report.split] = str(path)
        folder = Path(out) / report.split
        refuse_existing(folder, overwrite=overwrite)
        if not imported.episodes:
            why = f": {report.findings[0].message}" if report.findings else ""
            raise DatasetError(f"{path}: none of its {report.num_episodes} episodes fits{why}")
        write_dataset(folder, imported.episodes, report.split, overwrite=overwrite)
        with disk_errors(folder):
            replace_file(folder / REPORT, json.dumps(report.as_dict(), indent=1).encode() + b"\n")
        yield report


def _records(file: OfficialFile) -> tuple[dict[int, OfficialEpisode], dict[int, str]]:
    records, rejected = {}, {}
    for number in range(len(file)):
        try:
            records[number] = file.episode(number)
        except EpisodeError as error:
            rejected[number] = str(error)
    return records, rejected


def _quantifies_all(goal: object) -> bool:
    return type(goal) is dict and goal.get("quantifier") == "FORALL"


def _cluster(split: str, template: str, phrasing: int, number: int, num_wordings: int) -> str:
    if split in BY_DESCRIPTION:
        return template
    if (
        num_wordings == 1
    ):  # one wording is not a sample of wordings: each episode is its own cluster
        return f"{template}/{number}"
    return f"{template}/{phrasing}"


def _solved(episode: Episode) -> tuple[Episode, list[Finding]]:
    """Return the episode with a shortest plan and its subgoals, or why it has none.

    Raises:
        GoalError: the goal is too large to be judged.
    """
    goal = parse_goal(episode.goal)
    layout, state = episode.layout(), episode.initial_state()
    compile_goal(goal, layout, state)  # what cannot be judged cannot be played: rejected
    try:
        solution = solve(goal, layout, state)
    except SolverError as error:
        return episode, [Finding("gave_up", episode.id, str(error))]
    if solution.status == "gave_up":
        why = f"no plan found after {solution.visits} states"
        return episode, [Finding("gave_up", episode.id, why)]
    if solution.status == "unsolvable":
        why = "at least " + str(solution.lower_bound) if solution.too_long else "none of any length"
        return episode, [Finding("unsolvable", episode.id, f"skills a plan takes: {why}")]
    if not solution.plan:
        return episode, [Finding("already_true", episode.id, "the goal holds at the start")]
    made = subgoals(goal, layout, state, solution.plan)
    return with_plan(episode, solution.plan, made), []


def _report(
    file: str,
    split: str,
    held: int,
    episodes: Sequence[Episode],
    stored_subgoals: Counter[int],
    findings: Sequence[Finding],
) -> ImportReport:
    sizes = [len(episode.objects) for episode in episodes]
    return ImportReport(
        file=file,
        split=split,
        num_episodes=held,
        num_written=len(episodes),
        num_scenes=len({episode.house for episode in episodes}),
        num_wordings=len({(episode.template, episode.phrasing) for episode in episodes}),
        num_texts=len({episode.instruction.lower() for episode in episodes}),
        objects=(min(sizes, default=0), max(sizes, default=0)),
        templates=dict(sorted(Counter(episode.template for episode in episodes).items())),
        plan_lengths=dict(sorted(Counter(len(episode.plan) for episode in episodes).items())),
        stored_subgoals=dict(sorted(stored_subgoals.items())),
        findings=tuple(sorted(findings, key=lambda finding: finding.episode_id)),
    )
