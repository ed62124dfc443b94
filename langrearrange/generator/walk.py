"""The order in which a template says its texts, and in which flats: closed forms. No households."""

from __future__ import annotations

import itertools
import math
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Final, Literal

from langrearrange.dataset import EpisodeOrder
from langrearrange.errors import GenerationError
from langrearrange.generator.spec import PUBLISHED, SplitSpec
from langrearrange.houses import get_house
from langrearrange.language import Grounding, Relation, Template, TemplateSlot, TextSpace
from langrearrange.language.space import differ, relation_key
from langrearrange.seeding import KeyedPermutation

Meanings = dict[str, dict[str, Relation]]
"""Wording, such as `right_of(sofa)` -> flat -> the relation there."""


@dataclass(frozen=True, slots=True)
class _Cell:
    """Texts that are alike for statistics: one cluster value, remark, phrasing and target.

    Attributes:
        space: the texts of the cluster value and target.
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

    The texts are dealt to cells (cluster value x remark x phrasing x target), the cells taken in
    turn, and a keyed permutation walks each cell: any prefix, and any stretch, is balanced over
    clusters, remarks, phrasings and targets.
    """

    def __init__(
        self,
        spec: SplitSpec,
        template: Template,
        houses: tuple[str, ...],
        meanings: Meanings,
        num_train: int | None,
        first_flat: int,
    ) -> None:
        """Take the spec, a template and its flats.

        Args:
            spec: gives key and split name.
            template: the template.
            houses: ids of the split's flats.
            meanings: what relations mean in them (`meanings_in`), empty if the template has none.
            num_train: how many texts of the template train says, for splits that say only those;
                None for a walk of the split's own.
            first_flat: where in the order of the flats the template begins.
        """
        self.template = template
        self._spec = spec
        self._houses = houses
        self._meanings = meanings
        self._owner = spec if num_train is None else PUBLISHED["train"]  # whose texts these are
        by_target = _by_target(template, meanings)
        shuffled = self._owner.permutation(len(by_target), template.id, 0, "targets")
        by_target = [by_target[shuffled[i]] for i in range(len(by_target))]
        self._cells = list(_cells(template, by_target, meanings))
        permuted = spec.permutation(len(houses), "house")
        self._flats = tuple(houses[permuted[i]] for i in range(len(houses)))
        self._first_flat = first_flat
        self._order = EpisodeOrder(
            {str(number): cell.num_groundings for number, cell in enumerate(self._cells)}
        )
        self._permutation = cache(self._permuted)
        # A stretch of train's walk, from a keyed place on, is as balanced as train's beginning.
        self._num_train = num_train
        self._train_start = self._keyed(num_train or 1, "train texts", 0)[0]

    @property
    def num_texts(self) -> int:
        """How many different texts there are to say."""
        return self._order.num_episodes if self._num_train is None else self._num_train

    def grounding(self, rank: int) -> Grounding:
        """Return what is said at a rank; beyond the last text it begins again."""
        rank %= self.num_texts
        if self._num_train is not None:
            rank = (self._train_start + rank) % self._num_train
        number, rank_in_cell = self._order.locate(rank)
        cell = self._cells[number]
        choice = self._permutation(number)[rank_in_cell]
        index = cell.start + choice * len(self.template.phrasings) + cell.phrasing
        return replace(cell.space[index], template=self.template)

    def case(self, rank: int) -> int:
        """Return the start case: each block of ranks holds each once, in keyed order."""
        count = len(self.template.cases)
        if count == 1:
            return 0
        block, turn = divmod(rank, count)
        return self._keyed(count, "stratum", block)[turn]  # the key predates the name "case"

    def housed(self, grounding: Grounding, rank: int) -> tuple[Grounding, tuple[str, ...]]:
        """Return what the sentence means in its flat, and all flats where it means that.

        Each lap through the flats takes every one once, in the split's keyed order, begun one
        further each time. The templates begin at places evenly apart, so that the flats of a small
        split are balanced too. A sentence that is nonsense in a flat goes to the next one.
        """
        size = len(self._flats)
        first = (rank + rank // size + self._first_flat) % size
        order = self._flats[first:] + self._flats[:first]
        if not self.template.needs_relations:
            return grounding, order
        meant = {
            house: here for house in order if (here := self._meant_in(house, grounding)) is not None
        }
        if not meant:
            raise GenerationError(
                f"template '{self.template.id}': \"{grounding.sentence}\" is true in no flat; two "
                "relation slots rarely hold together, use one"
            )
        goals = sorted({here.goal for here in meant.values()})  # each equally likely
        goal = self._spec.rng(self.template.id, rank, "referent").choice(goals)
        own, *others = (house for house, here in meant.items() if here.goal == goal)
        return meant[own], (own, *others)

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

    def _permuted(self, number: int) -> KeyedPermutation:
        """Return the order of a cell's texts."""
        size = self._order.counts[number]
        return self._owner.permutation(size, self.template.id, number, "texts")

    def _keyed(self, size: int, purpose: str, block: int) -> KeyedPermutation:
        return self._spec.permutation(size, self.template.id, block, purpose)


def _cells(template: Template, by_target: list[Template], meanings: Meanings) -> Iterator[_Cell]:
    """Yield the cells so that neighbours differ in cluster and remark, phrasing and target.

    Turn j gives unit u the phrasing u + j and the target u * stride + j (+ 1 after each time that
    both have come round together), so that all combinations come, each once.
    """
    units = list(zip(*(_units(narrowed, meanings) for narrowed in by_target), strict=True))
    num_phrasings, num_targets = len(template.phrasings), len(by_target)
    together = math.lcm(num_phrasings, num_targets)
    for turn in range(num_phrasings * num_targets):
        for number, unit in enumerate(units):
            cell = unit[(number * _STRIDE + turn + turn // together) % num_targets]
            if cell.num_groundings:
                yield replace(cell, phrasing=(number + turn) % num_phrasings)


_STRIDE: Final = 3
"""Of targets from one unit to the next; not 1, or a phrasing would meet the same target in all."""


def _units(template: Template, meanings: Meanings) -> list[_Cell]:
    """Return a cell for every cluster value and remark, as yet without a phrasing."""
    units: list[_Cell] = []
    named = [slot for slot in template.slots if slot.name in template.cluster]
    for narrowed in _each_value(template, named, meanings, "group"):
        space = TextSpace(narrowed, _usual(meanings))
        sizes = space.statement_sizes
        starts = itertools.accumulate(sizes, initial=0)
        units += [
            _Cell(space, start, size // len(template.phrasings), statement, 0)
            for statement, (start, size) in enumerate(zip(starts, sizes, strict=False))
        ]
    return units


def _by_target(template: Template, meanings: Meanings) -> list[Template]:
    """Return the template once for each value of its last receptacle slot, if it has any.

    That slot is the target of the sentence, or the only place that it names.
    """
    slots = [slot for slot in template.slots if not slot.is_object]
    return list(_each_value(template, slots[-1:], meanings, "key"))


def _each_value(
    template: Template,
    slots: Sequence[TemplateSlot],
    meanings: Meanings,
    by: Literal["group", "key"],
) -> Iterator[Template]:
    """Yield the template once for each combination of the slots' groups (or keys) of values."""
    choices = []
    for slot in slots:
        values = [v for v in slot.domain if slot.kind != "relation" or v.key in meanings]
        names = dict.fromkeys(getattr(value, by) for value in values)
        choices.append(
            [replace(slot, domain=tuple(v for v in values if getattr(v, by) == n)) for n in names]
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
    """Return what every wording of a relation means in each of the flats where it is true.

    Wordings that always mean the same are left out, unless all do: they would be mere names.
    """
    found: Meanings = {}
    for house_id in houses:
        for relation in flat_relations(house_id):
            name = relation_key(relation.kind, relation.anchors)
            found.setdefault(name, {})[house_id] = relation
    varied = {
        name: here
        for name, here in found.items()
        if len({relation.referent for relation in here.values()}) > 1
    }
    return varied or found


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
