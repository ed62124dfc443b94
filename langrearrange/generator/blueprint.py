"""A spec made ready: text spaces, the order of episodes, which sentence and flat an index gets.

All in closed form: nothing here passes over the episodes. Not for what stands where in the flat
(`generator.household`).
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from functools import lru_cache
from pathlib import Path

from langrearrange.dataset import Strata
from langrearrange.dataset.strata import Place
from langrearrange.errors import GenerationError, UsageError
from langrearrange.generator.spec import SplitSpec, load_spec
from langrearrange.houses import get_house, houses_for
from langrearrange.language import (
    Grounding,
    Relation,
    Template,
    TemplateFile,
    TextSpace,
    load_templates,
)
from langrearrange.language.space import differ, relation_key
from langrearrange.paths import templates_path
from langrearrange.seeding import KeyedPermutation, KeyedRng


@dataclass(frozen=True, slots=True)
class Draft:
    """What an index fixes before anything is drawn: sentence, stratum, flat.

    Attributes:
        template: the template.
        rank: the episode's rank within its template.
        grounding: the template with its slots bound: sentence, goal, facts at t=0.
        stratum: index into the template's strata.
        houses: flats in which the sentence has this very goal, the episode's own first.
    """

    template: Template
    rank: int
    grounding: Grounding
    stratum: int
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
        """Load templates and flats; GenerationError when the spec asks for more than there is."""
        self.spec = spec
        self.file: TemplateFile = load_templates(template_path(spec))
        self.houses: tuple[str, ...] = houses_for(spec.houses)
        self._walks = [self._walk_of(template) for template in self.file.templates]
        self.order = self._order()

    @property
    def num_texts(self) -> int:
        """How many distinct texts the templates have."""
        return sum(walk.num_texts for walk in self._walks)

    def draft(self, index: int) -> Draft:
        """Return what an episode index fixes; IndexError outside the split."""
        place: Place = self.order.place(index)
        walk = self._walks[place.template]
        grounding, houses = walk.housed(walk.grounding(place.rank), place.rank)
        return Draft(walk.template, place.rank, grounding, walk.stratum(place.rank), houses)

    def stratum(self, template: int, rank: int) -> int:
        """Return the stratum of a template number and rank."""
        return self._walks[template].stratum(rank)

    def variant_house(self, draft: Draft, index: int, variant: int) -> str:
        """Return the flat of a variant: any in which the same sentence has the same goal."""
        if not variant:
            return draft.houses[0]
        spec = self.spec
        rng = KeyedRng(spec.key, spec.split, draft.template.id, index, variant, "house")
        return rng.choice(draft.houses)

    def _walk_of(self, template: Template) -> _Walk:
        meanings = _meanings(self.houses) if template.needs_relations else {}
        return _Walk(self.spec, template, self.houses, meanings)

    def _order(self) -> Strata:
        spec = self.spec
        sizes = {walk.template.id: walk.num_texts for walk in self._walks}
        if spec.repeat_texts:
            each, rest = divmod(spec.num_episodes or 0, len(sizes))
            return Strata({name: each + (i < rest) for i, name in enumerate(sizes)})
        everything = Strata(sizes)
        wanted = everything.num_episodes if spec.num_episodes is None else spec.num_episodes
        if wanted > everything.num_episodes:
            raise GenerationError(
                f"{spec.name}: {wanted} episodes are wanted, but {self.file.path} says only "
                f"{everything.num_episodes} different things; ask for fewer, add phrasings or "
                "slots, or set repeat_texts"
            )
        return everything.prefix(wanted)


class _Walk:
    """The order in which a template's texts are said, and where.

    The texts are dealt to cells (statement x phrasing), the cells taken in turn, and a keyed
    permutation walks each cell: any prefix is balanced over remarks and phrasings.
    """

    def __init__(
        self,
        spec: SplitSpec,
        template: Template,
        houses: tuple[str, ...],
        meanings: Meanings,
    ) -> None:
        self.template = template
        self._spec = spec
        self._houses = houses
        self._meanings = meanings
        self._space = TextSpace(template, _usual(meanings))
        self._num_phrasings = len(template.phrasings)
        num_statements = len(template.statements)
        self._cells = [
            (statement, (statement + turn) % self._num_phrasings)
            for turn in range(self._num_phrasings)
            for statement in range(num_statements)
        ]
        sizes = self._space.statement_sizes
        self._cell_order = Strata(
            {f"{s}/{p}": sizes[s] // self._num_phrasings for s, p in self._cells}
        )
        self._starts = [sum(sizes[:s]) for s in range(num_statements)]
        self._permutations: dict[tuple[str, str, int], KeyedPermutation] = {}
        self._train_rank = self._train_permutation()

    @property
    def num_texts(self) -> int:
        return len(self._space) if self._train_rank is None else self._train_rank.size

    def grounding(self, rank: int) -> Grounding:
        """Return what is said at a rank; beyond the last text it begins again."""
        rank %= self.num_texts
        key, split = self._spec.key, self._spec.split
        if self._train_rank is not None:
            rank, key, split = self._train_rank[rank], "", "train"
        cell_number, rank_in_cell = self._cell_order.place(rank)
        statement, phrasing = self._cells[cell_number]
        permutation = self._permutation(key, split, cell_number)
        number = permutation[rank_in_cell]
        return self._space[self._starts[statement] + number * self._num_phrasings + phrasing]

    def stratum(self, rank: int) -> int:
        """Return the stratum: each block of ranks holds each stratum once, in keyed order."""
        count = len(self.template.strata)
        if count == 1:
            return 0
        block, turn = divmod(rank, count)
        return self._keyed(count, "stratum", block)[turn]

    def housed(self, grounding: Grounding, rank: int) -> tuple[Grounding, tuple[str, ...]]:
        """Return what the sentence means in its flat, and all flats where it means that.

        Each lap through the flats takes every one once, in a keyed order of its own; a sentence
        that is nonsense in a flat goes to the next one.
        """
        lap, turn = divmod(rank, len(self._houses))
        permuted = self._keyed(len(self._houses), "house", lap)
        if not self.template.needs_relations:
            own = self._houses[permuted[turn]]
            return grounding, (own, *(house for house in self._houses if house != own))
        meant = None
        houses = []
        for step in range(permuted.size):
            house = self._houses[permuted[(turn + step) % permuted.size]]
            here = self._meant_in(house, grounding)
            meant = meant or here
            if meant is not None and here is not None and here.goal == meant.goal:
                houses.append(house)
        if meant is None:
            raise GenerationError(
                f"template '{self.template.id}': \"{grounding.sentence}\" is true in no flat; two "
                "relation slots rarely hold together, use one"
            )
        return meant, tuple(houses)

    def _meant_in(self, house: str, grounding: Grounding) -> Grounding | None:
        """Return the grounding with the receptacles its relations mean in a flat, or None."""
        values = dict(grounding.values)
        for slot in self.template.slots:
            if slot.kind == "relation":
                relation = self._meanings[values[slot.name].key].get(house)
                if relation is None:
                    return None
                referent = relation.referent
                values[slot.name] = replace(values[slot.name], receptacle=referent, pddl=referent)
        groups = self.template.statements[grounding.statement].distinct
        if not all(differ([values[name] for name in group]) for group in groups):
            return None
        return replace(grounding, values=values)

    def _permutation(self, key: str, split: str, cell: int) -> KeyedPermutation:
        known = self._permutations.get((key, split, cell))
        if known is None:
            size = self._cell_order.counts[cell]
            statement, phrasing = self._cells[cell]
            known = KeyedPermutation(
                size, key, split, self.template.id, statement, phrasing, "texts"
            )
            self._permutations[key, split, cell] = known
        return known

    def _keyed(self, size: int, purpose: str, block: int) -> KeyedPermutation:
        spec = self._spec
        return KeyedPermutation(size, spec.key, spec.split, self.template.id, block, purpose)

    def _train_permutation(self) -> KeyedPermutation | None:
        """Return the walk through train's texts of this template, or None for a walk of its own."""
        if self._spec.texts == "own":
            return None
        order = blueprint_of(load_spec("train")).order
        if self.template.id not in order.templates:
            raise UsageError(
                f"{self._spec.name}: texts: train, but train has no template '{self.template.id}'"
            )
        count = order.counts[order.templates.index(self.template.id)]
        key = self._spec.key
        return KeyedPermutation(count, key, self._spec.split, self.template.id, "train texts")


