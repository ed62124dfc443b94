"""The 70 skills and the one function that says what each does: `apply`.

Env, solver, replay, simulators and tests all use it; there is no second definition of a skill. A
new kind of skill is a row of `KINDS`.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from operator import attrgetter
from typing import Final, NamedTuple

from langrearrange.errors import ActionError, VocabularyError
from langrearrange.world.state import Layout, Outcome, WorldState, first_free_slot
from langrearrange.world.vocabulary import (
    CATEGORIES,
    IN_HAND,
    NAV_TARGETS,
    OPENABLE_GROUPS,
    PREPOSITIONS,
    RECEPTACLES,
    english,
)

Result = tuple[WorldState, Outcome]


class SkillKind(NamedTuple):
    """What all skills of a kind have in common.

    Attributes:
        name: first word of their ids, such as `pick`.
        verb, past: what one tells a robot to do, and what it then did.
        arguments: ids of what they can be done to, in groups; kinds with the same arguments take
            turns group by group in the order of skills.
        attempt: (layout, state, index of the argument in its vocabulary) -> what `apply` returns:
            the outcome of the first test that fails and the same state, else the effect and `ok`.
    """

    name: str
    verb: str
    past: str
    arguments: tuple[tuple[str, ...], ...]
    attempt: Callable[[Layout, WorldState, int], Result]


def _nav(layout: Layout, state: WorldState, target: int) -> Result:
    if not layout.present >> target & 1:
        return state, Outcome.ABSENT
    return WorldState(target, *state[1:]), Outcome.OK


def _pick(layout: Layout, state: WorldState, category: int) -> Result:
    if state.held >= 0:
        return state, Outcome.HAND_FULL
    reach, closed = layout.reach[state.place], layout.pick_closed[state.open_mask]
    for obj in layout.instances[category]:
        if (reach & ~closed) >> state.receptacles[obj] & 1:
            return _moved(state, obj, IN_HAND), Outcome.OK
    return state, Outcome.CLOSED if reach & closed else Outcome.NOT_NEAR


def _place(layout: Layout, state: WorldState, receptacle: int) -> Result:
    if not layout.has_receptacle(receptacle):
        return state, Outcome.ABSENT
    if state.held < 0:
        return state, Outcome.HAND_EMPTY
    if not layout.reach[state.place] >> receptacle & 1:
        return state, Outcome.NOT_NEAR
    if layout.place_closed[state.open_mask] >> receptacle & 1:
        return state, Outcome.CLOSED
    return _moved(state, state.held, receptacle), Outcome.OK


def _moved(state: WorldState, obj: int, location: int) -> WorldState:
    """Return the state after an object went into the hand, or from the hand to a receptacle."""
    receptacles, slots = list(state.receptacles), state.slots
    receptacles[obj] = location
    if slots:
        changed = list(slots)
        changed[obj] = 0 if location == IN_HAND else first_free_slot(state, location)
        slots = tuple(changed)
    held = obj if location == IN_HAND else -1
    return WorldState(state.place, held, tuple(receptacles), slots, *state[4:])


def _open(layout: Layout, state: WorldState, openable: int) -> Result:
    return _turn(layout, state, openable, is_open=True, already=Outcome.ALREADY_OPEN)


def _close(layout: Layout, state: WorldState, openable: int) -> Result:
    return _turn(layout, state, openable, is_open=False, already=Outcome.ALREADY_CLOSED)


def _turn(
    layout: Layout, state: WorldState, openable: int, *, is_open: bool, already: Outcome
) -> Result:
    if not layout.has_openable(openable):
        return state, Outcome.ABSENT
    if not layout.operable[state.place] >> openable & 1:
        return state, Outcome.NOT_NEAR
    if bool(state.open_mask >> openable & 1) is is_open:
        return state, already
    return state._replace(open_mask=state.open_mask ^ 1 << openable), Outcome.OK


KINDS: Final = (
    SkillKind("nav", "go to", "went to", (NAV_TARGETS,), _nav),
    SkillKind("pick", "pick up", "picked up", (CATEGORIES,), _pick),
    SkillKind("place", "put", "put", (RECEPTACLES,), _place),
    SkillKind("open", "open", "opened", OPENABLE_GROUPS, _open),
    SkillKind("close", "close", "closed", OPENABLE_GROUPS, _close),
)
"""In the order of the released action space.

Source: paper B.3; the order of the tests and `place` needing an open container are ours. No outcome
tells what a closed container hides.
"""
KIND_OF: Final = {kind.name: kind for kind in KINDS}


@dataclass(frozen=True, slots=True)
class Skill:
    """One of the 70 skills.

    Attributes:
        index: 0..69, the action an agent takes; order of the released action space.
        kind: name of its kind: nav, pick, place, open or close.
        target: id of the nav target, category, receptacle or openable.
        argument: index of the target within its own vocabulary.
    """

    index: int
    kind: str
    target: str
    argument: int

    @property
    def id(self) -> str:
        """Unique id, `pick(toy_airplane)`."""
        return f"{self.kind}({self.target})"

    @property
    def name(self) -> str:
        """Unique English name: `pick up the toy airplane`, `put it on the sofa`."""
        verb, noun = KIND_OF[self.kind].verb, english(self.target)
        if self.kind == "place":
            verb += f" it {PREPOSITIONS[self.target]}"
        return f"{verb} the {noun}"


def _all_skills() -> Iterator[Skill]:
    numbers = itertools.count()
    for groups, alike in itertools.groupby(KINDS, attrgetter("arguments")):
        kinds, arguments = tuple(alike), list(itertools.chain.from_iterable(groups))
        for group in groups:
            for kind in kinds:
                for target in group:
                    yield Skill(next(numbers), kind.name, target, arguments.index(target))


SKILLS: Final = tuple(_all_skills())
NUM_SKILLS: Final = len(SKILLS)
SKILL_INDEX: Final = {skill.id: skill.index for skill in SKILLS}
_ATTEMPTS: Final = tuple((KIND_OF[skill.kind].attempt, skill.argument) for skill in SKILLS)


def skill_index(skill_id: str) -> int:
    """Return the index of a skill id such as `place(sofa)`; VocabularyError for anything else."""
    try:
        return SKILL_INDEX[skill_id]
    except KeyError:
        raise VocabularyError(
            f"unknown skill '{skill_id}'; skills look like nav(sofa), pick(apple), place(sink), "
            "open(fridge), close(left_drawer)"
        ) from None


def apply(layout: Layout, state: WorldState, skill: int) -> tuple[WorldState, Outcome]:
    """Return the state after a skill, and its outcome. Pure.

    Args:
        layout: the static part of the episode.
        state: the world before the skill.
        skill: index 0..69.

    Returns:
        The next state (the same object when the skill was invalid: a no-op) and the outcome: that
        of the first test of its kind that fails.

    Raises:
        ActionError: the index names no skill.
    """
    if not 0 <= skill < NUM_SKILLS:
        raise ActionError(f"skill {skill} does not exist; accepted: 0..{NUM_SKILLS - 1}")
    attempt, argument = _ATTEMPTS[skill]
    return attempt(layout, state, argument)


def valid_mask(layout: Layout, state: WorldState) -> int:
    """Return a bit mask over the 70 skills: those that would not be a no-op now.

    Privileged: it tells which categories are in reach. Never part of a ranked observation.
    """
    mask = 0
    for skill, (attempt, argument) in enumerate(_ATTEMPTS):
        if attempt(layout, state, argument)[1] is Outcome.OK:
            mask |= 1 << skill
    return mask
