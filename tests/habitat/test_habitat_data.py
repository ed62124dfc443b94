"""Scenes in the form of ReplicaCAD are read from metadata; what is wrong is one sentence."""

from __future__ import annotations

import json
import math
import shutil
from pathlib import Path

import habitat_samples as samples
import numpy as np
import pytest

from langrearrange.dataset.official.names import CATEGORY_OF_ASSET
from langrearrange.errors import DatasetError
from langrearrange.habitat import DATA_VARIABLE, export_habitat, find_habitat_data
from langrearrange.habitat.data.assets import asset_shape
from langrearrange.habitat.data.folders import AssetReport
from langrearrange.habitat.data.home import habitat_home
from langrearrange.habitat.data.navmesh import NavMesh, read_navmesh
from langrearrange.habitat.data.reading import glb_box
from langrearrange.habitat.data.scene import HabitatScene, read_scene
from langrearrange.habitat.data.scene_dataset import SceneDataset
from langrearrange.houses import get_house, rigid, slot_pose
from langrearrange.world.vocabulary import NAV_TARGETS, OPENABLES, RECEPTACLES


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return samples.write_data(tmp_path_factory.mktemp("habitat") / "data")


@pytest.fixture(scope="module")
def scene(data: Path) -> HabitatScene:
    found = find_habitat_data(data)
    return read_scene(SceneDataset(found.replica_cad, (found.ycb,)), samples.SCENE)


@pytest.fixture
def own_data(data: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(data, tmp_path / "data"))


def missing(folder: Path) -> list[AssetReport]:
    return [report for report in find_habitat_data(folder).reports if report.problem]


