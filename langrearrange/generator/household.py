"""Drawing a household: which objects stand where at t=0, what is open, from facts and knobs.

Pure and integer: everything comes from the keyed generator it is given. Not for sentences, goals
or plans.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from typing import Final

from langrearrange.dataset import ObjectPlacement
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
"""How often a piece of clutter is another instance of what is already there."""
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
    house: House, facts: Sequence[StartFact], spec: SplitSpec, rng: KeyedRng
) -> Household:
    """Draw objects, their models, slots and yaws, and what is open.

    Args:
        house: the flat.
        facts: what must be true at t=0; `Place` facts name the objects the sentence is about.
        spec: gives the knobs.
        rng: consumed the same way for the same arguments.

    Raises:
        Rejected: the facts leave no room this time.
    """
    placed = _Placer(house, facts, spec, rng).run()
    return Household(_furnished(house, placed, rng), _draw_open(facts, spec, rng))


def _draw_open(facts: Sequence[StartFact], spec: SplitSpec, rng: KeyedRng) -> tuple[str, ...]:
    state = {"fridge": rng.chance(spec.fridge_open_percent, 100)}
    state |= {fact.openable: fact.open for fact in facts if isinstance(fact, Openness)}
    return tuple(name for name in OPENABLES if state.get(name, False))


class _Placer:
    """Categories onto receptacles: first what the facts demand, then clutter."""

    def __init__(
        self, house: House, facts: Sequence[StartFact], spec: SplitSpec, rng: KeyedRng
    ) -> None:
        self._fits = _fitting_masks(house.id)
        self._spec = spec
        self._rng = rng
        self._free = [
            min(spec.max_per_receptacle, len(house.surfaces[name].slots)) for name in RECEPTACLES
        ]
        self._room = EVERYWHERE
        self._forbidden = [0] * len(CATEGORIES)
        self._no_clutter: set[int] = set()
        self._places = [fact for fact in facts if isinstance(fact, Place)]
        self._placed: list[tuple[int, int]] = []
        for fact in facts:
            if isinstance(fact, Absent):
                mask = _bit(fact.receptacle) if fact.receptacle else EVERYWHERE
                for name in fact.categories:
                    self._forbidden[CATEGORY_INDEX[name]] |= mask
            elif isinstance(fact, Only):
                self._no_clutter.update(CATEGORY_INDEX[name] for name in fact.categories)

    def run(self) -> list[tuple[int, int]]:
        """Return (category index, receptacle index) of every object."""
        spec, rng = self._spec, self._rng
        self._place_facts()
        total = spec.min_objects + rng.below(spec.max_objects - spec.min_objects + 1)
        self._place_clutter(total - len(self._placed))
        return self._placed

    def _place_facts(self) -> None:
        # What is fixed comes first, so that free choices meet the room that is left.
        for fact in sorted(self._places, key=lambda fact: not fact.receptacle):
            category = CATEGORY_INDEX[self._rng.choice(fact.categories)]
            for _ in range(fact.count):
                if fact.receptacle:
                    receptacle = RECEPTACLE_INDEX[fact.receptacle]
                    fixed = 1 << receptacle
                    if fixed & self._forbidden[category] or not fixed & self._mask(category):
                        raise Rejected(f"no room for {CATEGORIES[category]} on {fact.receptacle}")
                else:
                    receptacle = self._choose(category)
                self._put(category, receptacle)
        for fact in self._places:  # "exactly so many": clutter must not add to them
            if fact.receptacle:
                for name in fact.categories:
                    self._forbidden[CATEGORY_INDEX[name]] |= _bit(fact.receptacle)

    def _place_clutter(self, count: int) -> None:
        rng = self._rng
        present = sorted({category for category, _ in self._placed})
        fresh = [
            c
            for c in rng.shuffled(range(len(CATEGORIES)))
            if c not in present and self._may_be_clutter(c)
        ]
        del fresh[max(0, MAX_CATEGORIES - len(present)) :]
        again = [c for c in present if self._may_be_clutter(c)]
        for _ in range(count):
            if fresh and not (again and rng.chance(DUPLICATE_PERCENT, 100)):
                category = fresh.pop()
                again.append(category)
            elif again:
                category = rng.choice(again)
            else:
                raise Rejected("no category is left for clutter")
            self._put(category, self._choose(category))

    def _may_be_clutter(self, category: int) -> bool:
        return category not in self._no_clutter and bool(self._mask(category))

    def _mask(self, category: int) -> int:
        return self._room & ~self._forbidden[category] & self._fits[category]

    def _choose(self, category: int) -> int:
        """Choose a receptacle: hidden or not by the knob, then uniformly among those with room."""
        mask = self._mask(category)
        hidden = self._rng.chance(self._spec.hidden_percent, 100)
        wanted = mask & CONTAINER_MASK if hidden else mask & ~CONTAINER_MASK
        if not mask:
            raise Rejected(f"no room for {CATEGORIES[category]}")
        return self._rng.choice(_BITS[wanted or mask])

    def _put(self, category: int, receptacle: int) -> None:
        self._placed.append((category, receptacle))
        self._free[receptacle] -= 1
        if not self._free[receptacle]:
            self._room &= ~(1 << receptacle)


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


def _bit(receptacle: str) -> int:
    return 1 << RECEPTACLE_INDEX[receptacle]


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
