"""Spaces, ranges and seeds of the env, number by number: they are fixed within v0."""

from __future__ import annotations

import itertools
import math
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from gymnasium import spaces
from msgspec.structs import replace

from langrearrange.dataset import Episode, Start
from langrearrange.env import EnvConfig, InstructionText, Observations
from langrearrange.env.actions import check_action, check_actions, read_answer
from langrearrange.env.episodes import open_episodes
from langrearrange.errors import ActionError, UsageError
from langrearrange.houses import get_house
from langrearrange.testing import toy_episodes
from langrearrange.world import skill_index

TOY = toy_episodes()


def make(**kwargs: Any) -> gym.Env[Any, Any]:
    options = {"episodes": TOY, "observation": "state", **kwargs}
    return gym.make("LangRearrange-v0", **options)


# -- spaces ----------------------------------------------------------------------------------------


def bounds(space: spaces.Space[Any]) -> tuple[float, float, tuple[int, ...], type]:
    assert isinstance(space, spaces.Box)
    assert space.dtype is not None
    return float(space.low.min()), float(space.high.max()), space.shape, space.dtype.type


def test_the_spaces_of_rgb_and_its_extras() -> None:
    config = EnvConfig(
        image_size=24, extras=("depth", "segmentation", "action_mask"), feedback=True
    )
    space = Observations(config).space
    pi = float(np.float32(np.pi))
    assert bounds(space["rgb"]) == (0, 255, (24, 24, 3), np.uint8)
    assert bounds(space["joints"]) == (-pi, pi, (7,), np.float32)
    assert bounds(space["depth"]) == (0, 100, (24, 24, 1), np.float32)
    assert bounds(space["holding"]) == (0, 1, (1,), np.int8)
    assert bounds(space["segmentation"]) == (-1, 2**31 - 1, (24, 24), np.int32)
    assert bounds(space["action_mask"]) == (0, 1, (70,), np.int8)
    pose = space["pose"]
    assert isinstance(pose, spaces.Box)
    assert pose.low.tolist() == [-50, -50, -pi]
    assert pose.high.tolist() == [50, 50, pi]
    for name in ("instruction", "feedback"):
        words = space[name]
        assert isinstance(words, InstructionText)
        assert words.max_length == 256


def test_the_spaces_of_state_and_text() -> None:
    space = Observations(EnvConfig(observation="state")).space
    found = {name: bounds(space[name]) for name in space if name != "instruction"}
    assert found == {
        "place": (0, 1, (17,), np.int8),
        "held": (0, 1, (34,), np.int8),
        "visible": (0, 64, (33,), np.int8),
        "openables": (-1, 1, (5,), np.int8),
        "outcome": (0, 1, (9,), np.int8),
    }
    words = Observations(EnvConfig(observation="text")).space["text"]
    assert isinstance(words, InstructionText)
    assert (words.max_length, words.newlines) == (8192, True)
    assert "a\nb" in words
    assert "a\tb" not in words
    assert "x" * 8192 in words
    assert "x" * 8193 not in words


def test_the_hard_variant_masks_71_actions() -> None:
    hard = gym.make("LangRearrangeHard-v0", episodes=TOY, observation="state",
                    extras=("action_mask",))  # fmt: skip
    seen, _ = hard.reset()
    assert seen["action_mask"].shape == (71,)
    assert seen["action_mask"][70] == 1, "stop is always possible"
    assert seen["action_mask"][:16].all(), "and so is driving"
    assert not seen["action_mask"][16:70].any(), "at the start nothing is in reach"


# -- ranges ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "low", "high"),
    [
        ("image_size", 16, 2048),
        ("variants", 0, 999_999),
        ("num_envs", 1, 10**6),
        ("threads", 1, 256),
        ("horizon", 1, 10**9),
    ],
)
def test_a_number_is_accepted_within_its_range_only(name: str, low: int, high: int) -> None:

    def config(value: Any) -> EnvConfig:
        arguments: dict[str, Any] = {"observation": "state", name: value}
        return EnvConfig(**arguments)

    for value in (low, high):
        assert getattr(config(value), name) == value
    for wrong in (low - 1, True, float(low), str(low)):
        with pytest.raises(UsageError, match=f"{name}="):
            config(wrong)
    if name != "horizon":
        with pytest.raises(UsageError, match=f"{name}={high + 1}; accepted: an int in {low}"):
            config(high + 1)


