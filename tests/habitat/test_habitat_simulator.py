"""The adapter up to habitat_sim: options, files, what is sent. No real pictures here."""

from __future__ import annotations

import json
import os
import signal
import sys
import warnings
from pathlib import Path
from types import ModuleType
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from fake_habitat import HABITAT_SIM, MAGNUM, fake_python
from gymnasium.error import ClosedEnvironmentError
from household import Household, household
from numpy.typing import NDArray

import langrearrange  # noqa: F401
from langrearrange.errors import HabitatError, RenderError, UsageError
from langrearrange.habitat import HabitatSimulator, export_habitat
from langrearrange.habitat.simulator import places, simulator
from langrearrange.habitat.simulator.client import Local, Worker
from langrearrange.habitat.simulator.places import ROBOT
from langrearrange.sim import SEGMENT_PART, Frame
from langrearrange.sim.protocol import missing_members
from langrearrange.testing import toy_episodes
from langrearrange.world import WorldState, apply, skill_index

FLAT = "flat_1_02"


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("flats")
    export_habitat([FLAT], folder, [thing.model for thing in household(FLAT).objects])
    return folder


@pytest.fixture
def python(tmp_path: Path) -> str:
    return fake_python(tmp_path / "environment")


class Recorder:
    """Keeps what a simulator sends."""

    closed = False
    sim = "the simulator itself"

    def __init__(self) -> None:
        self.loaded: list[tuple[list[Any], list[Any]]] = []
        self.views: list[dict[str, Any]] = []

    def load(self, rigid: list[Any], articulated: list[Any]) -> None:
        json.dumps([rigid, articulated])
        self.loaded.append((rigid, articulated))

    def begin(self, view: dict[str, Any]) -> None:
        json.dumps(view)
        self.views.append(view)

    def pictures(self) -> dict[str, NDArray[Any]]:
        size = (self.views[-1]["height"], self.views[-1]["width"])
        return {
            "rgb": np.full((*size, 3), 9, np.uint8),
            "depth": np.ones(size, np.float32),
            "segmentation": np.zeros(size, np.uint32),
        }

    def close(self) -> None:
        pass


@pytest.fixture
def recorded(monkeypatch: pytest.MonkeyPatch, exported: Path) -> tuple[HabitatSimulator, Recorder]:
    recorder = Recorder()
    monkeypatch.setattr(simulator, "open_backend", lambda python, gpu: recorder)
    return HabitatSimulator(habitat_data=exported), recorder


def shown(simulator: HabitatSimulator, home: Household, state: WorldState) -> Frame:
    simulator.show(state)
    frame = Frame(rgb=np.empty((8, 8, 3), np.uint8))
    simulator.render(simulator.head_camera(), frame)
    return frame


def test_it_is_a_simulator_and_closes_twice(recorded: tuple[HabitatSimulator, Recorder]) -> None:
    assert missing_members(recorded[0]) == []
    recorded[0].close()
    recorded[0].close()


def test_every_part_and_thing_is_sent_under_its_own_number_once(
    recorded: tuple[HabitatSimulator, Recorder],
) -> None:
    adapter, recorder = recorded
    home = household(FLAT)
    adapter.load(home.house, home.objects, home.start)
    [(rigid, articulated)] = recorder.loaded
    numbers = [number for item in rigid for number in item["ids"]]
    numbers += [number for item in articulated for number in item["ids"].values()]
    parts = range(SEGMENT_PART, SEGMENT_PART + len(home.house.parts))
    expected = [*parts, *range(len(home.objects)), 2000, 2000, 2000]
    assert sorted(number - 1 for number in numbers) == sorted(expected)


def test_only_what_moved_is_sent_again(recorded: tuple[HabitatSimulator, Recorder]) -> None:
    adapter, recorder = recorded
    home = household(FLAT)
    adapter.load(home.house, home.objects, home.start)
    shown(adapter, home, home.state)
    shown(adapter, home, home.state)
    first, again = recorder.views
    statics = len(adapter._home.fixed.rigid)
    assert len(first["rigid"]) == len(home.objects) + 3
    assert len(first["joints"]) == 2
    assert not again["rigid"]
    assert not again["joints"]
    near_sofa, _ = apply(home.layout, home.state, skill_index("nav(sofa)"))
    shown(adapter, home, near_sofa)
    assert [row for row, _ in recorder.views[-1]["rigid"]] == list(
        range(statics + len(home.objects), statics + len(home.objects) + 3)
    )


