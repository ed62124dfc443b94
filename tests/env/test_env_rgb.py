"""The rgb observation and render(): fields, poses, extras, one picture for one moment."""

from __future__ import annotations

import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from bare_env import bare
from gymnasium.utils.env_checker import check_env, data_equivalence
from hypothesis import given
from hypothesis import strategies as st

from langrearrange.env import Task
from langrearrange.env.picture import HEIGHT, WIDTH, Picture, draw_map
from langrearrange.env.rgb_observation import relative_pose
from langrearrange.env.spaces import NUM_JOINTS
from langrearrange.houses import Pose2D
from langrearrange.sim import NUM_JOINTS as SIM_JOINTS
from langrearrange.sim import SEGMENT_PART, SEGMENT_ROBOT
from langrearrange.testing import toy_episodes
from langrearrange.world import skill_index
from langrearrange.world.vocabulary import NAV_TARGETS

TOY = toy_episodes()
IDS = ("LangRearrange-v0", "LangRearrangeHard-v0")
SMALL: dict[str, Any] = {"episodes": TOY, "observation": "rgb", "image_size": 48}
EXTRAS = ("depth", "segmentation", "action_mask")


def make(env_id: str = IDS[0], **kwargs: Any) -> gym.Env[Any, Any]:
    return gym.make(env_id, **{**SMALL, **kwargs})


@pytest.mark.parametrize("env_id", IDS)
@pytest.mark.parametrize(
    "kwargs",
    [{}, {"feedback": True}, {"extras": EXTRAS}, {"camera": "habitat"}],
    ids=["rgb", "feedback", "extras", "habitat-camera"],
)
def test_gymnasium_has_nothing_to_say_against_it(env_id: str, kwargs: dict[str, Any]) -> None:
    env = make(env_id, **kwargs)
    check_env(env.unwrapped)  # renders too
    env.reset(seed=1)
    env.step(5)
    env.close()


def spaces_of(env: gym.Env[Any, Any]) -> gym.spaces.Dict:
    assert isinstance(env.observation_space, gym.spaces.Dict)
    return env.observation_space


def test_rgb_tells_pictures_body_and_sentence_and_nothing_else() -> None:
    fields = {"instruction", "rgb", "joints", "holding", "pose"}
    assert set(spaces_of(make())) == fields
    assert set(spaces_of(make(feedback=True))) == fields | {"feedback"}
    assert spaces_of(gym.make(IDS[0], episodes=TOY))["rgb"].shape == (256, 256, 3)
    assert NUM_JOINTS == SIM_JOINTS


def test_feedback_is_the_sentence_of_the_last_outcome() -> None:
    env = make(feedback=True)
    assert env.reset()[0]["feedback"] == "The episode begins."
    told = env.step(skill_index("pick(apple)"))[0]["feedback"]
    assert told == "You could not pick up an apple: you cannot reach one from here."


def test_the_body_is_felt() -> None:
    env = make()
    seen, _ = env.reset(options={"episode_id": "toy/000000"})
    assert not seen["holding"][0]
    np.testing.assert_array_equal(seen["pose"], np.zeros(3, np.float32))
    free = env.step(skill_index("nav(sofa)"))[0]
    full = env.step(skill_index("pick(apple)"))[0]
    assert full["holding"][0] == 1
    assert not np.array_equal(free["joints"], full["joints"])
    np.testing.assert_array_equal(free["pose"], full["pose"])


COORDINATES = st.integers(0, 12_000)
YAWS = st.integers(-3142, 3142)


@given(COORDINATES, COORDINATES, YAWS, COORDINATES, COORDINATES, YAWS)
def test_a_relative_pose_leads_from_the_start_back_to_the_pose(
    x: int, y: int, yaw: int, x0: int, y0: int, yaw0: int
) -> None:
    ahead, left, turn = relative_pose(Pose2D(x, y, yaw), Pose2D(x0, y0, yaw0))
    angle = yaw0 / 1000
    assert x0 / 1000 + ahead * math.cos(angle) - left * math.sin(angle) == pytest.approx(x / 1000)
    assert y0 / 1000 + ahead * math.sin(angle) + left * math.cos(angle) == pytest.approx(y / 1000)
    assert math.cos(angle + turn - yaw / 1000) == pytest.approx(1)
    assert -np.float32(np.pi) <= np.float32(turn) < np.float32(np.pi)


