"""Seeded random problems of the kinds that sentences ask for, in whole or shrunken flats."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import NamedTuple

from solver_worlds import household

from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.world import Layout, WorldState
from langrearrange.world.goals import Goal, parse_goal
from langrearrange.world.vocabulary import (
    CATEGORIES,
    CONTAINERS,
    NAV_INDEX,
    OPENABLES,
    RECEPTACLES,
    SURFACES,
    handle_of,
)


class Exercise(NamedTuple):
    """A goal in a household."""

    kind: str
    goal: Goal
    layout: Layout
    initial: WorldState


def _moved(a: str, r: str) -> str:
    return f"(exists (?x - {a}) (and (on_top ?x {r}) (hand_free)))"


KINDS: dict[str, Callable[[str, str, str, str, str, str], str]] = {
    "move": lambda a, b, c, r, s, t: _moved(a, r),
    "two": lambda a, b, c, r, s, t: (
        f"(exists (?x - {a} ?y - {b}) (and (on_top ?x {r}) (on_top ?y {s}) (hand_free)))"
    ),
    "three": lambda a, b, c, r, s, t: (
        f"(exists (?x - {a} ?y - {b} ?z - {c}) "
        f"(and (on_top ?x {r}) (on_top ?y {s}) (on_top ?z {t}) (hand_free)))"
    ),
    "all": lambda a, b, c, r, s, t: f"(and (forall (?x - {a}) (on_top ?x {r})) (hand_free))",
    "all_from": lambda a, b, c, r, s, t: (
        f"(and (forall (?x - {a}) (imply (initially (on_top ?x {s})) (on_top ?x {r}))) (hand_free))"
    ),
    "clear": lambda a, b, c, r, s, t: (
        f"(and (forall (?x - object) (not (on_top ?x {r}))) (hand_free))"
    ),
    "find": lambda a, b, c, r, s, t: f"(exists (?x - {a}) (near ?x))",
    "find_group": lambda a, b, c, r, s, t: "(exists (?x - fruit) (near ?x))",
    "fetch": lambda a, b, c, r, s, t: f"(exists (?x - {a}) (and (holding ?x) (robot_at {r})))",
    "stow": lambda a, b, c, r, s, t: (
        f"(and (hand_free) (exists (?x - {a} ?r - container) (and (on_top ?x ?r) (closed ?r))))"
    ),
    "conditional": lambda a, b, c, r, s, t: (
        f"(and (closed fridge) {_moved(a, r)} (forall (?y - {b}) (undisturbed ?y)))"
    ),
    "one_of_two": lambda a, b, c, r, s, t: (
        f"(and (hand_free) (exists (?x - {a}) (and (initially (on_top ?x {s})) (on_top ?x {r})))"
        f" (forall (?y - {a}) (or (initially (on_top ?y {s})) (undisturbed ?y))))"
    ),
    "pick_higher": lambda a, b, c, r, s, t: (
        f"(exists (?x - {a} ?y - {a}) (and (undisturbed ?x) (not (undisturbed ?y)) (hand_free)))"
    ),
    "together": lambda a, b, c, r, s, t: (
        f"(and (hand_free) (exists (?r - receptacle) (forall (?x - {a}) (on_top ?x ?r))))"
    ),
    "spread": lambda a, b, c, r, s, t: (
        f"(and (hand_free) (exists (?x - {a} ?y - {a}) (and (on_top ?x {r}) (on_top ?y {s}))))"
    ),
    "two_of_one": lambda a, b, c, r, s, t: (
        f"(exists (?x ?y - {a}) (and (not (= ?x ?y)) (on_top ?x {r}) (on_top ?y {r}) (hand_free)))"
    ),
    "only_one": lambda a, b, c, r, s, t: (
        f"(exists (?x - {a}) (and (not (on_top ?x {r})) (initially (on_top ?x {r})) (hand_free)"
        f" (forall (?y - {a}) (or (= ?x ?y) (undisturbed ?y)))))"
    ),
    "any_one_place": lambda a, b, c, r, s, t: (
        f"(exists (?x - {a} ?y - {b} ?r - receptacle)"
        f" (and (on_top ?x ?r) (on_top ?y ?r) (not (= ?r {r})) (hand_free)))"
    ),
    "open": lambda a, b, c, r, s, t: "(and (open fridge) (open bottom_drawer))",
    "goto": lambda a, b, c, r, s, t: f"(robot_at {r})",
}


SEVERAL = ("all", "all_from", "clear", "together", "spread", "stow", "one_of_two", "pick_higher",
           "two_of_one", "only_one")  # fmt: skip
"""Kinds whose shortest plans move several instances of a category."""


def random_problem(*key: str | int, small: bool = False) -> Exercise:
    """Draw a problem: 6-10 objects in a whole flat, or 3-4 on three receptacles when `small`."""
    rng = KeyedRng(HOUSE_VERSION, "random_problem", *key)
    receptacles: tuple[str, ...] = RECEPTACLES
    openables: tuple[str, ...] = OPENABLES
    if small:
        receptacles, openables = _small_home(rng)
    count = 3 + rng.below(2) if small else 6 + rng.below(5)
    categories = rng.sample(CATEGORIES, 2 if small else 6)
    objects = [(rng.choice(categories), rng.choice(receptacles)) for _ in range(count)]
    names = (*receptacles, *map(handle_of, openables))
    kinds = [k for k in KINDS if not small or k not in ("open", "conditional") or "fridge" in names]
    kinds = [k for k in kinds if not small or k != "open"]
    return _exercise(rng, objects, receptacles, openables, kinds)


def crowded_problem(*key: str | int) -> Exercise:
    """Draw a problem of 4 or 5 objects of one or two categories, most of them side by side."""
    rng = KeyedRng(HOUSE_VERSION, "crowded_problem", *key)
    receptacles, openables = _small_home(rng)
    categories = rng.sample(CATEGORIES, 1 + rng.below(2))
    crowd = rng.choice(receptacles)
    objects = [
        (rng.choice(categories), crowd if rng.chance(2, 3) else rng.choice(receptacles))
        for _ in range(4 + rng.below(2))
    ]
    return _exercise(rng, objects, receptacles, openables, SEVERAL)


def _small_home(rng: KeyedRng) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Two surfaces and what opens."""
    openables = ("fridge",) if rng.chance(1, 2) else (rng.choice(CONTAINERS),)
    return (*rng.sample(SURFACES, 2), *openables), openables


def _exercise(
    rng: KeyedRng,
    objects: list[tuple[str, str]],
    receptacles: tuple[str, ...],
    openables: tuple[str, ...],
    kinds: Sequence[str],
) -> Exercise:
    names = (*receptacles, *map(handle_of, openables))
    layout, initial = household(
        objects,
        tuple(name for name in openables if rng.chance(1, 3)),
        present=sum(1 << NAV_INDEX[name] for name in names),
    )
    kind = rng.choice(kinds)
    text = KINDS[kind](
        *(rng.choice(objects)[0] for _ in range(3)), *(rng.choice(receptacles) for _ in range(3))
    )
    return Exercise(kind, parse_goal(text), layout, initial)
