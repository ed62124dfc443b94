"""Drawing a household: which objects stand where at t=0, what is open, from facts and knobs.

Pure and integer: everything comes from the keyed generator it is given. Not for sentences, goals
or plans.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final, NamedTuple

from langrearrange.dataset import ObjectPlacement
from langrearrange.generator.distractors import PLAIN, Presence, Shape, bits, mask_of, union
from langrearrange.generator.spec import SplitSpec
from langrearrange.houses import (
    House,
    assign_slots,
    draw_yaw,
    get_house,
    yaw_fits,
)
from langrearrange.houses.homes import source_name, source_of
from langrearrange.houses.slots import YAW_STEPS
from langrearrange.language import Absent, Only, Openness, Place, StartFact
from langrearrange.seeding import KeyedRng
from langrearrange.world.vocabulary import (
    CATEGORIES,
    CATEGORY_INDEX,
    CONTAINERS,
    OPENABLES,
    RECEPTACLE_INDEX,
    RECEPTACLES,
)

DUPLICATE_PERCENT: Final = 20
"""How often there is one more of a kind: a fifth of all objects repeats a category."""
MAX_TRIES: Final = 40
"""Draws of a household's numbers, and of its places, before places that are left are used."""
MAX_CATEGORIES: Final = len(CATEGORIES) - 3
"""Not every category is present in any flat, however full."""

EVERYWHERE: Final = (1 << len(RECEPTACLES)) - 1
CONTAINER_MASK: Final = sum(1 << RECEPTACLE_INDEX[name] for name in CONTAINERS)
_BITS: Final = tuple(
    tuple(r for r in range(len(RECEPTACLES)) if mask >> r & 1) for mask in range(EVERYWHERE + 1)
)
"""Bit mask of receptacles -> their indices."""


class Rejected(Exception):
    """This attempt cannot be completed; the next one extends the key. Never seen by users."""


@dataclass(frozen=True, slots=True)
class Household:
    """What a flat holds at t=0: objects in episode order, and what is open in vocabulary order."""

    objects: tuple[ObjectPlacement, ...]
    open: tuple[str, ...]


def draw_household(
    house: House,
    facts: Sequence[StartFact],
    spec: SplitSpec,
    rng: KeyedRng,
    shapes: Sequence[Shape] = (PLAIN,),
    presence: Presence | None = None,
) -> Household:
    """Draw objects, their models, slots and yaws, and what is open.

    Args:
        house: the flat.
        facts: what must be true at t=0; `Place` facts name the objects the sentence is about.
        spec: gives the knobs.
        rng: consumed the same way for the same arguments.
        shapes: what the template demands of its objects; clutter is placed by the same shapes.
        presence: categories besides those of the facts, None if the facts do not restrict them.

    Raises:
        Rejected: the facts leave no room this time.
    """
    placed = _Placer(house, facts, spec, rng, shapes, presence).run()
    return Household(_furnished(house, placed, rng), _draw_open(facts, spec, rng))


def _draw_open(facts: Sequence[StartFact], spec: SplitSpec, rng: KeyedRng) -> tuple[str, ...]:
    state = {"fridge": rng.chance(spec.fridge_open_percent, 100)}
    state |= {fact.openable: fact.open for fact in facts if isinstance(fact, Openness)}
    return tuple(name for name in OPENABLES if state.get(name, False))


class _Kind(NamedTuple):
    """The objects of one category before they have places.

    Attributes:
        category: its index.
        number: how many there are.
        mask: where they may stand, but for those that are fixed.
        fixed: receptacles of the first ones, where the facts decide them.
        shape: of clutter, what it imitates.
        only: whether nothing may be added.
    """

    category: int
    number: int
    mask: int
    fixed: tuple[int, ...] = ()
    shape: Shape = PLAIN
    only: bool = False


