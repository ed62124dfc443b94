"""A loaded spec: text spaces, the order of episodes, sentence and flat of each index.

Everything is in closed form, without a pass over the episodes. Not for the objects in the flat
(`generator.household`).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Final

from langrearrange.dataset import EpisodeOrder
from langrearrange.errors import GenerationError, UsageError
from langrearrange.generator.spec import SplitSpec, load_spec
from langrearrange.generator.walk import Walk, meanings_in
from langrearrange.houses import houses_for
from langrearrange.language import Grounding, Template, TemplateFile, load_templates
from langrearrange.language.nodes import stamp
from langrearrange.paths import templates_path

KEPT_DRAFTS: Final = 2048
"""Variants of one index share its draft; all of train_mini's fit, a few kB each."""


@dataclass(frozen=True, slots=True)
class Draft:
    """What an index determines before anything is drawn: sentence, start case, flat.

    Attributes:
        template: the template.
        rank: the episode's rank within its template.
        grounding: the template with its slots bound: sentence, goal, facts at t=0.
        case: index into the template's cases.
        houses: flats in which the sentence has this very goal, the episode's own first.
    """

    template: Template
    rank: int
    grounding: Grounding
    case: int
    houses: tuple[str, ...]


class Blueprint:
    """A spec with its templates loaded. Build it with `blueprint_of`, which caches.

    Attributes:
        spec: the spec.
        file: its template file.
        order: how many episodes each template has, and in which order.
        houses: ids of the flats.
    """

    def __init__(self, spec: SplitSpec) -> None:
        """Load templates and flats; GenerationError if the spec asks for too many episodes."""
        self.spec = spec
        self.file: TemplateFile = load_templates(template_path(spec))
        self.houses: tuple[str, ...] = houses_for(spec.houses)
        self._walks = [self._walk_of(number) for number in range(len(self.file.templates))]
        self.order = self._order()
        self._kept_drafts = lru_cache(maxsize=KEPT_DRAFTS, typed=True)(self._drafted)

    @property
    def num_texts(self) -> int:
        """How many distinct texts the templates have."""
        return sum(walk.num_texts for walk in self._walks)

    def draft(self, index: int) -> Draft:
        """Return the draft of an episode index; IndexError outside the split."""
        return self._kept_drafts(index)

    def case(self, template: int, rank: int) -> int:
        """Return the start case of a template number and rank."""
        return self._walks[template].case(rank)

    def variant_house(self, draft: Draft, index: int, variant: int) -> str:
        """Return the flat of a variant: any in which the same sentence has the same goal."""
        if not variant:
            return draft.houses[0]
        rng = self.spec.rng(draft.template.id, index, variant, "house")
        return rng.choice(draft.houses)

    def variant_case(self, draft: Draft, index: int, variant: int) -> int:
        """Return the start case of a variant: each block of variants meets each case once."""
        count = len(draft.template.cases)
        if not variant or count == 1:
            return draft.case
        block, turn = divmod(variant, count)
        order = self.spec.permutation(count, draft.template.id, index, block, "case")
        return (order[turn] + (0 if block else draft.case - order[0])) % count

    def _drafted(self, index: int) -> Draft:
        place = self.order.locate(index)
        walk = self._walks[place.template]
        grounding, houses = walk.housed(walk.grounding(place.rank), place.rank)
        return Draft(walk.template, place.rank, grounding, walk.case(place.rank), houses)

    def _walk_of(self, number: int) -> Walk:
        template = self.file.templates[number]
        meanings = meanings_in(self.houses) if template.needs_relations else {}
        if template.needs_relations and not meanings:
            raise GenerationError(
                f"{self.spec.name}: template '{template.id}' uses spatial relations, but "
                f"none is known of the homes '{self.spec.houses}'; leave the template out"
            )
        first_flat = number * len(self.houses) // len(self.file.templates)
        num_train = self._num_train(template)
        return Walk(self.spec, template, self.houses, meanings, num_train, first_flat)

    def _num_train(self, template: Template) -> int | None:
        """Return how many of its texts train has, None if this split does not depend on it."""
        if self.spec.texts == "own":
            return None
        order = blueprint_of(load_spec("train")).order
        if template.id not in order.templates:
            raise UsageError(
                f"{self.spec.name}: texts: train, but train has no template '{template.id}'"
            )
        return order.counts[order.templates.index(template.id)]

    def _order(self) -> EpisodeOrder:
        spec = self.spec
        sizes = {walk.template.id: walk.num_texts for walk in self._walks}
        if spec.repeat_texts:
            each, rest = divmod(spec.num_episodes or 0, len(sizes))
            return EpisodeOrder({name: each + (i < rest) for i, name in enumerate(sizes)})
        everything = EpisodeOrder(sizes)
        wanted = everything.num_episodes if spec.num_episodes is None else spec.num_episodes
        if wanted > everything.num_episodes:
            raise GenerationError(
                f"{spec.name}: {wanted} episodes are wanted, but {self.file.path} has only "
                f"{everything.num_episodes} different texts; ask for fewer, add phrasings or "
                "slots, or set repeat_texts"
            )
        return everything.prefix(wanted)


@lru_cache(maxsize=32)
def blueprint_of(spec: SplitSpec) -> Blueprint:
    """Return a spec's blueprint; loading it takes milliseconds the first time."""
    return Blueprint(spec)


def refresh(spec: SplitSpec) -> None:
    """Forget blueprints when a spec's template file has changed on disk; jobs begin with it."""
    path = template_path(spec)
    if stamp(path)[0] and load_templates(path).sha256 != blueprint_of(spec).file.sha256:
        blueprint_of.cache_clear()


def template_path(spec: SplitSpec) -> Path:
    """Return the template file of a spec: a path ending in .yaml, or a name in the folder."""
    if spec.templates.endswith(".yaml"):
        return Path(spec.templates)
    return templates_path() / f"{spec.templates}.yaml"
