"""The text space of a template: every (phrasing, grounding) it can say, numbered in closed form.

Nothing is enumerated but small groups of unlike slots: slots that must differ and share a domain
are numbered as partial permutations, the rest is a mixed radix. So a keyed permutation can walk
millions of sentences without storing one (design 3.4).
"""

from __future__ import annotations

import itertools
import math
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import replace

from langrearrange.errors import TemplateError
from langrearrange.language.grounding import Grounding
from langrearrange.language.schema import Relation, Template, TemplateSlot, Value
from langrearrange.world.vocabulary import RECEPTACLE_INDEX

MAX_LISTED = 50_000
"""Combinations of unlike slots that must differ are listed; more than this is refused at load."""


class TextSpace(Sequence[Grounding]):
    """What a template can say, as a sequence: `len(space)`, `space[i]`.

    Args:
        template: the template.
        relations: the relations that hold in some flat of the split, no two with the same kind and
            anchors; needed by templates with a relation slot, ignored by others.

    Raises:
        TemplateError: a relation slot and no relations, or two relations that sound alike.
    """

    def __init__(self, template: Template, relations: Sequence[Relation] = ()) -> None:
        self.template = template
        domains = {slot.name: slot.domain for slot in template.all_slots}
        for slot in template.slots:
            if slot.kind == "relation":
                domains[slot.name] = relation_domain(slot, template, relations)
        self._parts = [
            _Product([*template.slots, *statement.slots], statement.distinct, domains)
            for statement in template.statements
        ]
        num_phrasings = len(template.phrasings)
        sizes = [num_phrasings * part.size for part in self._parts]
        self._starts = list(itertools.accumulate(sizes, initial=0))

    def __len__(self) -> int:
        return self._starts[-1]

    def __getitem__(self, index: int) -> Grounding:  # type: ignore[override]
        """Return the grounding with this number; IndexError outside 0..len-1 (no slices)."""
        if not 0 <= index < self._starts[-1]:
            raise IndexError(f"text {index} of {self._starts[-1]}")
        statement = bisect_right(self._starts, index) - 1
        number, phrasing = divmod(index - self._starts[statement], len(self.template.phrasings))
        return Grounding(self.template, phrasing, statement, self._parts[statement].unrank(number))

    @property
    def statement_sizes(self) -> tuple[int, ...]:
        """How many texts each statement has; in `space[i]` one follows the other."""
        return tuple(b - a for a, b in itertools.pairwise(self._starts))


def relation_domain(
    slot: TemplateSlot, template: Template, relations: Sequence[Relation]
) -> tuple[Value, ...]:
    """Return a relation slot's values with what they mean, for the relations given."""
    sayable = {value.key: value for value in slot.domain}
    found: dict[str, Value] = {}
    for relation in relations:
        key = relation_key(relation.kind, relation.anchors)
        if key in found:
            raise TemplateError(
                f"two relations read '{key}': {found[key].receptacle} and {relation.referent}; "
                "keep one, or one sentence would mean two things"
            )
        if key in sayable:
            referent = relation.referent
            found[key] = replace(sayable[key], receptacle=referent, pddl=referent)
    if not found:
        raise TemplateError(
            f"template '{template.id}' has the relation slot '{slot.name}', but no flat offers a "
            f"relation of its kinds; give TextSpace the relations of the split's flats"
        )
    return tuple(found[key] for key in sorted(found))


def relation_key(kind: str, anchors: Sequence[str]) -> str:
    """Return a relation's key, `right_of(sofa)`; the order of anchors does not matter."""
    return f"{kind}({','.join(sorted(anchors, key=RECEPTACLE_INDEX.__getitem__))})"


class _Product:
    """All bindings of some slots: a product of independent groups of slots."""

    def __init__(
        self,
        slots: Sequence[TemplateSlot],
        distinct: Sequence[tuple[str, ...]],
        domains: Mapping[str, tuple[Value, ...]],
    ) -> None:
        self._names = [slot.name for slot in slots]
        self._groups = [
            _group(names, [d for d in distinct if set(d) & set(names)], domains)
            for names in _components(self._names, distinct)
        ]
        self.size = math.prod(group.size for group in self._groups)

    def unrank(self, number: int) -> dict[str, Value]:
        bound: dict[str, Value] = {}
        for group in self._groups:
            number, digit = divmod(number, group.size)
            bound.update(zip(group.names, group.unrank(digit), strict=True))
        return {name: bound[name] for name in self._names}


def _components(names: Sequence[str], distinct: Sequence[tuple[str, ...]]) -> list[list[str]]:
    """Split the slots into sets that no constraint links, each in the order of `names`."""
    component = {name: {name} for name in names}
    for group in distinct:
        merged = set().union(*(component[name] for name in group))
        for name in merged:
            component[name] = merged
    found: list[list[str]] = []
    for name in names:
        if not any(name in other for other in found):
            found.append([n for n in names if n in component[name]])
    return found


def _group(
    names: list[str],
    distinct: Sequence[tuple[str, ...]],
    domains: Mapping[str, tuple[Value, ...]],
) -> _Permutations | _Listed:
    chosen = [domains[name] for name in names]
    identities = {value.meant for value in chosen[0]}
    single = len(names) == 1 or all(len(value.meant) == 1 for value in chosen[0])
    alike = single and all(domain == chosen[0] for domain in chosen)
    linked = len(names) == 1 or any(set(group) == set(names) for group in distinct)
    if alike and linked and (len(names) == 1 or len(identities) == len(chosen[0])):
        return _Permutations(names, chosen[0])
    return _Listed(names, chosen, distinct)


class _Permutations:
    """Ordered choices of len(names) different values of one domain (one name: the domain)."""

    def __init__(self, names: list[str], domain: tuple[Value, ...]) -> None:
        self.names = names
        self._domain = domain
        self.size = math.perm(len(domain), len(names))

    def unrank(self, number: int) -> list[Value]:
        taken: list[int] = []  # ascending
        chosen = []
        for i in range(len(self.names)):
            number, digit = divmod(number, len(self._domain) - i)
            for other in taken:
                digit += digit >= other
            taken.append(digit)
            taken.sort()
            chosen.append(self._domain[digit])
        return chosen


class _Listed:
    """Every admissible combination of a few slots with unlike domains."""

    def __init__(
        self,
        names: list[str],
        domains: Sequence[tuple[Value, ...]],
        distinct: Sequence[tuple[str, ...]],
    ) -> None:
        self.names = names
        total = math.prod(map(len, domains))
        if total > MAX_LISTED:
            raise TemplateError(
                f"the slots {', '.join(names)} must differ but have different domains, which makes "
                f"{total} combinations; give them one domain or fewer values (at most {MAX_LISTED})"
            )
        groups = [[names.index(name) for name in group] for group in distinct]
        self._rows = [
            row
            for row in itertools.product(*domains)
            if all(differ([row[i] for i in group]) for group in groups)
        ]
        self.size = len(self._rows)

    def unrank(self, number: int) -> tuple[Value, ...]:
        return self._rows[number]


def differ(values: Sequence[Value]) -> bool:
    """Whether no category or receptacle is meant by two of the values."""
    meant = [name for value in values for name in value.meant]
    return len(set(meant)) == len(meant)
