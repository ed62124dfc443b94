"""Facts of the start against an independent reading of them, and by hand at every boundary."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.dataset import ObjectPlacement
from langrearrange.generator.facts import broken_facts
from langrearrange.language import Absent, Only, Openness, Place, StartFact

CATEGORIES = ("apple", "book", "cup")
RECEPTACLES = ("sofa", "fridge", "chair")
NUMBER = itertools.count()


def thing(category: str, receptacle: str) -> ObjectPlacement:
    return ObjectPlacement(
        id=f"{category}_{next(NUMBER)}", category=category, model="", receptacle=receptacle,
        slot=0, yaw=0,
    )  # fmt: skip


def things(text: str) -> list[ObjectPlacement]:
    """Read `apple sofa, book chair`."""
    return [thing(*pair.split()) for pair in text.split(", ") if pair]


CASES: list[tuple[str, StartFact, str]] = [
    ("apple sofa", Place(("apple",), "sofa", 1), ""),
    ("", Place(("apple",), "sofa", 1), "0 of apple on sofa instead of 1"),
    ("apple chair", Place(("apple",), "sofa", 1), "0 of apple on sofa instead of 1"),
    ("apple sofa, apple sofa", Place(("apple",), "sofa", 1), "2 of apple on sofa instead of 1"),
    ("apple sofa, apple sofa", Place(("apple",), "sofa", 2), ""),
    ("apple sofa, apple chair", Place(("apple",), "sofa", 2), "1 of apple on sofa instead of 2"),
    ("apple sofa, book sofa", Place(("apple", "book"), "sofa", 2), ""),
    ("apple sofa", Place(("apple", "book"), "sofa", 2), "1 of apple or book on sofa instead of 2"),
    ("apple sofa, apple chair", Place(("apple",), "", 2), ""),
    ("apple sofa, apple chair", Place(("apple",), "", 1), ""),
    ("apple sofa", Place(("apple",), "", 2), "fewer than 2 of apple in the flat"),
    ("book sofa", Absent(("apple",), "sofa"), ""),
    ("apple chair", Absent(("apple",), "sofa"), ""),
    ("apple sofa", Absent(("apple",), "sofa"), "apple on sofa"),
    ("apple chair", Absent(("apple",), ""), "apple on some receptacle"),
    ("apple sofa, cup sofa", Absent(CATEGORIES, "sofa"), "apple or cup on sofa"),
    ("book sofa", Only(("apple",)), ""),
    ("apple sofa", Only(("apple",)), "further apple in the flat"),
]


@pytest.mark.parametrize(("text", "fact", "expected"), CASES)
def test_a_fact_alone_by_hand(text: str, fact: StartFact, expected: str) -> None:
    assert broken_facts([fact], things(text), ()) == ([expected] if expected else [])


@pytest.mark.parametrize("demanded", [1, 2, 3])
def test_only_allows_what_is_demanded_and_not_one_more(demanded: int) -> None:
    facts: list[StartFact] = [Place(("apple",), "", demanded), Only(("apple",))]
    apples = [thing("apple", "sofa") for _ in range(demanded)]
    assert broken_facts(facts, apples, ()) == []
    assert broken_facts(facts, [*apples, thing("apple", "chair")], ()) == [
        "further apple in the flat"
    ]
    assert broken_facts(facts, apples[1:], ()) == [f"fewer than {demanded} of apple in the flat"]


def test_demands_of_several_facts_add_up() -> None:
    facts: list[StartFact] = [
        Place(("apple",), "sofa", 1),
        Place(("apple",), "chair", 2),
        Only(("apple", "book")),
    ]
    enough = things("apple sofa, apple chair, apple chair")
    assert broken_facts(facts, enough, ()) == []
    assert broken_facts(facts, [*enough, *things("apple fridge")], ()) == [
        "further apple in the flat"
    ]
    assert broken_facts(facts, [*enough, *things("book fridge")], ()) == [
        "further book in the flat"
    ]


@pytest.mark.parametrize("wanted", [True, False])
def test_openness_is_that_of_its_own_openable(wanted: bool) -> None:
    fact = Openness("fridge", wanted)
    state = {True: ("left_drawer", "fridge"), False: ("left_drawer",)}
    assert broken_facts([fact], [], state[wanted]) == []
    said = "fridge is closed" if wanted else "fridge is open"
    assert broken_facts([fact], [], state[not wanted]) == [said]


categories = st.lists(st.sampled_from(CATEGORIES), min_size=1, unique=True).map(tuple)
places = st.sampled_from(("", *RECEPTACLES))
facts = st.lists(
    st.one_of(
        st.builds(Place, categories, places, st.integers(1, 3)),
        st.builds(Absent, categories, places),
        st.builds(Only, categories),
        st.builds(Openness, st.sampled_from(("fridge", "left_drawer")), st.booleans()),
    ),
    min_size=1,
    max_size=6,
)
households = st.lists(
    st.builds(thing, st.sampled_from(CATEGORIES), st.sampled_from(RECEPTACLES)), max_size=8
)


def holds(fact: StartFact, all_facts: list[StartFact], found: list[ObjectPlacement],
          is_open: set[str]) -> bool:  # fmt: skip
    """Say whether a fact is true, one thing at a time."""
    if isinstance(fact, Openness):
        return fact.open is (fact.openable in is_open)
    if isinstance(fact, Only):
        for category in fact.categories:
            spare = [item for item in found if item.category == category]
            for other in all_facts:
                if isinstance(other, Place) and category in other.categories:
                    spare = spare[other.count :]
            if spare:
                return False
        return True
    here = [
        item
        for item in found
        if item.category in fact.categories and fact.receptacle in ("", item.receptacle)
    ]
    if isinstance(fact, Absent):
        return not here
    return len(here) == fact.count or (not fact.receptacle and len(here) > fact.count)


@given(facts, households, st.sets(st.sampled_from(("fridge", "left_drawer"))))
def test_as_many_complaints_as_facts_that_do_not_hold(
    wanted: list[StartFact], found: list[ObjectPlacement], is_open: set[str]
) -> None:
    broken = [fact for fact in wanted if not holds(fact, wanted, found, is_open)]
    complaints = broken_facts(wanted, found, is_open)
    assert len(complaints) == len(broken)
    for fact, complaint in zip(broken, complaints, strict=True):
        named = (fact.openable,) if isinstance(fact, Openness) else fact.categories
        assert any(name in complaint for name in named)
