"""An exported flat, read by others, has our depth; its files obey the rules of the format."""

from __future__ import annotations

import json
import math
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import scene_reader

from langrearrange.errors import HouseError
from langrearrange.habitat import export_habitat
from langrearrange.habitat.export import paint
from langrearrange.habitat.export.pieces import joint_of
from langrearrange.habitat.frames import quaternion_y_up, translation_y_up
from langrearrange.houses import Pose2D, get_house, models_of, object_mesh
from langrearrange.houses.geometry import rigid
from langrearrange.sim.camera import Vector, ahead_of, head_camera, look_at
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.sim.embedded import simulator as embedded
from langrearrange.sim.protocol import Camera, Frame
from langrearrange.world import initial_state
from langrearrange.world.vocabulary import NAV_TARGETS, OPENABLES, RECEPTACLES

FLATS = ("flat_0_00", "flat_2_13", "flat_4_03")
MODELS = tuple(models_of(category)[0].id for category in ("mug", "banana"))
ALL_OPEN = (1 << len(OPENABLES)) - 1
AWAY = Pose2D(-50_000, -50_000, 0)
TO_Z_UP = np.array([[1, 0, 0], [0, 0, -1], [0, 1, 0]], np.float64)
SIZE = 48


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("habitat")
    export_habitat(FLATS, out, MODELS)
    return out


def cameras(house_id: str) -> Iterator[tuple[str, Camera]]:
    """Yield the view from every stance, and from behind what opens: doors swing aside."""
    house = get_house(house_id)
    for place, target in enumerate(NAV_TARGETS):
        yield target, head_camera(house, place, AWAY, "default")
        if target in ("fridge", "left_drawer"):
            eye = ahead_of(house.stance(place), -1.6, 1.9)
            gaze = Vector(*(value / 1000 for value in house.gazes[target]))
            yield f"behind {target}", look_at(eye, gaze, 80)


def our_depth(house_id: str, camera: Camera, open_mask: int) -> np.ndarray:
    simulator = EmbeddedSimulator()
    simulator.load(get_house(house_id), (), AWAY)
    simulator.show(initial_state([], [], open_mask))
    depth = np.zeros((SIZE, SIZE), np.float32)
    simulator.render(camera, Frame(depth=depth))
    return depth


def assert_depth_agrees(
    dataset: Path, house_id: str, open_mask: int, read_urdf: scene_reader.UrdfReader
) -> None:
    joints = scene_reader.limits(dataset, house_id) if open_mask else {}
    triangles = scene_reader.scene_triangles(dataset, house_id, joints, read_urdf)
    for name, camera in cameras(house_id):
        ours = our_depth(house_id, camera, open_mask)
        view = np.concatenate([camera.view[:, :3] @ TO_Z_UP, camera.view[:, 3:]], axis=1)
        theirs = scene_reader.ray_depth(triangles, view, camera.hfov_deg, SIZE, SIZE)
        off = np.abs(np.where(np.isfinite(theirs), theirs, 0) - ours)
        assert np.median(off) < 1e-6, name
        assert np.percentile(off, 99) < 5e-3, name
        assert (off > 0.05).sum() <= 4, name


@pytest.mark.parametrize("open_mask", [0, ALL_OPEN])
@pytest.mark.parametrize("house_id", FLATS)
def test_depth_from_every_stance_agrees_with_an_independent_reader(
    dataset: Path, house_id: str, open_mask: int
) -> None:
    assert_depth_agrees(dataset, house_id, open_mask, scene_reader.read_urdf)


@pytest.mark.slow
@pytest.mark.parametrize("open_mask", [0, ALL_OPEN])
def test_depth_agrees_when_yourdfpy_moves_the_joints(dataset: Path, open_mask: int) -> None:
    yourdfpy = pytest.importorskip("yourdfpy", reason="make slow installs yourdfpy")

    def read_urdf(path: Path, joints: Mapping[str, float]) -> np.ndarray:
        robot = yourdfpy.URDF.load(str(path))
        robot.update_cfg({name: joints.get(name, 0.0) for name in robot.actuated_joint_names})
        return np.concatenate(
            [
                scene_reader.moved(
                    np.asarray(robot.scene.geometry[geometry].triangles),
                    robot.scene.graph.get(node)[0],
                )
                for node in robot.scene.graph.nodes_geometry
                for geometry in [robot.scene.graph[node][1]]
            ]
        )

    for house_id in FLATS:
        assert_depth_agrees(dataset, house_id, open_mask, read_urdf)