@pytest.mark.parametrize(
    ("kwargs", "mode", "fresh"),
    [
        ({"split": "train"}, "weighted", True),
        ({"split": "train_mini"}, "weighted", True),
        ({"split": "train_mini", "variants": 0}, "weighted", False),
        ({"split": "train_mini", "sampling": "uniform"}, "uniform", True),
        ({"split": "validation"}, "sequential", False),
        ({"split": "context"}, "sequential", False),
        ({"episodes": TOY}, "sequential", False),
        ({"episodes": TOY, "sampling": "weighted"}, "weighted", False),
    ],
)
def test_the_order_follows_from_what_is_played(
    kwargs: dict[str, Any], mode: str, fresh: bool
) -> None:
    config = EnvConfig(observation="state", **kwargs)
    assert (config.sampling_mode, config.fresh_variants) == (mode, fresh)


def test_only_training_splits_are_played_in_another_order() -> None:
    for sampling in ("weighted", "uniform"):
        with pytest.raises(UsageError, match="always played in file order"):
            EnvConfig(observation="state", split="context", sampling=sampling)
        EnvConfig(observation="state", split="context", episodes=TOY, sampling=sampling)
    EnvConfig(observation="state", split="context", sampling="sequential")


@pytest.mark.parametrize(
    ("kwargs", "message"),
    [
        ({"habitat_gpu": 0}, "habitat_gpu=0 is not taken by simulator='embedded'"),
        ({"habitat_python": "python"}, "habitat_python='python' is not taken"),
        ({"simulator": "habitat", "habitat_gpu": "0"}, "accepted: the index of a GPU"),
        ({"simulator": "habitat", "habitat_gpu": True}, "accepted: the index of a GPU"),
        (
            {"simulator": "habitat", "habitat_gpu": -7},
            "habitat_gpu=-7; accepted: the index of a GPU",
        ),
        ({"simulator": "habitat", "habitat_data": 3}, "accepted: the path of a folder"),
        ({"observation": "state", "feedback": True}, "feedback=True goes with observation='rgb'"),
        ({"feedback": 1}, "feedback=1; accepted: True, False"),
        ({"copy": 0}, "copy=0; accepted: True, False"),
        ({"extras": "depth"}, r"accepted: a tuple such as \('depth',\)"),
        ({"extras": ("deepth",)}, "accepted: depth, segmentation, action_mask"),
    ],
)
def test_arguments_that_contradict_each_other_are_refused(
    kwargs: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        EnvConfig(**kwargs)


# -- actions ---------------------------------------------------------------------------------------


def test_an_action_in_words_is_refused_with_its_number() -> None:
    for words in ("nav(sofa)", "go to the sofa"):
        with pytest.raises(ActionError, match=r"pass 12, which is langrearrange\.world\.parse_act"):
            check_action(words, 70)
        assert read_answer(words, 70) == 12
    with pytest.raises(ActionError, match=r"'go to the sofaa' is not an action; did you mean"):
        check_action("go to the sofaa", 70)


@pytest.mark.parametrize("num_actions", [70, 71])
def test_an_answer_is_read_like_an_action_or_as_words(num_actions: int) -> None:
    assert read_answer(np.int64(3), num_actions) == 3
    with pytest.raises(ActionError, match="True"):
        read_answer(True, num_actions)
    if num_actions == 71:
        assert read_answer("Stop.", 71) == 70
    else:
        with pytest.raises(ActionError, match="70 is out of range"):
            read_answer("stop", 70)


@pytest.mark.parametrize("num_actions", [70, 71])
def test_the_last_action_is_accepted_and_the_next_is_not(num_actions: int) -> None:
    last = num_actions - 1
    accepted: list[Any] = [0, last, np.int8(last), np.uint64(0), np.array(last), np.array(0, "u1")]
    for action in accepted:
        checked = check_action(action, num_actions)
        assert checked == int(action)
        assert type(checked) is int
    refused: list[Any] = [-1, num_actions, np.int64(-1), np.array([1]), np.bool_(True), True, "0"]
    for action in refused:
        with pytest.raises(ActionError):
            check_action(action, num_actions)
    words = f"0..{last}" + (" (70 is stop)" if num_actions == 71 else "")
    with pytest.raises(ActionError, match=words.replace("(", r"\(").replace(")", r"\)")):
        check_action(num_actions, num_actions)


def test_batches_are_integer_arrays_or_sequences_of_actions() -> None:
    assert check_actions(np.array([0, 69]), 2, 70) == [0, 69]
    assert check_actions(np.array([0, 69], np.uint8), 2, 70) == [0, 69]
    assert check_actions([np.int64(3), 4], 2, 70) == [3, 4]
    refused: list[tuple[Any, str]] = [
        (np.array([0, 70]), "env 1: action 70"),
        (np.array([-1, 0]), "env 0: action -1"),
        (np.array([0.0, 1.0]), "env 0"),
        (np.array([True, False]), "env 0"),
        (np.array([0]), "1 actions for 2 envs"),
        ([0, 1, 2], "3 actions for 2 envs"),
        (3, r"accepted: an integer array of shape \(2,\)"),
        (np.array(3), r"accepted: an integer array of shape \(2,\)"),
    ]
    for actions, message in refused:
        with pytest.raises(ActionError, match=message):
            check_actions(actions, 2, 70)


# -- seeds, poses, chosen episodes -----------------------------------------------------------------


def orders(generator_seed: int) -> list[str]:
    """The first episodes of an env whose generator was set from outside, so its seed is unknown."""
    env = make(sampling="uniform").unwrapped
    env.np_random = np.random.default_rng(generator_seed)
    assert env.np_random_seed == -1
    return [env.reset()[1]["episode_id"] for _ in range(6)]


def test_without_a_known_seed_the_order_follows_from_the_generator() -> None:
    assert orders(5) == orders(5)
    assert len({tuple(orders(seed)) for seed in range(8)}) > 5


def test_seed_zero_is_a_seed() -> None:
    first = [make(sampling="uniform").reset(seed=0)[1]["episode_id"] for _ in range(2)]
    assert first[0] == first[1]


def test_poses_are_told_from_the_start_of_the_episode_being_played() -> None:
    """The second episode begins elsewhere, so the same stance has another pose."""
    starts = [Start(x=1000, y=1000, yaw=0), Start(x=1500, y=1200, yaw=1571)]
    episodes: list[Episode] = [
        replace(TOY[0], id=f"toy/{i:06d}", start=start) for i, start in enumerate(starts)
    ]
    env = gym.make("LangRearrange-v0", episodes=episodes, observation="rgb", image_size=16)
    stance = get_house(TOY[0].house).stances["sofa"]
    poses = []
    for start in starts:
        seen, _ = env.reset()
        assert seen["pose"].tolist() == [0, 0, 0]
        for _ in range(2):  # the second time from memory
            pose = env.step(skill_index("nav(sofa)"))[0]["pose"]
            dx, dy = (stance.x_mm - start.x) / 1000, (stance.y_mm - start.y) / 1000
            turn = start.yaw / 1000
            expected = (
                math.cos(turn) * dx + math.sin(turn) * dy,
                math.cos(turn) * dy - math.sin(turn) * dx,
            )
            assert pose[:2] == pytest.approx(expected, abs=1e-5)
            yaw = stance.yaw_mrad / 1000 - turn
            assert math.cos(float(pose[2]) - yaw) == pytest.approx(1, abs=1e-6)
        poses.append(pose)
    assert not np.allclose(*poses)
    env.close()


def test_chosen_ids_of_several_splits_keep_order_variants_and_templates() -> None:
    ids = ["context/000003", "train/000002#4", "context/000001", "train/000002"]
    chosen = open_episodes("train_mini", ids)
    assert chosen.split == "context+train"
    assert [chosen.id_at(i) for i in range(len(chosen))] == ids
    for position, name in enumerate(ids):
        found = chosen.get(position)
        assert found.id == name
        assert chosen.template_at(position) == found.template
        assert chosen.index_of(name) == position
    assert chosen.get(1, 2).id == "train/000002#2", "another variant may be asked for"
    assert open_episodes("train_mini", "train/000002#4").get(0).id == "train/000002#4"


def test_what_happens_at_each_step_is_told_by_the_info() -> None:
    env = make()
    episode = TOY[0]
    _, info = env.reset(options={"episode_id": episode.id})
    keys = set(info)
    assert (info["outcome"], info["steps"], info["success"]) == ("none", 0, False)
    assert info["num_subgoals"] == len(episode.subgoals)
    reached = [info["subgoals_reached"]]
    for step, skill in enumerate(episode.plan, start=1):
        *_, info = env.step(skill_index(skill))
        assert set(info) == keys
        assert (info["outcome"], info["steps"], info["template"]) == ("ok", step, episode.template)
        reached.append(info["subgoals_reached"])
    assert info["success"]
    assert reached[0] == 0
    assert reached[-1] == len(episode.subgoals)
    assert all(b - a in (0, 1) for a, b in itertools.pairwise(reached))
