"""An episode as a PDDL domain and problem, for planners that are not ours; plans back and forth.

Not for solving. Two dialects:

    adl     One domain for all episodes; the goal keeps quantifiers and negation.
    strips  Positive literals only, so that pyperplan and pddlgym read it. The goal becomes one
            action `achieve_k` per box, so a shortest plan is one step longer than ours.

One thing differs from the skills: PDDL's `pick` names the object, the skill takes the lowest index
of its category in reach. Where a goal tells instances on one receptacle apart, PDDL plans can be
shorter. No name serves twice (type, object, predicate, action), which some tools insist on.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from langrearrange.errors import SolverError
from langrearrange.solver.boxes import HAND_BIT, Box, goal_boxes
from langrearrange.solver.pddl_goal import goal_formula
from langrearrange.solver.pddl_plan import (
    START_SPOT,
    Dialect,
    default_object_names,
    parse_plan,
    plan_text,
    spot_name,
)
from langrearrange.solver.pddl_text import ADL_DOMAIN, ADL_REQUIREMENTS, STRIPS_DOMAIN
from langrearrange.solver.problem import home_of
from langrearrange.world.goals import Goal
from langrearrange.world.state import Layout, WorldState
from langrearrange.world.vocabulary import (
    CATEGORIES,
    CONTAINERS,
    IN_HAND,
    NUM_NAV_TARGETS,
    OPENABLE_INDEX,
    OPENABLES,
    RECEPTACLE_INDEX,
    RECEPTACLES,
    SPOTS,
)

__all__ = [
    "Dialect",
    "PddlPair",
    "default_object_names",
    "export",
    "parse_plan",
    "pddl_name",
    "plan_text",
]


class PddlPair(NamedTuple):
    """The text of a domain file and of a problem file."""

    domain: str
    problem: str


def export(
    goal: Goal,
    layout: Layout,
    initial: WorldState,
    name: str,
    dialect: Dialect = "adl",
    object_names: Sequence[str] | None = None,
) -> PddlPair:
    """Write an episode as PDDL.

    Args:
        goal: the parsed goal.
        layout: the episode's layout.
        initial: the state at t=0.
        name: name of the problem, such as an episode id; made a PDDL name.
        dialect: `adl` or `strips`.
        object_names: name of every object, in PDDL's letters; None: `apple_0`, `apple_1`, ...

    Raises:
        SolverError: overlapping reach or release semantics, which the domain does not model; a
            dialect or object name that cannot be; a goal of too many boxes (strips).
    """
    if dialect not in ("adl", "strips"):
        raise SolverError(f"PDDL dialect '{dialect}' does not exist; accepted: adl, strips")
    if not home_of(layout).standard:
        raise SolverError(
            "PDDL export models stances that reach one receptacle each and the paper's semantics; "
            "this layout has another reach or the release's semantics"
        )
    names = tuple(object_names or default_object_names(layout))
    _check_names(names)
    writer = _Adl if dialect == "adl" else _Strips
    return writer(layout, initial, names).pair(goal, pddl_name(name))


def _check_names(names: Sequence[str]) -> None:
    """Refuse object names that PDDL or a tool would confuse with something else."""
    taken = {START_SPOT, *SPOTS, *re.findall(r"[a-z_]+", STRIPS_DOMAIN)}
    for name in names:
        if not re.fullmatch(r"[a-z][a-z0-9_]*", name) or name in taken:
            raise SolverError(
                f"object name '{name}' cannot stand in PDDL; accepted: lower-case letters, digits "
                "and '_', each name once and none of the domain's own words, such as apple_0"
            )
        taken.add(name)


def pddl_name(text: str) -> str:
    """Return the text as a PDDL name: `train/000017#2` becomes `train_000017_2`."""
    name = re.sub(r"[^a-z0-9]+", "_", text.lower()).strip("_")
    return name if name[:1].isalpha() else f"p_{name}"


class _Adl:
    """The facts of the first-order dialect."""

    def __init__(self, layout: Layout, initial: WorldState, names: Sequence[str]) -> None:
        self._layout = layout
        self._initial = initial
        self._names = names
        self._receptacles = [r for r in RECEPTACLES if layout.has_receptacle(RECEPTACLE_INDEX[r])]
        self._openables = [o for o in OPENABLES if layout.has_openable(OPENABLE_INDEX[o])]
        self._spots = [s for s in SPOTS if s in self._receptacles or s in self._openables]

    def pair(self, goal: Goal, name: str) -> PddlPair:
        formula = goal_formula(goal, self._layout, self._initial, self._names)
        objects = _lines(f"{thing} - {kind}" for thing, kind in self._things())
        problem = (
            f"(define (problem {name})\n  (:domain langrearrange)\n  {ADL_REQUIREMENTS}\n"
            f"  (:objects\n{objects}\n  )\n  (:init\n{_lines(self._facts())}\n  )\n"
            f"  (:goal {formula})\n)\n"
        )
        return PddlPair(ADL_DOMAIN, problem)

    def _things(self) -> list[tuple[str, str]]:
        """Every PDDL object with its type."""
        things = [(START_SPOT, "spot")]
        for spot in self._spots:
            kind = "fixture" if spot not in RECEPTACLES else "surface"
            things.append((spot, "container" if spot in CONTAINERS else kind))
        categories = (CATEGORIES[category] for category in self._layout.categories)
        return things + list(zip(self._names, categories, strict=True))

    def _is_open(self, openable: str) -> bool:
        return bool(self._initial.open_mask >> OPENABLE_INDEX[openable] & 1)

    def _facts(self) -> list[str]:
        facts = [f"(robot_at {spot_name(self._initial.place)})"]
        if self._initial.held < 0:
            facts.append("(hand_free)")
        facts += [f"(openable {name})" for name in self._openables]
        facts += [f"(closed {name})" for name in self._openables if not self._is_open(name)]
        for name, where in zip(self._names, self._initial.receptacles, strict=True):
            if where == IN_HAND:
                facts.append(f"(holding {name})")
            else:
                facts.append(f"(on_top {name} {RECEPTACLES[where]})")
        return facts


class _Strips(_Adl):
    """The same with complements as facts of their own and the goal as actions."""

    def pair(self, goal: Goal, name: str) -> PddlPair:
        boxes = goal_boxes(goal, self._layout, self._initial)
        achieve = [self._conditions(box) for box in boxes]
        used = {word for conditions in achieve for c in conditions for word in c[1:-1].split()[1:]}
        things = self._things()
        constants = [f"{t} - {kind}" for t, kind in things if t in used or t == START_SPOT]
        objects = [f"{t} - {kind}" for t, kind in things if t not in used and t != START_SPOT]
        domain = (
            STRIPS_DOMAIN.replace("@NAME@", f"langrearrange_{name}")
            .replace("@CONSTANTS@", _lines(constants))
            .replace("@ACHIEVE@", "".join(map(_achieve, range(len(achieve)), achieve)))
        )
        problem = (
            f"(define (problem {name})\n  (:domain langrearrange_{name})\n"
            f"  (:objects\n{_lines(objects)}\n  )\n  (:init\n{_lines(self._facts())}\n  )\n"
            f"  (:goal (and (goal_met)))\n)\n"
        )
        return PddlPair(domain, problem)

    def _facts(self) -> list[str]:
        here = spot_name(self._initial.place)
        facts = ["(pending)", *super()._facts()]
        facts += [f"(open {r})" for r in self._receptacles if r not in self._openables]
        facts += [f"(open {name})" for name in self._openables if self._is_open(name)]
        facts += [f"(away {spot})" for spot in (START_SPOT, *self._spots) if spot != here]
        for name, where in zip(self._names, self._initial.receptacles, strict=True):
            facts += [
                f"(off {name} {r})" for r in self._receptacles if RECEPTACLE_INDEX[r] != where
            ]
            if where != IN_HAND:
                facts.append(f"(loose {name})")
        return facts

    def _conditions(self, box: Box) -> list[str]:
        """The box as positive literals: one allowed value as a fact, else what is ruled out."""
        conditions = ["(pending)"] + ["(hand_free)"] * box.hand_free
        conditions += [f"(open {o})" for i, o in enumerate(OPENABLES) if box.opened >> i & 1]
        conditions += [f"(closed {o})" for i, o in enumerate(OPENABLES) if box.closed >> i & 1]
        spots = (START_SPOT, *self._spots)
        allowed = {
            spot_name(place) for place in range(NUM_NAV_TARGETS + 1) if box.places >> place & 1
        }
        at = [spot for spot in spots if spot in allowed]
        if len(at) == 1:
            conditions.append(f"(robot_at {at[0]})")
        else:
            conditions += [f"(away {spot})" for spot in spots if spot not in allowed]
        for obj, mask in box.objects:
            conditions += self._location(self._names[obj], mask, box.hand_free)
        return conditions

    def _location(self, name: str, mask: int, hand_free: bool) -> list[str]:
        there = [r for r in self._receptacles if mask >> RECEPTACLE_INDEX[r] & 1]
        if mask & HAND_BIT:
            if not there:
                return [f"(holding {name})"]
        elif len(there) == 1:
            return [f"(on_top {name} {there[0]})"]
        ruled_out = [f"(off {name} {r})" for r in self._receptacles if r not in there]
        return ruled_out + ([] if hand_free or mask & HAND_BIT else [f"(loose {name})"])


def _lines(items: Iterable[str]) -> str:
    return "\n".join(f"    {item}" for item in items)


def _achieve(number: int, conditions: Sequence[str]) -> str:
    return (
        f"  (:action achieve_{number}\n    :parameters ()\n"
        f"    :precondition (and {' '.join(conditions)})\n"
        f"    :effect (and (not (pending)) (goal_met))\n  )\n"
    )
