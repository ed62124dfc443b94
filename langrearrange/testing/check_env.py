"""`check_env`: does an env keep what the benchmark promises, beyond Gymnasium's own checks?"""

import json
import warnings
from typing import Any

import gymnasium as gym
from gymnasium.utils.env_checker import check_env as gymnasium_check_env
from gymnasium.utils.env_checker import data_equivalence

from langrearrange.env import STOP, LangRearrangeEnv
from langrearrange.env.observations import step_info
from langrearrange.errors import ActionError
from langrearrange.seeding import HOUSE_VERSION, KeyedRng
from langrearrange.testing.report import CheckError, require
from langrearrange.world import WorldState, apply, skill_index

_BAD_ACTIONS: tuple[Any, ...] = (True, 3.0, "3", float("nan"), None, -1, 10_000)


def check_env(
    env: gym.Env[Any, Any], *, num_episodes: int = 3, skip_render_check: bool = False
) -> None:
    """Check a LangRearrange env, with whatever wrappers are around it.

    Gymnasium's `check_env` runs first, on the bare env, with its warnings as errors. Then, over a
    few episodes: the info keys; that the env's world is the one that replaying the skills gives;
    that the stored plan succeeds and the empty one does not; that invalid actions
    raise and cost nothing; that a saved state goes through JSON and continues exactly.

    Args:
        env: made by `gym.make`, or an instance of `LangRearrangeEnv`.
        num_episodes: how many episodes are played, each twice.
        skip_render_check: passed on to Gymnasium's check.

    Raises:
        CheckError: a check failed; the message reports which, and the values.
    """
    bare = env.unwrapped
    if not isinstance(bare, LangRearrangeEnv):
        raise CheckError(
            f"{type(bare).__name__} is not a LangRearrangeEnv; inherit from it, or check it with "
            "gymnasium.utils.env_checker.check_env"
        )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        try:
            gymnasium_check_env(bare, skip_render_check=skip_render_check)
        except (Warning, AssertionError) as fault:
            raise CheckError(f"Gymnasium's check_env objects: {fault}") from fault
    env.reset(seed=0)
    for _ in range(num_episodes):
        episode_id = env.reset()[1]["episode_id"]
        _check_replay(env, bare, episode_id)
        _check_plan(env, bare, episode_id)
        _check_refusals(env, bare, episode_id)
        _check_saving(env, bare, episode_id)


def _start(env: gym.Env[Any, Any], episode_id: str) -> dict[str, Any]:
    observation, info = env.reset(options={"episode_id": episode_id})
    require(
        observation in env.observation_space,
        f"{episode_id}: the first observation is not in the observation space",
    )
    require(
        info.get("episode_id") == episode_id,
        f"reset(options={{'episode_id': '{episode_id}'}}) began {info.get('episode_id')!r}",
    )
    bare: Any = env.unwrapped
    missing = [key for key in step_info(bare.task) if key not in info]
    require(not missing, f"info lacks the key {missing[:1]}; it has {sorted(info)}")
    return info


def _check_replay(env: gym.Env[Any, Any], bare: LangRearrangeEnv, episode_id: str) -> None:
    """Random skills: world, outcome and step count against the rules of `world`."""
    _start(env, episode_id)
    layout, state = bare.task.layout, bare.episode.initial_state()
    require(bare.world == state, f"{episode_id}: the world at reset is not the episode's start")
    rng = KeyedRng(HOUSE_VERSION, "check_env", episode_id)
    for number in range(1, bare.config.horizon + 1):
        skill = rng.below(STOP)
        state, outcome = apply(layout, state, skill)
        observation, _, terminated, truncated, info = env.step(skill)
        place = f"{episode_id}, step {number}, skill {skill}"
        require(observation in env.observation_space, f"{place}: observation outside its space")
        _require_world(bare.world, state, place)
        require(
            info["outcome"] == outcome.value,
            f"{place}: info['outcome'] is {info['outcome']!r}, expected '{outcome}'",
        )
        require(info["steps"] == number, f"{place}: info['steps'] is {info['steps']}")
        require(
            not (terminated and truncated),
            f"{place}: terminated and truncated at once; success on the last step only terminates",
        )
        if terminated or truncated:
            return
    raise CheckError(f"{episode_id}: {bare.config.horizon} steps and neither end")


def _require_world(ours: WorldState, expected: WorldState, place: str) -> None:
    for name in WorldState._fields:
        have, want = getattr(ours, name), getattr(expected, name)
        require(have == want, f"{place}: world.{name} is {have}, replaying the skills gives {want}")


def _check_plan(env: gym.Env[Any, Any], bare: LangRearrangeEnv, episode_id: str) -> None:
    _start(env, episode_id)
    require(not bare.task.success, f"{episode_id}: solved before the first step")
    skills = [skill_index(skill) for skill in bare.episode.plan]
    skills += [STOP] if bare.hard else []
    terminated, info = False, dict[str, Any]()
    for number, skill in enumerate(skills, 1):
        *_, terminated, truncated, info = env.step(skill)
        require(
            number == len(skills) or not (terminated or truncated),
            f"{episode_id}: ended at step {number} of its stored plan of {len(skills)}",
        )
    require(
        terminated and info["success"],
        f"{episode_id}: its stored plan does not succeed; info: {info}",
    )


def _check_refusals(env: gym.Env[Any, Any], bare: LangRearrangeEnv, episode_id: str) -> None:
    _start(env, episode_id)
    for action in _BAD_ACTIONS:
        try:
            env.step(action)
        except ActionError:
            require(bare.task.steps == 0, f"the refused action {action!r} cost a step")
        else:
            raise CheckError(f"step({action!r}) was taken; it has to raise ActionError")


def _check_saving(env: gym.Env[Any, Any], bare: LangRearrangeEnv, episode_id: str) -> None:
    _start(env, episode_id)
    plan = [skill_index(skill) for skill in bare.episode.plan]
    half = len(plan) // 2
    for skill in plan[:half]:
        env.step(skill)
    try:
        saved = json.loads(json.dumps(bare.save_state()))
    except TypeError as fault:
        raise CheckError(f"save_state() is not JSON-able: {fault}") from fault
    first = [env.step(skill) for skill in plan[half:]]
    bare.restore_state(saved)
    again = [env.step(skill) for skill in plan[half:]]
    require(
        data_equivalence(first, again, exact=True),
        f"{episode_id}: after restore_state the same skills give another outcome",
    )
