"""Real episodes through the env: plans succeed in every mode, orders and ids, written data sets."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from bare_env import bare, spec_json

import langrearrange  # noqa: F401
from langrearrange.dataset import write_dataset
from langrearrange.errors import DatasetError
from langrearrange.generator import open_split
from langrearrange.testing import check_env
from langrearrange.world import skill_index
from langrearrange.world.vocabulary import SPLITS

ID = "LangRearrange-v0"


def play_plan(env: gym.Env[Any, Any], **first: Any) -> dict[str, Any]:
    """Play the stored plan of the next episode; return its last info, ends and ids checked."""
    _, info = env.reset(**first)
    plan = bare(env).episode.plan
    for number, skill in enumerate(plan, 1):
        _, _, terminated, truncated, info = env.step(skill_index(skill))
        assert (terminated, truncated) == (number == len(plan), False)
    assert info["success"]
    assert info["subgoals_reached"] == info["num_subgoals"]
    return info


@pytest.mark.parametrize("observation", ["rgb", "state", "text"])
def test_the_oracle_succeeds_on_fresh_training_episodes_in_every_mode(observation: str) -> None:
    env = gym.make(ID, observation=observation, image_size=32)
    count = 2 if observation == "rgb" else 7  # a flat's meshes are made at its first visit
    infos = [play_plan(env, seed=5)] + [play_plan(env) for _ in range(count)]
    assert all("#" in info["episode_id"] for info in infos)
    assert len({info["template"] for info in infos}) > 1
    env.close()


@pytest.mark.slow
@pytest.mark.parametrize("split", [s for s in SPLITS if s != "train"])
def test_the_oracle_succeeds_on_every_episode_of_a_split(split: str) -> None:
    env = gym.make(ID, split=split, observation="state", variants=0, sampling="sequential")
    names = [play_plan(env)["episode_id"] for _ in range(len(open_split(split)))]
    assert len(set(names)) == len(names)
    hard = gym.make("LangRearrangeHard-v0", split=split, observation="state", sampling="sequential")
    for _ in names[:50]:
        hard.reset()
        for skill in bare(hard).episode.plan:
            assert not hard.step(skill_index(skill))[2]
        assert hard.step(70)[4]["success"]


def test_variants_zero_plays_the_published_episode_and_k_that_variant() -> None:
    for variants, suffix in ((0, ""), (3, "#3")):
        env = gym.make(ID, observation="state", variants=variants)
        for _ in range(3):
            name = env.reset(seed=None)[1]["episode_id"]
            assert name.partition("#")[1] + name.partition("#")[2] == suffix


def test_an_id_with_a_variant_can_be_asked_for_and_given() -> None:
    env = gym.make(ID, observation="state")
    published = open_split("train_mini").id_at(0)
    _, info = env.reset(seed=0, options={"episode_id": f"{published}#2"})
    assert info["episode_id"] == f"{published}#2"
    with pytest.raises(DatasetError, match="train/999999"):
        env.reset(options={"episode_id": "train/999999"})
    chosen = gym.make(ID, observation="state", episodes=[f"{published}#2", published])
    assert chosen.reset(seed=1)[1]["episode_id"] == f"{published}#2"
    assert bare(chosen).world == bare(chosen).episode.initial_state()
    assert chosen.reset()[1]["episode_id"] == published


def test_evaluation_splits_go_in_file_order() -> None:
    source = open_split("validation")
    names = [source.id_at(i) for i in range(4)]
    env = gym.make(ID, split="validation", observation="state")
    assert [env.reset(seed=8)[1]["episode_id"]] + [
        env.reset()[1]["episode_id"] for _ in range(3)
    ] == names
    vector = gym.make_vec(ID, num_envs=4, split="validation", observation="state")
    assert list(vector.reset(seed=3)[1]["episode_id"]) == names


def test_a_written_data_set_is_played_by_its_path(tmp_path: Path) -> None:
    source = open_split("train_mini")
    episodes = sorted((source.get(i) for i in range(0, 60, 10)), key=lambda e: (e.template, e.id))
    folder = tmp_path / "own"
    write_dataset(folder, episodes)
    for path in (folder, str(folder)):
        env = gym.make(ID, episodes=path, observation="state")
        names = [env.reset(seed=2)[1]["episode_id"] for _ in range(1)]
        names += [env.reset()[1]["episode_id"] for _ in range(5)]
        assert sorted(names) == sorted(episode.id for episode in episodes)
        assert '"episodes": "' in spec_json(env)
    shuffled = gym.make(ID, episodes=str(folder), observation="state", sampling="uniform")
    assert {shuffled.reset()[1]["episode_id"] for _ in range(6)} == set(names)


def test_the_public_check_passes_on_training_data() -> None:
    check_env(gym.make(ID, observation="state"), num_episodes=4)


def resident_mib() -> float:
    pages = int(Path("/proc/self/statm").read_text().split()[1])
    return pages * 4096 / 2**20


@pytest.mark.slow
@pytest.mark.parametrize("observation", ["state", "rgb"])
def test_memory_stays_flat_over_2000_resets(observation: str) -> None:
    env = gym.make(ID, observation=observation, image_size=64)
    env.reset(seed=0)
    rng = np.random.default_rng(0)

    def resets(count: int) -> float:
        for _ in range(count):
            env.reset()
            env.step(int(rng.integers(70)))
        return resident_mib()

    warm = resets(500)  # by then nearly all flats were visited; they are kept
    assert resets(2000) - warm < 16