def test_doors_open_as_far_as_the_flat_says_and_what_is_inside_appears(
    recorded: tuple[HabitatSimulator, Recorder],
) -> None:
    adapter, recorder = recorded
    home = household(FLAT)
    adapter.load(home.house, home.objects, home.start)
    at_fridge, _ = apply(home.layout, home.state, skill_index("nav(fridge)"))
    shown(adapter, home, at_fridge)
    opened, _ = apply(home.layout, at_fridge, skill_index("open(fridge)"))
    shown(adapter, home, opened)
    joints = dict(recorder.views[-1]["joints"])
    assert max(joints[0].values()) > 1.0  # a door turns by more than a right angle's two thirds
    assert set(joints[1].values()) == {0.0}
    inside = [i for i, thing in enumerate(home.objects) if thing.receptacle == "fridge"]
    rows = {row - len(adapter._home.fixed.rigid): pose for row, pose in recorder.views[-1]["rigid"]}
    assert set(inside) <= set(rows)
    assert all(rows[i][1][3] > 0 for i in inside)


def test_segments_are_shifted_back(recorded: tuple[HabitatSimulator, Recorder]) -> None:
    adapter, _ = recorded
    home = household(FLAT)
    adapter.load(home.house, home.objects, home.start)
    adapter.show(home.state)
    frame = Frame(segmentation=np.full((4, 4), 7, np.int32))
    adapter.render(adapter.head_camera(), frame)
    assert frame.segmentation is not None
    assert np.all(frame.segmentation == -1)


@pytest.mark.parametrize(
    "frame",
    [
        Frame(),
        Frame(rgb=np.empty((4, 4), np.uint8)),
        Frame(rgb=np.empty((4, 4, 4), np.uint8)),
        Frame(depth=np.empty((4, 4), np.float64)),
        Frame(rgb=np.empty((4, 4, 3), np.uint8), depth=np.empty((5, 4), np.float32)),
    ],
)
def test_unfit_buffers_are_refused(
    recorded: tuple[HabitatSimulator, Recorder], frame: Frame
) -> None:
    adapter, _ = recorded
    home = household(FLAT)
    adapter.load(home.house, home.objects, home.start)
    adapter.show(home.state)
    with pytest.raises(RenderError):
        adapter.render(adapter.head_camera(), frame)


def test_nothing_to_draw_yet_is_said(recorded: tuple[HabitatSimulator, Recorder]) -> None:
    adapter, _ = recorded
    with pytest.raises(RenderError, match="holds no household"):
        adapter.head_camera()
    home = household(FLAT)
    adapter.load(home.house, home.objects, home.start)
    with pytest.raises(RenderError, match="no state was shown"):
        adapter.head_camera()


def test_the_env_plays_through_a_worker_with_every_extra(
    python: str, exported: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path))
    env = gym.make(
        "LangRearrange-v0",
        simulator="habitat",
        habitat_python=python,
        habitat_gpu=-1,
        episodes=toy_episodes(),
        extras=("depth", "segmentation"),
        image_size=32,
        render_mode="rgb_array",
    )
    with pytest.raises(
        HabitatError, match=f"in a worker process \\({python}\\) and cannot be handed"
    ):
        env.get_wrapper_attr("habitat_sim")
    observation, _ = env.reset()
    assert observation in env.observation_space
    for skill in ("nav(sofa)", "nav(fridge)"):
        observation, *_ = env.step(skill_index(skill))
    assert observation["rgb"].shape == (32, 32, 3)
    picture = env.render()
    assert isinstance(picture, np.ndarray)
    assert picture.shape[2] == 3
    env.close()


def test_reset_starts_another_worker_after_one_was_killed(
    python: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path))
    started: list[Worker] = []

    class Noted(Worker):
        def __init__(self, python: str, gpu_device: int) -> None:
            super().__init__(python, gpu_device)
            started.append(self)

    monkeypatch.setattr(places, "Worker", Noted)
    env = gym.make(
        "LangRearrange-v0", simulator="habitat", habitat_python=python, habitat_gpu=-1,
        episodes=toy_episodes(), image_size=32,
    )  # fmt: skip
    env.reset()
    os.kill(started[0].pid, signal.SIGKILL)
    with pytest.raises(HabitatError, match="ended by SIGKILL"):
        env.step(skill_index("nav(sofa)"))
    observation, _ = env.reset()
    assert observation["rgb"].shape == (32, 32, 3)
    assert len(started) == 2
    env.close()


def test_a_closed_env_says_so_and_a_path_is_an_interpreter(
    python: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path))
    kwargs: dict[str, Any] = {
        "simulator": "habitat", "habitat_python": Path(python), "habitat_gpu": -1,
        "episodes": toy_episodes(), "image_size": 16,
    }  # fmt: skip
    env = gym.make("LangRearrange-v0", **kwargs).unwrapped
    envs = gym.make_vec("LangRearrange-v0", 2, **kwargs).unwrapped
    for one, action in ((env, 0), (envs, [0, 0])):
        one.reset()
        one.close()
        with pytest.raises(ClosedEnvironmentError, match="this env is closed; make a new one"):
            one.step(action)
        one.close()
    assert env.spec is not None
    assert env.spec.kwargs["habitat_python"] == python  # a Path survives to_json as text


