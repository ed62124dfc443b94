"""What the single and the vector env share: arguments, episodes, their orders, drawing, specs."""

from typing import Any, ClassVar, Final, NoReturn

import numpy as np
from gymnasium.envs.registration import EnvSpec
from gymnasium.error import ClosedEnvironmentError, ResetNeeded

from langrearrange.dataset.episode import Episode
from langrearrange.env.config import RENDER_MODES, EnvConfig
from langrearrange.env.episodes import open_episodes, place_of
from langrearrange.env.observations import Observations
from langrearrange.env.sampling import Pools, Sampler
from langrearrange.env.saving import plain_spec
from langrearrange.env.task import Task
from langrearrange.env.text_observation import text
from langrearrange.errors import LangRearrangeError, UsageError

METADATA: Final = {"render_modes": list(RENDER_MODES), "render_fps": 2}


class BaseEnv:
    """Plays the episodes of an `EnvConfig`, in one row or many."""

    hard: ClassVar[bool] = False
    _spec: EnvSpec | None = None
    _freed = False

    def _prepare(self, config: EnvConfig, *, once: bool = False) -> None:
        """Open the episodes; `once` deals those of an evaluation to the rows by turns."""
        self.config = config
        self._rules = config.rules
        self._observations = Observations(config)
        self._source = open_episodes(config.split, config.episodes)
        pools = self._pools = Pools(self._source)
        self._samplers = [
            Sampler(
                pools,
                config.sampling_mode,
                config.variants or 0,
                fresh_variants=config.fresh_variants,
                start=row if once else 0,
                stride=config.num_envs if once else 1,
                once=once,
            )
            for row in range(config.num_envs)
        ]
        self._order_begun = False
        self._picture: Any = None

    def _check_options(self, options: dict[str, Any] | None, *known: str) -> dict[str, Any]:
        """Return the options of `reset`; UsageError for an unknown one."""
        options = options or {}
        if unknown := sorted(set(options) - set(known)):
            accepted = ", ".join(map(repr, known))
            raise UsageError(f"reset has no option {unknown[0]!r}; accepted: {accepted}")
        return options

    @property
    def spec(self) -> EnvSpec | None:
        """What `gym.make` or `gym.make_vec` was called with, as values that survive `to_json`."""
        return self._spec

    @spec.setter
    def spec(self, spec: EnvSpec | None) -> None:
        self._spec = plain_spec(spec)

    def _task_of(self, row: int, episode: Episode) -> Task:
        """Return an episode ready to be played in a row; errors name file, line and id."""
        try:
            task = Task(episode, self._rules)
            self._observations.begin(row, task)
        except LangRearrangeError as error:
            place = place_of(self._source, episode.id)
            raise type(error)(f"{place}: {error}") from error
        return task

    def _checked_seed(self, seed: Any) -> int | None:
        """Return a seed as an int, or None; UsageError for what only looks like one."""
        if seed is None:
            return None
        if isinstance(seed, bool) or not isinstance(seed, int | np.integer) or seed < 0:
            raise UsageError(f"seed={seed!r:.80}; accepted: an int of at least 0, or None")
        return int(seed)

    def _refuse_closed(self) -> None:
        """Raise ClosedEnvironmentError after `close`."""
        if self._freed:
            raise ClosedEnvironmentError(
                "this env is closed; make a new one with gym.make or gym.make_vec"
            )

    def _no_episode(self) -> NoReturn:
        """Raise the error of an env that has nothing to step, show or save."""
        self._refuse_closed()
        raise ResetNeeded("no episode is being played; call reset() first")

    def _draw(self, task: Task) -> Any:
        """Return the picture or the text of a task, as `render_mode` says; None without one."""
        if self.config.render_mode == "ansi":
            return text(task)
        if self.config.render_mode is None:
            return None
        from langrearrange.env.picture import Picture

        self._picture = self._picture or Picture(self.config)
        return self._picture.draw(task)

    def _free(self) -> None:
        """Free the simulators; harmless when called twice."""
        self._freed = True
        self._observations.close()
        if self._picture is not None:
            self._picture.close()
            self._picture = None