def test_what_is_there_is_found_from_the_folder_or_the_one_above_it(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert not missing(data)
    assert find_habitat_data(data.parent).root == data
    monkeypatch.setenv(DATA_VARIABLE, str(data))
    assert find_habitat_data().root == data


def test_each_missing_download_is_named_with_habitats_own_command(own_data: Path) -> None:
    shutil.rmtree(own_data / "objects/ycb")
    (own_data / "replica_cad/replicaCAD.scene_dataset_config.json").unlink()
    found = missing(own_data)
    assert [(r.asset.uid, r.problem.split(":")[0]) for r in found] == [
        ("replica_cad_dataset", "incomplete"),
        ("ycb", "'ycb' is not there"),
    ]
    command = "python -m habitat_sim.utils.datasets_download --uids ycb --data-path"
    assert command in found[1].remedy
    with pytest.raises(DatasetError, match="--uids replica_cad_dataset"):
        _ = find_habitat_data(own_data).replica_cad


def test_a_folder_that_is_not_there_is_refused_with_the_command_that_makes_it(
    tmp_path: Path,
) -> None:
    with pytest.raises(DatasetError) as told:
        find_habitat_data(tmp_path / "nowhere")
    assert "--uids replica_cad_dataset ycb hab_fetch --data-path" in str(told.value)


def test_a_git_lfs_pointer_is_no_data(own_data: Path) -> None:
    mesh = sorted((own_data / "objects/ycb").rglob("*.glb"))[0]
    mesh.write_bytes(b"version https://git-lfs.github.com/spec/v1\noid sha256:00\n")
    (found,) = missing(own_data)
    assert "git-lfs pointer" in found.problem
    assert "git lfs pull" in found.remedy


def test_every_receptacle_and_openable_is_read_from_the_scene(scene: HabitatScene) -> None:
    assert scene.lacking == ()
    assert set(scene.boxes) == set(RECEPTACLES)
    assert set(scene.openables) == set(OPENABLES)
    assert [box.name for box in scene.others] == ["receptacle_aabb_back_frl_apartment_sofa"]
    unique = scene.boxes["sofa"].unique_name
    assert unique == "frl_apartment_sofa_:0000|receptacle_aabb_Sofa_frl_apartment_sofa"
    assert scene.boxes["left_drawer"].handle == "kitchen_counter_:0000"
    assert scene.stage.path.name == "stage.glb"
    assert [asset.handle for asset in scene.articulated] == [
        "fridge_:0000",
        "kitchen_counter_:0000",
    ]
    assert [asset.handle for asset in scene.rigid] == [f"{n}_:0000" for n in samples.FURNITURE]


def test_boxes_are_where_links_and_turned_furniture_put_them(scene: HabitatScene) -> None:
    x, y, z = samples.COUNTER_AT
    assert scene.boxes["left_counter"].centre == pytest.approx([x - 0.2, y + 1.0, z + 1.2])
    assert scene.boxes["left_drawer"].centre == pytest.approx([x + 0.1, y + 0.75, z + 1.2])
    assert (scene.boxes["left_drawer"].half > 0).all(), "some are stored negative"
    assert scene.boxes["tv_stand"].centre == pytest.approx([6.6, 0.7, 2.0])
    fridge = scene.boxes["fridge"]
    x, y, z = samples.FRIDGE_AT
    up = fridge.frame[:3, :3] @ fridge.up
    assert up == pytest.approx([0, math.sin(1.565), -math.cos(1.565)], abs=1e-9)
    assert fridge.centre == pytest.approx([x, y + 0.3, z], abs=3e-3)


def test_openables_move_by_the_release_s_joints(scene: HabitatScene) -> None:
    fridge, drawer = scene.openables["fridge"], scene.openables["left_drawer"]
    assert (fridge.handle, dict(fridge.joints)) == ("fridge_:0000", {"top_door_hinge": 1.22})
    assert dict(drawer.joints) == {"drawer1_top_joint": 0.45}
    assert drawer.travel == pytest.approx([0.45, 0, 0])
    assert fridge.travel == pytest.approx([0, 0, 0])
    x, y, z = samples.COUNTER_AT
    assert drawer.grip == pytest.approx([x + 0.4, y + 0.7, z + 1.2])


def test_a_home_stands_the_robot_where_the_mesh_is_nearest_and_faces_the_thing(
    scene: HabitatScene,
) -> None:
    home = habitat_home(scene)
    assert home.id == f"official_{samples.SCENE}"
    assert tuple(home.stances) == NAV_TARGETS
    chair = home.stances["chair"]
    assert (chair.x_mm, chair.y_mm) == (1000, 0)  # the edge of the room before it
    assert chair.yaw_mrad == pytest.approx(1571, abs=1)  # -z of Habitat's is our +y
    assert home.gazes["chair"] == (1000, 600, 500)
    (x0, z0), _, (x1, z1), _ = samples.ROOM
    for stance in home.stances.values():
        assert x0 * 1000 <= stance.x_mm <= x1 * 1000
        assert z0 * 1000 <= -stance.y_mm <= z1 * 1000
    assert len(home.start_cells) > 300
    assert all(0 <= x <= 6000 and -5000 <= y <= 0 for x, y in home.start_cells)


def test_slots_rest_on_the_box_s_floor_within_its_edges(scene: HabitatScene) -> None:
    home = habitat_home(scene)
    to_y_up = np.array([[1, 0, 0], [0, 0, 1], [0, -1, 0]])
    for name, surface in home.surfaces.items():
        box = scene.boxes[name]
        assert surface.slots
        assert min(surface.cell_mm) >= 180 or len(surface.slots) <= 2
        for index in range(len(surface.slots)):
            place = to_y_up @ slot_pose(home, name, index, 0)[:, 3].astype(float)
            local = np.linalg.inv(box.frame) @ [*place, 1]
            inside = np.abs(local[:3] - box.middle) <= box.half + 2e-3
            assert inside.all(), name
            floor = (local[:3] - box.middle) @ box.up + box.half @ np.abs(box.up)
            assert floor == pytest.approx(0, abs=5e-3), name
    assert home.surfaces["fridge"].max_height_mm == 240
    assert home.surfaces["sofa"].max_height_mm == 1000


def test_things_in_a_drawer_move_with_it(scene: HabitatScene) -> None:
    home = habitat_home(scene)
    closed, opened = (slot_pose(home, "left_drawer", 0, mask) for mask in (0, 2))
    assert opened[:, 3] - closed[:, 3] == pytest.approx([0.45, 0, 0], abs=1e-6)
    closed, opened = (slot_pose(home, "fridge", 0, mask) for mask in (0, 1))
    assert (closed == opened).all()


def test_an_exported_flat_reads_back_as_it_is(tmp_path: Path) -> None:
    config = export_habitat(["flat_2_13"], tmp_path, [])
    dataset = SceneDataset(config)
    assert dataset.scene_names == ("flat_2_13",)
    scene = read_scene(dataset, "flat_2_13")
    home, flat = habitat_home(scene), get_house("flat_2_13")
    assert home.id == flat.id
    assert dict(home.stances) == dict(flat.stances)
    assert dict(home.gazes) == dict(flat.gazes)
    for name, openable in scene.openables.items():
        part = next(p for p in flat.parts if p.openable == name)
        shift = part.opened[:, 3] - part.closed[:, 3]
        assert openable.travel == pytest.approx([shift[0], shift[2], -shift[1]], abs=1e-5)
    for name, surface in flat.surfaces.items():
        for mask in (0, 31):
            ours = [slot_pose(flat, name, i, mask)[2, 3] for i in range(len(surface.slots))]
            assert slot_pose(home, name, 0, mask)[2, 3] == pytest.approx(ours[0], abs=1e-3)


def test_all_81_assets_are_there_with_a_size_and_a_base(data: Path) -> None:
    found = find_habitat_data(data)
    dataset = SceneDataset(found.replica_cad, (found.ycb,))
    for asset, category in CATEGORY_OF_ASSET.items():
        assert asset_shape(dataset, asset).model.category == category
    cup = asset_shape(dataset, "frl_apartment_cup_01")  # origin at its foot
    assert cup.model.size_mm == (120, 100, 80)
    assert cup.base == pytest.approx([0, 0, 0], abs=1e-9)
    # YCB's files are z up and Habitat's origin is the middle of the box.
    apple = asset_shape(dataset, "013_apple")
    assert sorted(apple.model.size_mm) == [60, 80, 100]
    height = apple.model.size_mm[2] / 1000
    assert apple.base == pytest.approx([0, -height / 2, 0], abs=1e-9)
    placed = apple.transform(rigid(1, 2, 0.5, 0.3))
    assert placed[:3, 3] == pytest.approx([1, 0.5 + height / 2, -2], abs=1e-6)


def test_the_nearest_standing_place_is_on_the_largest_island() -> None:
    mesh = NavMesh([np.array(p, float) for p in samples.room_polygons()])
    assert len(mesh.largest) == 2
    assert mesh.nearest(20.5, 20.2).point == pytest.approx((6.0, 0.1, 5.0))
    assert mesh.nearest(2.0, 2.0) == ((2.0, 0.1, 2.0), 0.0)
    assert mesh.nearest(2.0, -1.5).distance == pytest.approx(1.5)


def break_json(data: Path, name: str) -> None:
    path = next(data.rglob(name))
    path.write_text(path.read_text()[:-9])


def change(data: Path, name: str, old: str, new: str) -> None:
    path = next(data.rglob(name))
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


SCENE_FILE = f"{samples.SCENE}.scene_instance.json"


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda d: break_json(d, SCENE_FILE), "damaged: not JSON"),
        (lambda d: break_json(d, "fridge.urdf"), "damaged: not XML"),
        (lambda d: next(d.rglob("fridge.urdf")).unlink(), "nothing that opens is called 'fridge'"),
        (lambda d: next(d.rglob("stage.glb")).unlink(), "which is missing"),
        (lambda d: change(d, SCENE_FILE, "objects/frl_apartment_sofa", "objects/bench"),
         "no object is called 'bench'"),
        (lambda d: change(d, SCENE_FILE, "5.6", '"far"'), "should be 3 numbers"),
        (lambda d: change(d, "fridge.urdf", "<robot", "<!DOCTYPE a [<!ENTITY b 'c'>]><robot"),
         "refused: it declares entities"),
        (lambda d: change(d, "frl_apartment_sofa.object_config.json", "aabb_Sofa", "aabb_Bench"),
         "has no sofa"),
        (lambda d: next(d.rglob("*.navmesh")).unlink(), "a navigation mesh"),
        (lambda d: next(d.rglob("*.navmesh")).write_bytes(b"MSET" * 40), "damaged"),
        (lambda d: next(d.rglob("*.navmesh")).write_bytes(b"TESM"), "damaged"),
        (lambda d: samples.write_navmesh(next(d.rglob("*.navmesh")), []), "no place to stand"),
        (lambda d: samples.write_navmesh(
            next(d.rglob("*.navmesh")), [[(50, 0, 50), (51, 0, 50), (51, 0, 51)]]
        ), "the nearest place to stand is"),
        (lambda d: change(d, "kitchen_counter.urdf", 'child link="drawer3"', 'child link="body"'),
         "damaged: its links form no tree"),
    ],
)  # fmt: skip
def test_damaged_data_is_one_sentence_that_names_the_file(
    own_data: Path, damage: object, sentence: str
) -> None:
    damage(own_data)  # type: ignore[operator]
    found = find_habitat_data(own_data)
    dataset = SceneDataset(found.replica_cad, (found.ycb,))
    with pytest.raises(DatasetError) as told:
        habitat_home(read_scene(dataset, samples.SCENE))
    assert sentence in str(told.value)
    assert str(own_data) in str(told.value)
    assert "\n" not in str(told.value)


