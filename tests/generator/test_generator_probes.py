"""Households tell nothing about their sentence; a probe that could tell would be heard."""

from __future__ import annotations

from collections import Counter
from functools import cache
from typing import Any

import msgspec
import numpy as np
import pytest

from langrearrange.dataset import Episode
from langrearrange.generator import probe_data, probes
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.decoys import PLAIN, decoys_of, shapes_of
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


def test_sets_that_go_together_are_drawn_without_knowing_what_is_said() -> None:
    file = blueprint_of(load_spec("referring_expressions")).file
    found = decoys_of(file.templates[0])
    assert found is not None
    _, decoys = found
    groups = sorted({value.categories for value in decoys.values})
    for seed in range(5):
        sets = Counter(decoys.draw(group, KeyedRng(HOUSE_VERSION, seed)).needs for group in groups)
        for needs, size in sets.items():
            company = decoys.draw(groups[0], KeyedRng(HOUSE_VERSION, seed))
            if company.needs == needs:
                assert len(company.others) >= size // 2
                assert not any(company.avoided >> c & 1 for c in company.others)
        assert sum(sets.values()) == len(groups)


def test_shapes_are_those_of_the_facts() -> None:
    train = blueprint_of(load_spec("train")).file
    put, move = (shapes_of(train.template(name))[0] for name in ("put", "move_from_to"))
    assert (put.count, put.fixed, len(put.absences), put.only) == (1, (), 1, False)
    assert (move.fixed, len(move.absences)) == ((1,), 1)
    assert shapes_of(train.template("close_fridge")) == (PLAIN,)


# -- the probes ------------------------------------------------------------------------------------


def lifts(monkeypatch: pytest.MonkeyPatch, share: int) -> dict[tuple[str, str], probes.Lift]:
    """Lifts by (task, probe), where of every 100 episodes some show where the target is."""
    pytest.importorskip("sklearn", reason="the extra `analysis` is not installed")

    def draw(spec: SplitSpec, index: int) -> Episode:
        episode = draw_episode(spec, index)
        values = blueprint_of(spec).draft(index).grounding.values["object"]
        turned = [
            msgspec.structs.replace(thing, yaw=6283)
            if thing.category in values.categories and index % 100 < share
            else thing
            for thing in episode.objects
        ]
        return msgspec.structs.replace(episode, objects=tuple(turned))

    from threadpoolctl import threadpool_limits

    monkeypatch.setattr(probe_data, "draw_episode", draw)
    with threadpool_limits(1):  # threads that wait for each other are slow beside other tests
        found = probes.probe_split("irrelevant_text", COUNT)
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


def test_without_a_leak_no_probe_guesses_better_than_chance(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for lift in lifts(monkeypatch, 0).values():
        assert lift.lift < 2 * lift.half_width
        assert lift.num_episodes == COUNT


def test_joined_parts_are_the_whole() -> None:
    spec = fresh_spec("train", 40)
    whole, parts = probe_rows(spec, 0, 40), joined([probe_rows(spec, a, a + 20) for a in (0, 20)])
    for one, other in zip(whole, parts, strict=True):
        assert np.array_equal(one, other)
    assert whole.targets.any(1).sum() > 20
    assert CATEGORY_INDEX["apple"] < whole.candidates.shape[1]