class _Placer:
    """Draws the number of objects of each category, then their places, all by one procedure.

    If something does not fit, everything is drawn again: otherwise later objects would find less
    room than earlier ones. Only after `MAX_TRIES` (a flat that is nearly full) do objects take the
    places that are left.
    """

    def __init__(
        self,
        house: House,
        facts: Sequence[StartFact],
        spec: SplitSpec,
        rng: KeyedRng,
        shapes: Sequence[Shape],
        presence: Presence | None,
    ) -> None:
        self._fits = _fitting_masks(house.id)
        self._spec = spec
        self._rng = rng
        self._shapes = shapes
        self._free = [
            min(spec.max_per_receptacle, len(house.surfaces[name].slots)) for name in RECEPTACLES
        ]
        self._forbidden = [0] * len(CATEGORIES)
        self._only: set[int] = set()
        self._places = [fact for fact in facts if isinstance(fact, Place)]
        for fact in facts:
            if isinstance(fact, Absent):
                self._forbid(fact)
            elif isinstance(fact, Only):
                self._only.update(CATEGORY_INDEX[name] for name in fact.categories)
        self._others: dict[int, int] = {}
        self._sparse = presence is not None
        if presence is not None:
            self._restrict(presence)

    def run(self) -> list[tuple[int, int]]:
        """Return (category index, receptacle index) of every object."""
        spec, rng = self._spec, self._rng
        demanded = self._demanded()
        wanted = spec.min_objects + rng.below(spec.max_objects - spec.min_objects + 1)
        wanted = max(wanted, sum(kind.number for kind in demanded))
        tries = (self._numbered(demanded, wanted) for _ in range(MAX_TRIES))
        kinds = next(filter(None, tries), None)
        if kinds is None:
            raise Rejected("no category is left for clutter")
        placings = (self._placed(kinds) for _ in range(MAX_TRIES))
        return next(filter(None, placings), None) or self._squeezed(kinds)

    def _forbid(self, fact: Place | Absent) -> None:
        for name in fact.categories:
            self._forbidden[CATEGORY_INDEX[name]] |= mask_of(fact.receptacle)

    def _restrict(self, presence: Presence) -> None:
        """Add the targets of other sentences, and forbid the categories that must be absent."""
        if presence.own is not None:
            name = CATEGORIES[presence.own]
            self._places = [
                Place((name,), "", fact.count)
                if not fact.receptacle and name in fact.categories
                else fact
                for fact in self._places
            ]
        for category in range(len(CATEGORIES)):
            if presence.avoided >> category & 1:
                self._forbidden[category] = EVERYWHERE
        needed = union(bits(f.categories) for f in self._places if len(f.categories) == 1)
        self._others = {
            category: number
            for category, number in presence.others.items()
            if not needed >> category & 1 and self._mask(category)
        }

    def _demanded(self) -> list[_Kind]:
        """Return the kinds that the facts demand, each category once; draw categories left open."""
        fixed: dict[int, list[int]] = {}
        numbers: Counter[int] = Counter()
        for fact in self._places:
            within = mask_of(fact.receptacle)
            for _ in range(fact.count):
                able = [n for n in fact.categories if self._mask(CATEGORY_INDEX[n]) & within]
                if not able:
                    raise Rejected(
                        f"no room for {fact.categories[0]} on {fact.receptacle or 'any'}"
                    )
                category = CATEGORY_INDEX[self._rng.choice(able)]
                numbers[category] += 1
                places = fixed.setdefault(category, [])
                if fact.receptacle:
                    places.append(receptacle := self._choose(self._mask(category) & within))
                    filled = sum(found.count(receptacle) for found in fixed.values())
                    if filled > self._free[receptacle]:
                        raise Rejected(f"no room for {CATEGORIES[category]} on {fact.receptacle}")
        for fact in self._places:  # the number is exact: add no others
            if fact.receptacle in RECEPTACLES:
                self._forbid(fact)
        for category, places in fixed.items():
            if numbers[category] > len(places) and not self._mask(category):
                raise Rejected(f"no room for {CATEGORIES[category]}")
        return [
            _Kind(c, numbers[c], self._mask(c), tuple(places), only=c in self._only)
            for c, places in fixed.items()
        ]

    def _numbered(self, demanded: Sequence[_Kind], wanted: int) -> list[_Kind] | None:
        """Return kinds of exactly `wanted` objects, None if this draw does not add up to it.

        Kinds are drawn in the same way until the number is reached or exceeded, so all orders of
        drawing are equally likely.
        """
        rng = self._rng
        kinds = [self._more(kind) for kind in demanded]
        total = sum(kind.number for kind in kinds)
        present = {kind.category for kind in kinds}.union(self._others)
        fresh = [
            c
            for c in rng.shuffled(range(len(CATEGORIES)))
            if c not in present and c not in self._only and self._mask(c)
        ] + rng.shuffled(list(self._others))
        del fresh[: max(0, len(fresh) + len(kinds) - MAX_CATEGORIES)]
        while total < wanted and fresh:
            shape, category = rng.choice(self._shapes), fresh.pop()
            mask = self._mask(category)
            number = shape.count + self._others.get(category, 1) - 1
            kind = _Kind(category, number, mask, shape=shape, only=shape.only)
            kinds.append(self._more(kind))
            total += kinds[-1].number
        if self._sparse and not fresh:
            wanted = min(wanted, max(total, self._spec.min_objects))
        several = [i for i, kind in enumerate(kinds) if not kind.only and kind.mask]
        while total < wanted and several:  # more objects than kinds make up
            chosen = rng.choice(several)
            kinds[chosen] = kinds[chosen]._replace(number=kinds[chosen].number + 1)
            total += 1
        return kinds if total == wanted else None

    def _more(self, kind: _Kind) -> _Kind:
        """Add further instances, as the knob says, if any are allowed."""
        number = kind.number
        while not kind.only and kind.mask and self._rng.chance(DUPLICATE_PERCENT, 100):
            number += 1
        return kind if number == kind.number else kind._replace(number=number)

    def _placed(self, kinds: Sequence[_Kind]) -> list[tuple[int, int]] | None:
        """Return a place for every object, None if a receptacle overflows."""
        free, placed = self._free.copy(), []
        for kind in kinds:
            for receptacle in self._places_of(kind):
                placed.append((kind.category, receptacle))
                free[receptacle] -= 1
                if free[receptacle] < 0:
                    return None
        return placed

    def _places_of(self, kind: _Kind) -> list[int]:
        """Return the places of a kind's objects; of clutter, as if a sentence named its places."""
        rng, shape, mask, fixed = self._rng, kind.shape, kind.mask, list(kind.fixed)
        for count in shape.fixed:
            place = self._choose(mask) if shape.named else rng.choice(_BITS[mask])
            fixed += [place] * count
            mask = mask & ~(1 << place) or mask
        kept = union(1 << place for place in fixed)
        for choices in shape.absences:
            able = [where for where in choices if not where & kept]
            if able:
                kept |= (nowhere := rng.choice(able))
                mask = mask & ~nowhere or mask
        return fixed + [self._choose(mask) for _ in range(kind.number - len(fixed))]

    def _squeezed(self, kinds: Sequence[_Kind]) -> list[tuple[int, int]]:
        """Return a place for every object: fixed ones first, the others where there is room."""
        placed = [(kind.category, place) for kind in kinds for place in kind.fixed]
        rest = [kind for kind in kinds for _ in range(kind.number - len(kind.fixed))]
        free = self._free.copy()
        for _, receptacle in placed:
            free[receptacle] -= 1
        for kind in self._rng.shuffled(rest):
            room = sum(1 << r for r, left in enumerate(free) if left > 0)
            if not kind.mask & room:
                raise Rejected(f"no room for {CATEGORIES[kind.category]}")
            receptacle = self._choose(kind.mask & room)
            placed.append((kind.category, receptacle))
            free[receptacle] -= 1
        return placed

    def _mask(self, category: int) -> int:
        return self._fits[category] & ~self._forbidden[category]

    def _choose(self, mask: int) -> int:
        """Choose a receptacle, hidden or not by the knob; draw again until it is allowed."""
        rng = self._rng
        for _ in range(MAX_TRIES):
            hidden = rng.chance(self._spec.hidden_percent, 100)
            place = rng.choice(_BITS[CONTAINER_MASK if hidden else EVERYWHERE & ~CONTAINER_MASK])
            if mask >> place & 1:
                return place
        return rng.choice(_BITS[mask])


