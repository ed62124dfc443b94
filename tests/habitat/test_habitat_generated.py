"""Our generator fills homes in ReplicaCAD's form with YCB's things: proved episodes, same bytes."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import habitat_samples as samples
import msgspec
import numpy as np
import pytest

from langrearrange.cli.main import main
from langrearrange.dataset import Episode, open_dataset
from langrearrange.dataset.official.names import CATEGORY_OF_ASSET
from langrearrange.env import LangRearrangeEnv
from langrearrange.errors import DatasetError, GenerationError, HouseError
from langrearrange.generator import make_episode
from langrearrange.generator.prove import prove_episode
from langrearrange.generator.spec import SplitSpec
from langrearrange.habitat import DATA_VARIABLE, ReplicaCadSource
from langrearrange.habitat.homes import imported_scene, shape_of
from langrearrange.habitat.simulator.home import EpisodeHome
from langrearrange.houses import get_house, houses_for
from langrearrange.sim.scene import Scene
from langrearrange.world import apply, skill_index
from langrearrange.world.goals import compile_goal, parse_goal

SPEC = SplitSpec(
    name="own_homes", templates="train", houses="replica_cad_test", num_episodes=60
)  # fmt: skip


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


def episodes(count: int = 12) -> list[Episode]:
    return [make_episode(SPEC, index) for index in range(count)]


def test_roles_are_the_release_s_macro_scenes() -> None:
    roles = ("replica_cad_train", "replica_cad_validation", "replica_cad_test")
    homes = [houses_for(role) for role in roles]
    assert [len(ids) for ids in homes] == [63, 21, 21]
    assert len({name for ids in homes for name in ids}) == 105
    assert homes[1][0] == "official_v3_sc3_staging_00"


def test_episodes_are_proved_and_hold_the_release_s_things() -> None:
    homes = set()
    for episode in episodes():
        assert prove_episode(episode, spec=SPEC) == []
        homes.add(episode.house)
        for thing in episode.objects:
            assert CATEGORY_OF_ASSET[thing.model] == thing.category
            assert thing.pose is None
            assert thing.slot < len(get_house(episode.house).surfaces[thing.receptacle].slots)
        layout, state = episode.layout(), episode.initial_state()
        done = compile_goal(parse_goal(episode.goal), layout, state)
        assert not done(state)
        for skill in episode.plan:
            state, outcome = apply(layout, state, skill_index(skill))
            assert not outcome.invalid
        assert done(state)
    assert len(homes) > 5
    assert homes <= set(houses_for("replica_cad_test"))


def test_a_thing_of_the_wrong_kind_is_found() -> None:
    (episode,) = episodes(1)
    things = (msgspec.structs.replace(episode.objects[0], model="mug_red"), *episode.objects[1:])
    found = prove_episode(msgspec.structs.replace(episode, objects=things), spec=SPEC)
    assert [finding.kind for finding in found] == ["model"]


def test_relations_that_metadata_does_not_tell_are_refused_in_one_sentence() -> None:
    spec = msgspec.structs.replace(SPEC, templates="spatial_relationships", num_episodes=5)
    with pytest.raises(GenerationError, match="uses spatial relations, but none is known"):
        make_episode(spec, 0)


def test_the_same_data_gives_the_same_episodes() -> None:
    assert episodes(3) == episodes(3)


def test_things_stand_on_their_receptacles_in_habitat() -> None:
    for episode in episodes(4):
        house = get_house(episode.house)
        found, home = imported_scene(episode.house), EpisodeHome(house, episode.objects, None)
        assert found.name == episode.house.removeprefix("official_")
        scene = Scene(house, episode.objects, next(iter(house.stances.values())))
        scene.show(episode.initial_state())
        for index, thing in enumerate(episode.objects):
            box = found.boxes[thing.receptacle]
            transform = home.transform(index, scene.poses[len(house.parts) + index])
            base = np.array(transform) @ [*shape_of(thing.model).base, 1]
            if thing.receptacle.endswith("_drawer") and thing.receptacle in episode.open:
                base[0] -= 0.45
            local = (np.linalg.inv(box.frame) @ base)[:3] - box.middle
            assert (np.abs(local) <= box.half + 3e-3).all(), thing.id
            assert local @ box.up == pytest.approx(-box.half @ np.abs(box.up), abs=5e-3)


def test_the_env_plays_them_without_a_simulator() -> None:
    (episode,) = episodes(1)
    env = LangRearrangeEnv(episodes=[episode], observation="text")
    env.reset(seed=1)
    for skill in episode.plan:
        _, _, terminated, _, info = env.step(skill_index(skill))
    assert terminated
    assert info["success"]


def test_a_spec_file_generates_and_checks(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    spec = tmp_path / "own.yaml"
    spec.write_text(
        "name: own_homes\ntemplates: train\nhouses: replica_cad_test\nnum_episodes: 8\n"
    )
    out = tmp_path / "own_homes"
    assert main(["generate", "--spec", str(spec), "--out", str(out), "--workers", "1"]) == 0
    assert len(open_dataset(out)) == 8
    assert main(["check", str(out)]) == 0, capsys.readouterr().out


def test_without_the_data_one_sentence_says_what_is_missing(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv(DATA_VARIABLE)
    with pytest.raises(HouseError, match=DATA_VARIABLE):
        make_episode(SPEC, 0)
    own = Path(shutil.copytree(data, tmp_path / "data"))
    monkeypatch.setenv(DATA_VARIABLE, str(own))
    (own / "objects/ycb/meshes/013_apple/google_16k/textured.glb").unlink()
    with pytest.raises(DatasetError, match=r"013_apple.object_config.json: names the mesh"):
        ReplicaCadSource().models_of("apple")
