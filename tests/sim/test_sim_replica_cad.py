"""Homes in ReplicaCAD's form, with the release's things, behind the Habitat backend."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import habitat_samples as samples
import msgspec
import numpy as np
import official_samples
import pytest

from langrearrange.dataset import Episode
from langrearrange.dataset.official import open_official, translate
from langrearrange.errors import HouseError
from langrearrange.generator import make_episode
from langrearrange.generator.spec import SplitSpec
from langrearrange.houses import Pose2D, get_house
from langrearrange.houses.habitat_data import DATA_VARIABLE, official_scene
from langrearrange.sim import Frame
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.sim.habitat import PYTHON_VARIABLE, HabitatSimulator
from langrearrange.sim.replica_cad import ReplicaCadHome
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
def official(tmp_path: Path) -> Episode:
    builder = official_samples.Builder()
    builder.add()
    record = open_official(builder.write(tmp_path)).episode(0)
    return msgspec.structs.replace(
        translate(record, "official_context/000000"), house=f"official_{samples.SCENE}"
    )


def start_of(episode: Episode) -> Pose2D:
    return Pose2D(episode.start.x, episode.start.y, episode.start.yaw)


def test_things_are_where_the_reader_of_the_data_puts_them(data: Path, official: Episode) -> None:
    for episode in (official, make_episode(SPEC, 0), make_episode(SPEC, 3)):
        house = get_house(episode.house)
        home = ReplicaCadHome(house, episode.objects)
        scene = Scene(house, episode.objects, start_of(episode))
        scene.show(episode.initial_state())
        wanted = official_scene(episode, data)
        first = len(house.parts)
        for index, thing in enumerate(wanted.things):
            assert home.things[index] == thing.config
            transform = home.transform(index, scene.poses[first + index])
            assert np.array(transform) == pytest.approx(thing.transform, abs=1e-3)


def test_what_opens_is_told_by_link_and_each_once(official: Episode) -> None:
    home = ReplicaCadHome(get_house(official.house), official.objects)
    travel = {}
    for piece in home.flat.pieces:
        assert piece.path.suffix == ".urdf", "ReplicaCAD's configs name no file"
        travel.update(piece.travel)
    assert sorted(openable for openable, _ in travel.values()) == sorted(OPENABLES)
    assert travel["drawer1_top"] == ("left_drawer", 0.45)
    assert travel["top_door"] == ("fridge", 1.22)
    assert home.flat.assets[0].path.name == "stage.glb"


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
    made = HabitatSimulator(gpu_device=-1)
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
    pose = msgspec.structs.replace(official.objects[pear].pose, position=(x, y, z))
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
