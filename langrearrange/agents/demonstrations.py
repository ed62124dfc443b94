"""Oracle demonstrations as a Minari data set, for imitation and offline learning.

Not for scoring agents (`leaderboard`) and not for the episodes themselves (`dataset`).
"""

from __future__ import annotations

import dataclasses
import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Literal

import gymnasium as gym
import numpy as np

from langrearrange.dataset import Episode, EpisodeList
from langrearrange.errors import MissingExtraError, UsageError
from langrearrange.progress import progress
from langrearrange.world import skill_index

_ROOT = "MINARI_DATASETS_PATH"
_ORIGIN = {
    "algorithm_name": "oracle: proved optimal plans",
    "author": "langrearrange",
    "author_email": "see the project page",
    "code_permalink": "see the project page",
}


def export_minari(
    episodes: Sequence[Episode],
    dataset_id: str,
    root: str | Path,
    *,
    observation: Literal["state", "rgb", "text"] = "state",
    **env_options: Any,
) -> Path:
    """Play the stored optimal plans and write what an agent would have seen and done.

    Args:
        episodes: what to play, in this order; at least one.
        dataset_id: Minari's name, `<namespace>/<name>-v<number>`.
        root: Minari's folder of data sets; `MINARI_DATASETS_PATH` for `minari.load_dataset`.
        observation: modality of the observations.
        env_options: further options of `LangRearrange-v0`, such as `image_size=128`.

    Returns:
        The folder of the data set.

    Raises:
        MissingExtraError: minari or h5py is not installed.
        UsageError: there is nothing to play, or a data set of this name lies there.
    """
    try:
        import minari
        from minari.data_collector.episode_buffer import EpisodeBuffer
    except ImportError:
        raise MissingExtraError("the Minari export", "export", "minari") from None
    if find_spec("h5py") is None:
        raise MissingExtraError("the Minari export", "export", "h5py")
    folder = Path(root) / dataset_id
    if folder.exists():
        raise UsageError(f"{folder} exists; choose another name or remove it")
    if not episodes:
        raise UsageError("there is no episode to play; give at least one")
    options = {"observation": observation} | env_options
    env = gym.make("LangRearrange-v0", episodes=EpisodeList(episodes), **options)
    with progress("play the oracle", len(episodes)) as advance:
        buffers = []
        for number, episode in enumerate(episodes):
            buffers.append(EpisodeBuffer(id=number, **_play(env, episode)))
            advance(1, "")
    # A copy: what the registry holds is what everybody's gym.make starts from.
    kwargs = options | {"split": episodes[0].split}
    recorded = dataclasses.replace(gym.spec("LangRearrange-v0"), kwargs=kwargs)
    with _minari_root(Path(root)):
        minari.create_dataset_from_buffers(
            dataset_id,
            buffers,
            env=recorded,
            eval_env=recorded,
            observation_space=_plain(env.observation_space),
            action_space=env.action_space,
            description=f"Optimal plans of {len(episodes)} episodes, {observation} observations.",
            **_ORIGIN,
        )
    env.close()
    return folder


def _play(env: gym.Env[Any, Any], episode: Episode) -> dict[str, Any]:
    """Return the fields of an episode buffer: observations have one entry more than actions."""
    obs, _ = env.reset(options={"episode_id": episode.id})
    seen = [obs]
    actions = [skill_index(skill) for skill in episode.plan]
    rewards, terminations, truncations = [], [], []
    for action in actions:
        obs, reward, terminated, truncated, _ = env.step(action)
        seen.append(obs)
        rewards.append(float(reward))
        terminations.append(terminated)
        truncations.append(truncated)
    return {
        "options": {"episode_id": episode.id},
        "observations": {key: [obs[key] for obs in seen] for key in seen[0]},
        "actions": np.array(actions),
        "rewards": rewards,
        "terminations": terminations,
        "truncations": truncations,
    }


def _plain(space: gym.Space[Any]) -> gym.Space[Any]:
    """Return the space with Gymnasium's own Text, the only one Minari can write down."""
    if isinstance(space, gym.spaces.Dict):
        return gym.spaces.Dict({name: _plain(part) for name, part in space.spaces.items()})
    if isinstance(space, gym.spaces.Text):
        return gym.spaces.Text(
            space.max_length, min_length=space.min_length, charset=space.character_set
        )
    return space


@contextmanager
def _minari_root(root: Path) -> Iterator[None]:
    before = os.environ.get(_ROOT)
    os.environ[_ROOT] = str(root.resolve())  # Minari joins a relative one to itself
    try:
        yield
    finally:
        if before is None:
            del os.environ[_ROOT]
        else:
            os.environ[_ROOT] = before
