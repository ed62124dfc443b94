"""What a set was made from: every change that can reach an episode is named, no change of look."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import msgspec
import numpy as np
import pytest

from langrearrange.dataset import Provenance, write_dataset
from langrearrange.generator import check_dataset, load_spec, make_episode, open_split
from langrearrange.generator import provenance as provenance_module
from langrearrange.generator.blueprint import blueprint_of
from langrearrange.generator.provenance import changes, commitment, provenance_of
from langrearrange.houses import House, ObjectModel, get_house, models_of
from langrearrange.paths import datasets_path

replace = dataclasses.replace
CONTEXT = load_spec("context")


@pytest.fixture(scope="module")
def stored() -> Provenance:
    return provenance_of(blueprint_of(CONTEXT))


Models = tuple[ObjectModel, ...]
EPISODE_MODELS: dict[str, Callable[[Models], Models]] = {
    "one more": lambda models: (*models, replace(models[0], id="ball_glass")),
    "one fewer": lambda models: models[1:],
    "another order": lambda models: models[::-1],
    "another name": lambda models: (replace(models[0], id="ball_football"), *models[1:]),
    "another size": lambda models: (replace(models[0], size_mm=(128, 128, 129)), *models[1:]),
}


def use_balls(monkeypatch: pytest.MonkeyPatch, change: Callable[[Models], Models]) -> None:
    def changed(category: str) -> Models:
        return change(models_of("ball")) if category == "ball" else models_of(category)

    source = SimpleNamespace(models_of=changed)
    monkeypatch.setattr(provenance_module, "source_of", lambda _: source)


@pytest.mark.parametrize("name", EPISODE_MODELS)
def test_a_change_of_the_models_is_named_with_what_to_do(
    name: str, stored: Provenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_balls(monkeypatch, EPISODE_MODELS[name])
    assert changes(stored, blueprint_of(CONTEXT)) == (
        "'context' was generated from other object models than those at hand, so some of its "
        "episodes would be drawn otherwise now; undo that change, or generate the set again "
        "(docs/add-a-model.md)"
    )


def test_colours_and_words_of_a_model_enter_no_episode(
    stored: Provenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_balls(monkeypatch, lambda models: tuple(
        replace(model, colors=("pink",), shapes=("square",)) for model in models
    ))  # fmt: skip
    assert changes(stored, blueprint_of(CONTEXT)) == ""


def moved_slot(house: House) -> House:
    sofa = house.surfaces["sofa"]
    first = replace(sofa.slots[0], x_mm=sofa.slots[0].x_mm + 1)
    sofa = replace(sofa, slots=(first, *sofa.slots[1:]))
    return replace(house, surfaces=dict(house.surfaces) | {"sofa": sofa})


def moved_stance(house: House) -> House:
    fridge = house.stances["fridge"]
    stances = dict(house.stances) | {"fridge": replace(fridge, yaw_mrad=fridge.yaw_mrad + 1)}
    return replace(house, stances=stances)


FLATS: dict[str, Callable[[House], House]] = {
    "a slot": moved_slot,
    "a stance": moved_stance,
    "a free cell": lambda house: replace(house, start_cells=house.start_cells[1:]),
    "a relation": lambda house: replace(house, relations=house.relations[1:]),
}


def use_flat(monkeypatch: pytest.MonkeyPatch, change: Callable[[House], House]) -> None:
    def house_of(house_id: str) -> House:
        house = get_house(house_id)
        return change(house) if house_id == "flat_4_20" else house

    monkeypatch.setattr(provenance_module, "get_house", house_of)


@pytest.mark.parametrize("name", FLATS)
def test_a_change_of_one_flat_is_named(
    name: str, stored: Provenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    use_flat(monkeypatch, FLATS[name])
    assert "other flats than those" in changes(stored, blueprint_of(CONTEXT))
    assert changes(stored, blueprint_of(CONTEXT), flats=False) == ""


def test_parts_and_gazes_enter_no_episode(
    stored: Provenance, monkeypatch: pytest.MonkeyPatch
) -> None:
    def repainted(house: House) -> House:
        parts = tuple(replace(p, closed=p.closed + np.float32(1)) for p in house.parts)
        return replace(house, parts=parts, gazes={}, outlines=())

    use_flat(monkeypatch, repainted)
    assert changes(stored, blueprint_of(CONTEXT)) == ""


FIELDS = {
    "spec": "settings of its spec",
    "episode_version": "EPISODE_VERSION",
    "house_version": "HOUSE_VERSION",
    "templates_sha256": "templates or words",
    "models_sha256": "object models",
    "houses_sha256": "flats",
}


def test_all_that_changed_is_named_at_once(stored: Provenance) -> None:
    assert set(FIELDS) == set(Provenance.__struct_fields__)
    for field, name in FIELDS.items():
        other: Any = {} if field == "spec" else "another"
        assert name in changes(
            msgspec.structs.replace(stored, **{field: other}), blueprint_of(CONTEXT)
        )
    everything = changes(None, blueprint_of(CONTEXT))
    assert all(name in everything for name in FIELDS.values())


def test_a_shipped_split_whose_models_changed_is_computed_and_fails_its_check(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr("langrearrange.generator.split.datasets_path", lambda: tmp_path)
    computed = make_episode(CONTEXT, 0)
    stale = msgspec.structs.replace(computed, instruction="Stale.")
    origin = provenance_of(blueprint_of(CONTEXT))
    write_dataset(tmp_path / "context", [stale], provenance=origin)
    assert open_split("context").get(0) == stale
    use_balls(monkeypatch, EPISODE_MODELS["one more"])
    with caplog.at_level("WARNING", "langrearrange"):
        opened = open_split("context")
    [message] = caplog.messages
    assert message.startswith("'context' was generated from other object models than those")
    assert message.endswith("until then its episodes are computed, not the published ones")
    assert opened.get(0) == computed
    for source in (opened, datasets_path() / "context"):
        [finding] = check_dataset(source).findings
        assert finding.kind == "provenance"
        assert "other object models" in finding.message


def test_train_which_ships_no_episodes_warns_too(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert open_split("train").get(0)
    assert not caplog.messages
    use_balls(monkeypatch, EPISODE_MODELS["one more"])
    open_split("train")
    assert "'train' was generated from other object models" in caplog.text


def test_a_commitment_binds_key_spec_and_origin_and_tells_none(stored: Provenance) -> None:
    key = "correct horse battery staple"

    def sealed(**fields: Any) -> str:
        spec = {"name": "mine", "templates": "context", "num_episodes": 10, "key": key}
        origin = fields.pop("origin", stored)
        return commitment(msgspec.convert(spec | fields, type(CONTEXT)), origin)

    first = sealed()
    assert first == sealed()
    assert len(bytes.fromhex(first)) == 32
    others = [sealed(key=key + "r"), sealed(num_episodes=11)] + [
        sealed(origin=msgspec.structs.replace(stored, **{field: "another"}))
        for field in FIELDS
        if field != "spec"
    ]
    assert len({first, *others}) == 1 + len(others)
    assert sealed(key="") == ""


def test_opening_a_split_reads_none_of_its_flats(monkeypatch: pytest.MonkeyPatch) -> None:
    read: list[str] = []

    def noting(house_id: str) -> House:
        read.append(house_id)
        return get_house(house_id)

    blueprint = blueprint_of(CONTEXT)
    monkeypatch.setattr(provenance_module, "get_house", noting)
    assert len(open_split("context")) == 100
    assert read == []
    changes(provenance_of(blueprint), blueprint)
    assert sorted(set(read)) == sorted(blueprint.houses)
