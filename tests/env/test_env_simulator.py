"""`simulator=` takes a name, `module:factory`, a factory or an object; mistakes are named."""

from __future__ import annotations

import copy
import json
import pickle
import sys
from types import ModuleType
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from bare_env import bare, spec_json

import langrearrange  # noqa: F401
from langrearrange.env import EnvConfig, LangRearrangeEnv
from langrearrange.errors import HabitatError, UsageError
from langrearrange.sim import SIMULATORS, make_simulator
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.sim.registry import check_choice
from langrearrange.testing import toy_episodes
from langrearrange.world import skill_index

TOY = toy_episodes()
ENV_ID = "LangRearrange-v0"


class Inverted(EmbeddedSimulator):
    """The embedded simulator in other colours, to be told apart by."""

    def __init__(self, camera: str = "default") -> None:
        super().__init__(camera)

    def render(self, camera: Any, frame: Any) -> None:
        super().render(camera, frame)
        if frame.rgb is not None:
            np.subtract(255, frame.rgb, out=frame.rgb)

    @staticmethod
    def render_batch(simulators: Any, frames: Any, cameras: Any = None, threads: int = 1) -> None:
        for simulator, frame in zip(simulators, frames, strict=True):
            simulator.render(simulator.head_camera(), frame)


def made(simulator: Any, **kwargs: Any) -> gym.Env[Any, Any]:
    return gym.make(
        ENV_ID, episodes=TOY, image_size=32, simulator=simulator, disable_env_checker=True, **kwargs
    )


def first(simulator: Any, **kwargs: Any) -> np.ndarray:
    env = made(simulator, **kwargs)
    observation, _ = env.reset()
    env.close()
    return np.asarray(observation["rgb"])


@pytest.mark.parametrize(
    "simulator",
    [f"{__name__}:Inverted", Inverted, lambda: Inverted(), Inverted()],
    ids=["text", "class", "function", "object"],
)
def test_every_way_to_name_a_simulator_draws_with_it(simulator: Any) -> None:
    assert np.array_equal(first(simulator), 255 - first("embedded"))


def test_a_registered_name_is_like_those_of_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(SIMULATORS, "inverted", f"{__name__}:Inverted")
    assert np.array_equal(first("inverted"), 255 - first("embedded"))
    with pytest.raises(UsageError, match="accepted: 'embedded', 'habitat', 'inverted'"):
        EnvConfig(simulator="unity")


def test_a_factory_gets_the_options_that_it_takes() -> None:
    habitat_like = first(Inverted, camera="habitat")
    assert np.array_equal(habitat_like, 255 - first("embedded", camera="habitat"))
    seen: dict[str, Any] = {}

    def factory(**options: Any) -> Inverted:
        seen.update(options)
        return Inverted()

    made(factory, habitat_gpu=3).close()
    assert seen == {
        "camera": "default", "habitat_python": None, "habitat_data": None, "habitat_gpu": 3,
    }  # fmt: skip
    with pytest.raises(UsageError, match="camera='habitat' is not taken by simulator=<function"):
        made(lambda: Inverted(), camera="habitat")


def test_the_vector_env_makes_one_a_row_and_refuses_an_object() -> None:
    envs = gym.make_vec(ENV_ID, num_envs=3, simulator=Inverted, episodes=TOY, image_size=32)
    observation, _ = envs.reset()
    envs.close()
    for row, episode in enumerate(TOY[:3]):
        env = made("embedded")
        single, _ = env.reset(options={"episode_id": episode.id})
        env.close()
        assert np.array_equal(observation["rgb"][row], 255 - single["rgb"])
    with pytest.raises(UsageError, match=r"holds one household and 3 envs need one each; pass"):
        gym.make_vec(ENV_ID, num_envs=3, simulator=Inverted(), episodes=TOY)
    with pytest.raises(UsageError, match=r"holds one household and 2 envs need one each"):
        gym.make_vec(ENV_ID, num_envs=2, simulator=Inverted(), episodes=TOY)
    gym.make_vec(ENV_ID, num_envs=1, simulator=Inverted(), episodes=TOY).close()


def test_a_simulator_object_is_neither_pickled_nor_stored() -> None:
    env = made(Inverted())
    env.reset()
    for keep in (pickle.dumps, copy.deepcopy):
        with pytest.raises(UsageError, match=r"lives in this process only.*'module:factory'"):
            keep(env.unwrapped)
    assert env.spec is not None
    with pytest.raises(UsageError, match=r"^simulator=<.*Inverted.*> lives in this process only"):
        spec_json(env)
    again = gym.make(env.spec)
    assert bare(again).config.simulator is bare(env).config.simulator


def test_a_class_or_function_of_a_module_survives_pickle_and_json() -> None:
    env = LangRearrangeEnv(episodes=TOY, image_size=32, simulator=Inverted)
    env.reset()
    env.step(skill_index("nav(sofa)"))
    clone = pickle.loads(pickle.dumps(env))  # noqa: S301 (our own bytes)
    assert np.array_equal(
        clone.step(skill_index("nav(sink)"))[0]["rgb"], env.step(skill_index("nav(sink)"))[0]["rgb"]
    )
    made_env = gym.make(ENV_ID, simulator=Inverted, image_size=32)
    assert made_env.spec is not None
    text = spec_json(made_env)
    assert json.loads(text)["kwargs"]["simulator"] == f"{__name__}:Inverted"
    gym.make(gym.envs.registration.EnvSpec.from_json(text)).reset(seed=0)


def test_a_function_without_a_module_name_is_refused_as_json_only() -> None:
    env = gym.make(ENV_ID, simulator=lambda: Inverted(), image_size=32)
    env.reset(seed=0)
    assert env.spec is not None
    with pytest.raises(UsageError, match="cannot be stored as text; define it in a module"):
        spec_json(env)


def broken_factory() -> Inverted:
    raise RuntimeError("no licence")


@pytest.mark.parametrize(
    ("simulator", "message"),
    [
        ("unity", r"simulator='unity'; accepted: 'embedded', 'habitat', 'module:factory'$"),
        ("habitatt", "did you mean 'habitat'"),
        (7, r"simulator=7 is not a name .* it lacks load, show, head_camera, joints, render"),
        ("nowhere:Simulator", "simulator 'nowhere:Simulator': importing 'nowhere' failed"),
        (f"{__name__}:Missing", "has no class 'Missing'; its classes: .*Inverted"),
        (broken_factory, r"could not be made: RuntimeError: no licence. It is called with those"),
        (
            lambda: 3,
            r"returned an object of type int, which lacks load, show, .* subclass it, or define",
        ),
        (lambda: EmbeddedSimulator, r"of type \w*, which lacks load"),
    ],
)
def test_mistakes_are_one_sentence(simulator: Any, message: str) -> None:
    with pytest.raises(UsageError, match=message) as caught:
        first(simulator)
    assert "\n" not in str(caught.value)


def test_a_factory_s_own_errors_are_passed_on() -> None:
    def factory() -> Inverted:
        raise HabitatError("the worker ended")

    with pytest.raises(HabitatError, match=r"^the worker ended$"):
        make_simulator(factory, {})


def test_symbolic_observations_import_no_simulator(monkeypatch: pytest.MonkeyPatch) -> None:
    module = ModuleType("hungry")
    monkeypatch.setitem(sys.modules, "hungry", module)
    env = made("hungry:Missing", observation="state")
    env.reset()
    env.close()
    with pytest.raises(UsageError, match="has no class"):
        check_choice("hungry:Missing", {"habitat_gpu": 0})
