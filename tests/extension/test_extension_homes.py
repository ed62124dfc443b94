"""The two-room homes of docs/add-homes.md: generated, proved, drawn, played and scored."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import gymnasium as gym
import numpy as np
import pytest
from printed import python_blocks, run_commands, save

import langrearrange  # noqa: F401
from langrearrange.cli.main import main
from langrearrange.dataset import open_dataset
from langrearrange.errors import HouseError
from langrearrange.generator.prove import prove_episode
from langrearrange.generator.spec import SplitSpec
from langrearrange.houses import MODELS, get_house, houses_for, register_homes, slot_pose
from langrearrange.houses.homes import HOMES_VARIABLE, home_source
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.testing import check_simulator
from langrearrange.world import skill_index
from langrearrange.world.vocabulary import NAV_TARGETS, RECEPTACLES

PAGE = "add-homes.md"
NAME = "my_homes:TwoRooms"
OWN_MODELS = """
from langrearrange.houses import ObjectModel, shapes
from my_homes import TwoRooms


class Dice(TwoRooms):
    def models_of(self, category):
        return (self.model(f"{category}_die"),)

    def model(self, model_id):
        return ObjectModel(model_id, model_id.removesuffix("_die"), (60, 60, 60), (), ())

    def model_mesh(self, model_id):
        return shapes.box(0.06, 0.06, 0.06, (200, 30, 30))
