"""A lower bound on the number of steps that are left: never too high, so the search stays exact.

It is the least, over the boxes, of what that box still needs. It is admissible but not consistent
(it may drop by more than one in a step), so the search may not close states.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Final

from langrearrange.solver.boxes import HAND_BIT, Box
from langrearrange.solver.problem import NO_SPOT, SPOTS_OF_OPENABLES, Problem, spots_of
from langrearrange.world.state import WorldState
from langrearrange.world.vocabulary import IN_HAND, SPOT_OF_PLACE

Bound = Callable[[WorldState], int]
NEVER: Final = 1 << 30
"""The bound of a state from which no plan leads to the goal."""


def make_bound(problem: Problem, boxes: Iterable[Box]) -> Bound:
    """Return the strongest bound for some of the boxes that is sound for the problem's layout."""
    reachable = spots_of(sum(1 << stance.place for stance in problem.stances))
    ends = [(box, spots_of(box.places)) for box in boxes]

    def bound(state: WorldState) -> int:
        here = 1 << SPOT_OF_PLACE[state.place]
        best = NEVER
        for box, spots in ends:
            if not spots & (here | reachable):
                continue
            cost = _cost(problem, box, spots, state, here)
            if cost < best:
                best = cost
                if not cost:
                    break
        return best

    return bound


def _cost(problem: Problem, box: Box, spots: int, state: WorldState, here: int) -> int:
    """What one box still needs at least; sets of receptacles and spots are bit masks.

    A pick and a place per misplaced object, forced openings and closings, and drives: one loaded
    drive per object whose ends no stance reaches both. With standard reach also one to every spot
    that must be visited and in which no delivery can end; else one if anything is out of reach.
    """
    layout, home = problem.layout, problem.home
    place, receptacles = state.place, state.receptacles
    reach = layout.reach[place]
    cost = drives = targets = sources = only_target = 0
    held_wanted = held_constrained = False
    picked_twice: list[int] = []
    for k, mask in box.objects:
        location = receptacles[k]
        target = mask & ~HAND_BIT
        if location == IN_HAND:
            held_constrained = True
            if mask & HAND_BIT:
                held_wanted = True
                continue
            drives += not target & reach
        elif mask >> location & 1:
            continue
        else:
            source = 1 << location
            if sources & source:
                picked_twice.append(source)
            sources |= source
            cost += 1
            if mask & HAND_BIT:
                continue
            drives += not target & home.together[location]
        cost += 1
        targets |= target
        if not target & (target - 1):
            only_target |= target
    if state.held >= 0 and (held_wanted or not held_constrained):
        cost += bool(sources or (box.hand_free and not held_constrained))
    open_spots = SPOTS_OF_OPENABLES[state.open_mask]
    forced = sources & layout.pick_closed[0] | only_target & layout.place_closed[0]
    flips = (forced | SPOTS_OF_OPENABLES[box.opened]) & ~open_spots
    shuts = SPOTS_OF_OPENABLES[box.closed] & (open_spots | flips)
    cost += flips.bit_count() + shuts.bit_count()
    if home.standard:
        must = sources | flips | shuts
        if not spots & (spots - 1):
            must |= spots & ~(1 << NO_SPOT)
        drives += (must & ~targets & ~here).bit_count()
        for source in picked_twice:  # each departs loaded, so the robot must come back in between
            drives += not source & targets
    elif not drives:
        turned = (flips | shuts) & ~SPOTS_OF_OPENABLES[layout.operable[place]]
        drives = bool(sources & ~reach or turned)
    if not drives and not box.places >> place & 1:
        drives = 1
    return cost + drives
