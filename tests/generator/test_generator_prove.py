"""Each check of a proved episode at its boundary: what just passes and what just fails."""

from __future__ import annotations

import dataclasses
from functools import cache
from types import SimpleNamespace
from typing import cast

import msgspec
import pytest

from langrearrange.dataset import Episode, Start
from langrearrange.generator import SplitSpec, load_spec, make_episode, prove, prove_episode
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.houses import MODELS, get_house
from langrearrange.world.vocabulary import RECEPTACLES

replace = msgspec.structs.replace
SPEC = load_spec("train")


@cache
def episode() -> Episode:
    """An episode that puts something down, with the drawers empty enough to test heights."""
    made = (make_episode(SPEC, index) for index in range(200))
    return next(e for e in made if e.template == "put" and len(e.plan) == 4)


def kinds(changed: Episode, spec: SplitSpec | None = SPEC) -> set[str]:
    return {finding.kind for finding in prove_episode(changed, spec=spec)}


def with_object(number: int, **fields: object) -> Episode:
    objects = list(episode().objects)
    objects[number] = replace(objects[number], **fields)
    return replace(episode(), objects=tuple(objects))


def bystander() -> int:
    """Return an object that neither sentence nor plan is about."""
    wanted = episode().plan[1].removeprefix("pick(").removesuffix(")")
    return next(i for i, thing in enumerate(episode().objects) if thing.category != wanted)


def test_the_episode_itself_is_proved() -> None:
    assert kinds(episode()) == set()


@pytest.mark.parametrize("receptacle", RECEPTACLES)
def test_the_last_slot_of_a_surface_passes_and_the_next_fails(receptacle: str) -> None:
    slots = len(get_house(episode().house).surfaces[receptacle].slots)
    number = bystander()
    low = min(
        (m for m in MODELS.values() if m.category == episode().objects[number].category),
        key=lambda model: model.size_mm[2],
    )
    for slot, faults in ((slots - 1, set()), (slots, {"slot"}), (slots + 1, {"slot"})):
        moved = with_object(number, receptacle=receptacle, slot=slot, model=low.id)
        assert kinds(moved, None) - {"subgoals", "format"} - {"model"} == faults


def test_a_model_as_high_as_the_drawer_passes_and_a_higher_one_fails() -> None:
    free = get_house(episode().house).surfaces["left_drawer"].max_height_mm
    for model in MODELS.values():
        if model.category in episode().plan[1]:
            continue
        number = bystander()
        changed = with_object(
            number, category=model.category, model=model.id, receptacle="left_drawer", slot=0
        )
        high = model.size_mm[2] > free
        assert ("model" in kinds(changed, None)) == high, model.id


def test_a_model_may_be_exactly_as_high_as_the_room_for_it(monkeypatch: pytest.MonkeyPatch) -> None:
    thing = episode().objects[bystander()]
    house = get_house(episode().house)
    for spare, faults in ((1, set()), (0, set()), (-1, {"model"})):
        height = MODELS[thing.model].size_mm[2] + spare
        surface = dataclasses.replace(house.surfaces[thing.receptacle], max_height_mm=height)
        lower = dataclasses.replace(house, surfaces={**house.surfaces, thing.receptacle: surface})
        monkeypatch.setattr(prove, "get_house", lambda _, lower=lower: lower)
        found = prove.prove_episode(episode())
        named = {f.kind for f in found if thing.id in f.message}
        assert named == faults


def test_a_start_beside_the_free_cells_fails() -> None:
    cells = set(get_house(episode().house).start_cells)
    x, y = min(cells)
    for start, free in (((x, y), True), ((x + 1, y), False), ((x, y - 1), False)):
        changed = replace(episode(), start=Start(x=start[0], y=start[1], yaw=0))
        assert ("start" in kinds(changed)) != free


def test_a_goal_that_one_object_could_meet_twice_needs_its_templates_word() -> None:
    made = episode()
    goal = made.goal.replace("(exists (?x - ", "(exists (?x ?y - ")
    doubled = replace(made, goal=goal.replace("(and ", "(and (near ?y) "))
    assert kinds(doubled, None) == {"shared_object"}
    told = replace(doubled, goal=doubled.goal.replace("(and ", "(and (not (= ?x ?y)) "))
    assert "shared_object" not in kinds(told, None)
    draft = blueprint_of(SPEC).draft(0)
    template = dataclasses.replace(draft.grounding.template, same_object_ok=True)
    grounding = dataclasses.replace(draft.grounding, template=template)
    found = {f.kind for f in prove_episode(doubled, grounding=grounding)}
    assert "shared_object" not in found


def test_knobs_pass_at_their_limits_and_fail_beyond() -> None:
    count = len(episode().objects)
    fullest = max(sum(t.receptacle == r for t in episode().objects) for r in RECEPTACLES)
    for fields, fails in (
        ({"min_objects": count}, False),
        ({"min_objects": count + 1, "max_objects": 60}, True),
        ({"max_objects": count, "min_objects": 1}, False),
        ({"max_objects": count - 1, "min_objects": 1}, True),
        ({"max_per_receptacle": fullest}, False),
        ({"max_per_receptacle": fullest - 1}, True),
    ):  # fmt: skip
        # Not a SplitSpec: it would refuse limits that no set can be drawn with.
        spec = cast("SplitSpec", SimpleNamespace(**msgspec.structs.asdict(SPEC) | fields))
        assert (kinds(episode(), spec) == {"knobs"}) == fails, fields


def test_a_horizon_leaves_room_for_the_plan_and_one_skill_more() -> None:
    assert kinds(episode(), replace(SPEC, horizon=5)) == set()
    assert kinds(episode(), replace(SPEC, horizon=4)) == {"plan_length", "unsolvable"}


def test_what_the_sentence_takes_for_granted_is_looked_up_in_its_own_case() -> None:
    spec = load_spec("conditional_instructions")
    blueprint = blueprint_of(spec)
    for index in range(12):
        draft = blueprint.draft(index)
        made = make_episode(spec, index)
        if len(draft.template.cases) < 2:
            continue
        for case in range(len(draft.template.cases)):
            found = prove_episode(made, spec=spec, grounding=draft.grounding, case=case)
            assert ({f.kind for f in found} == {"presupposition"}) == (case != draft.case)
