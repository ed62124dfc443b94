"""A rearrange data set names only what the exported flats hold, and puts things where they are."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import msgspec
import numpy as np
import pytest
import scene_reader
from numpy.typing import NDArray

from langrearrange.cli.main import main
from langrearrange.dataset import EpisodeList, select
from langrearrange.errors import HouseError
from langrearrange.generator import open_split
from langrearrange.habitat import export_habitat, export_rearrange
from langrearrange.habitat.export.pieces import link_indices
from langrearrange.houses import get_house
from langrearrange.world.vocabulary import HANDLES

SPLIT = "conditional_instructions"
NUM = 6
FIELDS = {
    "episode_id", "scene_id", "scene_dataset_config", "additional_obj_config_paths",
    "start_position", "start_rotation", "info", "ao_states", "rigid_objs", "targets", "markers",
    "target_receptacles", "goal_receptacles", "name_to_receptacle",
}  # fmt: skip
"""What `RearrangeEpisode` of habitat-lab 0.3 takes; it refuses every other field."""


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lab")
    config = out / "langrearrange.scene_dataset_config.json"
    written = export_rearrange(select(open_split(SPLIT), NUM), out / "episodes", config)
    assert written.num_episodes == NUM
    assert export_habitat(written.house_ids, out, []) == config
    return out


def records(dataset: Path) -> list[dict[str, Any]]:
    with gzip.open(dataset / f"episodes/{SPLIT}/{SPLIT}.json.gz", "rt") as file:
        found: list[dict[str, Any]] = json.load(file)["episodes"]
    return found


def receptacles_of(
    dataset: Path, scene_path: str
) -> dict[str, tuple[dict[str, Any], NDArray[np.float64], list[str]]]:
    """Return unique name -> (box, pose of its frame when closed, links by joint name)."""
    found: dict[str, tuple[dict[str, Any], NDArray[np.float64], list[str]]] = {}
    scene = json.loads(Path(scene_path).read_text())
    for instance in scene["object_instances"]:
        name = instance["template_name"].split("/")[1]
        config = json.loads((dataset / f"furniture/{name}.object_config.json").read_text())
        for box in config.get("user_defined", {}).values():
            found[f"{name}_:0000|{box['name']}"] = box, scene_reader.placed(instance), []
    for instance in scene["articulated_object_instances"]:
        name = instance["template_name"]
        folder = dataset / "urdf" / name
        joints = list(ET.parse(folder / f"{name}.urdf").getroot().iter("joint"))
        joints.sort(key=lambda joint: joint.attrib["name"])
        links = [scene_reader.attribute(joint, "link", "child") for joint in joints]
        config = json.loads((folder / f"{name}.ao_config.json").read_text())
        for box in config["user_defined"].values():
            found[f"{name}_:0000|{box['name']}"] = box, scene_reader.placed(instance), links
    return found


def test_an_episode_has_the_fields_of_habitat_lab_and_no_other(dataset: Path) -> None:
    found = records(dataset)
    assert len(found) == NUM
    for number, record in enumerate(found):
        assert set(record) == FIELDS
        assert record["episode_id"] == str(number)
        assert Path(record["scene_id"]).is_file()
        assert Path(record["scene_dataset_config"]).is_file()
        assert np.linalg.norm(record["start_rotation"]) == pytest.approx(1, abs=1e-6)
        for _, pose in record["rigid_objs"]:
            turn = np.array(pose)[:3, :3]
            assert turn @ turn.T == pytest.approx(np.eye(3), abs=1e-5)
            assert pose[3] == [0, 0, 0, 1]


def test_every_thing_stands_in_the_box_of_the_receptacle_it_names(dataset: Path) -> None:
    drawers = 0
    for record in records(dataset):
        boxes = receptacles_of(dataset, record["scene_id"])
        handles = [handle for handle, _ in record["rigid_objs"]]
        assert handles == sorted(handles), "habitat-lab sorts them when it loads an episode"
        counts: dict[str, int] = {}
        for handle, pose in record["rigid_objs"]:
            model = handle.removesuffix(".object_config.json")
            instance = f"{model}_:{counts.setdefault(model, 0):04d}"
            counts[model] += 1
            box, frame, _ = boxes[record["name_to_receptacle"][instance]]
            x, y, z, _ = np.linalg.inv(frame) @ np.array(pose)[:, 3]
            if record["ao_states"] and "drawer" in box["name"]:
                continue  # an open drawer took it along
            inside = np.abs(np.array([x, y, z]) - box["position"]) <= np.array(box["scale"]) + 1e-4
            assert inside.all(), instance
            drawers += "drawer" in box["name"]
        assert len(record["name_to_receptacle"]) == len(handles)
    assert drawers


def test_targets_are_where_the_plan_leaves_things(dataset: Path) -> None:
    for record in records(dataset):
        boxes = receptacles_of(dataset, record["scene_id"])
        target = record["info"]["langrearrange"]["plan"][-1].removeprefix("place(").rstrip(")")
        assert len(record["targets"]) == 1
        ((name, pose),) = record["targets"].items()
        assert record["info"]["object_labels"] == {name: "any_targets|0"}
        ((parent, link),) = record["goal_receptacles"]
        box, frame, links = boxes[f"{parent}|receptacle_aabb_{target}"]
        assert (link is None) == (not links)
        assert link is None or links[link] == box["parent_link"]
        local = (np.linalg.inv(frame) @ np.array(pose)[:, 3])[:3]
        if "drawer" not in target:
            assert (np.abs(local - box["position"]) <= np.array(box["scale"]) + 1e-4).all()
        ((parent, _),) = record["target_receptacles"]
        assert record["name_to_receptacle"][name].startswith(f"{parent}|")


def test_what_is_open_is_given_by_link_index_as_habitat_counts_links(dataset: Path) -> None:
    opened = 0
    for record in records(dataset):
        names = receptacles_of(dataset, record["scene_id"])
        for handle, states in record["ao_states"].items():
            links = next(links for name, (_, _, links) in names.items() if name.startswith(handle))
            assert {links[int(index)] for index in states} == {
                "fridge_left_door", "fridge_right_door",
            }  # fmt: skip
            opened += 1
    assert 0 < opened < NUM


def test_link_indices_follow_the_names_of_the_joints() -> None:
    house = get_house("flat_0_00")
    assert link_indices(house, "fridge") == {
        "fridge": 0, "fridge_left_door": 1, "fridge_right_door": 2,
    }  # fmt: skip
    kitchen = link_indices(house, "kitchen")
    assert sorted(kitchen, key=kitchen.__getitem__) == sorted(kitchen)
    assert len(kitchen) == 7


def test_markers_are_our_handles_on_links_that_move(dataset: Path) -> None:
    for record in records(dataset):
        assert {marker["name"] for marker in record["markers"]} == set(HANDLES)
        for marker in record["markers"]:
            name = marker["params"]["object"].removesuffix("_:0000")
            joints = ET.parse(dataset / f"urdf/{name}/{name}.urdf").getroot().iter("joint")
            moving = {
                scene_reader.attribute(joint, "link", "child")
                for joint in joints
                if joint.get("type") != "fixed"
            }
            assert marker["params"]["link"] in moving


def test_the_same_episodes_give_the_same_bytes(dataset: Path, tmp_path: Path) -> None:
    config = dataset / "langrearrange.scene_dataset_config.json"
    again = export_rearrange(select(open_split(SPLIT), NUM), tmp_path, config).path
    assert again.read_bytes() == (dataset / f"episodes/{SPLIT}/{SPLIT}.json.gz").read_bytes()


def test_an_episode_of_the_official_release_is_refused(tmp_path: Path) -> None:
    episode = msgspec.structs.replace(open_split(SPLIT).get(0), house="official_v3_sc3_staging_00")
    with pytest.raises(HouseError, match="not one of our flats"):
        export_rearrange(select(EpisodeList([episode])), tmp_path / "out", tmp_path / "x.json")
    assert not (tmp_path / "out").exists()


def test_the_command_writes_episodes_and_the_flats_they_play_in(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    options = ["--format", "habitat", "--num-episodes", "2", "--no-models"]
    assert main(["export", "context", SPLIT, "--out", "out/lab", *options]) == 0
    printed, told = capsys.readouterr()
    assert printed.split() == [
        "out/lab/langrearrange.scene_dataset_config.json",
        "out/lab/episodes/context/context.json.gz",
        f"out/lab/episodes/{SPLIT}/{SPLIT}.json.gz",
    ]
    assert "4 episodes; out/lab/episodes/README.md" in told
    flats = {path.name.split(".")[0] for path in Path("out/lab/scenes").iterdir()}
    chosen = (select(open_split(name), 2) for name in ("context", SPLIT))
    assert flats == {episode.house for episodes in chosen for episode in episodes}
    readme = Path("out/lab/episodes/README.md").read_text()
    assert "out/lab/episodes/{split}/{split}.json.gz" in readme
    assert main(["export", "attic", "--out", "out/other", *options]) == 2
    assert "neither a split nor a data set folder" in capsys.readouterr().err
