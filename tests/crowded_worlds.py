"""Worlds in which things happen: few receptacles, many objects, few categories, containers shut.

A strategy draws worlds and skills that matter in them, so that full slots, several instances of a
category and containers that hold several things come up often instead of hardly ever.
"""

from __future__ import annotations

import itertools
from typing import Any, NamedTuple

from hypothesis import strategies as st

from langrearrange.world import Layout, WorldState, initial_state
from langrearrange.world.vocabulary import (
    CATEGORY_INDEX,
    CONTAINERS,
    NAV_INDEX,
    NUM_NAV_TARGETS,
    OPENABLE_INDEX,
    OPENABLES,
    RECEPTACLE_INDEX,
    SURFACES,
    handle_of,
)

CATEGORY_NAMES = ("apple", "pear")


class CrowdedWorld(NamedTuple):
    """A world and the skills that matter in it."""

    layout: Layout
    initial: WorldState
    skills: tuple[str, ...]


def skills_in(world: CrowdedWorld) -> st.SearchStrategy[list[str]]:
    """Draw skills, among them whole moves: drive, pick, drive, place."""
    drives = [name for name in world.skills if name.startswith("nav(")]
    picks = [name for name in world.skills if name.startswith("pick(")]
    places = [name for name in world.skills if name.startswith("place(")]
    moves = st.tuples(st.sampled_from(drives), st.sampled_from(picks), st.sampled_from(places)).map(
        lambda move: [move[0], move[1], move[2].replace("place", "nav"), move[2]]
    )
    single = st.sampled_from(world.skills).map(lambda skill: [skill])
    return st.lists(single | moves, max_size=15).map(lambda parts: list(itertools.chain(*parts)))


@st.composite
def crowded_worlds(draw: st.DrawFn) -> CrowdedWorld:
    """Draw 4 to 12 objects of two categories on a surface and one or two containers.

    A third of the homes have stances that reach more than their own fixture, a quarter lack
    fixtures, a third follow the release.
    """
    containers = draw(st.lists(st.sampled_from(CONTAINERS), min_size=1, max_size=2, unique=True))
    receptacles = [draw(st.sampled_from(SURFACES)), *containers]
    openables = [*containers, *draw(st.sampled_from([[], ["middle_drawer"]]))]
    places = [*receptacles, *map(handle_of, openables)]
    count = draw(st.integers(4, 12))
    where = draw(st.lists(st.sampled_from(receptacles), min_size=count, max_size=count))
    taken: dict[str, list[int]] = {}
    slots = []
    for receptacle in where:
        # Mostly side by side from slot 0 on, at times with gaps.
        used = taken.setdefault(receptacle, [])
        free = [slot for slot in range(count + 2) if slot not in used]
        used.append(free[draw(st.sampled_from([0, 0, 0, 1, 2]))])
        slots.append(used[-1])
    categories = draw(st.lists(st.sampled_from(CATEGORY_NAMES), min_size=count, max_size=count))
    opened = draw(st.sets(st.sampled_from(openables)))
    home: dict[str, Any] = draw(_homes(places, receptacles))
    layout = Layout(tuple(CATEGORY_INDEX[name] for name in categories), **home)
    initial = initial_state(
        [RECEPTACLE_INDEX[name] for name in where],
        slots,
        sum(1 << OPENABLE_INDEX[name] for name in opened),
    )
    skills = [f"nav({name})" for name in places]
    skills += 2 * [f"pick({name})" for name in CATEGORY_NAMES]
    skills += 2 * [f"place({name})" for name in receptacles]
    skills += [f"{verb}({name})" for verb in ("open", "close") for name in openables]
    skills += ["pick(mug)", "place(tv_stand)", "open(bottom_drawer)", "nav(chair)"]
    return CrowdedWorld(layout, initial, tuple(skills))


@st.composite
def _homes(draw: st.DrawFn, places: list[str], receptacles: list[str]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    if draw(st.integers(0, 2)) == 0:
        options["semantics"] = "release"
    if draw(st.integers(0, 3)) == 0:
        lacking = draw(st.sets(st.sampled_from(places), max_size=2))
        every = (1 << NUM_NAV_TARGETS) - 1
        options["present"] = every - sum(1 << NAV_INDEX[name] for name in lacking)
    if draw(st.integers(0, 2)) == 0:
        reach, operable = [0] * (NUM_NAV_TARGETS + 1), [0] * (NUM_NAV_TARGETS + 1)
        for place in places:
            for name in draw(st.sets(st.sampled_from(receptacles), min_size=1)):
                reach[NAV_INDEX[place]] |= 1 << RECEPTACLE_INDEX[name]
            for name in draw(st.sets(st.sampled_from(OPENABLES), max_size=3)):
                operable[NAV_INDEX[place]] |= 1 << OPENABLE_INDEX[name]
        options |= {"reach": tuple(reach), "operable": tuple(operable)}
    return options
