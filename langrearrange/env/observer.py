"""Modalities: what an observer is and the table of those that envs, agents and traces name.

Not for filling observations: each observer has a file of its own, `env.observations` puts what an
env shows together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Final, Protocol, TypeGuard, runtime_checkable

import numpy as np
from gymnasium import spaces

from langrearrange.errors import UsageError, did_you_mean
from langrearrange.loading import load_object

if TYPE_CHECKING:
    from langrearrange.env.config import EnvConfig
    from langrearrange.env.task import Task

Observation = dict[str, Any]
"""Field name -> array or text; the fields are those of the observation space."""


@runtime_checkable
class Observer(Protocol):
    """One modality: what an agent sees of a task beside the instruction.

    A factory is called with the env's `EnvConfig` and returns one observer for all of its rows
    (`config.num_envs`). Everything it returns is new at every call. All fields, in the order of
    their names, enter the chain of hashes in a trace, so they must follow from the task alone.

    Attributes:
        symbolic: whether observing costs next to nothing and gives the same bytes on every machine.
            `score` always verifies the chains of such runs, others only when asked to.
        fields: name -> space of one env's field. An extra that the config asks for (`depth`,
            `segmentation`) is shown if it is among them, else the env refuses it.
    """

    symbolic: bool
    fields: Mapping[str, spaces.Space[Any]]

    def begin(self, row: int, task: Task) -> None:
        """Note that the env of this row plays another episode from now on."""

    def observe(self, row: int, task: Task) -> Observation:
        """Return the fields of the env of this row."""

    def observe_batch(self, tasks: Sequence[Task]) -> Observation:
        """Return the fields of all rows: arrays with a leading axis, texts as tuples."""

    def close(self) -> None:
        """Free what the observer holds; harmless when called twice."""


class SymbolicObserver:
    """A base for observers without memory: they define `observe` and set `fields` when made."""

    symbolic = True
    fields: Mapping[str, spaces.Space[Any]]

    def __init__(self, config: EnvConfig) -> None:
        """Take the config that a factory is given; nothing of it is needed."""

    def begin(self, row: int, task: Task) -> None:
        """Nothing to note."""

    def observe(self, row: int, task: Task) -> Observation:
        """Return the fields of one env."""
        raise NotImplementedError(f"{type(self).__name__} does not define observe()")

    def observe_batch(self, tasks: Sequence[Task]) -> Observation:
        """Return the fields of all rows, stacked."""
        rows = [self.observe(row, task) for row, task in enumerate(tasks)]
        columns = {name: [row[name] for row in rows] for name in rows[0]}
        return {
            name: tuple(column) if isinstance(column[0], str) else np.stack(column)
            for name, column in columns.items()
        }

    def close(self) -> None:
        """Nothing to free."""


ObserverFactory = Callable[["EnvConfig"], Observer]
Modality = str | ObserverFactory
"""A name of `MODALITIES`, `module:factory`, or a picklable factory itself."""

MODALITIES: Final[dict[str, Modality]] = {
    "rgb": "langrearrange.env.rgb_observation:RgbObserver",
    "rgb+feedback": "langrearrange.env.rgb_observation:FeedbackObserver",
    "state": "langrearrange.env.state_observation:StateObserver",
    "text": "langrearrange.env.text_observation:TextObserver",
}
"""Name -> factory. The one place to register a modality: `MODALITIES["map"] = "my_package:Map"`."""
RANKED_MODALITIES: Final = frozenset(MODALITIES)
"""Those of this package. What others tell is not known, so their runs are never ranked."""


def is_modality(value: object) -> TypeGuard[str]:
    """Whether an agent may ask for it: a registered name, or `module:factory`."""
    return isinstance(value, str) and (value in MODALITIES or ":" in value)


def modality_name(modality: Modality) -> str:
    """Return how an agent or a trace names a modality; a factory as `module:factory`."""
    if isinstance(modality, str):
        return modality
    return f"{modality.__module__}:{getattr(modality, '__qualname__', type(modality).__name__)}"


def observer_factory(modality: Modality) -> ObserverFactory:
    """Return the factory of a modality.

    Raises:
        UsageError: not registered, not importable, or nothing that can be called.
    """
    factory = MODALITIES.get(modality, modality) if isinstance(modality, str) else modality
    if isinstance(factory, str) and ":" in factory:
        factory = load_object(factory, "observation")
    if isinstance(factory, str) or not callable(factory):
        names = ", ".join(map(repr, MODALITIES))
        raise UsageError(
            f"observation={modality!r}; accepted: {names}, 'module:factory' or a callable"
            f"{did_you_mean(modality, MODALITIES)}"
        )
    return factory