def test_a_saved_env_shows_the_same_picture_again() -> None:
    env = make()
    env.reset(options={"episode_id": "toy/000002"})
    for skill in TOY[2].plan[:3]:
        seen = env.step(skill_index(skill))[0]
    saved = bare(env).save_state()
    other = make()
    other.reset(seed=4)
    assert data_equivalence(bare(other).restore_state(saved)[0], seen, exact=True)


def test_extras_agree_with_the_picture_and_the_world() -> None:
    env = make(extras=EXTRAS, image_size=128)
    env.reset(options={"episode_id": "toy/000000"})
    seen = env.step(skill_index("nav(sofa)"))[0]
    values = set(np.unique(seen["segmentation"]).tolist())
    assert values & {0, 2} == {0, 2}  # apple and ball lie on the sofa
    assert not values & {1, 3}  # the mug on the chair, the apple in the drawer
    assert SEGMENT_ROBOT in values
    assert any(SEGMENT_PART <= value < SEGMENT_ROBOT for value in values)
    ball = seen["depth"][seen["segmentation"] == 2]
    assert 0.3 < ball.min() <= ball.max() < 3
    assert seen["action_mask"][skill_index("pick(ball)")] == 1
    assert seen["action_mask"][skill_index("pick(mug)")] == 0
    assert seen["action_mask"].sum() == len(NAV_TARGETS) + 2


@pytest.mark.parametrize("mode", ["NextStep", "SameStep"])
@pytest.mark.parametrize("threads", [1, 2])
def test_the_vector_env_draws_the_bytes_of_single_envs(mode: str, threads: int) -> None:
    kwargs = SMALL | {"num_envs": 3, "sampling": "uniform", "horizon": 4, "extras": EXTRAS}
    ours = gym.make_vec(IDS[0], autoreset_mode=mode, threads=threads, **kwargs)
    theirs = gym.make_vec(
        IDS[0], vectorization_mode="sync", vector_kwargs={"autoreset_mode": mode}, **kwargs
    )
    assert data_equivalence(ours.reset(seed=2), theirs.reset(seed=2), exact=True)
    rng = np.random.default_rng(0)
    for _ in range(11):
        actions = rng.integers(0, 70, 3)
        told = ours.step(actions)
        assert data_equivalence(told, theirs.step(actions), exact=True)
        assert told[0] in ours.observation_space


def test_only_copy_false_hands_out_the_same_pictures_again() -> None:
    for copy in (True, False):
        env = gym.make_vec(IDS[0], num_envs=2, copy=copy, **SMALL)
        first, _ = env.reset(seed=0)
        second = env.step(np.array([5, 6]))[0]
        assert np.shares_memory(first["rgb"], second["rgb"]) is not copy
        assert not np.shares_memory(first["pose"], second["pose"])


def test_render_shows_camera_map_and_sentence_and_follows_the_episode() -> None:
    env = make(observation="state", render_mode="rgb_array")
    pictures: list[Any] = []
    for episode_id in ("toy/000000", "toy/000002"):
        env.reset(options={"episode_id": episode_id})
        pictures.append(env.render())
        env.step(skill_index("nav(sofa)"))
        pictures.append(env.render())
    assert all(p.shape == (HEIGHT, WIDTH, 3) and p.dtype == np.uint8 for p in pictures)
    assert len({p.tobytes() for p in pictures}) == 4
    vector = gym.make_vec(IDS[0], num_envs=2, **{**SMALL, "render_mode": "rgb_array"})
    vector.reset(seed=0)
    assert len(vector.render() or ()) == 2


def test_gymnasium_collects_the_pictures_of_an_episode() -> None:
    env = make(observation="state", render_mode="rgb_array_list")
    env.reset()
    env.step(5)
    env.step(6)
    shown = env.render()
    assert isinstance(shown, list)
    assert len(shown) == 3


def test_the_map_shows_hidden_things_as_rings_and_the_sentence_always_fits() -> None:
    task = Task(TOY[2])
    shut = np.array(draw_map(task))
    for skill in ("nav(fridge)", "open(fridge)"):
        task.step(skill_index(skill))
    assert not np.array_equal(shut, np.array(draw_map(task)))
    import msgspec

    long = msgspec.structs.replace(TOY[0], instruction=("word " * 51).strip())
    picture = Picture(bare(make()).config)
    assert picture.draw(Task(long)).shape == (HEIGHT, WIDTH, 3)
    picture.close()
    picture.close()
