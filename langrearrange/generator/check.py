"""Checking a whole set: hash, order, origin, every episode proved, texts distinct, one reading.

Not for what holds between sets (`generator.disjoint`) nor for one episode (`generator.prove`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from operator import itemgetter
from pathlib import Path
from typing import Final

import msgspec

from langrearrange.dataset import (
    Dataset,
    Episode,
    EpisodeSource,
    Provenance,
    open_dataset,
    parse_episode_id,
)
from langrearrange.dataset.codec import BAD_JSON
from langrearrange.dataset.writer import EpisodeCounts
from langrearrange.errors import DatasetError, HouseError, LangRearrangeError, UsageError
from langrearrange.generator.blueprint import blueprint_of, refresh, template_path
from langrearrange.generator.make import goal_of, make_episode, num_episodes
from langrearrange.generator.manifest_findings import manifest_findings
from langrearrange.generator.planners import PlannerName, planner_named
from langrearrange.generator.prove import Finding, prove_episode
from langrearrange.generator.provenance import changes, commitment
from langrearrange.generator.spec import SplitSpec
from langrearrange.generator.split import GeneratedSplit
from langrearrange.generator.walk import flat_relations
from langrearrange.generator.workers import map_ranges, ranges
from langrearrange.houses import HOUSE_IDS
from langrearrange.language import load_templates, read_back
from langrearrange.progress import progress

RANGE: Final = 512
"""Episodes that a worker checks at a time."""


@dataclass(frozen=True, slots=True)
class Report:
    """What `check_dataset` found.

    Attributes:
        split: name of the set.
        num_episodes: how many were checked.
        findings: every fault: those of the whole set first, then in file order; empty when passed.
        content_sha256: the hash of the content as stored, "" for a computed split, or where the
            content cannot be read: nothing is proved of such a set.
        proved_by: which planner re-proved the plans.
    """

    split: str
    num_episodes: int
    findings: tuple[Finding, ...]
    content_sha256: str
    proved_by: str

    @property
    def passed(self) -> bool:
        """Whether nothing was found."""
        return not self.findings

    @property
    def counts(self) -> dict[str, int]:
        """Kind of fault -> how often."""
        return dict(sorted(Counter(finding.kind for finding in self.findings).items()))


def check_dataset(
    source: str | Path | EpisodeSource,
    *,
    planner: PlannerName = "own",
    key: str = "",
    workers: int | None = 1,
) -> Report:
    """Check a data set: its file, its manifest and every episode.

    Args:
        source: folder of a written set, or any source of episodes.
        planner: `own` re-proves that every plan is shortest; `pyperplan` also asks an
            independent planner whether the exported PDDL can be solved (extra `planning`, slow).
        key: secret of a sealed set, to check it against what it was committed to.
        workers: processes; None for one per available core, 1 for none besides this one.

    Returns:
        The report; faults do not raise.

    Raises:
        DatasetError: the folder cannot even be opened.
        UsageError: the key does not open the set's commitment.
        MissingExtraError: pyperplan is wanted and not installed.
    """
    opened = open_dataset(source) if isinstance(source, str | Path) else source
    if isinstance(opened, GeneratedSplit) and opened.stored is not None:
        opened = opened.stored
    checker = _Checker(opened, planner, key)
    sha256, damage = _content(opened) if isinstance(opened, Dataset) else ("", [])
    if damage and not sha256:
        return Report(opened.split, len(opened), tuple(damage), sha256, planner)
    findings = [*checker.set_findings(), *damage]
    with progress(f"check {opened.split}", len(opened)) as advance:
        found = map_ranges(checker.findings, ranges(len(opened), RANGE), workers, advance)
        for _, of_range in sorted(found, key=itemgetter(0)):
            findings += of_range
    return Report(opened.split, len(opened), tuple(findings), sha256, planner)


def _content(source: Dataset) -> tuple[str, list[Finding]]:
    """Return the hash of the content, "" if it cannot be read, and what is wrong with it."""
    try:
        sha256 = source.content_sha256()
    except LangRearrangeError as error:
        return "", [Finding("damaged", "", str(error))]
    promised = source.manifest.content_sha256
    if sha256 == promised:
        return sha256, []
    return sha256, [
        Finding("hash", "", f"the content hashes to {sha256}, the manifest says {promised}")
    ]


def _spec_of(source: Dataset, provenance: Provenance, key: str) -> SplitSpec:
    """Return the spec of a generated set, with its key.

    Raises:
        UsageError: the key is not the set's.
        DatasetError: no spec has these values.
    """
    try:
        spec = msgspec.convert(provenance.spec, SplitSpec)
        refresh(spec)
        blueprint_of(spec)
    except (*BAD_JSON, LangRearrangeError) as error:
        raise DatasetError(f"its spec cannot be used here: {error}") from None
    promised = source.manifest.commitment
    if not (promised and key):
        return spec
    spec = msgspec.structs.replace(spec, key=key)
    if commitment(spec, provenance) != promised:
        raise UsageError(
            f"{source.path}: this key does not open the set's commitment {promised}; check the key"
        )
    return spec


class _Checker:
    """Checks the episodes of a source; picklable for worker processes."""

    def __init__(self, source: EpisodeSource, planner: PlannerName, key: str) -> None:
        planner_named(planner)  # complain here, not in a worker
        self._source = source
        self._planner = planner
        self._spec: SplitSpec | None = None
        self._exact_spec: SplitSpec | None = None  # the same, if it gives these very episodes
        self._changed = ""
        if isinstance(source, GeneratedSplit):
            self._spec = self._exact_spec = source.spec
            if source.published is not None:
                self._changed = changes(source.published.provenance, blueprint_of(source.spec))
        elif isinstance(source, Dataset) and source.manifest.provenance is not None:
            try:
                spec = _spec_of(source, source.manifest.provenance, key)
                self._changed = changes(source.manifest.provenance, blueprint_of(spec))
            except (DatasetError, HouseError) as error:
                self._changed = f"'{source.split}' cannot be made again: {error}"
                return
            self._spec = spec
            if not self._changed and (key or not source.manifest.commitment):
                self._exact_spec = spec

    def set_findings(self) -> Iterator[Finding]:
        """Yield what is wrong with the set beyond single episodes."""
        if self._changed:
            yield Finding("provenance", "", self._changed)
        texts: dict[str, str] = {}
        ids: set[str] = set()
        counter = EpisodeCounts()
        templates: Counter[str] = Counter()
        for position in range(len(self._source)):
            try:
                episode = self._source.get(position)
            except LangRearrangeError:
                continue  # `findings` reports it
            if episode.id in ids:
                yield Finding("duplicate_id", episode.id, "this id occurs twice")
            ids.add(episode.id)
            counter.add(episode)
            templates[episode.template] += 1
            template = self._source.template_at(position)
            if episode.template != template:
                message = f"is of template {episode.template}, filed under {template}"
                yield Finding("order", episode.id, message)
            first = texts.setdefault(episode.instruction.lower(), episode.id)
            repeats = self._spec is not None and self._spec.repeat_texts
            if first != episode.id and not repeats:
                yield Finding("duplicate_text", episode.id, f"says what {first} says")
        if isinstance(self._source, Dataset) and len(ids) == len(self._source):
            yield from manifest_findings(
                self._source.manifest, templates, counter.counts(), self._spec,
                exact=self._exact_spec is not None,
            )  # fmt: skip

    def findings(self, start: int, stop: int) -> list[Finding]:
        """Return what is wrong with the episodes at positions start .. stop - 1."""
        found: list[Finding] = []
        for position in range(start, stop):
            try:
                episode = self._source.get(position)
            except LangRearrangeError as error:
                found.append(Finding("format", self._source.id_at(position), str(error)))
                continue
            spec = self._exact_spec
            index = _index_in(spec, episode) if spec else None
            draft = blueprint_of(spec).draft(index) if spec and index is not None else None
            found += prove_episode(
                episode,
                spec=self._spec,
                grounding=draft.grounding if draft else None,
                case=draft.case if draft else 0,
                planner=planner_named(self._planner),
            )
            found += self._check_reading(episode)
            if spec and isinstance(self._source, Dataset):  # not if chosen by the caller
                if index is None or not _same_task(make_episode(spec, index), episode):
                    message = "is not the episode that the spec gives"
                    found.append(Finding("origin", episode.id, message))
        return found

    def _check_reading(self, episode: Episode) -> Iterator[Finding]:
        """Parse the sentence: the templates must contain it, with one meaning in this flat."""
        if self._spec is None or episode.house not in HOUSE_IDS:
            return
        file = load_templates(template_path(self._spec))
        spatial = any(template.needs_relations for template in file.templates)
        here = flat_relations(episode.house) if spatial else ()
        goals = sorted({goal_of(reading) for reading in read_back(episode.instruction, file, here)})
        if goals != [episode.goal]:
            meanings = "; ".join(goals) or "nothing that the templates say"
            yield Finding(
                "reading",
                episode.id,
                f"'{episode.instruction}' in {episode.house} means {meanings}",
            )


def _same_task(made: Episode, found: Episode) -> bool:
    """Whether two episodes differ in their plans at most; `prove_episode` judges those."""
    plans = {"plan": made.plan, "subgoals": made.subgoals}
    return msgspec.structs.replace(found, **plans) == made


def _index_in(spec: SplitSpec, episode: Episode) -> int | None:
    """Return the episode's index within a spec, None when its id is not of it."""
    index = parse_episode_id(episode.id).index
    known = index < num_episodes(spec) and episode.id == f"{spec.split}/{index:06d}"
    return index if known else None
