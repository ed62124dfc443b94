"""The keyword arguments of the env as one checked value, shared by single and vector env."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from functools import partial
from pathlib import Path
from typing import Any, Final, Literal, TypedDict, get_args

from langrearrange.dataset.episode import MAX_VARIANT, Episode
from langrearrange.dataset.source import EpisodeSource, Selection
from langrearrange.env.observer import MODALITIES, Modality, observer_factory
from langrearrange.env.rewards import RewardChoice, make_reward
from langrearrange.env.task import Rules
from langrearrange.errors import ArgumentError, UsageError, did_you_mean
from langrearrange.sim import registry
from langrearrange.sim.protocol import Simulator
from langrearrange.world import NUM_SKILLS, Semantics
from langrearrange.world.vocabulary import HORIZON, SPLITS, TRAINING_SPLITS, SplitName

Sampling = Literal["weighted", "uniform", "sequential"]
Episodes = str | Path | Sequence[str] | Sequence[Episode] | EpisodeSource | Selection
Extra = Literal["depth", "segmentation", "action_mask"]
RENDER_MODES: Final = ("rgb_array", "ansi")
SIMULATOR_OPTIONS: Final[Mapping[str, Any]] = {
    "camera": "default", "habitat_python": None, "habitat_data": None, "habitat_gpu": None,
}  # fmt: skip
"""Arguments that go to the simulator's factory, with their defaults."""

_CHOICES: Final[dict[str, tuple[Any, ...]]] = {
    "split": SPLITS,
    "camera": ("default", "habitat"),
    "sampling": (None, *get_args(Sampling)),
    "semantics": get_args(Semantics),
    "render_mode": (None, *RENDER_MODES),
}
_RANGES: Final = {
    "image_size": (16, 2048),
    "variants": (0, MAX_VARIANT),
    "num_envs": (1, 10**6),
    "threads": (1, 256),
}


