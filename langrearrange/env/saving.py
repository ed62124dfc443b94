"""A moment of an env as plain JSON values, and env specs likewise. Not for data sets or traces."""

import dataclasses
import sys
from enum import Enum
from os import PathLike, fspath
from typing import Any, Final

from gymnasium.envs.registration import EnvSpec

from langrearrange.env.config import EnvConfig, Live
from langrearrange.env.rewards import RewardConfig
from langrearrange.env.sampling import Sampler
from langrearrange.env.task import Task
from langrearrange.errors import UsageError
from langrearrange.sim.registry import is_live, refuse_live

SAVED_VERSION: Final = 1


def saved_env(config: EnvConfig, task: Task, sampler: Sampler) -> dict[str, Any]:
    """Return a moment of an env: rules, episode, progress and the order of episodes, JSON-able."""
    progress = task.progress
    return {
        "schema_version": SAVED_VERSION,
        "rules": rules_of(config),
        "episode_id": task.episode.id,
        "progress": {
            **progress._asdict(),
            "state": progress.state._asdict(),
            "outcome": progress.outcome.value,
        },
        "order": sampler.saved(),
    }


def rules_of(config: EnvConfig) -> dict[str, Any]:
    """Return what a saved state depends on; a reward as its amounts, or as `module:name`."""
    stored = {name: getattr(config, name) for name in ("horizon", "hard", "semantics")}
    reward, choice = config.rules.reward, config.reward
    if isinstance(reward, RewardConfig):
        stored["reward"] = reward.as_dict()
    else:
        stored["reward"] = choice if isinstance(choice, str) else _text_of("reward", choice)
    return stored | {"sampling": config.sampling_mode, "variants": config.variants}


def plain_spec(spec: EnvSpec | None) -> EnvSpec | None:
    """Return the spec with kwargs that survive `to_json`: enums, paths, rewards as plain values."""
    if spec is None:
        return None
    given = {f.name: getattr(spec, f.name) for f in dataclasses.fields(spec) if f.init}
    given["kwargs"] = {name: _plain(value) for name, value in spec.kwargs.items()}
    return PlainSpec(**given)


class PlainSpec(EnvSpec):
    """An env's spec that says in one sentence which argument it cannot store."""

    def to_json(self) -> str:
        """Return the spec as JSON; UsageError for an argument that lives in this process only."""
        for name, value in self.kwargs.items():
            if isinstance(value, Live):
                refuse_live(name, value.value)
            if callable(value):
                _text_of(name, value)
        return super().to_json()


def _plain(value: Any) -> Any:
    if isinstance(value, RewardConfig):
        return value.as_dict()
    if isinstance(value, Enum):
        return value.value
    if is_live(value):
        return Live(value)
    if callable(value):
        return _name_of(value) or value
    return fspath(value) if isinstance(value, PathLike) else value


def _text_of(name: str, value: Any) -> str:
    """Return `module:name` of an argument's value; UsageError if it cannot be imported by it."""
    if text := _name_of(value):
        return text
    raise UsageError(
        f"{name}={value!r} cannot be stored as text; define it in a module that can be imported, "
        "or pass 'module:name'"
    )


def _name_of(value: Any) -> str:
    """Return `module:name` of a class or function that can be imported by it, else ""."""
    module, name = getattr(value, "__module__", ""), getattr(value, "__qualname__", "")
    found = getattr(sys.modules.get(module), name, None) if module != "__main__" else None
    return f"{module}:{name}" if found is value else ""
