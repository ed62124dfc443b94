"""Households do not show what their sentence is about; probes find leaks that are planted."""

from __future__ import annotations

from collections.abc import Callable
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from langrearrange.dataset import Episode
from langrearrange.generator import probe_data, probes
from langrearrange.generator.blueprint import Draft, blueprint_of
from langrearrange.generator.distractors import PLAIN, distractors_of, shapes_of
from langrearrange.generator.make import draw_episode, make_episode
from langrearrange.generator.probe_data import ProbeData, fresh_spec, joined, probe_rows
from langrearrange.generator.spec import SplitSpec, load_spec
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.world.vocabulary import CATEGORY_INDEX

COUNT = 1000


@cache
def fresh(split: str) -> ProbeData:
    return probe_rows(fresh_spec(split, COUNT), 0, COUNT)


def of_targets_and_others(data: ProbeData, values: Any) -> tuple[Any, Any]:
    """Means over the candidates that a sentence is about and those that it could be about.

    Of templates whose sentences leave open where the things are, each as often as the others.
    """
    mine, others = [], []
    for template in sorted({*data.templates[data.hidden]}):
        rows = (data.templates == template)[:, None] & data.targets.any(1, keepdims=True)
        other = (data.possible > 0) & ~data.targets & rows
        mine.append(values[data.targets & rows].mean())
        others.append(values[other].mean() if other.any() else mine[-1])
    return np.mean(mine), np.mean(others)


# -- what the targets look like -------------------------------------------------------------------


@pytest.mark.parametrize("split", ["context", "referring_expressions", "irrelevant_text"])
def test_targets_have_as_many_copies_as_others_and_are_hidden_as_often(split: str) -> None:
    data = fresh(split)
    copies, hidden = data.candidates[:, :, 0], data.candidates[:, :, 1] > 0
    for values, tolerance in ((copies, 0.08), (hidden, 0.05)):
        mine, others = of_targets_and_others(data, values)
        assert mine == pytest.approx(others, abs=tolerance)


def test_as_many_other_categories_have_the_number_of_copies_that_a_plural_needs() -> None:
    data = fresh("multiple_objects")
    for copies in (1, 2, 3):
        mine, others = of_targets_and_others(data, data.candidates[:, :, 0] == copies)
        assert mine == pytest.approx(others, abs=0.06)


@pytest.mark.parametrize("split", ["context", "referring_expressions", "train"])
def test_the_most_frequent_category_is_what_is_meant_no_oftener_than_another(split: str) -> None:
    data = fresh(split)
    rows = data.asked
    copies = np.where(data.possible > 0, data.candidates[:, :, 0], 0)[rows]
    targets = data.targets[rows]
    most = copies == copies.max(1, keepdims=True)
    guess = ((most & targets).sum(1) / most.sum(1)).mean()
    chance = (targets.sum(1) / (data.possible[rows] > 0).sum(1)).mean()
    assert guess == pytest.approx(chance, abs=0.03)


def test_episodes_without_plans_are_those_with_plans_otherwise() -> None:
    spec = load_spec("context")
    for index in range(0, 100, 13):
        drawn, made = draw_episode(spec, index), make_episode(spec, index)
        assert msgspec.structs.replace(made, plan=(), subgoals=()) == drawn


# -- what goes together ----------------------------------------------------------------------------


def test_sets_of_distractors_do_not_depend_on_which_of_them_is_named() -> None:
    file = blueprint_of(load_spec("referring_expressions")).file
    found = distractors_of(file.templates[0])
    assert found is not None
    _, distractors = found
    groups = sorted({value.categories for value in distractors.values})
    for seed in range(5):
        sets = distractors.deal(KeyedRng(HOUSE_VERSION, seed))
        assert sorted(group for dealt in sets for group in dealt) == groups
        for dealt in sets:
            drawn = [distractors.draw(group, KeyedRng(HOUSE_VERSION, seed)) for group in dealt]
            assert len({presence.avoided for presence in drawn}) == 1
            for presence in drawn:
                assert len(presence.others) >= len(dealt) // 2
                assert not any(presence.avoided >> c & 1 for c in presence.others)
                assert presence.own is not None
                assert not presence.avoided >> presence.own & 1