class EnvKwargs(TypedDict, total=False):
    """The keyword arguments of the env, for type checkers; `EnvConfig` holds the defaults."""

    split: SplitName
    episodes: Episodes | None
    observation: Modality
    simulator: registry.SimulatorChoice
    reward: RewardChoice
    horizon: int
    image_size: int
    camera: Literal["default", "habitat"]
    sampling: Sampling | None
    variants: int | None
    feedback: bool
    extras: Sequence[Extra]
    semantics: Semantics
    habitat_python: str | Path | None
    habitat_data: str | Path | None
    habitat_gpu: int | None
    render_mode: Literal["rgb_array", "ansi"] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class EnvConfig:
    """What an env was asked to be; the docstrings of the envs explain each field.

    `hard` and the fields after it are not among the single env's arguments.

    Raises:
        UsageError: a value that is not accepted, or two that contradict each other.
    """

    split: str = "train_mini"
    episodes: Episodes | None = None
    observation: Modality = "rgb"
    simulator: registry.SimulatorChoice = "embedded"
    reward: RewardChoice = "paper"
    horizon: int = HORIZON
    image_size: int = 256
    camera: str = "default"
    sampling: str | None = None
    variants: int | None = None
    feedback: bool = False
    extras: Sequence[str] = ()
    semantics: Semantics = "paper"
    habitat_python: str | Path | None = None
    habitat_data: str | Path | None = None
    habitat_gpu: int | None = None
    render_mode: str | None = None
    hard: bool = False
    num_envs: int = 1
    copy: bool = True
    threads: int = 1

    def __post_init__(self) -> None:
        for name, accepted in _CHOICES.items():
            value = getattr(self, name)
            if value not in accepted:
                words = ", ".join(repr(choice) for choice in accepted)
                raise UsageError(
                    f"{name}={value!r}; accepted: {words}{did_you_mean(value, accepted)}"
                )
        for name, (low, high) in _RANGES.items():
            value = getattr(self, name)
            if value is None and name == "variants":
                continue
            if type(value) is not int or not low <= value <= high:
                raise UsageError(f"{name}={value!r}; accepted: an int in {low}..{high}")
        for name in ("feedback", "copy"):
            if type(value := getattr(self, name)) is not bool:
                raise UsageError(f"{name}={value!r}; accepted: True, False")
        self._check_combinations()
        _ = self.rules  # checks horizon and reward

    def _check_combinations(self) -> None:
        self._check_simulator()
        if self.feedback and self.modality not in MODALITIES:
            raise UsageError(
                f"feedback=True goes with observation='rgb' only, not with {self.observation!r}"
            )
        observer_factory(self.modality)  # checks observation
        if isinstance(self.extras, str) or not isinstance(self.extras, Sequence):
            raise UsageError(f"extras={self.extras!r}; accepted: a tuple such as ('depth',)")
        for extra in self.extras:
            if extra not in get_args(Extra):
                known = get_args(Extra)
                hint = did_you_mean(extra, known)
                raise UsageError(f"extra {extra!r}; accepted: {', '.join(known)}{hint}")
        if self.sampling not in (None, "sequential") and self.fixed_order:
            raise UsageError(
                f"sampling='{self.sampling}': split '{self.split}' is always played in file order; "
                "leave sampling out"
            )

    def _check_simulator(self) -> None:
        given = {name: getattr(self, name) for name, _ in SIMULATOR_OPTIONS.items()}
        given = {name: v for name, v in given.items() if v != SIMULATOR_OPTIONS[name]}
        registry.check_choice(self.simulator, given)
        if self.num_envs > 1 and registry.is_live(self.simulator):
            raise UsageError(
                f"simulator={self.simulator!r} holds one household and {self.num_envs} envs need "
                "one each; pass its class, a function that makes one, or 'module:factory'"
            )
        for name, accepted in (
            ("habitat_python", "the path of a Python"),
            ("habitat_data", "the path of a folder"),
        ):
            if not isinstance(given.get(name, ""), str | Path):
                raise UsageError(f"{name}={given[name]!r}; accepted: {accepted}")
        gpu = given.get("habitat_gpu", 0)
        if type(gpu) is not int or gpu < -1:
            raise UsageError(
                f"habitat_gpu={gpu!r}; accepted: the index of a GPU, -1 for software OpenGL"
            )

    def make_simulator(self) -> Simulator:
        """Return a new simulator, or the one that was given; errors as `sim.make_simulator`."""
        options = {name: getattr(self, name) for name in SIMULATOR_OPTIONS}
        return registry.make_simulator(self.simulator, options)

    def __reduce__(self) -> tuple[Any, ...]:
        """Pickle by the arguments; UsageError for a simulator that lives in this process."""
        registry.refuse_live("simulator", self.simulator)
        return partial(EnvConfig, **{f.name: getattr(self, f.name) for f in fields(self)}), ()

    @property
    def fixed_order(self) -> bool:
        """Whether this is a split to evaluate on, played in file order whatever the seed."""
        return self.episodes is None and self.split not in TRAINING_SPLITS

    @property
    def sampling_mode(self) -> str:
        """`sampling`, with None resolved."""
        fixed = self.fixed_order or self.episodes is not None
        return self.sampling or ("sequential" if fixed else "weighted")

    @property
    def fresh_variants(self) -> bool:
        """Whether episodes are played as fresh variants."""
        return self.episodes is None and self.split in TRAINING_SPLITS and self.variants is None

    @property
    def rules(self) -> Rules:
        """Return the rules of every episode."""
        return Rules(
            horizon=self.horizon,
            reward=make_reward(self.reward),
            hard=self.hard,
            semantics=self.semantics,
        )

    @property
    def num_actions(self) -> int:
        """70, or 71 in the hard variant."""
        return NUM_SKILLS + self.hard

    @property
    def modality(self) -> Modality:
        """What an agent sees: `observation`, with `feedback` if asked for."""
        return f"{self.observation}+feedback" if self.feedback else self.observation


@dataclass(frozen=True, slots=True)
class Live:
    """An argument that copies of a spec share: a simulator of this process."""

    value: Any

    def __deepcopy__(self, memo: Any) -> Live:
        """Return itself: Gymnasium copies specs, wrapper by wrapper."""
        return self


def env_config(kwargs: Mapping[str, Any], **fixed: Any) -> EnvConfig:
    """Return the checked arguments; ArgumentError names the one that does not exist.

    Args:
        kwargs: what the user gave.
        fixed: the other fields, which the env itself knows.
    """
    known = list(EnvKwargs.__annotations__)
    for name in kwargs:
        if name not in known:
            hint = did_you_mean(name, known) or f"; arguments: {', '.join(known)}"
            raise ArgumentError(f"the env got an unexpected keyword argument '{name}'{hint}")
    given = {name: v.value if isinstance(v, Live) else v for name, v in kwargs.items()}
    return EnvConfig(**given, **fixed)