def test_a_scene_that_is_not_there_is_named_with_what_is(data: Path) -> None:
    dataset = SceneDataset(find_habitat_data(data).replica_cad)
    with pytest.raises(DatasetError, match=f"no scene is called 'apt_9'.* {samples.SCENE}"):
        read_scene(dataset, "apt_9")
    with pytest.raises(DatasetError, match="not a scene dataset"):
        SceneDataset(data / "replica_cad")


def test_cut_off_navigation_meshes_never_crash(data: Path, tmp_path: Path) -> None:
    whole = next(data.rglob("*.navmesh")).read_bytes()
    path = tmp_path / "cut.navmesh"
    for length in range(0, len(whole), 7):
        path.write_bytes(whole[:length])
        with pytest.raises(DatasetError):
            read_navmesh(path)
    assert json.loads(next(data.rglob(SCENE_FILE)).read_text())


def test_a_quantised_or_nested_mesh_has_its_real_size(tmp_path: Path) -> None:
    import struct

    document = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [
            {"children": [1], "translation": [1, 0, 0]},
            {"mesh": 0, "scale": [2, 2, 2], "rotation": [0, 0, 0.70710678, 0.70710678]},
        ],
        "meshes": [{"primitives": [{"attributes": {"POSITION": 0}}]}],
        "accessors": [
            {"componentType": 5122, "normalized": True, "count": 8, "type": "VEC3",
             "min": [0, -32767, 0], "max": [32767, 32767, 16383.5]}
        ],
    }  # fmt: skip
    text = json.dumps(document).encode()
    text += b" " * (-len(text) % 4)
    header = struct.pack("<4sIIII", b"glTF", 2, 20 + len(text), len(text), 0x4E4F534A)
    path = tmp_path / "thing.glb"
    path.write_bytes(header + text)
    # Turned by a quarter about z, (x, y, z) is (-y, x, z); then doubled and shifted.
    assert glb_box(path) == pytest.approx(np.array([[-1, 0, 0], [3, 2, 1]]), abs=1e-6)
    for damage in (b"glTF", text, header + text[:-20], header.replace(b"glTF", b"glTG") + text):
        path.write_bytes(damage)
        with pytest.raises(DatasetError, match=r"thing.glb: damaged"):
            glb_box(path)