def test_a_joint_carries_every_moving_part_from_closed_to_opened(dataset: Path) -> None:
    joints = scene_reader.limits(dataset, "flat_0_00")
    parts = {p.name for p in get_house("flat_0_00").parts if p.openable}
    assert {f"{name}_joint" for name in parts} == set(joints)
    assert joints["fridge_left_door_joint"] == pytest.approx(math.radians(100), abs=1e-4)


def test_the_doors_of_a_fridge_open_towards_the_robot_and_away_from_each_other(
    dataset: Path,
) -> None:
    for side, sign in (("left", -1), ("right", 1)):
        part = get_house("flat_0_00").part(f"fridge_{side}_door")
        joint = joint_of(part)
        assert joint.kind == "revolute"
        assert joint.axis == pytest.approx((0, sign, 0))
        assert joint.travel > math.radians(90)


def test_a_part_that_tumbles_is_refused() -> None:
    tumbled = rigid(0, 0, 0, 0)
    tumbled[:, :3] = [[1, 0, 0], [0, 0, -1], [0, 1, 0]]
    part = get_house("flat_0_00").part("left_drawer")
    with pytest.raises(HouseError, match="'left_drawer' neither slides nor turns"):
        joint_of(replace(part, opened=tumbled))
    with pytest.raises(HouseError, match="'left_drawer' neither slides nor turns"):
        joint_of(replace(part, opened=part.closed))


def test_the_baked_light_is_that_of_our_renderer() -> None:
    numbers = [*paint.LIGHT, paint.AMBIENT, paint.DIFFUSE, paint.SKY]
    assert np.array_equal(np.array(numbers, np.float32), embedded._LOOK_NUMBERS[:6])


def configs(dataset: Path, ending: str) -> list[dict[str, Any]]:
    found = [json.loads(path.read_text()) for path in sorted(dataset.rglob(f"*.{ending}.json"))]
    assert found
    return found


def test_stages_and_objects_say_which_way_is_up_and_where_their_origin_is(dataset: Path) -> None:
    for config in configs(dataset, "stage_config") + configs(dataset, "object_config"):
        assert config["up"] == [0, 1, 0]
        assert config["front"] == [0, 0, -1]
        assert config["shader_type"] == "flat"
    for config in configs(dataset, "object_config"):
        assert config["COM"] == [0, 0, 0]
        assert config["margin"] == 0.0
        assert config["mass"] > 0
    assert len(configs(dataset, "stage_config")) == len(FLATS)


def test_every_file_that_a_config_names_is_there(dataset: Path) -> None:
    for path in dataset.rglob("*.json"):
        config = json.loads(path.read_text())
        for key in ("render_asset", "collision_asset", "urdf_filepath"):
            assert key not in config or (path.parent / config[key]).is_file()
    for scene in configs(dataset, "scene_instance"):
        stage = scene["stage_instance"]["template_name"]
        assert (dataset / f"{stage}.stage_config.json").is_file()
        assert scene["default_lighting"] == "no_lights"  # colours as they are, see the exporter
        for instance in scene["object_instances"]:
            assert (dataset / f"{instance['template_name']}.object_config.json").is_file()
    (config,) = configs(dataset, "scene_dataset_config")
    for section in config.values():
        for pattern in section["paths"][".json"]:
            assert any(dataset.glob(f"{pattern}/*.json"))


def test_scenes_place_things_by_unit_quaternions_w_first_and_stand_still(dataset: Path) -> None:
    for scene in configs(dataset, "scene_instance"):
        instances = scene["object_instances"] + scene["articulated_object_instances"]
        assert len(instances) == 7
        for instance in instances:
            assert math.hypot(*instance["rotation"]) == pytest.approx(1, abs=1e-6)
            assert instance["rotation"][1] == instance["rotation"][3] == 0.0
            assert instance["motion_type"] == "STATIC"
            assert instance["translation"][1] == 0.0
        assert all(i["translation_origin"] == "asset_local" for i in scene["object_instances"])
        stances = scene["user_defined"]["langrearrange"]["stances"]
        assert tuple(stances) == NAV_TARGETS


