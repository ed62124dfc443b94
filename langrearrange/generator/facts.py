"""Checks the presuppositions of a sentence in a household; used for drawing and checking.

Not for making them true (`generator.household`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Sequence

from langrearrange.dataset import ObjectPlacement
from langrearrange.language import Absent, Only, Openness, Place, StartFact
from langrearrange.world.vocabulary import RECEPTACLES, receptacles_of


def broken_facts(
    facts: Sequence[StartFact], objects: Sequence[ObjectPlacement], is_open: Collection[str]
) -> list[str]:
    """Return a sentence for every fact that does not hold at t=0; empty if all hold.

    Args:
        facts: `Grounding.start_facts`.
        objects: the household's objects at t=0.
        is_open: the openables that are open at t=0.
    """
    counts = Counter((thing.category, thing.receptacle) for thing in objects)
    totals = Counter(thing.category for thing in objects)
    demanded: Counter[str] = Counter()
    for fact in facts:
        if isinstance(fact, Place):
            demanded.update({name: fact.count for name in fact.categories})
    broken: list[str] = []
    for fact in facts:
        match fact:
            case Place(categories, ""):
                if sum(totals[name] for name in categories) < fact.count:
                    broken.append(f"fewer than {fact.count} of {_names(categories)} in the flat")
            case Place(categories, receptacle):
                inside = receptacles_of(receptacle)
                found = sum(counts[name, r] for name in categories for r in inside)
                if found < fact.count or (found > fact.count and receptacle in RECEPTACLES):
                    broken.append(
                        f"{found} of {_names(categories)} on {receptacle} instead of {fact.count}"
                    )
            case Absent(categories, receptacle):
                inside = receptacles_of(receptacle) if receptacle else RECEPTACLES
                present = [c for c in categories if any(counts[c, r] for r in inside)]
                if present:
                    broken.append(f"{_names(present)} on {receptacle or 'some receptacle'}")
            case Only(categories):
                more = [name for name in categories if totals[name] > demanded[name]]
                if more:
                    broken.append(f"further {_names(more)} in the flat")
            case Openness(openable, wanted):
                if (openable in is_open) != wanted:
                    broken.append(f"{openable} is {'closed' if wanted else 'open'}")
    return broken


def _names(categories: Sequence[str]) -> str:
    return " or ".join(categories) if len(categories) < 6 else f"{len(categories)} categories"
