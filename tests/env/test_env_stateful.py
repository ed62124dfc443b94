"""Whatever one does to an env, its world is what the reference reads the skills to give."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

import gymnasium as gym
import numpy as np
import pytest
from bare_env import bare
from gymnasium.vector import AutoresetMode
from handmade import CROWDED, CROWDED_SKILLS
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule
from reference_world import replay

from langrearrange.env import LangRearrangeVectorEnv
from langrearrange.errors import ActionError
from langrearrange.testing import toy_episodes
from langrearrange.world import WorldState, skill_index

EPISODES = {episode.id: episode for episode in (*toy_episodes(), *CROWDED)}
ACTIONS = st.integers(0, 69) | st.sampled_from([skill_index(name) for name in CROWDED_SKILLS])
NUM_ENVS = 3


def replayed(episode_id: str, skills: list[int]) -> WorldState:
    """Return the world after the skills, by rules that are written down apart from the package."""
    episode = EPISODES[episode_id]
    return replay(episode.layout(), episode.initial_state(), skills)


class SingleEnv(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 9), horizon=st.sampled_from([3, 32]))
    def begin(self, seed: int, horizon: int) -> None:
        self.env = gym.make(
            "LangRearrange-v0",
            episodes=list(EPISODES.values()),
            observation="state",
            sampling="uniform",
            horizon=horizon,
        )
        self.horizon = horizon
        self.note(self.env.reset(seed=seed)[1])
        self.saved: list[tuple[str, str, list[int], bool]] = []

    def note(self, info: dict[str, Any]) -> None:
        self.episode_id, self.over = info["episode_id"], False
        self.skills: list[int] = []

    @precondition(lambda self: not self.over)
    @rule(action=ACTIONS)
    def step(self, action: int) -> None:
        self.skills.append(action)
        _, _, terminated, truncated, info = self.env.step(np.int64(action))
        assert terminated == info["success"]
        assert not (terminated and truncated)
        self.over = terminated or truncated
        assert self.over == (info["success"] or len(self.skills) == self.horizon)

    @precondition(lambda self: not self.over)
    @rule(action=st.sampled_from([True, 70, -1, 1.0, "1", None]))
    def refuse(self, action: object) -> None:
        with pytest.raises(ActionError):
            self.env.step(action)

    @rule()
    def reset(self) -> None:
        self.note(self.env.reset()[1])

    @rule(episode_id=st.sampled_from(sorted(EPISODES)))
    def choose(self, episode_id: str) -> None:
        self.note(self.env.reset(options={"episode_id": episode_id})[1])

    @rule()
    def save(self) -> None:
        saved = json.dumps(bare(self.env).save_state())
        self.saved.append((saved, self.episode_id, list(self.skills), self.over))

    @precondition(lambda self: self.saved)
    @rule(which=st.integers(0, 99))
    def restore(self, which: int) -> None:
        saved, self.episode_id, skills, self.over = self.saved[which % len(self.saved)]
        self.skills = list(skills)
        bare(self.env).restore_state(json.loads(saved))

    @invariant()
    def the_world_is_the_replayed_one(self) -> None:
        assert bare(self.env).world == replayed(self.episode_id, self.skills)
        assert bare(self.env).task.steps == len(self.skills)


class VectorEnv(RuleBasedStateMachine):
    @initialize(seed=st.integers(0, 9), mode=st.sampled_from(AutoresetMode))
    def begin(self, seed: int, mode: AutoresetMode) -> None:
        env = gym.make_vec(
            "LangRearrange-v0",
            num_envs=NUM_ENVS,
            episodes=list(EPISODES.values()),
            observation="state",
            sampling="weighted",
            horizon=4,
            autoreset_mode=mode,
        )
        assert isinstance(env, LangRearrangeVectorEnv)
        self.env = env
        self.mode = mode
        self.skills: list[list[int]] = [[] for _ in range(NUM_ENVS)]
        self.ended = np.zeros(NUM_ENVS, bool)
        self.names = list(self.env.reset(seed=seed)[1]["episode_id"])

    @rule(actions=st.tuples(*[ACTIONS] * NUM_ENVS))
    def step(self, actions: tuple[int, ...]) -> None:
        resetting = self.ended.copy()
        if self.mode is AutoresetMode.DISABLED and self.ended.any():
            self.env.reset(options={"reset_mask": self.ended})
            self.forget(np.flatnonzero(self.ended))
            resetting[:] = False
        _, rewards, terminated, truncated, infos = self.env.step(np.array(actions))
        self.ended = terminated | truncated
        for i, action in enumerate(actions):
            if resetting[i] and self.mode is AutoresetMode.NEXT_STEP:
                assert rewards[i] == 0
                assert not self.ended[i]
                self.forget([i])
            else:
                self.skills[i].append(action)
        if self.mode is AutoresetMode.SAME_STEP:
            for i in np.flatnonzero(self.ended).tolist():
                assert infos["final_info"]["steps"][i] == len(self.skills[i])
            self.forget(np.flatnonzero(self.ended))
            self.ended[:] = False
        assert list(infos["steps"]) == list(map(len, self.skills))

    @rule()
    def reset(self) -> None:
        self.env.reset()
        self.forget(range(NUM_ENVS))
        self.ended[:] = False

    def forget(self, rows: Iterable[int]) -> None:
        for i in rows:
            self.skills[i] = []
            self.names[i] = self.env.tasks[i].episode.id

    @invariant()
    def the_worlds_are_the_replayed_ones(self) -> None:
        expected = tuple(map(replayed, self.names, self.skills))
        assert self.env.worlds == expected


SETTINGS = settings(max_examples=40, stateful_step_count=30)
TestSingleEnv = SingleEnv.TestCase
TestSingleEnv.settings = SETTINGS
TestVectorEnv = VectorEnv.TestCase
TestVectorEnv.settings = SETTINGS
