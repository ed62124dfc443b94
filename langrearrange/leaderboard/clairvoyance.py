"""Detects agents that know where hidden objects are, by the receptacles that they visit first.

Replay proves that actions lead to success, not that they were based on observations. A copied plan
goes straight to the right receptacle; an honest search does so no more often than by chance.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from langrearrange.agents.words import find_mentions
from langrearrange.dataset import Episode
from langrearrange.leaderboard.causes import wanted_of
from langrearrange.leaderboard.groups import base_split
from langrearrange.leaderboard.replay import Replayed
from langrearrange.world import CLOSED_RECEPTACLES, Layout, WorldState
from langrearrange.world.goals import Initially, parse_goal, walk
from langrearrange.world.vocabulary import (
    CATEGORY_INDEX,
    NAV_TARGETS,
    RECEPTACLE_INDEX,
    START,
    spot_of,
)

ALPHA: Final = 1e-6
"""A run is flagged below this p-value: one honest run in a million."""
CHANCE: Final = 1 / 7
"""Bound on the chance that the best first look finds one hidden object: four fifths of the objects
stand on the eight open receptacles, and never on the target."""
CHANCE_WITH_A_CAMERA: Final = 1 / 2
"""The same for agents that see pictures: some objects are in view from the start pose."""
DESCRIBED: Final = ("spatial_relationships",)
"""Splits whose sentences describe places without naming them."""


@dataclass(frozen=True, slots=True)
class Clairvoyance:
    """The result of the test.

    Attributes:
        num_looks: episodes in which the agent searched for an object whose place is not given.
        hits: how often the first receptacle that it visited held the object.
        expected: bound on the hits that are expected by chance.
        p_value: chance of so many hits in an honest search; 1.0 without looks.
    """

    num_looks: int
    hits: int
    expected: float
    p_value: float

    @property
    def suspicious(self) -> bool:
        """Whether the run is flagged: its tier is T0, however it was played."""
        return self.p_value < ALPHA


def clairvoyance(
    played: Sequence[tuple[Replayed, Episode]], *, symbolic: bool = True
) -> Clairvoyance:
    """Test a run.

    Args:
        played: replayed episodes, each with its episode.
        symbolic: whether its observations were symbolic; cameras see farther.

    Returns:
        The test; exact for independent looks whose chances are at most the bounds.
    """
    chance = CHANCE if symbolic else CHANCE_WITH_A_CAMERA
    chances, hits = [], 0
    for replayed, episode in played:
        look = _first_look(replayed, episode)
        if look is not None:
            found, num_places = look
            chances.append(min(1.0, num_places * chance))
            hits += found
    return Clairvoyance(len(chances), hits, sum(chances), _tail(chances, hits))


def _first_look(replayed: Replayed, episode: Episode) -> tuple[bool, int] | None:
    """Return whether the first receptacle visited held a target, and how many receptacles hold one.

    None if nothing is hidden (the sentence gives the place) or no receptacle was visited.
    """
    named = {m.name for m in find_mentions(episode.instruction) if m.name in RECEPTACLE_INDEX}
    layout, initial = episode.layout(), replayed.states[0]
    wanted = wanted_of(episode.goal, layout, initial)
    described = base_split(replayed.split) in DESCRIBED or not named <= wanted.targets
    if described or wanted.forbidden or _names_a_source(episode.goal):
        return None
    places = _places_of(wanted.categories, layout, initial)
    places -= {RECEPTACLE_INDEX[name] for name in named}
    if not places:
        return None
    for state in replayed.states[1:]:
        spot = spot_of(NAV_TARGETS[state.place]) if state.place != START else ""
        receptacle = RECEPTACLE_INDEX.get(spot, -1)
        if receptacle < 0 or spot in named or CLOSED_RECEPTACLES[state.open_mask] >> receptacle & 1:
            continue
        return receptacle in places, len(places)
    return None


def _names_a_source(goal: str) -> bool:
    return any(
        isinstance(inner, Initially) and "on_top" in str(inner) for inner in walk(parse_goal(goal))
    )


def _places_of(categories: frozenset[str], layout: Layout, state: WorldState) -> set[int]:
    return {
        state.receptacles[thing]
        for category in categories
        for thing in layout.instances[CATEGORY_INDEX[category]]
    }


def _tail(chances: Sequence[float], hits: int) -> float:
    """Return the chance of at least so many hits among independent looks (Poisson binomial)."""
    distribution = [1.0]
    for chance in chances:
        longer = [0.0] * (len(distribution) + 1)
        for count, probability in enumerate(distribution):
            longer[count] += probability * (1 - chance)
            longer[count + 1] += probability * chance
        distribution = longer
    return min(1.0, sum(distribution[hits:]))