def _furnished(
    house: House, placed: Sequence[tuple[int, int]], rng: KeyedRng
) -> tuple[ObjectPlacement, ...]:
    """Give every object a model, a slot and a yaw; order them by receptacle, then slot."""
    counts = [0] * len(CATEGORIES)
    objects: list[ObjectPlacement] = []
    on_each: list[list[int]] = [[] for _ in RECEPTACLES]
    for category, receptacle in placed:
        on_each[receptacle].append(category)
    for name, categories, fitting in zip(RECEPTACLES, on_each, _fitting(house.id), strict=True):
        models = [rng.choice(fitting[category]) for category in categories]
        slots = assign_slots(house, name, models, rng)
        for slot, category, model in sorted(zip(slots, categories, models, strict=True)):
            objects.append(
                ObjectPlacement(
                    id=f"{CATEGORIES[category]}_{counts[category]}",
                    category=CATEGORIES[category],
                    model=model,
                    receptacle=name,
                    slot=slot,
                    yaw=draw_yaw(house, name, model, rng),
                )
            )
            counts[category] += 1
    return tuple(objects)


@cache
def _fitting(house_id: str) -> tuple[tuple[tuple[str, ...], ...], ...]:
    """Return `fitting_models` of a house by receptacle and category index."""
    house = get_house(house_id)
    categories = range(len(CATEGORIES))
    return tuple(tuple(fitting_models(house, r, c) for c in categories) for r in RECEPTACLES)


@cache
def _fitting_masks(house_id: str) -> tuple[int, ...]:
    """Return, by category, the receptacles on which some model of it fits, as a bit mask."""
    fitting = _fitting(house_id)
    return tuple(
        sum(1 << r for r in range(len(RECEPTACLES)) if fitting[r][category])
        for category in range(len(CATEGORIES))
    )


_FITTING: Final[dict[tuple[tuple[int, int], int, int, str], tuple[str, ...]]] = {}
"""(cell, free height, category, whose things) -> models: few cells differ, so this stays small."""


def fitting_models(house: House, receptacle: str, category: int) -> tuple[str, ...]:
    """Return the ids of a category's models that fit a receptacle, in catalogue order.

    Models higher than the free height never do. Where every model is longer than a slot (a hammer)
    all of them do, at the tightest yaw; otherwise those that stay within their slot.
    """
    surface = house.surfaces[receptacle]
    key = (surface.cell_mm, surface.max_height_mm, category, source_name(house.id))
    if key not in _FITTING:
        models = source_of(house.id).models_of(CATEGORIES[category])
        low = [model.id for model in models if model.size_mm[2] <= surface.max_height_mm]
        yaws = [step * 6283 // YAW_STEPS for step in range(YAW_STEPS)]
        within = [m for m in low if any(yaw_fits(house, receptacle, m, yaw) for yaw in yaws)]
        _FITTING[key] = tuple(within or low)
    return _FITTING[key]
