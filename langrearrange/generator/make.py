"""One episode as a pure function of (spec, index, variant): bind, place, solve, check.

Not for files and not for many episodes at once (`generator.parallel`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import Final

import msgspec

from langrearrange.dataset import Episode, EpisodeId, Start
from langrearrange.dataset.episode import MAX_VARIANT
from langrearrange.errors import GenerationError, SolverError
from langrearrange.generator.blueprint import Blueprint, Draft, blueprint_of
from langrearrange.generator.distractors import PLAIN, distractors_of, shapes_of
from langrearrange.generator.facts import broken_facts
from langrearrange.generator.household import Rejected, draw_household
from langrearrange.generator.needs import needs_of
from langrearrange.generator.spec import SplitSpec
from langrearrange.houses import House, get_house
from langrearrange.language import Absent, Grounding, Place, StartFact
from langrearrange.seeding import KeyedRng, KeyPart
from langrearrange.solver import goal_boxes, solve, subgoals
from langrearrange.world import SKILLS, Subgoal
from langrearrange.world.goals import Goal, Source, parse_goal
from langrearrange.world.vocabulary import CATEGORIES, RECEPTACLES

MAX_ATTEMPTS: Final = 64
"""Households drawn for one episode before GenerationError is raised."""
MAX_VISITS: Final = 60_000
"""Work bound of one solve: an attempt beyond it is redrawn, about 0.2 s."""


def num_episodes(spec: SplitSpec) -> int:
    """Return how many episodes a spec has; GenerationError if it asks for more than can be said."""
    return blueprint_of(spec).order.num_episodes


def make_episode(spec: SplitSpec, index: int, variant: int = 0) -> Episode:
    """Compute one episode, complete and proved.

    The same arguments give the same episode on any machine, whatever was computed before.

    Args:
        spec: what the split is made of (`load_spec`).
        index: 0 .. num_episodes(spec) - 1.
        variant: 0 is the published episode; k >= 1 redraws flat, layout and start pose for the
            same sentence and goal.

    Returns:
        An episode whose goal is false at the start, whose sentence's presuppositions are true, and
        whose plan is a shortest one of at most horizon - 1 skills.

    Raises:
        IndexError: the index or variant does not exist.
        GenerationError: no household satisfies the template; the message says what was tried.
    """
    return _first(spec, index, variant, _planned)


def draw_episode(spec: SplitSpec, index: int, variant: int = 0) -> Episode:
    """Draw an episode without a plan, in a quarter of the time: for statistics.

    It is that of `make_episode`, unless that rejects the household because of its plan.
    """
    return _first(spec, index, variant, lambda episode, _, __: episode)


def _first(
    spec: SplitSpec, index: int, variant: int, finish: Callable[[Episode, int, KeyedRng], Episode]
) -> Episode:
    """Return the first attempt that nothing rejects."""
    if not 0 <= variant <= MAX_VARIANT:
        raise IndexError(f"variant {variant}; accepted: 0 to {MAX_VARIANT}")
    blueprint = blueprint_of(spec)
    draft = blueprint.draft(index)
    house = get_house(blueprint.variant_house(draft, index, variant))
    reasons: Counter[str] = Counter()
    for attempt in range(MAX_ATTEMPTS):
        try:
            drawn = _attempt(blueprint, draft, house, index, variant, attempt)
            rng = spec.rng(draft.template.id, index, variant, attempt, "plan")
            return finish(drawn, spec.horizon - 1, rng)
        except Rejected as reason:
            reasons[str(reason)] += 1
    episode_id = str(EpisodeId(spec.split, index, variant))
    raise GenerationError(_no_household(blueprint, draft, house, episode_id, reasons))


def _attempt(
    blueprint: Blueprint, draft: Draft, house: House, index: int, variant: int, attempt: int
) -> Episode:
    spec = blueprint.spec
    key = (draft.template.id, index, variant, attempt)
    facts = draft.grounding.start_facts(blueprint.variant_case(draft, index, variant))
    rng = spec.rng(*key, "household")
    needs, found = needs_of(blueprint.file), distractors_of(draft.template)
    drawn, shapes, presence = facts, shapes_of(draft.template), None
    if needs and draft.template in needs:
        (drawn, presence), shapes = needs.draw(draft.grounding, rng), (PLAIN,)
    elif found:
        presence = found[1].draw(draft.grounding.values[found[0]].categories, rng)
    drawn = (*drawn, *_mirrored(draft, blueprint.variant_case(draft, index, variant), spec, key))
    household = draw_household(house, drawn, spec, rng, shapes, presence)
    broken = broken_facts(facts, household.objects, household.open)
    if broken:
        raise GenerationError(
            f"bug in the generator: {broken[0]}; please report {spec.split} {key}"
        )
    start = house.draw_start(spec.rng(*key, "start"))
    return Episode(
        id=str(EpisodeId(spec.split, index, variant)),
        split=spec.split,
        template=draft.template.id,
        phrasing=draft.grounding.phrasing,
        cluster=draft.grounding.cluster,
        instruction=draft.grounding.sentence,
        goal=goal_of(draft.grounding),
        house=house.id,
        objects=household.objects,
        open=household.open,
        start=Start(x=start.x_mm, y=start.y_mm, yaw=start.yaw_mrad),
        plan=(),
        subgoals=(),
    )


def _mirrored(
    draft: Draft, case: int, spec: SplitSpec, key: tuple[KeyPart, ...]
) -> list[StartFact]:
    """Return what the other start case would make true of another receptacle.

    Where a case is about any object on a named receptacle (it is empty, or taken), a household then
    has both an empty receptacle and a taken one, and does not show which of them is named.
    """
    if len(draft.template.cases) != 2:
        return []
    own, other = (set(draft.grounding.start_facts(number)) for number in (case, 1 - case))
    facts = [f for f in other - own if isinstance(f, Place | Absent)]
    if not all(set(fact.categories) == set(CATEGORIES) for fact in facts):
        return []
    named = {value.receptacle for value in draft.grounding.values.values()}
    free = [name for name in RECEPTACLES if name not in named and name != "fridge"]
    where = spec.rng(*key, "mirrored").choice(free)
    return [replace(fact, receptacle=where) for fact in facts]


def _planned(episode: Episode, limit: int, rng: KeyedRng) -> Episode:
    """Return the episode with a drawn shortest plan and its subgoals, or reject its household."""
    goal = _parsed(episode.goal, episode.template)
    layout, state = episode.layout(), episode.initial_state()
    try:
        boxes = goal_boxes(goal, layout, state)
        solution = solve(goal, layout, state, limit, MAX_VISITS, rng=rng, boxes=boxes)
    except SolverError as error:
        raise Rejected(str(error)) from None
    if solution.status != "solved":
        raise Rejected(f"no plan of at most {limit} skills ({solution.status})")
    if not solution.plan:
        raise Rejected("the goal is true at the start")
    made = subgoals(goal, layout, state, solution.plan, boxes=boxes)
    return with_plan(episode, solution.plan, made)


def with_plan(episode: Episode, plan: Sequence[int], made: Iterable[Subgoal]) -> Episode:
    """Return the episode with this plan (skill indices) and these subgoals, as they are stored."""
    skills = tuple(SKILLS[skill].id for skill in plan)
    return msgspec.structs.replace(episode, plan=skills, subgoals=tuple(map(str, made)))


def goal_of(grounding: Grounding) -> str:
    """Return a grounding's goal as episodes store it: on one line."""
    return " ".join(grounding.goal.split())


@lru_cache(maxsize=8192)
def _parsed(goal: str, template: str) -> Goal:
    return parse_goal(goal, Source(f"goal of template {template}"))


def _no_household(
    blueprint: Blueprint, draft: Draft, house: House, episode_id: str, reasons: Counter[str]
) -> str:
    counted = "; ".join(f"{reason} ({times} times)" for reason, times in reasons.most_common(3))
    place = f"{blueprint.file.path}:{draft.template.line}"
    return (
        f"{episode_id}: template '{draft.template.id}' ({place}) finds no household "
        f'for "{draft.grounding.sentence}" in {house.id} in {MAX_ATTEMPTS} attempts: {counted}. '
        "Loosen the template's start facts or goal, or the spec's knobs"
    )
