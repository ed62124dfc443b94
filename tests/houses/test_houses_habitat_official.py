"""An imported episode becomes scene, assets and poses; what is missing is named before use."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import habitat_samples as samples
import msgspec
import numpy as np
import official_samples
import pytest

from langrearrange.dataset.official import open_official, translate
from langrearrange.errors import DatasetError, HouseError
from langrearrange.generator import open_split
from langrearrange.houses.habitat_data import find_habitat_data, official_scene


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.write_data(tmp_path_factory.mktemp("official") / "data")


@pytest.fixture
def own_data(data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(data, tmp_path / "data"))


@pytest.fixture(scope="module")
def episode(tmp_path_factory: pytest.TempPathFactory):
    builder = official_samples.Builder()
    builder.add()
    path = builder.write(tmp_path_factory.mktemp("pickle"))
    record = open_official(path).episode(0)
    return msgspec.structs.replace(
        translate(record, "official_context/000000"),
        house=f"official_{samples.SCENE}",
        open=("fridge", "left_drawer"),
    ), record


def test_every_thing_has_its_asset_and_its_stored_pose(data: Path, episode) -> None:
    ours, record = episode
    found = official_scene(ours, data)
    assert found.scene.name == samples.SCENE
    assert found.object_folder == find_habitat_data(data).ycb
    assert [thing.object_id for thing in found.things] == [thing.id for thing in ours.objects]
    handles = [thing.handle for thing in found.things]
    assert handles == ["013_apple_:0000", "013_apple_:0001", "016_pear_:0000"]
    for thing, stored in zip(found.things, record.objects, strict=True):
        assert thing.asset == stored.asset
        assert thing.config.name == f"{stored.asset}.object_config.json"
        assert thing.config.is_file()
        assert thing.transform == pytest.approx(stored.transform, abs=1e-3), "to a millimetre"


def test_what_is_open_at_the_start_is_given_by_joints(data: Path, episode) -> None:
    assert official_scene(episode[0], data).joints == {
        "fridge_:0000": {"top_door_hinge": 1.22},
        "kitchen_counter_:0000": {"drawer1_top_joint": 0.45},
    }


def test_a_scene_of_the_data_is_needed(data: Path, episode) -> None:
    elsewhere = msgspec.structs.replace(episode[0], house="official_v3_sc0_staging_00")
    with pytest.raises(DatasetError, match="no scene is called 'v3_sc0_staging_00'"):
        official_scene(elsewhere, data)


def test_a_flat_of_ours_needs_no_assets(data: Path) -> None:
    with pytest.raises(HouseError, match="export-habitat"):
        official_scene(open_split("context").get(0), data)


def test_a_missing_asset_or_mesh_is_named(own_data: Path, episode) -> None:
    config = own_data / "objects/ycb/configs/016_pear.object_config.json"
    mesh = own_data / "objects/ycb/meshes/016_pear/google_16k/textured.glb"
    mesh.write_bytes(b"solid pear")
    with pytest.raises(DatasetError, match=r"textured.glb: damaged: no GLB mesh"):
        official_scene(episode[0], own_data)
    mesh.unlink()
    with pytest.raises(DatasetError, match=r"016_pear.object_config.json: names the mesh"):
        official_scene(episode[0], own_data)
    config.unlink()
    from langrearrange.houses.habitat_data import open_replica_cad

    open_replica_cad.cache_clear()
    with pytest.raises(DatasetError, match="asset '016_pear' is neither in"):
        official_scene(episode[0], own_data)


def test_without_the_data_the_download_command_is_told(own_data: Path, episode) -> None:
    shutil.rmtree(own_data / "objects/ycb")
    with pytest.raises(DatasetError, match="datasets_download --uids ycb"):
        official_scene(episode[0], own_data)
    with pytest.raises(DatasetError, match="there is no such folder"):
        official_scene(episode[0], own_data / "nowhere")


def test_poses_of_any_rotation_survive(data: Path, episode) -> None:
    ours, _ = episode
    pose = msgspec.structs.replace(
        ours.objects[0].pose, rotation=(500_000, 500_000, -500_000, 500_000)
    )
    things = (msgspec.structs.replace(ours.objects[0], pose=pose), *ours.objects[1:])
    transform = official_scene(msgspec.structs.replace(ours, objects=things), data).things[0]
    turn = transform.transform[:3, :3]
    assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-9)
    assert np.linalg.det(turn) == pytest.approx(1)
    assert json.loads(transform.config.read_text())["up"] == [0, 0, 1]
