"""Lower bounds on the number of steps that are left: never too high, so the search stays exact.

Both are the least, over the boxes, of what that box still needs. They are admissible but not
consistent (a bound may drop by more than one in a step), so the search may not close states.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from langrearrange.solver.boxes import HAND_BIT
from langrearrange.solver.task import (
    NO_SPOT,
    SPOTS_OF_OPENABLES,
    Row,
    SearchState,
    Task,
)
from langrearrange.world.vocabulary import IN_HAND, OPENABLE_OF_RECEPTACLE, SPOT_OF_PLACE

Bound = Callable[[SearchState], int]
NEVER: Final = 1 << 30
"""The bound of a state from which no plan leads to the goal."""
_CONTAINER_SPOTS: Final = sum(1 << r for r, o in enumerate(OPENABLE_OF_RECEPTACLE) if o >= 0)


def make_bound(task: Task) -> Bound:
    """Return the strongest bound that is sound for the task's layout."""
    return standard_bound(task) if task.standard else general_bound(task)


def standard_bound(task: Task) -> Bound:
    """Return the bound for standard reach.

    Counted per box: one pick (and one place) per misplaced object, forced openings and closings,
    one loaded drive per delivery, and one drive to every spot that must be visited but in which
    no delivery can end.
    """
    rows = task.rows
    reachable = sum(1 << SPOT_OF_PLACE[place] for place in task.places)

    def bound(state: SearchState) -> int:
        here = 1 << SPOT_OF_PLACE[state.place]
        open_spots = SPOTS_OF_OPENABLES[state.open_mask]
        best = NEVER
        for row in rows:
            if not row.spots & (here | reachable):
                continue
            cost = _row_cost(row, state, here, open_spots)
            if cost < best:
                best = cost
                if not cost:
                    break
        return best

    return bound


def _row_cost(row: Row, state: SearchState, here: int, open_spots: int) -> int:
    """What one box still needs at least; sets of spots are bit masks."""
    held, locations = state.held, state.locations
    cost = deliveries = targets = sources = repeated = only_target = 0
    drop_here = held_wanted = held_constrained = False
    picked_twice: list[int] = []
    for k, mask in row.objects:
        location = locations[k]
        target = mask & ~HAND_BIT
        if location == IN_HAND:
            held_constrained = True
            if mask & HAND_BIT:
                held_wanted = True
                continue
            cost += 1
            drop_here = bool(target & here)
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
            cost += 1
        deliveries += 1
        targets |= target
        if not target & (target - 1):
            only_target |= target
    if held >= 0 and (held_wanted or not held_constrained):
        cost += bool(sources or (row.hand_free and not held_constrained))
    flips = (((sources | only_target) & _CONTAINER_SPOTS) | row.opened_spots) & ~open_spots
    shuts = row.closed_spots & (open_spots | flips)
    cost += flips.bit_count() + shuts.bit_count()
    must = sources | flips | shuts
    if not row.spots & (row.spots - 1):
        must |= row.spots & ~(1 << NO_SPOT)
    drives = deliveries - drop_here + (must & ~targets & ~here).bit_count()
    for source in picked_twice:  # each departs loaded, so the robot must come back in between
        repeated += not source & targets
    drives += repeated
    if not drives and not row.places >> state.place & 1:
        drives = 1
    return cost + drives


def general_bound(task: Task) -> Bound:
    """Return the bound for any layout: overlapping reach, missing fixtures, release semantics.

    Of drives it counts the deliveries that no single stance can make, or else whether any drive is
    needed at all.
    """
    rows, layout = task.rows, task.layout
    stances = [layout.reach[place] for place in task.places]
    together = [0] * IN_HAND
    for receptacle in range(IN_HAND):
        for mask in stances:
            if mask >> receptacle & 1:
                together[receptacle] |= mask
    movable = 0
    for mask in stances:
        movable |= mask

    def row_cost(row: Row, state: SearchState) -> int:
        cost = drives = must_open = 0
        sources = 0
        reach = layout.reach[state.place]
        for k, mask in row.objects:
            location, target = state.locations[k], mask & ~HAND_BIT & task.surfaces
            if mask >> location & 1:
                continue
            if not mask & HAND_BIT:
                if not target:
                    return NEVER
                cost += 1
                if not target & (target - 1):
                    must_open |= task.must_open(target, placing=True)
            if location == IN_HAND:
                drives += not reach & target
                continue
            if not (movable | reach) >> location & 1:
                return NEVER
            cost += 1
            sources |= 1 << location
            must_open |= task.must_open(1 << location, placing=False)
            # Without a stance for both ends the object is carried on at least one drive.
            drives += (
                not mask & HAND_BIT and not (together[location] | _both(reach, location)) & target
            )
        flips = (must_open | row.opened) & ~state.open_mask
        shuts = row.closed & (state.open_mask | flips)
        cost += flips.bit_count() + shuts.bit_count()
        away = bool(sources & ~reach) or not row.places >> state.place & 1
        turned = bool((flips | shuts) & ~layout.operable[state.place])
        return cost + max(drives, away or turned)

    def bound(state: SearchState) -> int:
        return min((row_cost(row, state) for row in rows), default=NEVER)

    return bound


def _both(reach: int, receptacle: int) -> int:
    return reach if reach >> receptacle & 1 else 0
