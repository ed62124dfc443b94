"""Households drawn from facts and knobs: what must be there is, what must not is not."""

from __future__ import annotations

import dataclasses
from collections import Counter
from types import SimpleNamespace
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.generator import SplitSpec
from langrearrange.generator.household import (
    MAX_CATEGORIES,
    Household,
    Rejected,
    draw_household,
    fitting_models,
)
from langrearrange.houses import House, get_house, houses_for, yaw_fits
from langrearrange.houses.models import MODELS, models_of
from langrearrange.houses.slots import YAW_STEPS
from langrearrange.language import Absent, Only, Openness, Place, StartFact
from langrearrange.seeding import EPISODE_VERSION, KeyedRng
from langrearrange.world.vocabulary import AREAS, CATEGORIES, CONTAINERS, OPENABLES, RECEPTACLES

SPEC = SplitSpec(name="mine", templates="train", num_episodes=10)
HOUSE = get_house(houses_for("test")[0])
OTHERS = [get_house(name) for name in houses_for("train")[:4]]


def draw(*facts: StartFact, seed: int = 0, house: House = HOUSE, **knobs: int) -> Household:
    spec = msgspec.structs.replace(SPEC, **knobs)
    return draw_household(house, facts, spec, KeyedRng(EPISODE_VERSION, "test", seed))


def many(*facts: StartFact, count: int = 200, **knobs: int) -> list[Household]:
    """Households of several seeds; those that leave no room are drawn again."""
    found = []
    for seed in range(3 * count):
        try:
            found.append(draw(*facts, seed=seed, house=HOUSE, **knobs))
        except Rejected:
            continue
        if len(found) == count:
            break
    assert len(found) == count
    return found


def on_each(household: Household) -> Counter[tuple[str, str]]:
    return Counter((thing.category, thing.receptacle) for thing in household.objects)


# -- facts ---------------------------------------------------------------------------------------


@st.composite
def start_facts(draw_from: st.DrawFn) -> tuple[StartFact, ...]:
    """Facts of one sentence: different categories, so that they can be true together."""
    names = draw_from(st.lists(st.sampled_from(CATEGORIES), min_size=1, max_size=5, unique=True))
    facts: list[StartFact] = []
    for name in names:
        receptacle = draw_from(st.sampled_from(("", *RECEPTACLES)))
        kind = draw_from(st.sampled_from(("place", "absent", "only", "place and only")))
        if kind.startswith("place"):
            facts.append(Place((name,), receptacle, draw_from(st.integers(1, 3))))
        if kind == "absent":
            facts.append(Absent((name,), receptacle))
        if kind.endswith("only"):
            facts.append(Only((name,)))
    for openable in draw_from(st.lists(st.sampled_from(OPENABLES), max_size=2, unique=True)):
        facts.append(Openness(openable, draw_from(st.booleans())))
    return tuple(facts)


@given(start_facts(), st.integers(0, 10**6), st.sampled_from(OTHERS))
def test_facts_are_true_of_what_is_drawn(
    facts: tuple[StartFact, ...], seed: int, house: House
) -> None:
    try:
        household = draw(*facts, seed=seed, house=house)
    except Rejected:
        return
    counts = on_each(household)
    totals = Counter(thing.category for thing in household.objects)
    placed = {f.categories[0]: f for f in facts if isinstance(f, Place)}
    for fact in facts:
        match fact:
            case Place((name,), "", count):
                assert totals[name] >= count
            case Place((name,), receptacle, count):
                assert counts[name, receptacle] == count
            case Absent((name,), receptacle):
                assert (counts[name, receptacle] if receptacle else totals[name]) == 0
            case Only((name,)):
                assert totals[name] == (placed[name].count if name in placed else 0)
            case Openness(openable, is_open):
                assert (openable in household.open) == is_open
    assert set(household.open) <= {"fridge"} | {
        fact.openable for fact in facts if isinstance(fact, Openness)
    }