def test_the_simulator_is_handed_out_where_it_is_in_this_process(
    recorded: tuple[HabitatSimulator, Recorder],
) -> None:
    kwargs: dict[str, Any] = {"episodes": toy_episodes(), "image_size": 16}
    env: Any = gym.make("LangRearrange-v0", simulator=recorded[0], **kwargs).unwrapped
    assert env.habitat_sim == Recorder.sim
    blind = {"simulator": "habitat", "observation": "text"}
    for more, says in (
        (kwargs, "simulator='embedded' with observation='rgb' draws nothing with Habitat"),
        (kwargs | blind, "observation='text' draws nothing"),
    ):
        env = gym.make("LangRearrange-v0", **more).unwrapped
        with pytest.raises(HabitatError, match=says):
            _ = env.habitat_sim
        env.close()


def test_the_vector_env_draws_with_a_worker_each(
    python: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path))
    envs = gym.make_vec(
        "LangRearrange-v0",
        num_envs=2,
        simulator="habitat",
        habitat_python=python,
        episodes=toy_episodes(),
        image_size=16,
    )
    observation, _ = envs.reset()
    assert observation["rgb"].shape == (2, 16, 16, 3)
    observation, *_ = envs.step(np.array([0, 1]))
    envs.close()


def test_options_of_habitat_go_with_habitat() -> None:
    with pytest.raises(UsageError, match="habitat_gpu=-1 is not taken by simulator='embedded'"):
        gym.make("LangRearrange-v0", habitat_gpu=-1)


def test_state_and_text_need_no_habitat() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        env = gym.make("LangRearrange-v0", simulator="habitat", observation="text")
        env.reset(seed=0)
        env.close()


def test_a_fetch_is_shown_instead_of_our_arm(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, exported: Path
) -> None:
    (tmp_path / ROBOT).parent.mkdir(parents=True)
    (tmp_path / ROBOT).write_text("<robot/>")
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path / "cache"))
    recorder = Recorder()
    monkeypatch.setattr(simulator, "open_backend", lambda python, gpu: recorder)
    adapter, home = HabitatSimulator(habitat_data=tmp_path), household(FLAT)
    adapter.load(home.house, home.objects, home.start)
    [(rigid, articulated)] = recorder.loaded
    assert articulated[-1] == {**articulated[-1], "asset": str(tmp_path / ROBOT), "ids": {"": 2001}}
    assert not any("gripper" in item["asset"] for item in rigid)
    shown(adapter, home, home.state)
    near_sofa, _ = apply(home.layout, home.state, skill_index("nav(sofa)"))
    shown(adapter, home, near_sofa)
    [(index, pose)] = recorder.views[-1]["bases"]
    stance = home.house.stances["sofa"]
    assert index == len(articulated) - 1
    assert np.allclose([pose[0][3], pose[2][3]], [stance.x_mm / 1000, -stance.y_mm / 1000])
    joints = dict(recorder.views[-1]["joints"])[index]
    assert joints["shoulder_pan_link"] == pytest.approx(adapter.joints[0])


def test_the_first_one_here_is_in_this_process_and_one_beside_it_in_a_worker(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for name, source in (("magnum", MAGNUM), ("habitat_sim", HABITAT_SIM)):
        module = ModuleType(name)
        exec(source, module.__dict__)
        monkeypatch.setitem(sys.modules, name, module)
    monkeypatch.setattr(places, "find_spec", lambda name: object())
    started = []
    monkeypatch.setattr(places, "Worker", lambda python, gpu: started.append(python))
    first = places.open_backend(None, -1)
    assert isinstance(first, Local)
    places.open_backend(None, -1)
    assert started == [sys.executable]
    first.close()
    again = places.open_backend(None, -1)
    assert isinstance(again, Local)
    del again  # forgotten, not closed
    assert Local.possible()
    with monkeypatch.context() as elsewhere:
        elsewhere.setattr(Local, "_owner", os.getpid() + 1)  # as in a fork
        places.open_backend(None, -1)
    assert started == [sys.executable] * 2


def test_what_the_page_shows_first_plays(
    python: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path))
    page = Path(__file__).parents[2] / "docs" / "habitat.md"
    code = page.read_text().partition("```python\n")[2].partition("```")[0]
    shown = "~/miniconda3/envs/habitat/bin/python"
    assert shown in code
    exec(code.replace(shown, python), {})
