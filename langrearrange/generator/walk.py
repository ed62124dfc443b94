"""The order in which a template says its texts, and in which flats: closed forms. No households."""

from __future__ import annotations

import itertools
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace

from langrearrange.dataset import Strata
from langrearrange.errors import GenerationError
from langrearrange.generator.spec import SplitSpec
from langrearrange.houses import get_house
from langrearrange.language import Grounding, Relation, Template, TextSpace
from langrearrange.language.space import differ, relation_key
from langrearrange.seeding import KeyedPermutation

Meanings = dict[str, dict[str, Relation]]
"""Wording, such as `right_of(sofa)` -> flat -> the relation there."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """Texts that are alike for statistics: one cluster value, remark and phrasing.

    Attributes:
        space: the texts of the cluster value.
        start: number of the remark's first text in the space.
        num_groundings: how many texts the cell has.
        statement, phrasing: indices into the template's.
    """

    space: TextSpace
    start: int
    num_groundings: int
    statement: int
    phrasing: int


class Walk:
    """A template's texts in the order in which a split says them.

    The texts are dealt to cells (cluster value x remark x phrasing), the cells taken in turn, and a
    keyed permutation walks each cell: any prefix is balanced over clusters, remarks and phrasings.
    """

    def __init__(
        self,
        spec: SplitSpec,
        template: Template,
        houses: tuple[str, ...],
        meanings: Meanings,
        num_train: int | None,
    ) -> None:
        """Take the spec, a template and its flats.

        Args:
            spec: gives key and split name.
            template: the template.
            houses: ids of the split's flats.
            meanings: what relations mean in them (`meanings_in`), empty if the template has none.
            num_train: how many texts of the template train says, for splits that say only those;
                None for a walk of the split's own.
        """
        self.template = template
        self._spec = spec
        self._houses = houses
        self._meanings = meanings
        self._cells = list(_cells(template, meanings))
        self._order = Strata(
            {str(number): cell.num_groundings for number, cell in enumerate(self._cells)}
        )
        self._permutations: dict[tuple[str, str, int], KeyedPermutation] = {}
        self._train_rank = None
        if num_train is not None:
            parts = (spec.key, spec.split, template.id, "train texts")
            self._train_rank = KeyedPermutation(num_train, *parts)

    @property
    def num_texts(self) -> int:
        """How many different texts there are to say."""
        return self._order.num_episodes if self._train_rank is None else self._train_rank.size

    def grounding(self, rank: int) -> Grounding:
        """Return what is said at a rank; beyond the last text it begins again."""
        rank %= self.num_texts
        key, split = self._spec.key, self._spec.split
        if self._train_rank is not None:
            rank, key, split = self._train_rank[rank], "", "train"
        number, rank_in_cell = self._order.place(rank)
        cell = self._cells[number]
        choice = self._permutation(key, split, number)[rank_in_cell]
        index = cell.start + choice * len(self.template.phrasings) + cell.phrasing
        return replace(cell.space[index], template=self.template)

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

    def _permutation(self, key: str, split: str, number: int) -> KeyedPermutation:
        known = self._permutations.get((key, split, number))
        if known is None:
            size = self._order.counts[number]
            known = KeyedPermutation(size, key, split, self.template.id, number, "texts")
            self._permutations[key, split, number] = known
        return known

    def _keyed(self, size: int, purpose: str, block: int) -> KeyedPermutation:
        spec = self._spec
        return KeyedPermutation(size, spec.key, spec.split, self.template.id, block, purpose)


def _cells(template: Template, meanings: Meanings) -> Iterator[_Cell]:
    """Yield the cells, clusters and remarks changing fastest, phrasings along with them."""
    units: list[_Cell] = []
    num_phrasings = len(template.phrasings)
    for narrowed in _by_cluster(template, meanings):
        space = TextSpace(narrowed, _usual(meanings))
        sizes = space.statement_sizes
        starts = itertools.accumulate(sizes, initial=0)
        units += [
            _Cell(space, start, size // num_phrasings, statement, 0)
            for statement, (start, size) in enumerate(zip(starts, sizes, strict=False))
        ]
    for turn in range(num_phrasings):
        for number, unit in enumerate(units):
            yield replace(unit, phrasing=(number + turn) % num_phrasings)


def _by_cluster(template: Template, meanings: Meanings) -> Iterator[Template]:
    """Yield the template once for each value of the slots that name its clusters."""
    named = [slot for slot in template.slots if slot.name in template.cluster]
    choices = []
    for slot in named:
        values = [v for v in slot.domain if slot.kind != "relation" or v.key in meanings]
        groups = dict.fromkeys(value.group for value in values)
        choices.append(
            [replace(slot, domain=tuple(v for v in values if v.group == group)) for group in groups]
        )
    for choice in itertools.product(*choices):
        chosen = {slot.name: slot for slot in choice}
        yield replace(template, slots=tuple(chosen.get(slot.name, slot) for slot in template.slots))


def flat_relations(house_id: str) -> tuple[Relation, ...]:
    """Return the relations that hold in a flat, in the language's terms."""
    return tuple(
        Relation(found.relation, found.anchors, found.referent)
        for found in get_house(house_id).relations
    )


def meanings_in(houses: tuple[str, ...]) -> Meanings:
    """Return what every wording of a relation means in each of the flats where it is true."""
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
