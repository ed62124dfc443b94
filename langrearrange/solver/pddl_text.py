"""The fixed text of the PDDL domains: types, predicates and the five skills, in two dialects.

Not for episodes: what depends on one is filled in by `pddl`.
"""

from __future__ import annotations

from typing import Final

from langrearrange.world.vocabulary import GROUPS

_TYPES: Final = "\n".join(
    f"    {name} - {parent}"
    for name, parent in (
        ("spot", "object"),
        ("movable", "object"),
        ("fixture", "spot"),
        ("receptacle", "fixture"),
        ("surface", "receptacle"),
        ("container", "receptacle"),
        *((group, "movable") for group in GROUPS),
        *((category, group) for group, members in GROUPS.items() for category in members),
    )
)

ADL_REQUIREMENTS: Final = (
    "(:requirements :strips :adl :typing :equality :negative-preconditions"
    " :disjunctive-preconditions :existential-preconditions :universal-preconditions)"
)

ADL_DOMAIN: Final = f"""\
(define (domain langrearrange)
  {ADL_REQUIREMENTS}
  (:types
{_TYPES}
  )
  (:predicates
    (robot_at ?s - spot)
    (hand_free)
    (holding ?x - movable)
    (on_top ?x - movable ?r - receptacle)
    (closed ?f - fixture)
    (openable ?f - fixture)
  )
  (:action nav
    :parameters (?from - spot ?to - fixture)
    :precondition (and (robot_at ?from) (not (robot_at ?to)))
    :effect (and (not (robot_at ?from)) (robot_at ?to))
  )
  (:action pick
    :parameters (?x - movable ?r - receptacle)
    :precondition (and (robot_at ?r) (on_top ?x ?r) (not (closed ?r)) (hand_free))
    :effect (and (not (on_top ?x ?r)) (not (hand_free)) (holding ?x))
  )
  (:action place
    :parameters (?x - movable ?r - receptacle)
    :precondition (and (robot_at ?r) (holding ?x) (not (closed ?r)))
    :effect (and (not (holding ?x)) (on_top ?x ?r) (hand_free))
  )
  (:action open_fixture
    :parameters (?f - fixture)
    :precondition (and (robot_at ?f) (openable ?f) (closed ?f))
    :effect (not (closed ?f))
  )
  (:action close_fixture
    :parameters (?f - fixture)
    :precondition (and (robot_at ?f) (openable ?f) (not (closed ?f)))
    :effect (closed ?f)
  )
)
"""

STRIPS_DOMAIN: Final = f"""\
(define (domain @NAME@)
  (:requirements :strips :typing)
  (:types
{_TYPES}
  )
  (:constants
@CONSTANTS@
  )
  (:predicates
    (robot_at ?s - spot)
    (away ?s - spot)
    (hand_free)
    (holding ?x - movable)
    (loose ?x - movable)
    (on_top ?x - movable ?r - receptacle)
    (off ?x - movable ?r - receptacle)
    (open ?f - fixture)
    (closed ?f - fixture)
    (openable ?f - fixture)
    (pending)
    (goal_met)
  )
  (:action nav
    :parameters (?from - spot ?to - fixture)
    :precondition (and (robot_at ?from) (away ?to))
    :effect (and (not (robot_at ?from)) (away ?from) (not (away ?to)) (robot_at ?to))
  )
  (:action pick
    :parameters (?x - movable ?r - receptacle)
    :precondition (and (robot_at ?r) (on_top ?x ?r) (open ?r) (hand_free))
    :effect (and (not (on_top ?x ?r)) (off ?x ?r) (not (hand_free)) (not (loose ?x)) (holding ?x))
  )
  (:action place
    :parameters (?x - movable ?r - receptacle)
    :precondition (and (robot_at ?r) (holding ?x) (open ?r))
    :effect (and (not (holding ?x)) (loose ?x) (hand_free) (not (off ?x ?r)) (on_top ?x ?r))
  )
  (:action open_fixture
    :parameters (?f - fixture)
    :precondition (and (robot_at ?f) (openable ?f) (closed ?f))
    :effect (and (not (closed ?f)) (open ?f))
  )
  (:action close_fixture
    :parameters (?f - fixture)
    :precondition (and (robot_at ?f) (openable ?f) (open ?f))
    :effect (and (not (open ?f)) (closed ?f))
  )
@ACHIEVE@)
"""