@given(start_facts(), st.integers(0, 10**6), st.sampled_from(OTHERS))
def test_a_household_is_well_formed(facts: tuple[StartFact, ...], seed: int, house: House) -> None:
    try:
        household = draw(*facts, seed=seed, house=house)
    except Rejected:
        return
    things = household.objects
    assert SPEC.min_objects <= len(things) <= SPEC.max_objects
    assert max(Counter(t.receptacle for t in things).values()) <= SPEC.max_per_receptacle
    order = [(RECEPTACLES.index(t.receptacle), t.slot) for t in things]
    assert order == sorted(set(order)), "by receptacle, then slot; no slot twice"
    seen: Counter[str] = Counter()
    for thing in things:
        assert thing.id == f"{thing.category}_{seen[thing.category]}"
        seen[thing.category] += 1
        surface = house.surfaces[thing.receptacle]
        assert 0 <= thing.slot < len(surface.slots)
        assert MODELS[thing.model].category == thing.category
        assert MODELS[thing.model].size_mm[2] <= surface.max_height_mm
        assert thing.yaw in {step * 6283 // YAW_STEPS for step in range(YAW_STEPS)}
    assert list(household.open) == [name for name in OPENABLES if name in household.open]


def test_each_thing_of_several_categories_is_drawn_anew() -> None:
    drawn: Counter[int] = Counter()
    for household in many(Place(("cup", "mug"), "sofa", 2), count=80):
        counts = on_each(household)
        assert counts["cup", "sofa"] + counts["mug", "sofa"] == 2
        drawn[counts["cup", "sofa"]] += 1
    assert min(drawn[0], drawn[2]) > 9
    assert drawn[1] > 25


def test_in_an_area_there_are_so_many_or_more() -> None:
    found: Counter[int] = Counter()
    for household in many(Place(("apple",), "kitchen", 2), Absent(("book",), "tables"), count=80):
        counts = on_each(household)
        found[sum(counts["apple", place] for place in AREAS["kitchen"])] += 1
        assert not any(counts["book", place] for place in AREAS["tables"])
    assert min(found) == 2 < max(found)


def test_anything_is_a_thing_of_whatever_category_and_the_only_one_there() -> None:
    seen = set()
    for household in many(Place(CATEGORIES, "sink", 1), Absent(("cup",), "sink"), count=80):
        (thing,) = [t for t in household.objects if t.receptacle == "sink"]
        seen.add(thing.category)
    assert "cup" not in seen
    assert len(seen) > 15


def test_nothing_is_added_where_a_number_is_told() -> None:
    for household in many(Place(("apple",), "sofa", 1), Place(("book",), "", 1), count=300):
        assert on_each(household)["apple", "sofa"] == 1


def test_clutter_may_repeat_what_is_placed_unless_only_forbids() -> None:
    def totals(*facts: StartFact) -> set[int]:
        return {sum(t.category == "apple" for t in household.objects) for household in many(*facts)}

    assert totals(Place(("apple",), "sofa", 1)) > {1, 2}
    assert totals(Place(("apple",), "sofa", 1), Only(("apple",))) == {1}
    assert totals(Only(("apple",))) == {0}
    assert totals(Absent(("apple",), "")) == {0}
    assert 0 in totals()


@pytest.mark.parametrize(
    "facts",
    [
        (Place(("apple",), "sofa", 6),),
        (Place(("apple",), "sofa", 3), Place(("book",), "sofa", 3)),
        (Place(("apple",), "sofa", 1), Absent(("apple",), "sofa")),
        (Place(("apple",), "", 1), Absent(("apple",), "")),
    ],
)
def test_facts_that_leave_no_room_are_rejected(facts: tuple[StartFact, ...]) -> None:
    for seed in range(5):
        with pytest.raises(Rejected, match=r"no room for (apple|book)"):
            draw(*facts, seed=seed)


def test_as_many_fit_as_there_is_room_for() -> None:
    household = draw(Place(("apple",), "sofa", 3), Place(("book",), "sofa", 2))
    assert sum(thing.receptacle == "sofa" for thing in household.objects) == 5


def test_fixed_places_are_taken_before_free_ones() -> None:
    """Free things never take the room that a fixed one needs, whatever the order of facts."""
    free = Place(("apple",), "", 5)
    fixed = Place(("book",), "sofa", 5)
    for seed in range(40):
        assert on_each(draw(free, fixed, seed=seed))["book", "sofa"] == 5


# -- knobs ---------------------------------------------------------------------------------------


def test_places_are_drawn_alike_in_every_flat() -> None:
    """Splits of the same templates differ in their flats only: what stands where does not."""
    houses = [
        get_house(name) for role in ("train", "validation", "test") for name in houses_for(role)
    ]
    for seed in range(4):
        facts = (Place(("apple",), "", 2), Absent(("apple",), "sink"))
        drawn = {
            tuple(sorted((thing.category, thing.receptacle) for thing in household.objects))
            for household in (draw(*facts, seed=seed, house=house) for house in houses)
        }
        assert len(drawn) == 1


@pytest.mark.parametrize(("low", "high"), [(1, 1), (2, 4), (30, 30), (45, 60)])
def test_there_are_as_many_objects_as_the_knobs_say(low: int, high: int) -> None:
    knobs = {"min_objects": low, "max_objects": high, "max_per_receptacle": 6}
    sizes = {len(household.objects) for household in many(count=80, **knobs)}
    assert sizes == set(range(low, high + 1)) or (high - low > 10 and min(sizes) <= low + 2)
    assert max(sizes) <= high
    assert min(sizes) >= low


def test_one_object_a_receptacle_is_possible() -> None:
    knobs = {"min_objects": 10, "max_objects": 10, "max_per_receptacle": 1}
    for household in many(count=30, **knobs):
        assert max(Counter(t.receptacle for t in household.objects).values()) == 1


def test_not_every_category_is_present_in_the_fullest_flat() -> None:
    knobs = {"min_objects": 60, "max_objects": 60, "max_per_receptacle": 6}
    kinds = [len({t.category for t in h.objects}) for h in many(count=60, **knobs)]
    assert max(kinds) == MAX_CATEGORIES == len(CATEGORIES) - 3
    # With four sentences' things placed first, clutter still stops at the same number.
    facts = [Place((name,), "", 1) for name in CATEGORIES[:4]]
    kinds = [len({t.category for t in h.objects}) for h in many(*facts, count=40, **knobs)]
    assert max(kinds) == MAX_CATEGORIES


def share(found: list[bool]) -> float:
    return sum(found) / len(found)


@pytest.mark.parametrize("percent", [0, 20, 60, 100])
def test_things_are_hidden_as_often_as_the_knob_says(percent: int) -> None:
    """Of few objects, so that no receptacle runs full."""
    households = many(
        Place(("apple",), "", 1), count=400, min_objects=2, max_objects=3, hidden_percent=percent
    )
    for category in ("apple", ""):  # what the sentence is about, and clutter
        hidden = share(
            [
                thing.receptacle in CONTAINERS
                for household in households
                for thing in household.objects
                if (thing.category == "apple") == bool(category)
            ]
        )
        assert hidden == pytest.approx(percent / 100, abs=0.07 if 0 < percent < 100 else 0)


def test_places_are_uniform_among_open_and_among_closed_ones() -> None:
    where = Counter(
        thing.receptacle
        for household in many(count=900, min_objects=1, max_objects=1, hidden_percent=50)
        for thing in household.objects
    )
    for names in (CONTAINERS, [name for name in RECEPTACLES if name not in CONTAINERS]):
        counts = [where[name] for name in names]
        expected = 450 / len(names)
        assert all(0.6 * expected < count < 1.4 * expected for count in counts), where


@pytest.mark.parametrize("percent", [0, 25, 100])
def test_the_fridge_is_open_as_often_as_the_knob_says(percent: int) -> None:
    households = many(count=300, fridge_open_percent=percent)
    opened = share(["fridge" in household.open for household in households])
    assert opened == pytest.approx(percent / 100, abs=0.08 if percent == 25 else 0)
    told = many(Openness("fridge", percent != 100), count=20, fridge_open_percent=percent)
    assert {"fridge" in household.open for household in told} == {percent != 100}


def test_clutter_repeats_a_category_in_a_fifth_of_the_cases() -> None:
    households = many(count=300, min_objects=15, max_objects=15)
    repeats = sum(15 - len({t.category for t in h.objects}) for h in households)
    # The first thing has nothing to repeat: 14 draws a household.
    assert repeats / (14 * 300) == pytest.approx(0.2, abs=0.03)


# -- models --------------------------------------------------------------------------------------


@pytest.mark.parametrize("house", [HOUSE, *OTHERS[:2]], ids=lambda house: house.id)
def test_models_fit_under_what_is_above_and_within_their_slot(house: House) -> None:
    yaws = [step * 6283 // YAW_STEPS for step in range(YAW_STEPS)]
    for receptacle in RECEPTACLES:
        surface = house.surfaces[receptacle]
        for category, name in enumerate(CATEGORIES):
            low = [m.id for m in models_of(name) if m.size_mm[2] <= surface.max_height_mm]
            within = [m for m in low if any(yaw_fits(house, receptacle, m, yaw) for yaw in yaws)]
            assert list(fitting_models(house, receptacle, category)) == (within or low)


@pytest.mark.parametrize("name", ["cleanser", "apple", "box"])
def test_a_model_as_high_as_there_is_room_fits_and_a_higher_one_does_not(name: str) -> None:
    sofa = HOUSE.surfaces["sofa"]
    tallest = max(models_of(name), key=lambda model: model.size_mm[2])

    def fitting(height: int) -> tuple[str, ...]:
        surfaces = {"sofa": dataclasses.replace(sofa, max_height_mm=height)}
        house: Any = SimpleNamespace(id=HOUSE.id, surfaces=surfaces)
        return fitting_models(house, "sofa", CATEGORIES.index(name))

    height = tallest.size_mm[2]
    assert tallest.id in fitting(1000), "it is not too long"
    assert tallest.id in fitting(height)
    assert tallest.id not in fitting(height - 1)
    assert fitting(1) == ()


def test_every_category_fits_somewhere_and_only_there() -> None:
    for category, name in enumerate(CATEGORIES):
        fits = {r for r in RECEPTACLES if fitting_models(HOUSE, r, category)}
        assert fits
        for household in many(Place((name,), "", 1), count=8):
            (where, *_) = [t.receptacle for t in household.objects if t.category == name]
            assert where in fits
