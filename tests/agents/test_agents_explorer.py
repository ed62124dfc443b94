"""The explorer skill by skill: what it opens, remembers, carries and does when it knows no more."""

from __future__ import annotations

import pytest
from handmade import FIND, FRIDGE, episode, on, traces_of

from langrearrange.agents.explorer import SEARCH_ORDER
from langrearrange.dataset import Episode
from langrearrange.world import SKILLS
from langrearrange.world.vocabulary import CONTAINERS, RECEPTACLES, SURFACES

NEVER = "(and (open fridge) (closed fridge))"
"""A goal that nothing reaches: all 32 skills are played."""


def skills(e: Episode, *, hard: bool = False) -> list[str]:
    trace = traces_of("explorer", [e], hard=hard)[e.id]
    return ["stop" if a == 70 else SKILLS[a].id for a in trace.actions]


def play(sentence: str, things: dict[str, str], goal: str = NEVER, *open: str) -> list[str]:
    return skills(episode(7, sentence, goal, things, open=open))


def test_surfaces_are_searched_before_containers() -> None:
    assert SEARCH_ORDER == (*SURFACES, *CONTAINERS)
    assert set(SEARCH_ORDER) == set(RECEPTACLES)
    played = play("Find a lid.", {"book_0": "sofa"})
    visited = [skill for skill in played if skill.startswith("nav")]
    assert visited[: len(SURFACES)] == [f"nav({name})" for name in SURFACES]
    first = played.index(f"nav({CONTAINERS[0]})")
    assert played[first : first + 6] == [
        word for name in CONTAINERS for word in (f"nav({name})", f"open({name})")
    ]


def test_when_all_is_seen_it_goes_round() -> None:
    played = play("Dance.", {"book_0": "sofa"})
    seen = len(SURFACES) + 2 * len(CONTAINERS)
    rounds = [f"nav({SEARCH_ORDER[i % len(SEARCH_ORDER)]})" for i in range(1, 33 - seen)]
    assert played[seen:] == rounds
    assert len(played) == 32


def test_an_open_container_is_seen_into_without_opening_it() -> None:
    played = play("Find a lid.", {"book_0": "sofa"}, NEVER, "fridge")
    assert "open(fridge)" not in played
    assert "open(left_drawer)" in played


def test_find_ends_beside_the_thing_and_then_picks_it_on_the_off_chance() -> None:
    assert skills(FIND)[-1] == "nav(sofa)"
    played = play("Find a book.", {"book_0": "sofa"})
    assert played[played.index("nav(sofa)") + 1] == "pick(book)"


def test_in_the_hard_variant_what_is_found_is_left_and_stop_said() -> None:
    assert skills(FIND, hard=True)[-2:] == ["nav(sofa)", "stop"]
    assert skills(FRIDGE, hard=True) == ["nav(fridge)", "open(fridge)", "stop"]


@pytest.mark.parametrize(
    ("opened", "expected"),
    [((), ["nav(fridge)", "open(fridge)"]), (("fridge",), ["nav(fridge)", "close(fridge)"])],
)
def test_toggling_opens_what_is_closed_and_closes_what_is_open(
    opened: tuple[str, ...], expected: list[str]
) -> None:
    played = play("Close the fridge, or open it.", {"book_0": "sofa"}, "(robot_at sofa)", *opened)
    assert played[:2] == expected
    assert played.count("open(fridge)") + played.count("close(fridge)") == 1


def test_a_drawer_without_a_surface_is_turned_at_its_handle() -> None:
    goal = "(open middle_drawer)"
    assert play("Open the middle drawer.", {"book_0": "sofa"}, goal) == [
        "nav(middle_drawer_handle)", "open(middle_drawer)",
    ]  # fmt: skip


def test_visits_go_in_the_order_of_the_sentence() -> None:
    played = play("Go to the sink, then to the sofa.", {"book_0": "chair"})
    assert played[:2] == ["nav(sink)", "nav(sofa)"]


def test_a_closed_container_is_opened_before_something_is_put_in() -> None:
    things = {"book_0": "sofa"}
    goal = on("book", "left_drawer")
    assert play("Move a book from the sofa to the left drawer.", things, goal) == [
        "nav(sofa)", "pick(book)", "nav(left_drawer)", "open(left_drawer)", "place(left_drawer)",
    ]  # fmt: skip
    assert play("Move a book from the sofa to the left drawer.", things, goal, "left_drawer") == [
        "nav(sofa)", "pick(book)", "nav(left_drawer)", "place(left_drawer)",
    ]  # fmt: skip


def test_taken_off_means_put_on_another_surface() -> None:
    goal = "(exists (?x - book) (and (not (on_top ?x chair)) (hand_free)))"
    played = play("Take the book off the chair.", {"book_0": "chair"}, goal)
    assert played[:2] == ["nav(chair)", "pick(book)"]
    assert played[2:] == [f"nav({SURFACES[1]})", f"place({SURFACES[1]})"]
    assert SURFACES[0] == "chair"
    other = play("Take the book off the sofa.", {"book_0": "sofa"}, goal.replace("chair", "sofa"))
    assert other[2:] == [f"nav({SURFACES[0]})", f"place({SURFACES[0]})"]


def test_a_swap_looks_for_both_and_uses_what_it_saw_on_the_way() -> None:
    goal = f"(and {on('cup', 'sink')} {on('lid', 'chair')})"
    played = play("Swap the cup and the lid.", {"cup_0": "chair", "lid_0": "sink"}, goal)
    assert played[0] == "nav(chair)", "the first surface holds the cup"
    search = played[: played.index("pick(cup)")]
    assert "nav(sink)" in search
    assert played[-6:] == [
        "pick(cup)", "nav(sink)", "place(sink)", "pick(lid)", "nav(chair)", "place(chair)",
    ]  # fmt: skip


def test_what_a_sentence_names_as_source_is_looked_at_first() -> None:
    things = {"book_0": "tv_stand", "book_1": "chair"}
    played = play("Move a book from the TV stand to the sink.", things, on("book", "sink"))
    assert played == ["nav(tv_stand)", "pick(book)", "nav(sink)", "place(sink)"]
    # Nothing there: the others follow.
    missing = play(
        "Move a book from the sofa to the sink.", {"book_1": "chair"}, on("book", "sink")
    )
    assert missing == ["nav(sofa)", "nav(chair)", "pick(book)", "nav(sink)", "place(sink)"]


def test_a_thing_at_its_target_is_not_taken_for_another_one() -> None:
    """All of a kind: those that are there already stay."""
    goal = "(and (forall (?x - book) (on_top ?x sink)) (hand_free))"
    things = {"book_0": "sink", "book_1": "chair", "book_2": "sofa"}
    played = play("Put all the books in the sink.", things, goal)
    assert played.count("pick(book)") == played.count("place(sink)") == 2
    assert play("Put all the books in the sink.", things, goal) == played, "it forgets"


def test_one_is_enough_where_one_is_asked_for() -> None:
    played = play("Move a book to the sink.", {"book_0": "chair", "book_1": "sofa"})
    assert played.count("pick(book)") == 1
    assert played[:4] == ["nav(chair)", "pick(book)", "nav(sink)", "place(sink)"]
