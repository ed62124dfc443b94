"""Many envs stepped by one call: the native vector env behind `gym.make_vec`.

The same tasks, orders and observations as so many single envs; only the pictures of all envs are
drawn in one go.
"""

from collections.abc import Mapping, Sequence
from typing import Any, Unpack

import numpy as np
from gymnasium import spaces
from gymnasium.error import ResetNeeded
from gymnasium.utils import seeding
from gymnasium.vector import AutoresetMode, VectorEnv
from gymnasium.vector.utils import batch_space
from numpy.typing import NDArray

from langrearrange.dataset.episode import Episode
from langrearrange.env.actions import check_actions
from langrearrange.env.base import METADATA, BaseEnv
from langrearrange.env.config import EnvKwargs, env_config
from langrearrange.env.episodes import find_episode
from langrearrange.env.moments import read_saved
from langrearrange.env.observations import action_mask, step_info
from langrearrange.env.observer import Observation
from langrearrange.env.saving import saved_env
from langrearrange.env.task import Task
from langrearrange.errors import UsageError
from langrearrange.world import WorldState

Infos = dict[str, Any]
Seeds = int | Sequence[int | None] | None


class LangRearrangeVectorEnv(BaseEnv, VectorEnv[Observation, NDArray[np.int64], NDArray[Any]]):
    """`num_envs` envs in one; see `LangRearrangeEnv` for what each of them is.

    Observation:
        The fields of the single env: arrays with a leading axis of num_envs, texts as tuples.

    Actions:
        An integer array of shape (num_envs,), or a sequence of that many actions. The action of an
        env that is only being reset or is exhausted is checked and ignored. An env whose action is
        None is not stepped: its reward is 0, it does not end, and what it shows stays.

    Order of episodes:
        Training (`weighted`, `uniform`): env i is seeded seed + i and draws for itself.
        Evaluation (`sequential`): episode j is dealt to env j mod num_envs and each is played once.
        An env without episodes left is a no-op: reward 0, never done, and
        `info["exhausted"][i]` is True; the run is complete when all are. Without a further
        `reset(seed=...)` nothing is played twice.

    Info keys:
        Those of the single env as arrays, each with a mask `_key` as Gymnasium has it, and
        `exhausted` when evaluating. In SameStep mode `final_obs` and `final_info`.

    Args:
        num_envs: at least 1.
        autoreset_mode: `NextStep` (the step after an end resets), `SameStep` or `Disabled` (pass
            `options={"reset_mask": ...}` to reset); a string or an `AutoresetMode`.
        copy: False returns the same picture arrays at every call, overwritten: for programs that
            copy them elsewhere at once.
        threads: how many threads draw the pictures, 1..256; the bytes are the same.
        kwargs: of the single env. `horizon` sets the length of episodes; `max_episode_steps` is
            refused.
    """

    closed = True  # until it is made: `__del__` closes one whose arguments were refused, too

    def __init__(
        self,
        num_envs: int = 1,
        *,
        autoreset_mode: str | AutoresetMode = AutoresetMode.NEXT_STEP,
        copy: bool = True,
        threads: int = 1,
        max_episode_steps: int | None = None,
        **kwargs: Unpack[EnvKwargs],
    ) -> None:
        if max_episode_steps is not None:
            raise UsageError(
                f"max_episode_steps={max_episode_steps} would be counted outside the env; pass "
                f"horizon={max_episode_steps} instead"
            )
        config = env_config(kwargs, hard=self.hard, num_envs=num_envs, copy=copy, threads=threads)
        self._evaluating = config.sampling_mode == "sequential"
        self._prepare(config, once=self._evaluating)
        self.num_envs = num_envs
        self.autoreset_mode = _autoreset_mode(autoreset_mode)
        self.metadata = {**METADATA, "autoreset_mode": self.autoreset_mode}
        self.render_mode = config.render_mode
        self.single_observation_space = self._observations.space
        self.single_action_space = spaces.Discrete(config.num_actions)
        self.observation_space = batch_space(self.single_observation_space, num_envs)
        self.action_space = batch_space(self.single_action_space, num_envs)
        self._tasks: list[Task] = []
        self._ended = np.zeros(num_envs, np.bool_)
        self._exhausted = np.zeros(num_envs, np.bool_)
        self.closed = False

    @property
    def tasks(self) -> tuple[Task, ...]:
        """The episodes being played, one per env."""
        return tuple(self._tasks)

    @property
    def worlds(self) -> tuple[WorldState, ...]:
        """The full states of the worlds. Privileged: an agent that reads them is not ranked."""
        return tuple(task.state for task in self._tasks)

    def reset(
        self, *, seed: Seeds = None, options: dict[str, Any] | None = None
    ) -> tuple[Observation, Infos]:
        """Begin the next episode in every env, or in those of a mask.

        Args:
            seed: restarts the order of episodes: an int s for s, s + 1, ..., or one per env.
            options: `episode_id`: an id for all envs or a sequence with one id or None per env;
                `reset_mask`: bool array of shape (num_envs,), the envs to reset.

        Raises:
            UsageError, DatasetError: an unknown option or episode, a mask of another shape.
        """
        self._refuse_closed()
        mask, ids = self._read_options(options)
        self._seed(seed)
        for row in np.flatnonzero(mask).tolist():
            self._begin(row, ids[row])
        return self._observations.observe_batch(self._tasks), self._infos(mask)

    def step(
        self, actions: NDArray[np.int64] | Sequence[int | None]
    ) -> tuple[Observation, NDArray[Any], NDArray[Any], NDArray[Any], Infos]:
        """Take a skill in every env, or in those whose action is not None.

        Returns:
            Observations, rewards float64, terminated and truncated bool, each (num_envs,), infos.

        Raises:
            ActionError: an action is not in the space; nothing was stepped.
            ResetNeeded: no episode has begun, or one is over and the autoreset mode is Disabled.
        """
        if self._freed or not self._tasks:
            self._no_episode()
        checked = check_actions(actions, self.num_envs, self._rules.num_actions)
        waiting = self._ended & np.array([action is None for action in checked])
        if self.autoreset_mode is AutoresetMode.DISABLED and (self._ended ^ waiting).any():
            raise ResetNeeded(
                f"the episodes of envs {np.flatnonzero(self._ended ^ waiting).tolist()} are over; "
                "call reset(options={'reset_mask': mask}) before the next step()"
            )
        rewards = np.zeros(self.num_envs)
        terminated, truncated = np.zeros((2, self.num_envs), np.bool_)
        for i, (task, action) in enumerate(zip(self._tasks, checked, strict=True)):
            if action is None or self._exhausted[i]:
                continue
            if self._ended[i]:
                self._begin(i, None)
                continue
            rewards[i] = task.step(action)
            terminated[i], truncated[i] = task.terminated, task.truncated
        self._ended = terminated | truncated | waiting
        infos: Infos = {}
        if self.autoreset_mode is AutoresetMode.SAME_STEP and self._ended.any():
            infos = self._finish()
        infos.update(self._infos())
        return self._observations.observe_batch(self._tasks), rewards, terminated, truncated, infos

    def action_masks(self) -> NDArray[np.bool_]:
        """Return which actions would not be a no-op, shape (num_envs, num_actions); privileged."""
        return np.stack([action_mask(task) for task in self._tasks]).astype(np.bool_)

    def weigh_templates(self, weights: Mapping[str, float]) -> None:
        """Draw the templates of training episodes in these proportions from the next reset on.

        The weights are not part of a saved state: whoever sets them sets them again.

        Args:
            weights: template -> weight above 0; those left out have 1. Empty: uniformly.

        Raises:
            UsageError: envs that do not draw by template, an unknown template or such a weight.
        """
        if self.config.sampling_mode != "weighted":
            raise UsageError(f"sampling '{self.config.sampling_mode}' does not draw by template")
        self._pools.weigh(weights)

    def save_state(self) -> dict[str, Any]:
        """Return this moment of all envs: episodes, progress and orders, JSON-able."""
        if self._freed or not self._tasks:
            self._no_episode()
        pairs = zip(self._tasks, self._samplers, strict=True)
        return {
            "envs": [saved_env(self.config, task, sampler) for task, sampler in pairs],
            "ended": self._ended.tolist(),
            "exhausted": self._exhausted.tolist(),
        }

    def restore_state(self, saved: dict[str, Any]) -> tuple[Observation, Infos]:
        """Go to a saved moment, of these envs or of others with the same arguments.

        Raises:
            UsageError: it is of another number of envs, other rules or a newer release, or no
                play leads there; nothing has changed then.
        """
        self._refuse_closed()
        envs = saved.get("envs") if isinstance(saved, dict) else None
        if not isinstance(envs, list) or len(envs) != self.num_envs:
            raise UsageError(f"no saved state of {self.num_envs} envs; accepted: save_state()'s")
        moments = [
            read_saved(one, self.config, self._source, sampler)
            for one, sampler in zip(envs, self._samplers, strict=True)
        ]
        ended, exhausted = (self._flags(saved, name) for name in ("ended", "exhausted"))
        over = [m.progress.terminated or m.progress.truncated for m in moments]
        if (ended > over).any() or (exhausted.any() and not self._evaluating):
            raise UsageError("the saved 'ended' and 'exhausted' do not fit the saved envs")
        for row, (moment, sampler) in enumerate(zip(moments, self._samplers, strict=True)):
            self._play(row, moment.episode)
            self._tasks[row].restore(moment.progress)
            sampler.restore(moment.order)
        self._ended, self._exhausted = ended, exhausted
        self._order_begun = True
        return self._observations.observe_batch(self._tasks), self._infos()

    def render(self) -> tuple[Any, ...] | None:
        """Return one picture or text per env, as `render_mode` says."""
        self._refuse_closed()
        return tuple(map(self._draw, self._tasks)) if self.render_mode is not None else None

    def close_extras(self, **kwargs: Any) -> None:
        """Free the simulators. The envs cannot be used again."""
        self._free()

    def _flags(self, saved: dict[str, Any], name: str) -> NDArray[np.bool_]:
        """Return one bool an env out of a saved state; UsageError if it is something else."""
        values = saved.get(name)
        if not isinstance(values, list) or [type(v) for v in values] != [bool] * self.num_envs:
            raise UsageError(f"the saved '{name}' are not {self.num_envs} times true or false")
        return np.array(values, np.bool_)

    def _seed(self, seed: Seeds) -> None:
        seeds: Sequence[int | None] = [None] * self.num_envs
        if isinstance(seed, (int, np.integer)):
            super().reset(seed=self._checked_seed(seed))
            seeds = [int(seed) + i for i in range(self.num_envs)]
        elif isinstance(seed, list | tuple | np.ndarray):
            seeds = [self._checked_seed(own) for own in seed]
        elif seed is not None:
            self._checked_seed(seed)
        if len(seeds) != self.num_envs:
            raise UsageError(f"{len(seeds)} seeds for {self.num_envs} envs; give one per env")
        for sampler, own in zip(self._samplers, seeds, strict=True):
            if own is not None or not self._order_begun:
                sampler.seed(seeding.np_random(own)[1])
        self._order_begun = True

    def _read_options(
        self, options: dict[str, Any] | None
    ) -> tuple[NDArray[np.bool_], Sequence[str | None]]:
        options = self._check_options(options, "episode_id", "reset_mask")
        mask = options.get("reset_mask", np.ones(self.num_envs, np.bool_))
        if not isinstance(mask, np.ndarray) or mask.dtype != np.bool_ or not mask.any():
            raise UsageError("reset_mask must be a numpy bool array with at least one True")
        if mask.shape != (self.num_envs,):
            raise UsageError(f"reset_mask has shape {mask.shape}; accepted: ({self.num_envs},)")
        if not self._tasks and not mask.all():
            raise UsageError("the first reset() has to reset all envs; leave reset_mask out")
        ids = options.get("episode_id")
        if ids is None or isinstance(ids, str):
            return mask, [ids] * self.num_envs
        if not isinstance(ids, (list, tuple)) or len(ids) != self.num_envs:
            raise UsageError(
                f"episode_id={ids!r:.80}; accepted: an id, or a list of {self.num_envs} ids or None"
            )
        return mask, ids

    def _begin(self, row: int, episode_id: str | None) -> None:
        """Begin an episode; an env without episodes left becomes exhausted."""
        if episode_id is not None:
            self._play(row, find_episode(self._source, episode_id))
            return
        draw = self._samplers[row].next()
        self._exhausted[row] = draw is None
        self._ended[row] = False
        if draw is not None:
            self._play(row, self._source.get(*draw))
        elif row >= len(self._tasks):  # more envs than episodes: show one, play none
            self._play(row, self._source.get(row % len(self._source)))
            self._exhausted[row] = True

    def _play(self, row: int, episode: Episode) -> None:
        task = self._task_of(row, episode)
        if row < len(self._tasks):
            self._tasks[row] = task
        else:
            self._tasks.append(task)
        self._ended[row] = self._exhausted[row] = False

    def _finish(self) -> Infos:
        """Keep what the ended envs saw last and begin their next episodes (SameStep mode)."""
        mask, rows = self._ended.copy(), np.flatnonzero(self._ended).tolist()
        final_obs = np.full(self.num_envs, None, dtype=object)
        for row in rows:
            final_obs[row] = self._observations.observe(row, self._tasks[row])
        final = {
            "final_obs": final_obs,
            "final_info": _stack(list(map(step_info, self._tasks)), mask),
        }
        for row in rows:
            self._begin(row, None)
        self._ended = np.zeros(self.num_envs, np.bool_)
        return final | {f"_{name}": mask for name in final}

    def _infos(self, mask: NDArray[np.bool_] | None = None) -> Infos:
        if mask is None:
            mask = np.ones(self.num_envs, np.bool_)
        stacked = _stack([step_info(task) for task in self._tasks], mask)
        if self._evaluating:
            stacked["exhausted"] = self._exhausted.copy()
            stacked["_exhausted"] = mask
        return stacked


class LangRearrangeHardVectorEnv(LangRearrangeVectorEnv):
    """The hard variant (paper D.3): see `LangRearrangeVectorEnv`; action 70 is `stop`."""

    hard = True


_DTYPES: dict[type, Any] = {int: np.int64, bool: np.bool_, float: np.float64}


def _stack(infos: list[Infos], mask: NDArray[np.bool_]) -> Infos:
    """Return info dicts as arrays with masks, as `VectorEnv._add_info` builds them."""
    stacked: Infos = {}
    everyone = bool(mask.all())
    columns = zip(*[info.values() for info in infos], strict=True)
    for key, values in zip(infos[0], columns, strict=True):
        dtype = _DTYPES.get(type(values[0]), object)
        column = stacked[key] = np.array(values, dtype)
        if not everyone:
            column[~mask] = None if dtype is object else 0
        stacked[f"_{key}"] = mask
    return stacked


def _autoreset_mode(mode: str | AutoresetMode) -> AutoresetMode:
    try:
        return AutoresetMode(mode)
    except ValueError:
        accepted = ", ".join(repr(known.value) for known in AutoresetMode)
        raise UsageError(f"autoreset_mode={mode!r}; accepted: {accepted}") from None
