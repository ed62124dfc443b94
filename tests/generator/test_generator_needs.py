"""Needs are dealt so that no household tells which of those that it meets is said."""

from __future__ import annotations

from collections import Counter

from langrearrange.dataset import Episode
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.make import draw_episode
from langrearrange.generator.needs import Needs, needs_of
from langrearrange.generator.spec import load_spec
from langrearrange.language import Absent, Place, TextSpace
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.world.vocabulary import CATEGORIES

SPEC = load_spec("context")
FILE = blueprint_of(SPEC).file


def needs() -> Needs:
    found = needs_of(FILE)
    assert found is not None
    return found


def present(mask: int) -> set[str]:
    return {name for category, name in enumerate(CATEGORIES) if mask >> category & 1}


def met_by(things: set[str]) -> tuple[int, ...]:
    return tuple(
        number
        for number, value in enumerate(needs().values)
        if things & {*value.categories} and not things & {*value.avoid}
    )


def test_files_without_a_need_have_no_needs() -> None:
    assert needs_of(blueprint_of(load_spec("train")).file) is None
    assert all(template in needs() for template in FILE.templates)


def test_every_need_is_in_as_many_sets_as_any_other() -> None:
    counts = Counter(number for found in needs().sets for number in found.met)
    assert len(counts) == len(FILE.templates)
    assert max(counts.values()) <= 1.04 * min(counts.values())


def test_sets_are_not_small_and_many() -> None:
    sizes = sorted(len(found.met) for found in needs().sets)
    assert sizes[0] >= 2
    assert sizes[len(sizes) // 2] >= 7
    assert len(set(needs().sets)) > len(sizes) // 2


def test_a_set_has_exactly_the_needs_that_its_things_meet_whatever_clutter_is_added() -> None:
    for found in needs().sets[:300]:
        things, clutter = present(found.things), present(~found.avoided)
        assert found.met == met_by(things)
        assert things <= clutter
        for more in (clutter, *(things | {name} for name in clutter)):
            assert met_by(more) == found.met


def test_sets_are_dealt_alike_each_time() -> None:
    assert Needs(FILE).sets == needs().sets


def episode_sets() -> dict[int, set[tuple[int, ...]]]:
    found: dict[int, set[tuple[int, ...]]] = {}
    for index in range(0, 200):
        episode: Episode = draw_episode(SPEC, index % 100, index // 100)
        template = [t.id for t in FILE.templates].index(episode.template)
        met = met_by({thing.category for thing in episode.objects})
        found.setdefault(template, set()).add(met)
    return found


def test_a_household_meets_the_needs_of_a_set_among_them_what_is_said() -> None:
    dealt = {found.met for found in needs().sets}
    for number, sets in episode_sets().items():
        assert sets <= dealt
        assert all(number in met for met in sets)


def test_the_facts_of_a_household_are_those_of_all_its_needs() -> None:
    """Whichever is said, each other need's things are kept off a place of its own."""
    for number, template in enumerate(FILE.templates):
        said = TextSpace(template)[0]
        facts, presence = needs().draw(said, KeyedRng(HOUSE_VERSION, number))
        places = [fact for fact in facts if isinstance(fact, Place)]
        things = {name for fact in places for name in fact.categories}
        assert not things & present(presence.avoided)
        met = met_by(things)
        assert number in met
        kept_off = {fact.categories for fact in facts if isinstance(fact, Absent)}
        assert kept_off >= {needs().values[other].categories for other in met}
