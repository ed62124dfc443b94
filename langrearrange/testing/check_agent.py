"""`check_agent`: can an agent play the benchmark, alone or batched? Not how well."""

from collections.abc import Sequence
from copy import deepcopy
from typing import Any

import gymnasium as gym
import numpy as np
from gymnasium.utils.env_checker import data_equivalence

from langrearrange.agents import is_privileged
from langrearrange.dataset.episode import Episode
from langrearrange.env import (
    MODALITIES,
    LangRearrangeEnv,
    LangRearrangeHardEnv,
    LangRearrangeHardVectorEnv,
    LangRearrangeVectorEnv,
    Observation,
    is_modality,
    rows_of,
)
from langrearrange.testing.episodes import toy_episodes
from langrearrange.testing.report import require


def check_agent(
    agent: Any, *, episodes: Sequence[Episode] | None = None, hard: bool = False
) -> None:
    """Check that an agent keeps the agent protocol, by letting it play.

    Checked: `modality`; that every action is a skill index and no bool; that observations are left
    as they are; that an agent can be reset in the middle of an episode; for a batched agent that
    it plays any subset of rows and returns int64 of the right shape. Privileged agents are bound.

    Args:
        agent: has `reset` and `act`, or `reset_rows` and `act_rows`, or all four.
        episodes: what to play; None: six small hand-made ones.
        hard: play the hard variant, with `stop` as skill 70.

    Raises:
        CheckError: the protocol is broken; the message reports where and what is expected.
    """
    modality = getattr(agent, "modality", None)
    require(
        is_modality(modality),
        f"modality is {modality!r}; set it to one of {', '.join(MODALITIES)} or module:factory",
    )
    single, batched = _has(agent, "reset", "act"), _has(agent, "reset_rows", "act_rows")
    require(
        single or batched,
        f"{type(agent).__name__} has neither reset(instruction) and act(observation) nor "
        "reset_rows(rows, instructions) and act_rows(rows, observations)",
    )
    chosen = tuple(episodes or toy_episodes())
    if single:
        _check_single(agent, chosen, hard)
    if batched:
        _check_batched(agent, chosen, hard)


def _has(agent: Any, *names: str) -> bool:
    return all(callable(getattr(agent, name, None)) for name in names)


def _check_single(agent: Any, episodes: Sequence[Episode], hard: bool) -> None:
    make = LangRearrangeHardEnv if hard else LangRearrangeEnv
    env = make(episodes=episodes, observation=agent.modality)
    for cut_short in (True, False):
        for episode in episodes:
            observation, _ = env.reset(options={"episode_id": episode.id})
            if is_privileged(agent):
                agent.bind(episode)
            agent.reset(episode.instruction)
            over, steps = False, 0
            while not over and not (cut_short and steps == 2):
                kept = deepcopy(observation)
                action = agent.act(observation)
                _require_untouched(kept, observation, "act")
                _require_action(action, env.action_space, f"act() in {episode.id}")
                observation, _, terminated, truncated, _ = env.step(action)
                over, steps = terminated or truncated, steps + 1
    env.close()


def _require_action(action: Any, space: gym.spaces.Space[Any], place: str) -> None:
    good = isinstance(action, (int, np.integer)) and not isinstance(action, bool)
    require(
        good and action in space,
        f"{place} returned {action!r} ({type(action).__name__}); expected an int in {space}",
    )


def _require_untouched(before: Observation, after: Observation, method: str) -> None:
    for name, value in before.items():
        require(
            name in after and data_equivalence(value, after[name], exact=True),
            f"{method}() changed the field '{name}' of its observation; copy what you change",
        )


def _check_batched(agent: Any, episodes: Sequence[Episode], hard: bool) -> None:
    rows = list(range(len(episodes)))
    make = LangRearrangeHardVectorEnv if hard else LangRearrangeVectorEnv
    env = make(
        len(episodes), episodes=episodes, observation=agent.modality, autoreset_mode="Disabled"
    )
    seen, _ = env.reset(seed=0)
    if is_privileged(agent):
        agent.bind_rows(rows, episodes)
    agent.reset_rows(rows, [episode.instruction for episode in episodes])
    playing = rows
    for step in range(env.config.horizon):
        turn = playing if step % 3 else playing[::2]  # rows need not be contiguous
        batch = rows_of(seen, turn)
        kept = deepcopy(batch)
        actions = agent.act_rows(turn, batch)
        _require_untouched(kept, batch, "act_rows")
        _require_actions(actions, len(turn))
        taken: list[int | None] = [None] * len(rows)
        for row, action in zip(turn, actions, strict=True):
            _require_action(action, env.single_action_space, f"act_rows(), row {row}")
            taken[row] = int(action)
        seen, _, terminated, truncated, _ = env.step(taken)
        playing = [row for row in playing if not (terminated[row] or truncated[row])]
        if not playing:
            break
    env.close()


def _require_actions(actions: Any, count: int) -> None:
    is_array = isinstance(actions, np.ndarray)
    given = f"shape {actions.shape}, {actions.dtype}" if is_array else type(actions).__name__
    require(
        is_array and actions.shape == (count,) and actions.dtype == np.int64,
        f"act_rows() returned {given} for {count} rows; expected a numpy array of shape ({count},)"
        ", int64",
    )
