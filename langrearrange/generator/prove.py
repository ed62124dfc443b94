"""All that can be proved of one episode: flat, household, sentence, goal, plan, subgoals.

Not for files, hashes or what holds between episodes (`generator.check`).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from langrearrange.dataset import Episode, episode_problems
from langrearrange.dataset.official.names import CATEGORY_OF_ASSET
from langrearrange.errors import GoalError, HouseError, LangRearrangeError, SolverError
from langrearrange.generator.facts import broken_facts
from langrearrange.generator.spec import SplitSpec
from langrearrange.houses import HomeSource, House, ObjectModel, get_house, houses_for
from langrearrange.houses.homes import source_of
from langrearrange.language import Grounding, StartFact
from langrearrange.solver import solve, subgoals
from langrearrange.world import skill_index
from langrearrange.world.goals import parse_goal
from langrearrange.world.vocabulary import HORIZON

MAX_VISITS: Final = 2_000_000
"""Work bound of one proof: an episode of the generator needs a thousandth of it."""

Planner = Callable[[Episode], str]
"""Another planner's word on an episode: "" when it is solvable, else what is wrong."""


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
    """Return every fault of an episode; empty when all is proved.

    Args:
        episode: the episode.
        spec: what it was made from, for its knobs.
        grounding: what its sentence says, for presuppositions and goal; None if unknown.
        case: of the grounding.
        planner: asked besides our solver, which re-proves optimality.
    """
    horizon = spec.horizon if spec is not None else HORIZON
    found = [
        Finding(kind, episode.id, message)
        for kind, message in episode_problems(episode, horizon - 1)
    ]
    if any(finding.kind in ("format", "goal") for finding in found):
        return found
    found += _house_findings(episode)
    if spec is not None:
        found += _knob_findings(episode, spec)
    if grounding is not None:
        found += _sentence_findings(episode, grounding, case)
    found += _plan_findings(episode, horizon - 1)
    complaint = planner(episode) if planner is not None else ""
    return found + ([Finding("planner", episode.id, complaint)] if complaint else [])


def _house_findings(episode: Episode) -> list[Finding]:
    if any(thing.pose is not None for thing in episode.objects):
        return _asset_findings(episode)  # imported; there may be no home to hold it against
    try:
        house, source = get_house(episode.house), source_of(episode.house)
    except HouseError as error:
        return [Finding("house", episode.id, str(error))]
    found = []
    for thing in episode.objects:
        model = _model(source, thing.model)
        surface = house.surfaces[thing.receptacle]
        if model is None or model.category != thing.category:
            found.append(
                ("model", f"{thing.id} has model '{thing.model}', which is no {thing.category}")
            )
        elif model.size_mm[2] > surface.max_height_mm:
            found.append(("model", f"{thing.id} is too high for {thing.receptacle}"))
        if thing.pose is None and thing.slot >= len(surface.slots):
            found.append(
                ("slot", f"{thing.id} is at slot {thing.slot} of {thing.receptacle}, which has "
                 f"{len(surface.slots)}")
            )  # fmt: skip
    if not _stands_free(episode, house):
        found.append(
            ("start", f"({episode.start.x}, {episode.start.y}) is no free place of {house.id}")
        )
    return [Finding(kind, episode.id, message) for kind, message in found]


def _model(source: HomeSource, model_id: str) -> ObjectModel | None:
    try:
        return source.model(model_id)
    except HouseError:
        return None


def _asset_findings(episode: Episode) -> list[Finding]:
    return [
        Finding("model", episode.id, f"{t.id} has asset '{t.model}', which is no {t.category}")
        for t in episode.objects
        if CATEGORY_OF_ASSET.get(t.model) != t.category
    ]


def _stands_free(episode: Episode, house: House) -> bool:
    return (episode.start.x, episode.start.y) in house.start_cells


def _knob_findings(episode: Episode, spec: SplitSpec) -> list[Finding]:
    found = []
    if episode.house not in houses_for(spec.houses):
        found.append(f"{episode.house} is no {spec.houses} flat")
    count = len(episode.objects)
    if not spec.min_objects <= count <= spec.max_objects:
        found.append(f"{count} objects; the spec has {spec.min_objects} to {spec.max_objects}")
    fullest = Counter(thing.receptacle for thing in episode.objects).most_common(1)
    if fullest and fullest[0][1] > spec.max_per_receptacle:
        receptacle, most = fullest[0]
        found.append(f"{most} objects on {receptacle}; the spec has {spec.max_per_receptacle}")
    return [Finding("knobs", episode.id, message) for message in found]


def _sentence_findings(episode: Episode, grounding: Grounding, case: int) -> list[Finding]:
    found = []
    if episode.instruction != grounding.sentence:
        found.append(("sentence", f"reads '{episode.instruction}', not '{grounding.sentence}'"))
    if episode.goal != grounding.goal:
        found.append(
            ("goal_text", f"the sentence means {grounding.goal}, the goal is {episode.goal}")
        )
    told = (grounding.template.id, grounding.phrasing, grounding.cluster)
    if told != (episode.template, episode.phrasing, episode.cluster):
        found.append(("labels", f"template, phrasing and cluster should be {told}"))
    facts: tuple[StartFact, ...] = grounding.start_facts(case)
    for broken in broken_facts(facts, episode.objects, episode.open):
        found.append(("presupposition", f"'{episode.instruction}' takes for granted: {broken}"))
    return [Finding(kind, episode.id, message) for kind, message in found]


def _plan_findings(episode: Episode, limit: int) -> list[Finding]:
    layout, state = episode.layout(), episode.initial_state()
    goal = parse_goal(episode.goal)
    try:
        solution = solve(goal, layout, state, limit, MAX_VISITS)
        if solution.status != "solved":
            return [Finding("unsolvable", episode.id, f"solver: {solution.status}, limit {limit}")]
        found = []
        if len(solution.plan) != len(episode.plan):
            found.append(
                Finding(
                    "not_optimal",
                    episode.id,
                    f"the plan has {len(episode.plan)} skills, a shortest one {len(solution.plan)}",
                )
            )
        plan = [skill_index(skill) for skill in episode.plan]
        wanted = tuple(map(str, subgoals(goal, layout, state, plan)))
    except (SolverError, GoalError, LangRearrangeError) as error:
        return [Finding("plan", episode.id, str(error))]
    if wanted != episode.subgoals:
        found.append(
            Finding(
                "subgoals", episode.id, f"the plan gives {wanted}, stored are {episode.subgoals}"
            )
        )
    return found
