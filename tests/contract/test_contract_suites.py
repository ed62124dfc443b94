"""The public checks pass on our own parts and find planted faults in others'."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from importlib.util import find_spec
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from numpy.typing import NDArray

from langrearrange.agents import BUNDLED, Observation, load_agent, load_rows
from langrearrange.env import LangRearrangeEnv
from langrearrange.habitat import PYTHON_VARIABLE, HabitatSimulator
from langrearrange.sim import Camera, Frame, Simulator
from langrearrange.sim.embedded import EmbeddedSimulator
from langrearrange.testing import (
    CheckError,
    check_agent,
    check_env,
    check_simulator,
    toy_episodes,
)
from langrearrange.world import WorldState

NEEDS_HABITAT = [
    pytest.mark.habitat,
    pytest.mark.skipif(
        find_spec("habitat_sim") is None and not os.environ.get(PYTHON_VARIABLE),
        reason=f"no habitat_sim here, and {PYTHON_VARIABLE} names no Python that has one",
    ),
]
TOY = toy_episodes()
IDS = ("LangRearrange-v0", "LangRearrangeHard-v0")


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize(
    "kwargs",
    [{"observation": "rgb", "image_size": 32}, {"observation": "state"}, {"observation": "text"}],
    ids=lambda kwargs: kwargs["observation"],
)
def test_our_envs_keep_the_contract(env_id: str, kwargs: dict[str, Any]) -> None:
    check_env(gym.make(env_id, episodes=TOY, **kwargs), num_episodes=6)


def habitat_simulator() -> HabitatSimulator:
    return HabitatSimulator(habitat_gpu=-1)


@pytest.mark.parametrize(
    "simulator",
    [EmbeddedSimulator, pytest.param(habitat_simulator, marks=NEEDS_HABITAT)],
    ids=["embedded", "habitat"],
)
def test_our_simulators_keep_the_contract(simulator: Callable[[], Simulator]) -> None:
    check_simulator(simulator)


@pytest.mark.parametrize("name", BUNDLED)
@pytest.mark.parametrize("hard", [False, True])
def test_the_bundled_agents_keep_the_contract(name: str, hard: bool) -> None:
    check_agent(load_agent(name), hard=hard)
    check_agent(load_rows(name), hard=hard)


class Deaf(LangRearrangeEnv):
    def step(
        self, action: bool | int | np.int64
    ) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        return super().step(int(action))


class Forgetful(LangRearrangeEnv):
    def restore_state(self, saved: Mapping[str, Any]) -> tuple[Observation, dict[str, Any]]:
        return super().restore_state({**saved, "order": saved["order"]} | {"progress": self.zero})

    def reset(
        self, *, seed: int | None = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, dict[str, Any]]:
        told = super().reset(seed=seed, options=options)
        self.zero = self.save_state()["progress"]
        return told


class Idle(LangRearrangeEnv):
    def step(self, action: int | np.int64) -> tuple[Observation, float, bool, bool, dict[str, Any]]:
        told = super().step(action)
        self.task.state = self.task.state._replace(place=0)
        return told


@pytest.mark.parametrize(
    ("env_class", "message"),
    [
        (Deaf, r"step\(True\) was taken"),
        (Forgetful, "after restore_state"),
        (Idle, "world.place is 0, replaying"),
    ],
)
def test_a_broken_env_is_found(env_class: type[LangRearrangeEnv], message: str) -> None:
    with pytest.raises(CheckError, match=message):
        check_env(env_class(episodes=TOY, observation="state"), skip_render_check=True)


def test_another_env_is_told_apart() -> None:
    with pytest.raises(CheckError, match="is not a LangRearrangeEnv"):
        check_env(gym.make("CartPole-v1"))


class Holes(EmbeddedSimulator):
    def render(self, camera: Camera, frame: Frame) -> None:
        kept = None if frame.rgb is None else frame.rgb[0].copy()
        super().render(camera, frame)
        if frame.rgb is not None and kept is not None:
            frame.rgb[0] = kept


class Stuck(EmbeddedSimulator):
    def show(self, state: WorldState) -> None:
        super().show(state._replace(open_mask=31))


class Remembers(EmbeddedSimulator):
    shown = 0

    def show(self, state: WorldState) -> None:
        super().show(state)
        self.shown += 1

    def render(self, camera: Camera, frame: Frame) -> None:
        super().render(camera, frame)
        if frame.rgb is not None:
            frame.rgb[0, 0] = self.shown


class Numb(EmbeddedSimulator):
    joints = (0.0,) * 7  # type: ignore[assignment]  # the fault


class Restless(EmbeddedSimulator):
    shown = 0

    def show(self, state: WorldState) -> None:
        super().show(state)
        self.shown += 1

    @property
    def joints(self) -> NDArray[np.float32]:
        return super().joints + np.float32(self.shown / 100_000)


class Rigid(EmbeddedSimulator):
    joints = np.zeros(7, np.float32)


class Still(EmbeddedSimulator):
    """Shows the first state for ever, with a camera of its own."""

    def show(self, state: WorldState) -> None:
        super().show(state._replace(place=0, open_mask=0))

    def head_camera(self) -> Camera:
        return replace(super().head_camera(), hfov_deg=50.0)

    def render(self, camera: Camera, frame: Frame) -> None:
        super().render(camera, frame)
        for buffer, value in ((frame.rgb, 9), (frame.depth, 0), (frame.segmentation, -1)):
            if buffer is not None:
                buffer[...] = value


class Careless(EmbeddedSimulator):
    @staticmethod
    def render_batch(
        simulators: Sequence[Any],
        frames: Sequence[Frame],
        cameras: Sequence[Camera] | None = None,
        threads: int = 1,
    ) -> None:
        EmbeddedSimulator.render_batch(simulators[::-1], frames, cameras, threads)


class Squinting(EmbeddedSimulator):
    """Says that it has the usual camera and draws through a narrower one."""

    def render(self, camera: Camera, frame: Frame) -> None:
        super().render(replace(camera, hfov_deg=40.0), frame)


@pytest.mark.parametrize(
    ("simulator", "message"),
    [
        (Holes, "not every pixel"),
        (Stuck, "seen inside a closed container|pixels differ from the reference"),
        (Remembers, "depends on what was shown before"),
        (Numb, r"expected \(7,\) float32"),
        (Restless, "joints depends on what was shown before"),
        (Rigid, "the joints are .* the reference's"),
        (Still, "the picture is the same in all 5 states"),
        (Careless, "rgb drawn by render_batch differs"),
        (Squinting, "pixels differ from the reference"),
        (object, "lacks load, show, head_camera, joints, render, render_batch, close of"),
        (lambda: EmbeddedSimulator, "lacks load"),
    ],
)
def test_a_broken_simulator_is_found(simulator: Callable[[], Simulator], message: str) -> None:
    with pytest.raises(CheckError, match=message):
        check_simulator(simulator)


def test_another_camera_is_compared_only_with_a_given_reference() -> None:
    check_simulator(lambda: EmbeddedSimulator("habitat"))
    with pytest.raises(CheckError, match="head camera differs from the reference's"):
        check_simulator(lambda: EmbeddedSimulator("habitat"), reference=EmbeddedSimulator)


def agent(**methods: object) -> object:
    defaults = {"modality": "state", "reset": lambda self, instruction: None}
    return type("Agent", (), {**defaults, **methods})()


def scribble(self: object, observation: dict[str, Any]) -> int:
    observation["visible"][:] = 1
    return 0


@pytest.mark.parametrize(
    ("methods", "message"),
    [
        ({"modality": "pixels"}, "modality is 'pixels'; set it to one of rgb"),
        ({}, "has neither"),
        ({"act": lambda self, o: True}, r"returned True \(bool\)"),
        ({"act": lambda self, o: 70}, "returned 70"),
        ({"act": lambda self, o: "3"}, "returned '3'"),
        ({"act": scribble}, "changed the field 'visible'"),
        (
            {"reset_rows": lambda self, r, i: None, "act_rows": lambda self, r, o: [0] * len(r)},
            "returned list for 3 rows; expected a numpy array",
        ),
        (
            {
                "reset_rows": lambda self, r, i: None,
                "act_rows": lambda self, r, o: np.zeros(6, np.int64),
            },
            r"returned shape \(6,\)",
        ),
    ],
)
def test_a_broken_agent_is_found(methods: dict[str, Any], message: str) -> None:
    with pytest.raises(CheckError, match=message):
        check_agent(agent(**methods))