def test_shapes_are_those_of_the_facts() -> None:
    train = blueprint_of(load_spec("train")).file
    put, move = (shapes_of(train.template(name))[0] for name in ("put", "move_from_to"))
    assert (put.count, put.fixed, len(put.absences), put.only) == (1, (), 1, False)
    assert (move.fixed, len(move.absences)) == ((1,), 1)
    assert shapes_of(train.template("close_fridge")) == (PLAIN,)


# -- the probes ------------------------------------------------------------------------------------


def show_target(episode: Episode, draft: Draft) -> Episode:
    """Turn the objects that the sentence is about."""
    meant = draft.grounding.values["object"].categories
    objects = [
        msgspec.structs.replace(thing, yaw=6283) if thing.category in meant else thing
        for thing in episode.objects
    ]
    return msgspec.structs.replace(episode, objects=tuple(objects))


def show_case(episode: Episode, draft: Draft) -> Episode:
    """Start the robot in the direction of the start case."""
    start = msgspec.structs.replace(episode.start, yaw=3000 * draft.case)
    return msgspec.structs.replace(episode, start=start)


def lifts(
    monkeypatch: pytest.MonkeyPatch,
    share: int,
    split: str = "irrelevant_text",
    show: Callable[[Episode, Draft], Episode] = show_target,
) -> dict[tuple[str, str], probes.Lift]:
    """Lifts by (task, probe), where of every 100 episodes some show what is predicted."""
    pytest.importorskip("sklearn", reason="the extra `analysis` is not installed")

    def draw(spec: SplitSpec, index: int) -> Episode:
        episode = draw_episode(spec, index)
        return show(episode, blueprint_of(spec).draft(index)) if index % 100 < share else episode

    from threadpoolctl import threadpool_limits

    monkeypatch.setattr(probe_data, "draw_episode", draw)
    with threadpool_limits(1):  # threads that wait for each other are slow beside other tests
        found = probes.probe_split(split, COUNT)
    return {(lift.task, lift.probe): lift for lift in found}


def test_a_planted_leak_of_five_points_is_found_and_nothing_else(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    found = lifts(monkeypatch, 5)
    leak = found["target", "trees"]
    assert leak.lift > 0.03
    assert leak.p_value < 1e-2
    for key in (("target", "most"), ("source", "words")):
        assert found[key].lift < 0.01 + 2 * found[key].half_width


def test_a_start_pose_that_shows_the_branch_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    found = lifts(monkeypatch, 30, "conditional_instructions", show_case)
    assert found["case", "trees"].lift > 0.08
    assert found["case", "words"].lift < 0.01 + 2 * found["case", "words"].half_width


def test_without_a_leak_no_probe_guesses_better_than_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for lift in lifts(monkeypatch, 0).values():
        assert lift.lift < 2 * lift.half_width
        assert lift.num_episodes == 2 * COUNT, "twice as many, for the intervals are wide"


def test_a_household_shows_how_many_sentences_each_case_would_be_true_of() -> None:
    data = fresh("multiple_objects")
    file = blueprint_of(load_spec("multiple_objects")).file
    number = [template.id for template in file.templates].index("all_to")
    rows = data.templates == number
    copies = data.candidates[rows][:, :, 0]
    for case in range(3):
        assert np.array_equal(data.case_chance[rows, case], (copies == case + 1).sum(1))
    conditional = fresh("conditional_instructions")
    assert (conditional.case_chance == [1, 1, 0]).all()


def test_specs_of_train_and_its_view_draw_the_same_episodes() -> None:
    assert fresh_spec("train_mini", COUNT) == fresh_spec("train", COUNT)
    assert fresh_spec("train_eval", COUNT) != fresh_spec("train", COUNT)


def test_joined_parts_are_the_whole() -> None:
    spec = fresh_spec("train", 40)
    whole, parts = probe_rows(spec, 0, 40), joined([probe_rows(spec, a, a + 20) for a in (0, 20)])
    for one, other in zip(whole, parts, strict=True):
        assert np.array_equal(one, other)
    assert whole.targets.any(1).sum() > 20
    assert CATEGORY_INDEX["apple"] < whole.candidates.shape[1]


def test_a_case_about_empty_places_does_not_show_in_the_number_of_empty_places() -> None:
    data = fresh("conditional_instructions")
    file = blueprint_of(load_spec("conditional_instructions")).file
    rows = data.templates == [template.id for template in file.templates].index("if_empty")
    empty = (~data.places.any(1)).sum(1)
    means = [empty[rows & (data.cases == case)].mean() for case in (0, 1)]
    assert means[0] == pytest.approx(means[1], abs=0.3)
