"""The real habitat_sim, wherever one is: here, or in LANGREARRANGE_HABITAT_PYTHON's environment.

    pytest -m habitat tests/sim tests/contract

It shows what the embedded simulator shows: depth from every stance, segments, and whole episodes
with the same outcomes. The contract suite is in tests/contract.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from household import Household, Seen, blank, household, look
from numpy.typing import NDArray

import langrearrange  # noqa: F401
from langrearrange.env import LangRearrangeEnv
from langrearrange.errors import HabitatError
from langrearrange.generator import open_split
from langrearrange.habitat import PYTHON_VARIABLE, HabitatSimulator, export_habitat
from langrearrange.habitat.simulator.places import ROBOT
from langrearrange.houses import houses_for
from langrearrange.sim import SEGMENT_ROBOT, Frame, Simulator
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.testing import check_env, toy_episodes
from langrearrange.world import WorldState, skill_index
from langrearrange.world.vocabulary import NUM_NAV_TARGETS, TEST_SPLITS

pytestmark = [
    pytest.mark.habitat,
    pytest.mark.skipif(
        find_spec("habitat_sim") is None and not os.environ.get(PYTHON_VARIABLE),
        reason=f"no habitat_sim here, and {PYTHON_VARIABLE} names no Python that has one",
    ),
]

ALL_OPEN, ALL_CLOSED = 0b11111, 0
SIZE = 128


def make(**kwargs: Any) -> HabitatSimulator:
    return HabitatSimulator(habitat_gpu=-1, **kwargs)


@pytest.fixture(scope="module")
def habitat() -> Iterator[HabitatSimulator]:
    simulator = make()
    yield simulator
    simulator.close()


def pair(habitat: HabitatSimulator, home: Household, state: WorldState) -> tuple[Seen, Seen]:
    """Return the same view in both simulators."""
    return drawn(habitat, home, state), drawn(EmbeddedSimulator(), home, state)


def drawn(simulator: Simulator, home: Household, state: WorldState) -> Seen:
    """Return what a simulator's robot sees in a household."""
    simulator.load(home.house, home.objects, home.start)
    simulator.show(state)
    return look(simulator, size=SIZE)


def test_its_env_keeps_the_contract() -> None:
    check_env(
        gym.make(
            "LangRearrange-v0",
            simulator="habitat",
            habitat_gpu=-1,
            episodes=toy_episodes(),
            image_size=32,
            extras=("depth", "segmentation"),
        ),
        num_episodes=2,
    )


@pytest.mark.parametrize("open_mask", [ALL_CLOSED, ALL_OPEN], ids=["closed", "open"])
@pytest.mark.parametrize("flat", [houses_for(s)[i] for s in ("train", "test") for i in (0, 5, 9)])
def test_depth_from_every_stance_agrees_with_the_embedded_renderer(
    habitat: HabitatSimulator, flat: str, open_mask: int
) -> None:
    home = household(flat, per_receptacle=1)
    for place in range(NUM_NAV_TARGETS):
        state = home.state._replace(place=place, open_mask=open_mask)
        theirs, ours = pair(habitat, home, state)
        both = (theirs.depth > 0) & (ours.depth > 0)
        error = np.abs(theirs.depth - ours.depth)[both]
        assert both.mean() > 0.95
        assert np.median(error) < 0.0005
        assert (error > 0.05).mean() < 0.005  # edges fall a pixel to the other side
        assert (theirs.segmentation == ours.segmentation).mean() > 0.98


def colour_difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    return float(np.abs(one.astype(int) - other).mean())


@pytest.mark.parametrize("flat", ["flat_4_03", houses_for("train")[20], houses_for("test")[20]])
def test_every_nav_target_is_lit_and_of_the_embedded_renderers_colours(
    habitat: HabitatSimulator, flat: str
) -> None:
    home = household(flat, per_receptacle=2)
    for place in range(NUM_NAV_TARGETS):
        theirs, ours = pair(habitat, home, home.state._replace(place=place))
        assert theirs.rgb.mean() > 60
        assert colour_difference(theirs.rgb, ours.rgb) < 4
        assert 0.97 < theirs.rgb.mean() / ours.rgb.mean() < 1.03
        darker = (theirs.rgb * 0.9).astype(np.uint8)
        assert colour_difference(darker, ours.rgb) > 4, "the tolerance would pass a darker one"


def test_many_simulators_draw_side_by_side_what_each_draws_alone() -> None:
    homes = [household(flat) for flat in ("flat_0_00", "flat_3_01")]
    simulators = [make() for _ in homes]
    alone = [drawn(*both, both[1].state) for both in zip(simulators, homes, strict=True)]
    together = [blank(SIZE) for _ in homes]
    HabitatSimulator.render_batch(simulators, [Frame(*seen) for seen in together])
    for one, other in zip(alone, together, strict=True):
        assert np.array_equal(one.rgb, other.rgb)
        assert np.array_equal(one.depth, other.depth)
    for simulator in simulators:
        simulator.close()


