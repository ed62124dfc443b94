"""What the single and the vector env share: arguments, episodes, their orders, drawing, specs."""

from typing import Any, ClassVar, Final

from gymnasium.envs.registration import EnvSpec

from langrearrange.env.config import RENDER_MODES, EnvConfig
from langrearrange.env.episodes import open_episodes
from langrearrange.env.observations import Observations
from langrearrange.env.sampling import Pools, Sampler
from langrearrange.env.saving import plain_spec
from langrearrange.env.task import Task
from langrearrange.env.text_observation import text
from langrearrange.errors import UsageError

METADATA: Final = {"render_modes": list(RENDER_MODES), "render_fps": 2}


class BaseEnv:
    """Plays the episodes of an `EnvConfig`, in one row or many."""

    hard: ClassVar[bool] = False
    _spec: EnvSpec | None = None

    def _prepare(self, config: EnvConfig, *, once: bool = False) -> None:
        """Open the episodes; `once` deals those of an evaluation to the rows by turns."""
        self.config = config
        self._rules = config.rules
        self._observations = Observations(config)
        self._source = open_episodes(config.split, config.episodes)
        pools = Pools(self._source)
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
        self._observations.close()
        if self._picture is not None:
            self._picture.close()
            self._picture = None
