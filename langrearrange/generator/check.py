"""Checking a whole set: hash, order, origin, every episode proved, texts distinct, one reading.

Not for what holds between sets (`generator.disjoint`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from langrearrange.dataset import (
    Dataset,
    Episode,
    EpisodeSource,
    open_dataset,
    parse_episode_id,
)
from langrearrange.errors import LangRearrangeError, UsageError
from langrearrange.generator.blueprint import (
    Blueprint,
    blueprint_of,
    refresh,
    template_path,
)
from langrearrange.generator.make import goal_of, make_episode
from langrearrange.generator.planners import PlannerName, planner_named
from langrearrange.generator.prove import Finding, Planner, prove_episode
from langrearrange.generator.spec import SplitSpec
from langrearrange.generator.split import GeneratedSplit
from langrearrange.generator.walk import flat_relations
from langrearrange.houses import HOUSE_IDS
from langrearrange.language import Grounding, TemplateFile, load_templates, read_back
from langrearrange.progress import progress


@dataclass(frozen=True, slots=True)
class Report:
    """What `check_dataset` found.

    Attributes:
        split: name of the set.
        num_episodes: how many were checked.
        findings: every fault, in file order; empty when the set passed.
        content_sha256: the hash of the content as it lies there, "" for a computed split.
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
) -> Report:
    """Prove everything a data set promises.

    Args:
        source: folder of a written set, or any source of episodes.
        planner: `own` re-proves that every plan is shortest; `pyperplan` re-proves feasibility on
            the exported PDDL with a planner that is not ours (extra `planning`, much slower).
        key: secret of a sealed set, to check it against what it was committed to.

    Returns:
        The report; faults do not raise.

    Raises:
        DatasetError: the folder cannot even be opened.
        UsageError: the key does not open the set's commitment.
        MissingExtraError: pyperplan is wanted and not installed.
    """
    opened = open_dataset(source) if isinstance(source, str | Path) else source
    checker = _Checker(opened, planner_named(planner), key)
    findings = tuple(checker.run())
    return Report(opened.split, len(opened), findings, checker.content_sha256, planner)


class _Checker:
    def __init__(self, source: EpisodeSource, planner: Planner | None, key: str) -> None:
        self._source = source
        self._planner = planner
        self._texts: dict[str, str] = {}
        self._ids: set[str] = set()
        self.content_sha256 = ""
        self._changed = ""
        self._spec: SplitSpec | None = None
        self._blueprint: Blueprint | None = None
        self._file: TemplateFile | None = None
        if isinstance(source, GeneratedSplit):
            self._spec, self._blueprint = source.spec, blueprint_of(source.spec)
        elif isinstance(source, Dataset) and source.manifest.spec is not None:
            self._take_spec(source, key)
        if self._spec is not None:
            self._file = load_templates(template_path(self._spec))
            self._spatial = any(template.needs_relations for template in self._file.templates)

    def run(self) -> Iterator[Finding]:
        if self._changed:
            yield Finding("templates", "", self._changed)
        if isinstance(self._source, Dataset):
            yield from self._check_hash(self._source)
        with progress(f"check {self._source.split}", len(self._source)) as advance:
            for position in range(len(self._source)):
                yield from self._check_position(position)
                advance(1, "")

    def _take_spec(self, source: Dataset, key: str) -> None:
        manifest = source.manifest
        fields = dict(manifest.spec or {})
        sha256 = fields.pop("templates_sha256", "")
        spec = msgspec.convert(fields, SplitSpec)
        if manifest.commitment:
            if not key:
                self._spec = spec
                return
            spec = msgspec.structs.replace(spec, key=key)
            if spec.commitment(sha256) != manifest.commitment:
                raise UsageError(
                    f"{source.path}: this key does not open the set's commitment "
                    f"{manifest.commitment}; check the key"
                )
        self._spec = spec
        refresh(spec)
        blueprint = blueprint_of(spec)
        if blueprint.file.sha256 != sha256:
            self._changed = (
                f"{blueprint.file.path} is not the template file this set was made from; sentences "
                "are read back, but cannot be drawn again"
            )
        else:
            self._blueprint = blueprint

    def _check_hash(self, source: Dataset) -> Iterator[Finding]:
        try:
            self.content_sha256 = source.content_sha256()
        except LangRearrangeError as error:
            yield Finding("damaged", "", str(error))
            return
        if self.content_sha256 != source.manifest.content_sha256:
            yield Finding(
                "hash",
                "",
                f"the content hashes to {self.content_sha256}, the manifest says "
                f"{source.manifest.content_sha256}",
            )

    def _check_position(self, position: int) -> Iterator[Finding]:
        try:
            episode = self._source.get(position)
        except LangRearrangeError as error:
            yield Finding("format", self._source.id_at(position), str(error))
            return
        yield from self._check_order(episode, position)
        grounding, stratum = self._grounding(episode)
        yield from prove_episode(
            episode,
            spec=self._spec,
            grounding=grounding,
            stratum=stratum,
            planner=self._planner,
        )
        yield from self._check_reading(episode)
        yield from self._check_origin(episode)

    def _check_order(self, episode: Episode, position: int) -> Iterator[Finding]:
        if episode.id in self._ids:
            yield Finding("duplicate_id", episode.id, "this id occurs twice")
        self._ids.add(episode.id)
        template = self._source.template_at(position)
        if episode.template != template:
            yield Finding(
                "order", episode.id, f"is of template {episode.template}, filed under {template}"
            )
        if self._spec is not None and self._spec.repeat_texts:
            return
        first = self._texts.setdefault(episode.instruction.lower(), episode.id)
        if first != episode.id:
            yield Finding("duplicate_text", episode.id, f"says what {first} says")

    def _check_reading(self, episode: Episode) -> Iterator[Finding]:
        """Read the sentence back: it must be sayable, and mean one thing in this flat."""
        if self._file is None or episode.house not in HOUSE_IDS:
            return
        here = flat_relations(episode.house) if self._spatial else ()
        found = read_back(episode.instruction, self._file, here)
        goals = sorted({goal_of(grounding) for grounding in found})
        if goals != [episode.goal]:
            meanings = "; ".join(goals) or "nothing that the templates say"
            yield Finding(
                "reading",
                episode.id,
                f"'{episode.instruction}' in {episode.house} means {meanings}",
            )

    def _check_origin(self, episode: Episode) -> Iterator[Finding]:
        """Draw a stored episode again: nobody may have chosen it by hand."""
        if self._blueprint is None or not isinstance(self._source, Dataset):
            return
        index = parse_episode_id(episode.id).index
        if make_episode(self._blueprint.spec, index) != episode:
            yield Finding("origin", episode.id, "is not the episode that the spec gives")

    def _grounding(self, episode: Episode) -> tuple[Grounding | None, int]:
        if self._blueprint is None:
            return None, 0
        draft = self._blueprint.draft(parse_episode_id(episode.id).index)
        return draft.grounding, draft.stratum
