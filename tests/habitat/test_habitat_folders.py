"""Folders and files that Habitat needs: what is missing or damaged is named in one sentence."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest
from fake_habitat import fake_python
from household import Household, household

import langrearrange  # noqa: F401
from langrearrange.errors import DatasetError, HabitatError
from langrearrange.habitat import DATA_VARIABLE, PYTHON_VARIABLE, HabitatSimulator, export_habitat
from langrearrange.habitat.simulator import places
from langrearrange.habitat.simulator.home import Fixed, fixed_of
from langrearrange.habitat.simulator.library import CONFIG, Library
from langrearrange.habitat.simulator.places import Found, look_into
from langrearrange.houses import get_house, houses_for

FLAT = "flat_1_02"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flats")
    export_habitat([FLAT], folder, [thing.model for thing in household(FLAT).objects])
    return folder


@pytest.fixture
def python(tmp_path: Path) -> str:
    return fake_python(tmp_path / "environment")


def test_a_missing_habitat_is_one_sentence_that_names_the_ways_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(places, "find_spec", lambda name: None)
    monkeypatch.delenv(PYTHON_VARIABLE, raising=False)
    with pytest.raises(HabitatError, match=r"habitat_python=.*simulator='embedded'"):
        HabitatSimulator()


def test_the_environment_variable_names_a_python_when_habitat_is_not_here(
    monkeypatch: pytest.MonkeyPatch, python: str
) -> None:
    monkeypatch.setattr(places, "find_spec", lambda name: None)
    monkeypatch.setenv(PYTHON_VARIABLE, python)
    HabitatSimulator(habitat_gpu=-1).close()
    monkeypatch.setenv(PYTHON_VARIABLE, "/nowhere")
    with pytest.raises(HabitatError, match="'/nowhere' cannot be run"):
        HabitatSimulator()


def test_a_folder_without_flats_or_robot_is_refused(tmp_path: Path) -> None:
    with pytest.raises(HabitatError, match="holds neither"):
        HabitatSimulator(habitat_data=tmp_path)


def use(library: Library, home: Household) -> Fixed:
    return fixed_of(home.house, library.scene(home.house, [t.model for t in home.objects]))


def test_replica_cad_in_the_folder_becomes_that_of_the_process_but_never_a_second_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(DATA_VARIABLE, "")
    monkeypatch.delenv(DATA_VARIABLE)
    (tmp_path / "one" / "replica_cad").mkdir(parents=True)
    (tmp_path / "two" / "replica_cad").mkdir(parents=True)
    assert look_into(tmp_path / "one") == Found(None, None)
    assert os.environ[DATA_VARIABLE] == str(tmp_path / "one")
    look_into(tmp_path / "one")
    with pytest.raises(HabitatError, match="homes are read from one folder only"):
        look_into(tmp_path / "two")


@pytest.mark.parametrize(
    "lost",
    [
        f"stages/{FLAT}.glb",
        f"furniture/{FLAT}_sofa.glb",
        f"urdf/{FLAT}_fridge/fridge_left_door.glb",
        f"urdf/{FLAT}_kitchen/{FLAT}_kitchen.urdf",
    ],
)
def test_a_missing_file_is_named_with_the_command_that_writes_it(
    exported: Path, tmp_path: Path, lost: str
) -> None:
    copy = tmp_path / "flats"
    shutil.copytree(exported, copy)
    (copy / lost).unlink()
    home = household(FLAT)
    library = Library(copy)
    with pytest.raises(HabitatError, match=r"is missing; .*export --format habitat") as caught:
        _ = use(library, home)
    assert Path(lost).name in str(caught.value)
    assert str(copy) in str(caught.value)


def test_missing_models_and_flats_are_named_together(exported: Path, tmp_path: Path) -> None:
    library = Library(exported)
    with pytest.raises(HabitatError, match=f"lacks the object model no_such; .*--flats {FLAT} "):
        library.scene(get_house(FLAT), ["no_such"])
    with pytest.raises(HabitatError, match=r"lacks flat_0_00 and 103 other flats; .*--flats all "):
        library.scene(get_house("flat_0_00"), [])
    copy = tmp_path / "flats"
    (copy / "scenes").mkdir(parents=True)
    (copy / CONFIG).write_text("{}")
    known = [name for role in ("train", "validation", "test") for name in houses_for(role)]
    for name in known[2:]:
        (copy / "scenes" / f"{name}.scene_instance.json").write_text("{}")
    with pytest.raises(HabitatError, match=f"lacks {known[0]}, {known[1]}, the object model x; "):
        Library(copy).scene(get_house(known[1]), ["x"])


def test_a_cache_that_cannot_be_written_is_one_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path / "file"))
    with pytest.raises(HabitatError, match=r"cannot be written \(Not a directory\); name .*_CACHE"):
        Library().scene(get_house(FLAT), [])


def test_a_damaged_stage_is_named(exported: Path, tmp_path: Path) -> None:
    copy = tmp_path / "flats"
    shutil.copytree(exported, copy)
    (copy / "stages" / f"{FLAT}.glb").write_bytes(b"glTF")
    with pytest.raises(DatasetError, match="damaged"):
        fixed_of(get_house(FLAT), Library(copy).scene(get_house(FLAT), []))


def test_flats_are_exported_into_the_cache_when_first_played(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path))
    library, house = Library(), get_house(FLAT)
    library.scene(house, ["banana_ripe"])
    [config] = tmp_path.glob(f"habitat/*/{CONFIG}")
    stage = config.parent / "stages" / f"{FLAT}.glb"
    written = stage.stat().st_mtime_ns
    scene = library.scene(house, ["banana_ripe", "apple_red"])
    assert stage.stat().st_mtime_ns == written
    assert library.model("apple_red").is_file()
    assert library.link("gripper").is_file()
    assert [len(travel) for travel in fixed_of(house, scene).travels] == [2, 4]