@lru_cache(maxsize=32)
def blueprint_of(spec: SplitSpec) -> Blueprint:
    """Return a spec's blueprint; loading it takes milliseconds, asking again nothing."""
    return Blueprint(spec)


def template_path(spec: SplitSpec) -> Path:
    """Return the template file of a spec: a path ending in .yaml, or a name in the folder."""
    if spec.templates.endswith(".yaml"):
        return Path(spec.templates)
    return templates_path() / f"{spec.templates}.yaml"


def flat_relations(house_id: str) -> tuple[Relation, ...]:
    """Return the relations that hold in a flat, in the language's terms."""
    return tuple(
        Relation(found.relation, found.anchors, found.referent)
        for found in get_house(house_id).relations
    )


Meanings = dict[str, dict[str, Relation]]
"""Wording, such as `right_of(sofa)` -> flat -> the relation there."""


def _meanings(houses: tuple[str, ...]) -> Meanings:
    found: Meanings = {}
    for house_id in houses:
        for relation in flat_relations(house_id):
            name = relation_key(relation.kind, relation.anchors)
            found.setdefault(name, {})[house_id] = relation
    return found


def _usual(meanings: Meanings) -> tuple[Relation, ...]:
    """Return one relation for each wording: what it means in most flats.

    The text space numbers wordings; what one means is settled when the flat is.
    """
    usual = []
    for name in sorted(meanings):
        counts = Counter(relation.referent for relation in meanings[name].values())
        most = min(counts, key=lambda referent: (-counts[referent], referent))
        usual.append(next(r for r in meanings[name].values() if r.referent == most))
    return tuple(usual)
