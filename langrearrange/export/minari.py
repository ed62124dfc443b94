"""The optimal plans played in the env, as Minari data sets for imitation and offline learning.

Not for scoring agents (`leaderboard`) and not for the episodes themselves (`dataset`).
"""

import dataclasses
import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np

from langrearrange.dataset import Episode, EpisodeList, Selection
from langrearrange.errors import MissingExtraError
from langrearrange.export.exporter import Written, count_episodes
from langrearrange.paths import refuse_existing
from langrearrange.progress import Advance, progress
from langrearrange.world import skill_index

_ROOT = "MINARI_DATASETS_PATH"
_ORIGIN = {
    "algorithm_name": "oracle: proved optimal plans",
    "author": "langrearrange",
    "author_email": "see the project page",
    "code_permalink": "see the project page",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class MinariExporter:
    """The optimal plans played in the env, for imitation and offline learning (extra [export]).

    There is a data set per split, called `langrearrange/<split>-oracle-<observation>-v0`. It holds
    what is seen, done and rewarded at each step.

      langrearrange export train_mini --format minari --out out/minari
      MINARI_DATASETS_PATH=out/minari, then
      minari.load_dataset("langrearrange/train-mini-oracle-state-v0")
    """

    observation: str = "state"
    """what the demonstrations show: state, rgb or text"""
    env_options: dict[str, int | str] = field(default_factory=dict)
    """further options of the env as pairs, such as `image_size 128`"""

    def write(
        self, selections: Sequence[Selection], out: Path, *, overwrite: bool = False
    ) -> Written:
        """Write one data set per selection into Minari's root `out`; see `Exporter.write`."""
        for module in ("minari", "h5py"):
            if find_spec(module) is None:
                raise MissingExtraError("the Minari export", "export", module)
        total = count_episodes(selections)
        names = [selection.split.replace("_", "-") for selection in selections]
        ids = [f"langrearrange/{name}-oracle-{self.observation}-v0" for name in names]
        folders = tuple(out / dataset_id for dataset_id in ids)
        for folder in folders:
            refuse_existing(folder, overwrite=overwrite)
        with progress("play the oracle", total) as advance, _minari_root(out):
            for selection, dataset_id, folder in zip(selections, ids, folders, strict=True):
                shutil.rmtree(folder, ignore_errors=True)
                self._write_dataset(selection, dataset_id, advance)
        hint = f"MINARI_DATASETS_PATH={out}, then load {', '.join(ids)}"
        return Written(folders, f"{total} demonstrations; {hint}")

    def _write_dataset(self, selection: Selection, dataset_id: str, advance: Advance) -> None:
        import minari
        from minari.data_collector.episode_buffer import EpisodeBuffer

        options: dict[str, Any] = {"observation": self.observation, **self.env_options}
        episodes = EpisodeList(selection)
        env = gym.make("LangRearrange-v0", episodes=episodes, **options)
        buffers = []
        for number, episode in enumerate(episodes):
            buffers.append(EpisodeBuffer(id=number, **_play(env, episode)))
            advance(1, "")
        # A copy: what the registry holds is what everybody's gym.make starts from.
        kwargs = options | {"split": episodes[0].split}
        recorded = dataclasses.replace(gym.spec("LangRearrange-v0"), kwargs=kwargs)
        minari.create_dataset_from_buffers(
            dataset_id,
            buffers,
            env=recorded,
            eval_env=recorded,
            observation_space=_plain(env.observation_space),
            action_space=env.action_space,
            description=f"Optimal plans of {len(episodes)} episodes, {self.observation} "
            "observations.",
            **_ORIGIN,
        )
        env.close()


def _play(env: gym.Env[Any, Any], episode: Episode) -> dict[str, Any]:
    """Return the fields of an episode buffer: observations have one entry more than actions."""
    options = {"episode_id": episode.id}
    first, _ = env.reset(options=options)
    actions = list(map(skill_index, episode.plan))
    steps = zip(*map(env.step, actions), strict=True)
    observations, rewards, terminations, truncations, _ = map(list, steps)
    return {
        "options": options,
        "observations": {key: [seen[key] for seen in (first, *observations)] for key in first},
        "actions": np.array(actions),
        "rewards": list(map(float, rewards)),
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
