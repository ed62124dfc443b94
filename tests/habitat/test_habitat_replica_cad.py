"""Homes in ReplicaCAD's form, with the release's things, behind the Habitat backend."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import habitat_samples as samples
import msgspec
import numpy as np
import official_samples
import pytest

from langrearrange.dataset import Episode
from langrearrange.dataset.official import OfficialEpisode, open_official, translate
from langrearrange.errors import DatasetError, HouseError
from langrearrange.generator import make_episode
from langrearrange.generator.spec import SplitSpec
from langrearrange.habitat import DATA_VARIABLE, PYTHON_VARIABLE, HabitatSimulator
from langrearrange.habitat.homes import _dataset_in, imported_scene
from langrearrange.habitat.simulator.home import EpisodeHome
from langrearrange.houses import Pose2D, get_house
from langrearrange.sim import Frame
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.sim.scene import Scene
from langrearrange.world import apply, skill_index
from langrearrange.world.vocabulary import OPENABLES

SPEC = SplitSpec(
    name="own_homes", templates="train", houses="replica_cad_test", num_episodes=60
)  # fmt: skip
needs_habitat = [
    pytest.mark.habitat,
    pytest.mark.skipif(
        not os.environ.get(PYTHON_VARIABLE), reason=f"{PYTHON_VARIABLE} names no Python"
    ),
]


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = samples.write_data(tmp_path_factory.mktemp("replica") / "data")
    for number in range(21):
        name = f"v3_sc4_staging_{number:02d}"
        samples.write_scene(root / "replica_cad", name, samples.SCENE)
    return root


@pytest.fixture(autouse=True)
def named(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv(DATA_VARIABLE, str(data))
    get_house.cache_clear()
    yield
    get_house.cache_clear()


@pytest.fixture
def record(tmp_path: Path) -> OfficialEpisode:
    builder = official_samples.Builder()
    builder.add()
    return open_official(builder.write(tmp_path)).episode(0)


@pytest.fixture
def official(record: OfficialEpisode) -> Episode:
    return msgspec.structs.replace(
        translate(record, "official_context/000000"), house=f"official_{samples.SCENE}"
    )


@pytest.fixture
def own_data(data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    copy = Path(shutil.copytree(data, tmp_path / "data"))
    monkeypatch.setenv(DATA_VARIABLE, str(copy))
    return copy


def start_of(episode: Episode) -> Pose2D:
    return Pose2D(episode.start.x, episode.start.y, episode.start.yaw)


def transforms(episode: Episode) -> list[np.ndarray]:
    """Return what Habitat is told of where things are at the start, y up."""
    house = get_house(episode.house)
    home = EpisodeHome(house, episode.objects, None)
    scene = Scene(house, episode.objects, start_of(episode))
    scene.show(episode.initial_state())
    poses = scene.poses[len(house.parts) :]
    return [np.array(home.transform(i, poses[i])) for i in range(len(episode.objects))]


def test_official_things_have_their_assets_and_stored_poses(
    record: OfficialEpisode, official: Episode
) -> None:
    home = EpisodeHome(get_house(official.house), official.objects, None)
    found = transforms(official)
    for index, stored in enumerate(record.objects):
        assert home.things[index].name == f"{stored.asset}.object_config.json"
        assert home.things[index].is_file()
        assert found[index] == pytest.approx(stored.transform, abs=1e-3), "to a millimetre"


def test_poses_of_any_rotation_survive(official: Episode) -> None:
    stored = official.objects[0].pose
    assert stored is not None
    pose = msgspec.structs.replace(stored, rotation=(500_000, 500_000, -500_000, 500_000))
    things = (msgspec.structs.replace(official.objects[0], pose=pose), *official.objects[1:])
    turn = transforms(msgspec.structs.replace(official, objects=things))[0][:3, :3]
    # (w, x, y, z) / 2 takes x to z, y to -x and z to -y; all of that seen from y up.
    assert turn == pytest.approx(np.array([[0, 0, 1], [1, 0, 0], [0, 1, 0]]), abs=1e-6)


def test_a_missing_scene_asset_or_mesh_is_named(own_data: Path, official: Episode) -> None:
    def load() -> None:
        get_house.cache_clear()
        _dataset_in.cache_clear()
        EpisodeHome(get_house(official.house), official.objects, None)

    load()
    config = own_data / "objects/ycb/configs/016_pear.object_config.json"
    mesh = own_data / "objects/ycb/meshes/016_pear/google_16k/textured.glb"
    mesh.write_bytes(b"solid pear")
    with pytest.raises(DatasetError, match=r"textured.glb: damaged: no readable GLB mesh"):
        load()
    mesh.unlink()
    with pytest.raises(DatasetError, match=r"016_pear.object_config.json: names the mesh"):
        load()
    config.unlink()
    with pytest.raises(DatasetError, match=r"no object is called '016_pear'.*download the data"):
        load()
    with pytest.raises(DatasetError, match="no scene is called 'v3_sc0_staging_00'"):
        get_house("official_v3_sc0_staging_00")
    shutil.rmtree(own_data / "objects/ycb")
    with pytest.raises(DatasetError, match="datasets_download --uids ycb"):
        load()
    shutil.rmtree(own_data)
    with pytest.raises(DatasetError, match="there is no such folder"):
        load()


def test_what_opens_goes_by_the_release_s_joints() -> None:
    openables = imported_scene(f"official_{samples.SCENE}").openables
    assert (openables["fridge"].handle, openables["fridge"].joints) == (
        "fridge_:0000",
        {"top_door_hinge": 1.22},
    )
    assert (openables["left_drawer"].handle, openables["left_drawer"].joints) == (
        "kitchen_counter_:0000",
        {"drawer1_top_joint": 0.45},
    )


def test_what_opens_is_told_by_link_and_each_once(official: Episode) -> None:
    home = EpisodeHome(get_house(official.house), official.objects, None)
    travel: dict[str, tuple[str, float]] = {}
    for piece, moves in zip(home.fixed.articulated, home.fixed.travels, strict=True):
        assert piece["asset"].endswith(".urdf"), "ReplicaCAD's configs name no file"
        travel.update(moves)
    assert sorted(openable for openable, _ in travel.values()) == sorted(OPENABLES)
    assert travel["drawer1_top"] == ("left_drawer", 0.45)
    assert travel["top_door"] == ("fridge", 1.22)
    assert Path(home.fixed.rigid[0]["asset"]).name == "stage.glb"
    house = get_house(official.house)
    segments = {part.name: 1001 + index for index, part in enumerate(house.parts)}
    seen = [item["ids"] for item in home.fixed.articulated]
    counter = {"drawer1_top": segments["left_drawer"], "drawer3": segments["right_drawer"]}
    assert seen == [{"": segments["home"]}, {"": segments["home"], **counter}]
    assert {tuple(item["ids"]) for item in home.fixed.rigid} == {(segments["home"],)}


def test_our_own_renderer_says_that_it_cannot_draw_them(official: Episode) -> None:
    simulator = EmbeddedSimulator()
    with pytest.raises(HouseError, match="cannot be drawn here"):
        simulator.load(get_house(official.house), official.objects, start_of(official))


class Player:
    """Shows states in Habitat and says how many pixels a thing has."""

    def __init__(self, simulator: HabitatSimulator, episode: Episode) -> None:
        self.simulator, self.layout = simulator, episode.layout()
        self.state = episode.initial_state()
        simulator.load(get_house(episode.house), episode.objects, start_of(episode))
        simulator.show(self.state)

    def do(self, skill: str) -> None:
        self.state, outcome = apply(self.layout, self.state, skill_index(skill))
        assert not outcome.invalid
        self.simulator.show(self.state)

    def pixels(self, thing: int) -> int:
        frame = Frame(np.empty((96, 96, 3), np.uint8), None, np.empty((96, 96), np.int32))
        self.simulator.render(self.simulator.head_camera(), frame)
        assert frame.segmentation is not None
        return int((frame.segmentation == thing).sum())


@pytest.fixture(scope="module")
def simulator() -> Iterator[HabitatSimulator]:
    made = HabitatSimulator(habitat_gpu=-1)
    yield made
    made.close()


@pytest.mark.parametrize("", [pytest.param(marks=needs_habitat)])
def test_habitat_shows_generated_episodes_from_pick_to_place(simulator: HabitatSimulator) -> None:
    played = 0
    for index in range(20):
        episode = make_episode(SPEC, index)
        kinds = [skill.split("(")[0] for skill in episode.plan]
        if kinds != ["nav", "pick", "nav", "place"]:
            continue
        player = Player(simulator, episode)
        player.do(episode.plan[0])
        before = player.state
        player.do(episode.plan[1])
        held = player.state.held
        assert player.pixels(held) > 100, "in the gripper"
        player.do(episode.plan[2])
        player.do(episode.plan[3])
        assert before.receptacles[held] != player.state.receptacles[held]
        assert player.pixels(held) > 0, episode.plan
        played += 1
    assert played >= 3


@pytest.mark.parametrize("", [pytest.param(marks=needs_habitat)])
def test_habitat_shows_an_official_episode_with_its_stored_poses(
    simulator: HabitatSimulator, official: Episode
) -> None:
    pear = next(i for i, thing in enumerate(official.objects) if thing.category == "pear")
    x, y, z = get_house(official.house).gazes["sofa"]
    stored = official.objects[pear].pose
    assert stored is not None
    pose = msgspec.structs.replace(stored, position=(x, y, z))
    things = list(official.objects)
    things[pear] = msgspec.structs.replace(things[pear], pose=pose)
    player = Player(simulator, msgspec.structs.replace(official, objects=tuple(things)))
    assert player.pixels(pear) == 0
    player.do("nav(sofa)")
    assert player.pixels(pear) > 20
    player.do("pick(pear)")
    assert player.pixels(pear) > 100
    player.do("nav(chair)")
    player.do("place(chair)")
    assert player.pixels(pear) > 20