def test_inertial_origins_are_zero_and_bodies_have_mass(dataset: Path) -> None:
    from xml.etree import ElementTree as ET

    for path in dataset.rglob("*.urdf"):
        robot = ET.parse(path).getroot()
        inertials = list(robot.iter("inertial"))
        assert len(inertials) == len(list(robot.iter("joint")))
        for inertial in inertials:
            for name in ("xyz", "rpy"):
                assert scene_reader.attribute(inertial, name, "origin") == "0 0 0"
            assert scene_reader.numbers(inertial, "value", "mass") > [0]
        for joint in robot.iter("joint"):
            assert scene_reader.attribute(joint, "link", "parent") == "root"
        for mesh in robot.iter("mesh"):
            assert (path.parent / mesh.attrib["filename"]).is_file()


def test_every_receptacle_is_a_box_that_holds_its_slots(dataset: Path) -> None:
    for house_id in FLATS:
        house = get_house(house_id)
        poses, boxes = {}, {}
        scene = json.loads((dataset / f"scenes/{house_id}.scene_instance.json").read_text())
        for instance in scene["object_instances"]:
            path = dataset / f"{instance['template_name']}.object_config.json"
            for key, box in json.loads(path.read_text()).get("user_defined", {}).items():
                boxes[key], poses[key] = box, scene_reader.placed(instance)
        for instance in scene["articulated_object_instances"]:
            name = instance["template_name"]
            config = json.loads((dataset / f"urdf/{name}/{name}.ao_config.json").read_text())
            for key, box in config["user_defined"].items():
                assert key == f"receptacle_aabb_{box['parent_link']}"
                boxes[key], poses[key] = box, scene_reader.placed(instance)
        assert {key.removeprefix("receptacle_aabb_") for key in boxes} == set(RECEPTACLES)
        for name, surface in house.surfaces.items():
            box, pose = boxes[f"receptacle_aabb_{name}"], poses[f"receptacle_aabb_{name}"]
            for slot in surface.slots:
                point = np.array([slot.x_mm, slot.y_mm, slot.z_mm]) / 1000 @ TO_Z_UP
                if not surface.part:
                    point = (np.linalg.inv(pose) @ [*point, 1])[:3]
                inside = np.abs(point - box["position"]) <= np.array(box["scale"]) + 1e-6
                assert inside.all(), (house_id, name)
                assert point[1] == pytest.approx(box["position"][1] - box["scale"][1], abs=1e-4)


def test_things_keep_their_size_and_rest_on_their_origin(dataset: Path) -> None:
    for path in (dataset / "objects").glob("*.glb"):
        corners = scene_reader.glb_triangles(path).reshape(-1, 3)
        low, high = object_mesh(path.stem).bounds
        assert corners.min(axis=0) == pytest.approx([low[0], 0, -high[1]], abs=1e-6)
        assert corners.max(axis=0) == pytest.approx([high[0], high[2], -low[1]], abs=1e-6)


def test_poses_turn_alike_in_both_frames() -> None:
    for yaw in (-3.1, -1.571, 0.0, 0.4, 1.571, 3.1416):
        pose = rigid(1.5, -2.25, 0.5, yaw)
        assert translation_y_up(pose) == [1.5, 0.5, 2.25]
        w, x, y, z = quaternion_y_up(pose)
        assert x == z == 0
        assert math.remainder(2 * math.atan2(y, w) - yaw, 2 * math.pi) == pytest.approx(0, abs=1e-6)


def test_the_same_flat_gives_the_same_files(dataset: Path, tmp_path: Path) -> None:
    export_habitat(FLATS[:1], tmp_path, [])
    for path in tmp_path.rglob("*"):
        if path.is_file():
            assert path.read_bytes() == (dataset / path.relative_to(tmp_path)).read_bytes()


def test_an_unknown_flat_or_model_is_refused_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(HouseError, match="flat_9_99"):
        export_habitat(["flat_0_00", "flat_9_99"], tmp_path / "out")
    with pytest.raises(HouseError, match="teapot_1"):
        export_habitat(["flat_0_00"], tmp_path / "out", ["teapot_1"])
    assert not (tmp_path / "out").exists()