def test_a_household_replaces_the_one_before_without_a_trace(habitat: HabitatSimulator) -> None:
    first, second = household("flat_0_00"), household("flat_2_02", seed=1)
    fresh, _ = pair(habitat, second, second.state)
    pair(habitat, first, first.state._replace(open_mask=ALL_OPEN, place=3))
    again, _ = pair(habitat, second, second.state)
    assert np.array_equal(fresh.rgb, again.rgb)
    assert np.array_equal(fresh.segmentation, again.segmentation)


def test_a_torn_mesh_is_an_error_not_a_wrong_picture(tmp_path: Path) -> None:
    home = household("flat_1_01", per_receptacle=1)
    export_habitat(["flat_1_01"], tmp_path, [thing.model for thing in home.objects])
    model = home.objects[0].model
    (tmp_path / "objects" / f"{model}.glb").write_bytes(b"no mesh at all")
    simulator = make(habitat_data=tmp_path)
    with pytest.raises(HabitatError, match=model):
        simulator.load(home.house, home.objects, home.start)
    simulator.close()


ARM = """<?xml version="1.0"?>
<robot name="toy">
  <link name="base_link">
    <visual><origin xyz="0 0.5 0"/><geometry><box size="0.4 1 0.4"/></geometry></visual>
  </link>
  <link name="shoulder_pan_link">
    <visual><geometry><box size="0.1 0.1 0.1"/></geometry></visual>
  </link>
  <joint name="shoulder_pan_joint" type="revolute">
    <parent link="base_link"/><child link="shoulder_pan_link"/>
    <origin xyz="0.2 0.5 0"/><axis xyz="0 1 0"/>
    <limit lower="-3" upper="3" effort="1" velocity="1"/>
  </joint>
</robot>
"""


def test_a_robot_from_its_description_stands_where_the_robot_is(tmp_path: Path) -> None:
    (tmp_path / ROBOT).parent.mkdir(parents=True)
    (tmp_path / ROBOT).write_text(ARM)
    home, simulator = household("flat_0_00"), make(habitat_data=tmp_path)
    simulator.load(home.house, home.objects, home.start)
    simulator.show(home.state._replace(place=3))
    camera = simulator.head_camera()
    simulator.show(home.state._replace(place=5))
    seen = look(simulator, camera, SIZE)
    from_afar = (seen.segmentation == SEGMENT_ROBOT).mean()
    simulator.show(home.state._replace(place=3))
    above = camera.view.copy()
    above[2, 3] -= 1.5  # a step back
    seen = look(simulator, type(camera)(above, camera.hfov_deg), SIZE)
    assert (seen.segmentation == SEGMENT_ROBOT).mean() > max(0.01, from_afar)
    simulator.close()


@pytest.mark.slow
def test_the_oracle_succeeds_on_test_episodes_with_the_outcomes_of_the_embedded_simulator() -> None:
    for split in TEST_SPLITS:
        source = open_split(split)
        ids = [source.id_at(index * len(source) // 12) for index in range(12)]
        kwargs: dict[str, Any] = {"split": split, "episodes": ids}
        theirs = gym.make("LangRearrange-v0", simulator="habitat", habitat_gpu=-1, **kwargs)
        ours = gym.make("LangRearrange-v0", **kwargs)
        for episode_id in ids:
            assert play(theirs, episode_id) == play(ours, episode_id)
        theirs.close()
        ours.close()


def play(env: gym.Env[Any, Any], episode_id: str) -> list[Any]:
    """Play an episode's stored plan; return what happened, without the pictures."""
    observation, info = env.reset(options={"episode_id": episode_id})
    told: list[Any] = [info["outcome"]]
    terminated = False
    unwrapped = env.unwrapped
    assert isinstance(unwrapped, LangRearrangeEnv)
    for skill in unwrapped.episode.plan:
        assert not terminated
        observation, reward, terminated, truncated, info = env.step(skill_index(skill))
        told.append((reward, terminated, truncated, info["outcome"]))
        told.append((observation["pose"].tolist(), observation["joints"].tolist()))
        assert observation["rgb"].std() > 5
    assert terminated
    assert info["success"]
    return told


def test_the_given_folder_is_used_and_not_the_cache(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path / "cache"))
    home = household("flat_4_03", per_receptacle=1)
    folder = tmp_path / "given"
    export_habitat(["flat_4_03"], folder, [thing.model for thing in home.objects])
    shutil.rmtree(tmp_path / "cache", ignore_errors=True)
    simulator = make(habitat_data=folder)
    simulator.load(home.house, home.objects, home.start)
    simulator.close()
    assert not list(Path(tmp_path / "cache").rglob("*.scene_instance.json"))