"""


@pytest.fixture(autouse=True)
def source(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setenv(HOMES_VARIABLE, "")
    (tmp_path / "dice.py").write_text(OWN_MODELS)
    yield save(PAGE, "my_homes", tmp_path, monkeypatch)
    get_house.cache_clear()
    home_source.__globals__["_made"].cache_clear()
    for module in ("my_homes", "dice"):
        sys.modules.pop(module, None)


def generate(houses: str = f"{NAME}/test") -> Path:
    spec = f"name: two_rooms\ntemplates: train\nhouses: {houses}\nnum_episodes: 12\n"
    Path("two_rooms.yaml").write_text(spec)
    assert main(["generate", "--spec", "two_rooms.yaml", "--out", "out/set", "--workers", "2"]) == 0
    return Path("out/set")


def test_the_implementation_is_short(source: str) -> None:
    assert len(source.splitlines()) < 60


def test_what_the_page_prints_runs() -> None:
    run_commands(PAGE)
    exec(compile(python_blocks(PAGE)[1], PAGE, "exec"), {})
    assert Path("out/home.png").stat().st_size > 1000


def test_a_house_is_called_by_its_source_and_complete() -> None:
    register_homes(NAME)
    assert houses_for(f"{NAME}/train") == (f"{NAME}/left",)
    assert houses_for(NAME) == (f"{NAME}/left", f"{NAME}/right")
    house = get_house(f"{NAME}/left")
    assert house.id == f"{NAME}/left"
    assert get_house(house.id) is house
    assert set(house.surfaces) == set(RECEPTACLES)
    assert set(house.stances) == set(house.gazes) == set(NAV_TARGETS)
    x, y, z = 1000 * slot_pose(house, "sofa", 0, 0)[:, 3]
    gaze = house.gazes["sofa"]
    assert (abs(x - gaze[0]) < 300, abs(y - gaze[1]) < 300, z) == (True, True, 600)


def test_episodes_are_proved_and_hold_our_models() -> None:
    data = open_dataset(generate())
    spec = SplitSpec(name="two_rooms", templates="train", houses=f"{NAME}/test", num_episodes=12)
    for position in range(len(data)):
        episode = data.get(position)
        assert episode.house == f"{NAME}/right"
        assert prove_episode(episode, spec=spec) == []
        assert {thing.model for thing in episode.objects} <= set(MODELS)
    assert main(["check", "out/set"]) == 0


def test_they_are_drawn_by_the_embedded_simulator_and_played_by_both_envs() -> None:
    folder = generate()
    episodes = [open_dataset(folder).get(position) for position in (0, 5)]
    check_simulator(EmbeddedSimulator, reference=EmbeddedSimulator, episodes=episodes)
    envs = gym.make_vec(
        "LangRearrange-v0", num_envs=2, episodes=str(folder), extras=("segmentation",)
    )
    seen, _ = envs.reset()
    assert seen["rgb"].std(axis=(1, 2)).min() > 1
    envs.close()
    env = gym.make("LangRearrange-v0", episodes=str(folder), image_size=64)
    for episode in episodes:
        first, _ = env.reset(options={"episode_id": episode.id})
        assert first["instruction"] == episode.instruction
        for skill in episode.plan:
            _, _, terminated, _, info = env.step(skill_index(skill))
        assert terminated
        assert info["success"]
    env.close()


def test_models_of_its_own_are_drawn_instead_of_ours() -> None:
    data = open_dataset(generate("dice:Dice/test"))
    episode = data.get(0)
    assert {thing.model for thing in episode.objects} <= {
        f"{t.category}_die" for t in episode.objects
    }
    env = gym.make("LangRearrange-v0", episodes="out/set", extras=("segmentation",))
    place = next(t.receptacle for t in episode.objects if t.receptacle in ("sofa", "chair", "sink"))
    env.reset(options={"episode_id": episode.id})
    seen, *_ = env.step(skill_index(f"nav({place})"))
    dice = seen["rgb"][(seen["segmentation"] >= 0) & (seen["segmentation"] < 1000)]
    assert len(dice) > 100
    assert (dice[:, 0] > 2 * dice[:, 1].astype(int)).all(), "red blocks"
    env.close()


def test_a_run_is_scored_by_whoever_lacks_the_module() -> None:
    generate()
    command = ["evaluate", "--agent", "explorer", "--homes", NAME, "--episodes", "out/set"]
    assert main([*command, "--out", "run.jsonl.gz"]) == 0
    elsewhere = Path("elsewhere")
    elsewhere.mkdir()
    environment = {k: v for k, v in os.environ.items() if k not in (HOMES_VARIABLE, "PYTHONPATH")}
    score = ["score", "../run.jsonl.gz", "--episodes", "../out/set", "--json"]
    done = subprocess.run(
        [sys.executable, "-m", "langrearrange", *score],
        cwd=elsewhere, env=environment, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert '"two_rooms"' in done.stdout


def test_a_data_set_does_not_import_what_was_not_announced(monkeypatch: pytest.MonkeyPatch) -> None:
    folder = generate()
    monkeypatch.setenv(HOMES_VARIABLE, "")
    get_house.cache_clear()
    env = gym.make("LangRearrange-v0", episodes=str(folder))
    with pytest.raises(HouseError, match=r"but not registered; .*register_homes\('my_homes:TwoR"):
        env.reset()
    monkeypatch.setenv(HOMES_VARIABLE, f"other:Homes,{NAME}")
    env.reset()
    env.close()


@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("nowhere:Homes", "importing 'nowhere' failed"),
        ("my_homes:Cellar", "has no class 'Cellar'; its classes: House, HomeSource, Part"),
        ("my_homes:Slot", r"could not be made: TypeError: .*__init__"),
        ("builtins:dict", "returned an object of type dict, which is not a home source; subclass"),
        ("my_homes:HomeSource", "could not be made: TypeError: Can't instantiate|Protocols cannot"),
    ],
)
def test_what_is_no_source_is_one_sentence(name: str, message: str) -> None:
    with pytest.raises(HouseError, match=message) as caught:
        register_homes(name)
    assert "\n" not in str(caught.value)


def test_roles_and_names_that_do_not_exist_are_named() -> None:
    register_homes(NAME)
    with pytest.raises(HouseError, match="has no homes for 'tests'; accepted: train, test"):
        houses_for(f"{NAME}/tests")
    accepted = "train, validation, test, replica_cad_train"
    with pytest.raises(
        HouseError, match=re.escape(f"unknown role 'attic' of homes; accepted: {accepted}")
    ):
        houses_for("attic")
    np.testing.assert_equal(len(houses_for("replica_cad_train")), 63)
