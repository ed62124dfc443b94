"""The 70 skills and the one function that says what each does: `apply`.

Env, solver, replay, simulators and tests all use it; there is no second definition of a skill.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Literal

from langrearrange.errors import ActionError, VocabularyError
from langrearrange.world.state import (
    CLOSED_RECEPTACLES,
    Layout,
    Outcome,
    WorldState,
    first_free_slot,
)
from langrearrange.world.vocabulary import (
    CATEGORIES,
    CATEGORY_INDEX,
    IN_HAND,
    NAV_INDEX,
    NAV_TARGETS,
    OPENABLE_INDEX,
    OPENABLES,
    RECEPTACLE_INDEX,
    RECEPTACLES,
    english,
)

SkillKind = Literal["nav", "pick", "place", "open", "close"]


@dataclass(frozen=True, slots=True)
class Skill:
    """One of the 70 skills.

    Attributes:
        index: 0..69, the action an agent takes; order of the released action space.
        kind: nav, pick, place, open or close.
        target: id of the nav target, category, receptacle or openable.
        argument: index of the target within its own vocabulary.
    """

    index: int
    kind: SkillKind
    target: str
    argument: int

    @property
    def id(self) -> str:
        """Unique id, `pick(toy_airplane)`."""
        return f"{self.kind}({self.target})"

    @property
    def name(self) -> str:
        """Unique English name, `pick up the toy airplane`."""
        return _ENGLISH_VERB[self.kind].format(english(self.target))


_ENGLISH_VERB: Final = {
    "nav": "go to the {}",
    "pick": "pick up the {}",
    "place": "put it down at the {}",
    "open": "open the {}",
    "close": "close the {}",
}


def _all_skills() -> tuple[Skill, ...]:
    wanted: list[tuple[SkillKind, str, int]] = []
    wanted += [("nav", target, NAV_INDEX[target]) for target in NAV_TARGETS]
    wanted += [("pick", category, CATEGORY_INDEX[category]) for category in CATEGORIES]
    wanted += [("place", r, RECEPTACLE_INDEX[r]) for r in RECEPTACLES]
    fridge, *drawers = OPENABLES
    for group in ((fridge,), tuple(drawers)):
        wanted += [("open", o, OPENABLE_INDEX[o]) for o in group]
        wanted += [("close", o, OPENABLE_INDEX[o]) for o in group]
    return tuple(Skill(i, *parts) for i, parts in enumerate(wanted))


SKILLS: Final = _all_skills()
NUM_SKILLS: Final = len(SKILLS)
SKILL_INDEX: Final = {skill.id: skill.index for skill in SKILLS}


def skill_index(skill_id: str) -> int:
    """Return the index of a skill id such as `place(sofa)`; VocabularyError for anything else."""
    try:
        return SKILL_INDEX[skill_id]
    except KeyError:
        raise VocabularyError(
            f"unknown skill '{skill_id}'; skills look like nav(sofa), pick(apple), place(sink), "
            "open(fridge), close(left_drawer)"
        ) from None


_KINDS: Final = tuple(skill.kind for skill in SKILLS)
_ARGUMENTS: Final = tuple(skill.argument for skill in SKILLS)


def apply(layout: Layout, state: WorldState, skill: int) -> tuple[WorldState, Outcome]:
    """Return what the world is after a skill, and what became of the skill. Pure.

    Args:
        layout: the static part of the episode.
        state: the world before the skill.
        skill: index 0..69.

    Returns:
        The next state (the same object when the skill was invalid: a no-op) and the outcome. The
        tests come in a fixed order, so that no outcome tells what a closed container hides.

    Raises:
        ActionError: the index names no skill.

    Source: paper B.3; the order of tests and `place` needing an open container are ours.
    """
    if not 0 <= skill < NUM_SKILLS:
        raise ActionError(f"skill {skill} does not exist; accepted: 0..{NUM_SKILLS - 1}")
    kind, argument = _KINDS[skill], _ARGUMENTS[skill]
    if kind == "nav":
        if not layout.present >> argument & 1:
            return state, Outcome.ABSENT
        return state._replace(place=argument), Outcome.OK
    if kind == "pick":
        return _pick(layout, state, argument)
    if kind == "place":
        return _place(layout, state, argument)
    return _turn(layout, state, argument, opening=kind == "open")


def _pick(layout: Layout, state: WorldState, category: int) -> tuple[WorldState, Outcome]:
    if state.held >= 0:
        return state, Outcome.HAND_FULL
    reach = layout.reach[state.place]
    shut = CLOSED_RECEPTACLES[state.open_mask]
    if layout.semantics == "release":
        shut &= ~_FRIDGE_BIT
    for obj in layout.instances[category]:
        if (reach & ~shut) >> state.receptacles[obj] & 1:
            receptacles, slots = list(state.receptacles), list(state.slots)
            receptacles[obj], slots[obj] = IN_HAND, 0
            return (
                WorldState(state.place, obj, tuple(receptacles), tuple(slots), state.open_mask),
                Outcome.OK,
            )
    return state, Outcome.CLOSED if reach & shut else Outcome.NOT_NEAR


_FRIDGE_BIT: Final = 1 << RECEPTACLE_INDEX["fridge"]


def _place(layout: Layout, state: WorldState, receptacle: int) -> tuple[WorldState, Outcome]:
    if not layout.has_receptacle(receptacle):
        return state, Outcome.ABSENT
    held = state.held
    if held < 0:
        return state, Outcome.HAND_EMPTY
    if not layout.reach[state.place] >> receptacle & 1:
        return state, Outcome.NOT_NEAR
    if layout.semantics == "paper" and CLOSED_RECEPTACLES[state.open_mask] >> receptacle & 1:
        return state, Outcome.CLOSED
    receptacles, slots = list(state.receptacles), list(state.slots)
    slots[held] = first_free_slot(state, receptacle)
    receptacles[held] = receptacle
    return (
        WorldState(state.place, -1, tuple(receptacles), tuple(slots), state.open_mask),
        Outcome.OK,
    )


def _turn(
    layout: Layout, state: WorldState, openable: int, *, opening: bool
) -> tuple[WorldState, Outcome]:
    if not layout.has_openable(openable):
        return state, Outcome.ABSENT
    if not layout.operable[state.place] >> openable & 1:
        return state, Outcome.NOT_NEAR
    if bool(state.open_mask >> openable & 1) == opening:
        return state, Outcome.ALREADY_OPEN if opening else Outcome.ALREADY_CLOSED
    return state._replace(open_mask=state.open_mask ^ 1 << openable), Outcome.OK


def valid_mask(layout: Layout, state: WorldState) -> int:
    """Return a bit mask over the 70 skills: those that would not be a no-op now.

    Privileged: it tells which categories are in reach. Never part of a ranked observation.
    """
    mask = 0
    for skill in range(NUM_SKILLS):
        if apply(layout, state, skill)[1] is Outcome.OK:
            mask |= 1 << skill
    return mask
