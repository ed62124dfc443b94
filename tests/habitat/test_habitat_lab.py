"""habitat-lab loads our data sets and finds our surfaces where we say they are.

Needs habitat-lab and habitat_sim: `LANGREARRANGE_HABITAT_PYTHON=... pytest -m habitat`.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import habitat_samples as samples
import msgspec
import numpy as np
import official_samples
import pytest
from habitat_lab import ask

from langrearrange.dataset import select
from langrearrange.dataset.official import open_official, translate
from langrearrange.generator import open_split
from langrearrange.habitat import DATA_VARIABLE, export_habitat, export_rearrange, find_habitat_data
from langrearrange.habitat.data.navmesh import read_navmesh
from langrearrange.habitat.data.scene import read_scene
from langrearrange.habitat.data.scene_dataset import SceneDataset
from langrearrange.habitat.export.pieces import PIECES, link_indices
from langrearrange.habitat.homes import imported_scene, shape_of
from langrearrange.habitat.simulator.home import EpisodeHome
from langrearrange.houses import get_house
from langrearrange.sim.scene import Scene
from langrearrange.world.vocabulary import RECEPTACLES

SPLIT, NUM = "conditional_instructions", 8
EPISODES = list(select(open_split(SPLIT), NUM))
LOOK_AT = (0, 2, 4, 7)
POINTS = {"a": (2.0, 0.0, -2.0), "b": (0.2, 0.0, -7.0), "c": (7.5, 0.4, -0.3)}

pytestmark = pytest.mark.habitat


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Path:
    out = tmp_path_factory.mktemp("lab")
    config = out / "langrearrange.scene_dataset_config.json"
    written = export_rearrange(select(open_split(SPLIT), NUM), out / "episodes", config)
    models = {thing.model for episode in EPISODES for thing in episode.objects}
    export_habitat(written.house_ids, out, sorted(models))
    return out


@pytest.fixture(scope="module")
def answer(dataset: Path) -> dict[str, Any]:
    request = {
        "data_path": f"{dataset}/episodes/{{split}}/{{split}}.json.gz",
        "split": SPLIT,
        "scenes_dir": str(dataset),
        "look_at": LOOK_AT,
        "points": POINTS,
        "out": str(dataset),
    }
    return ask(request)


def test_habitat_lab_loads_every_episode_with_its_sentence(answer: dict[str, Any]) -> None:
    assert answer["num_episodes"] == NUM
    assert answer["instructions"] == [episode.instruction for episode in EPISODES]


def test_find_receptacles_returns_our_surfaces_where_they_are(
    dataset: Path, answer: dict[str, Any]
) -> None:
    reader = SceneDataset(dataset / "langrearrange.scene_dataset_config.json")
    for number, looked in zip(LOOK_AT, answer["looked"], strict=True):
        episode = EPISODES[number]
        scene = read_scene(reader, episode.house)
        ours = {box.unique_name: box for box in scene.boxes.values()}
        assert set(looked["receptacles"]) == set(ours)
        assert len(ours) == len(RECEPTACLES)
        for name, theirs in looked["receptacles"].items():
            box = ours[name]
            centre = np.array(theirs["frame"]) @ [*theirs["middle"], 1]
            assert centre[:3] == pytest.approx(box.centre, abs=1e-4), name
            assert theirs["half"] == pytest.approx(box.half, abs=1e-4), name
            assert np.array(theirs["frame"]) == pytest.approx(box.frame, abs=1e-4), name


def test_links_are_numbered_as_the_episodes_assume(answer: dict[str, Any]) -> None:
    for number, looked in zip(LOOK_AT, answer["looked"], strict=True):
        episode = EPISODES[number]
        house = get_house(episode.house)
        for piece in PIECES:
            names = looked["links"][f"{house.id}_{piece}_:0000"]
            assert {name: i for i, name in enumerate(names)} == link_indices(house, piece)


def test_things_rest_on_the_receptacles_that_the_episode_names(answer: dict[str, Any]) -> None:
    import gzip

    for number, looked in zip(LOOK_AT, answer["looked"], strict=True):
        episode = EPISODES[number]
        assert len(looked["things"]) == len(episode.objects)
        path = Path(looked["scene"]).parent.parent / f"episodes/{SPLIT}/{SPLIT}.json.gz"
        with gzip.open(path, "rt") as file:
            record = json.load(file)["episodes"][number]
        for name, unique in record["name_to_receptacle"].items():
            thing, theirs = looked["things"][name], looked["receptacles"][unique]
            frame = np.array(looked["opened"][unique])
            local = (np.linalg.inv(frame) @ [*thing["place"], 1])[:3] - theirs["middle"]
            assert (np.abs(local) <= np.array(theirs["half"]) + 1e-3).all(), name
            assert local[1] == pytest.approx(-theirs["half"][1], abs=1e-3), name
            assert thing["bottom"] == pytest.approx(0, abs=1e-4), "its origin is at its base"


def test_our_reader_of_navigation_meshes_stands_where_habitat_snaps(
    answer: dict[str, Any],
) -> None:
    mesh = read_navmesh(Path(answer["looked"][-1]["navmesh"]["path"]))
    for name, snapped in answer["looked"][-1]["navmesh"]["snapped"].items():
        x, _, z = POINTS[name]
        point = mesh.nearest(x, z).point
        assert np.hypot(point[0] - snapped[0], point[2] - snapped[2]) < 0.05, name


def test_a_scene_in_replica_cad_s_form_is_in_habitat_where_we_read_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = samples.write_data(tmp_path / "data")
    monkeypatch.setenv(DATA_VARIABLE, str(data))
    builder = official_samples.Builder()
    builder.add()
    episode = msgspec.structs.replace(
        translate(open_official(builder.write(tmp_path)).episode(0), "official_context/000000"),
        house=f"official_{samples.SCENE}",
        open=("fridge", "left_drawer"),
    )
    house, read = get_house(episode.house), imported_scene(episode.house)
    home = EpisodeHome(house, episode.objects, None)
    scene = Scene(house, episode.objects, house.stances["sofa"])
    scene.show(episode.initial_state())
    poses = scene.poses[len(house.parts) :]
    transforms = [home.transform(i, poses[i]) for i in range(len(episode.objects))]
    joints: dict[str, dict[str, float]] = {}
    for name in episode.open:
        joints.setdefault(read.openables[name].handle, {}).update(read.openables[name].joints)
    path = next(data.rglob(f"{samples.SCENE}.scene_instance.json"))
    path.write_text(path.read_text().replace("navmesh_instance", "left_out"))
    theirs = ask(
        {
            "config": str(read.config),
            "scene": samples.SCENE,
            "objects": str(find_habitat_data(data).ycb),
            "joints": joints,
            "things": [
                {"config": str(config), "transform": transform}
                for config, transform in zip(home.things, transforms, strict=True)
            ],
        }
    )
    boxes = [*read.boxes.values(), *read.others]
    assert set(theirs["receptacles"]) == {box.unique_name for box in boxes}
    for box in boxes:
        found = theirs["receptacles"][box.unique_name]
        assert np.array(found["frame"]) == pytest.approx(box.frame, abs=1e-4), box.name
        assert np.abs(found["half"]) == pytest.approx(box.half, abs=1e-4), box.name
    drawer = read.boxes["left_drawer"].unique_name
    moved = np.array(theirs["opened"][drawer]["frame"]) - theirs["receptacles"][drawer]["frame"]
    assert moved[:3, 3] == pytest.approx(read.openables["left_drawer"].travel, abs=1e-4)
    handles = ["013_apple_:0000", "013_apple_:0001", "016_pear_:0000"]
    assert [found["handle"] for found in theirs["things"]] == handles
    for thing, transform, found in zip(episode.objects, transforms, theirs["things"], strict=True):
        shape = shape_of(thing.model)
        assert np.array(found["transform"]) == pytest.approx(np.array(transform), abs=1e-5)
        low, high = np.array(found["box"])
        assert [(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2] == pytest.approx(
            shape.base, abs=1e-4
        )
        x, z, y = shape.model.size_mm
        assert high - low == pytest.approx(np.array([x, y, z]) / 1000, abs=1e-3)
