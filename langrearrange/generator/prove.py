"""Proofs of one episode: flat, household, sentence, goal, plan, subgoals.

Not for files, hashes or what holds between episodes (`generator.check`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from langrearrange.dataset import Episode, episode_problems
from langrearrange.dataset.official.names import CATEGORY_OF_ASSET
from langrearrange.dataset.validate import Fault
from langrearrange.errors import HouseError, LangRearrangeError
from langrearrange.generator.facts import broken_facts
from langrearrange.generator.spec import SplitSpec
from langrearrange.houses import HomeSource, ObjectModel, get_house, houses_for
from langrearrange.houses.homes import source_of
from langrearrange.language import Grounding
from langrearrange.solver import solve, subgoals
from langrearrange.world import skill_index
from langrearrange.world.goals import parse_goal, shared_variables
from langrearrange.world.vocabulary import HORIZON

MAX_VISITS: Final = 2_000_000
"""Work bound of one proof: an episode of the generator needs a thousandth of it."""

Planner = Callable[[Episode], str]
"""An independent planner: returns "" if an episode is solvable, else what is wrong."""


@dataclass(frozen=True, slots=True)
class Finding:
    """One fault.

    Attributes:
        kind: a word that tests and reports group by.
        episode_id: which episode, "" for the whole set.
        message: what is wrong.
    """

    kind: str
    episode_id: str
    message: str

    def __str__(self) -> str:
        place = f"{self.episode_id}: " if self.episode_id else ""
        return f"{self.kind}: {place}{self.message.removeprefix(place)}"


def prove_episode(
    episode: Episode,
    *,
    spec: SplitSpec | None = None,
    grounding: Grounding | None = None,
    case: int = 0,
    planner: Planner | None = None,
) -> list[Finding]:
    """Return every fault of an episode; empty if there is none.

    Args:
        episode: the episode.
        spec: what it was made from, for its knobs.
        grounding: what its sentence says, for presuppositions and goal; None if unknown.
        case: of the grounding.
        planner: asked besides our solver, which re-proves optimality.
    """
    horizon = spec.horizon if spec is not None else HORIZON
    faults = episode_problems(episode, horizon - 1)
    if not any(kind in ("format", "goal") for kind, _ in faults):
        faults += _house_faults(episode)
        if spec is not None:
            faults += (("knobs", message) for message in _knob_faults(episode, spec))
        if grounding is None or not grounding.template.same_object_ok:
            faults += _counting_faults(episode)
        if grounding is not None:
            faults += _sentence_faults(episode, grounding, case)
        replays = all(kind != "plan" for kind, _ in faults)
        faults += _plan_faults(episode, horizon - 1, replays=replays)
        complaint = planner(episode) if planner is not None else ""
        faults += [("planner", complaint)] if complaint else []
    return [Finding(kind, episode.id, message) for kind, message in faults]


def _house_faults(episode: Episode) -> Iterator[Fault]:
    if any(thing.pose is not None for thing in episode.objects):
        yield from _asset_faults(episode)  # imported; there may be no home to hold it against
        return
    try:
        house, source = get_house(episode.house), source_of(episode.house)
    except HouseError as error:
        yield "house", str(error)
        return
    for thing in episode.objects:
        model, surface = _model(source, thing.model), house.surfaces[thing.receptacle]
        if model is None or model.category != thing.category:
            yield "model", f"{thing.id} has model '{thing.model}', which is not a {thing.category}"
        elif model.size_mm[2] > surface.max_height_mm:
            yield "model", f"{thing.id} is too high for {thing.receptacle}"
        if thing.slot >= len(surface.slots):
            slots = f"slot {thing.slot} of {thing.receptacle}, which has {len(surface.slots)}"
            yield "slot", f"{thing.id} is at {slots}"
    if (episode.start.x, episode.start.y) not in house.start_cells:
        yield "start", f"({episode.start.x}, {episode.start.y}) is not a free place of {house.id}"


def _model(source: HomeSource, model_id: str) -> ObjectModel | None:
    try:
        return source.model(model_id)
    except HouseError:
        return None


def _asset_faults(episode: Episode) -> Iterator[Fault]:
    for thing in episode.objects:
        if CATEGORY_OF_ASSET.get(thing.model) != thing.category:
            yield "model", f"{thing.id} has asset '{thing.model}', which is not a {thing.category}"


def _knob_faults(episode: Episode, spec: SplitSpec) -> Iterator[str]:
    if episode.house not in houses_for(spec.houses):
        yield f"{episode.house} is not a {spec.houses} flat"
    count = len(episode.objects)
    if not spec.min_objects <= count <= spec.max_objects:
        yield f"{count} objects; the spec has {spec.min_objects} to {spec.max_objects}"
    for receptacle, most in Counter(t.receptacle for t in episode.objects).most_common(1):
        if most > spec.max_per_receptacle:
            yield f"{most} objects on {receptacle}; the spec has {spec.max_per_receptacle}"


def _sentence_faults(episode: Episode, grounding: Grounding, case: int) -> Iterator[Fault]:
    if episode.instruction != grounding.sentence:
        yield "sentence", f"reads '{episode.instruction}', not '{grounding.sentence}'"
    if episode.goal != grounding.goal:
        yield "goal_text", f"the sentence means {grounding.goal}, the goal is {episode.goal}"
    labels = (grounding.template.id, grounding.phrasing, grounding.cluster)
    if labels != (episode.template, episode.phrasing, episode.cluster):
        yield "labels", f"template, phrasing and cluster should be {labels}"
    for broken in broken_facts(grounding.start_facts(case), episode.objects, episode.open):
        yield "presupposition", f"'{episode.instruction}' takes for granted: {broken}"


def _counting_faults(episode: Episode) -> Iterator[Fault]:
    for one, other in shared_variables(parse_goal(episode.goal)):
        yield (
            "shared_object",
            f"one object could be both {one} and {other} of the goal, and no template says that "
            f"it may; add (not (= {one} {other})) in the scope of both",
        )


def _plan_faults(episode: Episode, limit: int, *, replays: bool) -> Iterator[Fault]:
    layout, state = episode.layout(), episode.initial_state()
    goal = parse_goal(episode.goal)
    try:
        solution = solve(goal, layout, state, limit, MAX_VISITS)
        if solution.status != "solved":
            yield "unsolvable", f"solver: {solution.status}, limit {limit}"
            return
        plan = [skill_index(skill) for skill in episode.plan]
        wanted = episode.subgoals  # a plan that does not replay gives none to compare with
        if replays:
            wanted = tuple(map(str, subgoals(goal, layout, state, plan)))
    except LangRearrangeError as error:
        yield "plan", str(error)
        return
    if len(solution.plan) != len(plan):
        yield (
            "not_optimal",
            f"the plan has {len(plan)} skills, a shortest one {len(solution.plan)}",
        )
    if wanted != episode.subgoals:
        yield "subgoals", f"the plan gives {wanted}, stored are {episode.subgoals}"
