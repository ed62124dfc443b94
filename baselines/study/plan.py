"""What a study is: arms, seeds, budgets, and the command lines that they become. Runs nothing."""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from langrearrange.leaderboard.groups import BOARD_SPLITS

_PACKAGE: Final = __package__.rsplit(".", 1)[0]
REFERENCES: Final = ("explorer", "blind_sweep", "random")
"""Agents that do not learn; explorer reads the `state` observation, the others nothing."""
FRESH_KEY: Final = "fresh episodes of the studies"
EPISODE_STEPS: Final = 14
"""Steps of an episode that a trained agent plays, for forecasts."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Env steps of a run.

    Attributes:
        expert_steps: of the explorer, recorded once and given to all.
        epochs: passes of cloning over them.
        rounds, round_steps, round_epochs: of DAgger.
        updates: of PPO in all, after each of which the run is scored; the last is its end.
        num_envs, num_steps: of a PPO update.
        fresh: episodes of a secret key, played before and after PPO, paired.
    """

    expert_steps: int = 40_000
    epochs: int = 4
    rounds: int = 2
    round_steps: int = 10_000
    round_epochs: int = 1
    updates: tuple[int, ...] = (73,)
    num_envs: int = 128
    num_steps: int = 32
    fresh: int = 3000

    @property
    def imitation_steps(self) -> int:
        """Steps that imitation learns from, each pass counted, and those it plays."""
        learned = self.expert_steps * self.epochs
        for number in range(1, self.rounds + 1):
            known = self.expert_steps + number * self.round_steps
            learned += known * self.round_epochs + self.round_steps
        return learned

    @property
    def ppo_steps(self) -> int:
        """Env steps of PPO."""
        return self.updates[-1] * self.num_envs * self.num_steps

    def scaled(self, factor: float) -> Budget:
        """Return a budget with so many times the steps, at least one of everything."""

        def part(number: int) -> int:
            return max(1, round(number * factor))

        updates = tuple(sorted({part(number) for number in self.updates}))
        names = ("expert_steps", "round_steps", "fresh")
        return dataclasses.replace(
            self, updates=updates, **{name: part(getattr(self, name)) for name in names}
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Arm:
    """One row of a study: a learner with its settings.

    Attributes:
        name: of its files and in tables; runs of one name are shared between studies.
        what: in one line.
        seeds: of its runs.
        settings: of imitation and PPO, other than the study's.
        ppo: of PPO alone.
        budget: its env steps.
        imitates: whether PPO begins from imitation.
        played_encoder: encoder it is scored with.
        ms: CPU milliseconds an env step of PPO on percepts, measured; see `study.depth`.
    """

    name: str
    what: str
    seeds: tuple[int, ...]
    settings: Mapping[str, str] = field(default_factory=dict)
    ppo: Mapping[str, str] = field(default_factory=dict)
    budget: Budget = Budget()
    imitates: bool = True
    played_encoder: str = "segcnn"
    ms: float = 1.0

    @property
    def core_hours(self) -> float:
        """Forecast of one run: imitation, PPO and the scored episodes, in core-hours."""
        learn_ms = self.ms * LEARN_SHARE
        steps = self.budget.ppo_steps
        played = 1100 * len(self.budget.updates) + 2 * self.budget.fresh * self.imitates
        spent = steps * self.ms + played * EPISODE_STEPS * (self.ms - learn_ms + SEE_MS)
        if self.imitates:
            spent += self.budget.imitation_steps * learn_ms
        return spent / 3.6e6


LEARN_SHARE: Final = 0.5
"""Share of a PPO step's time that learning takes; the other part is acting."""
SEE_MS: Final = 6.5
"""CPU milliseconds to draw a picture and read percepts out of it, a third of them seen before."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Study:
    """What one table or figure of the paper takes.

    Attributes:
        name: of its folder.
        paper: which tables and figures.
        effect: what it is to show, with the smallest effect that counts.
        arms: its rows.
        settings: of all arms.
    """

    name: str
    paper: str
    effect: str
    arms: tuple[Arm, ...]
    settings: Mapping[str, str]

    @property
    def core_hours(self) -> float:
        """Forecast of all its runs."""
        return sum(arm.core_hours * len(arm.seeds) for arm in self.arms)


@dataclass(frozen=True, slots=True)
class Stage:
    """A command of a run.

    Attributes:
        name: of the stage; a run's record names those that are done.
        command: arguments of the Python interpreter.
        trains: folder of what it trains: it is given `--resume` if that holds a checkpoint.
    """

    name: str
    command: tuple[str, ...]
    trains: Path | None = None

    def line(self) -> str:
        """Return the command line."""
        return " ".join(("python", *self.command))


DEMONSTRATIONS: Final = "demonstrations"


def demonstrations(study: Study, budget: Budget, out: Path) -> Stage:
    """Return the stage that records the explorer, once for all arms."""
    folder = out / DEMONSTRATIONS
    flags = dict(study.settings) | {
        "backbone": "tiny",
        "num-steps": str(budget.expert_steps),
        "epochs": "1",
        "rounds": "0",
        "seed": "100",
        "out": str(folder),
        "save-demonstrations": "",
    }
    return Stage(DEMONSTRATIONS, _imitation(flags), folder)


def stages(study: Study, arm: Arm, seed: int, out: Path) -> tuple[Stage, ...]:
    """Return the stages of one run: imitation, PPO in parts, each scored, and before and after."""
    home, budget = out / arm.name / str(seed), arm.budget
    shape = dict(study.settings) | dict(arm.settings)
    shape |= {"seed": str(seed), "no-exact-resume": ""}
    found = []
    if arm.imitates:
        names = ("epochs", "rounds", "round_steps", "round_epochs")
        shared = str(out / DEMONSTRATIONS / "demonstrations.safetensors")
        own = "encoder" in arm.settings  # other observations: the shared ones do not fit
        taught = shape | {
            **({"num-steps": str(budget.expert_steps)} if own else {"demonstrations": shared}),
            **{name.replace("_", "-"): str(getattr(budget, name)) for name in names},
            "out": str(home / "imitation"),
        }
        found.append(Stage("imitation", _imitation(taught), home / "imitation"))
    ppo = shape | dict(PPO) | dict(arm.ppo) | {
        "num-envs": str(budget.num_envs),
        "num-steps": str(budget.num_steps),
        "checkpoint-every": "2",
        "keep-checkpoints": "1",
        "out": str(home / "ppo"),
    }  # fmt: skip
    if arm.imitates:
        ppo = AFTER_IMITATION | ppo | {"init-from": str(home / "imitation")}
    for updates in budget.updates:
        part = ppo | {"num-updates": str(updates)}
        command = ("-m", f"{_PACKAGE}.train", *_flags(part))
        found.append(Stage(f"ppo_{updates}", command, home / "ppo"))
        found.append(_score(arm, seed, home, updates))
    if arm.imitates and budget.fresh:
        found.append(_lift(arm, seed, home))
    return tuple(found)


def references(out: Path) -> tuple[tuple[Path, Stage], ...]:
    """Return the stages of the agents that do not learn, with the folder of each."""
    found = []
    for name in REFERENCES:
        home = out / name / "0"
        flags = (
            "--agent",
            name,
            "--episodes",
            *BOARD_SPLITS,
            "--out",
            str(home / "trace.jsonl.gz"),
        )
        command = ("-m", "langrearrange", "evaluate", *flags, "--force")
        found.append((home, Stage("trace", command)))
    return tuple(found)


PPO: Final = {
    "lr": "5e-4",
    "epochs": "1",
    "minibatches": "2",
    "critic": "own",
    "critic-inputs": "privileged",
    "critic-lr": "1e-3",
    "critic-warmup": "10",
    "target-kl": "0.03",
    "ratio-tolerance": "1e-4",
}
"""Settings of PPO other than those of preset `tiny`; the critic is privileged, in training only."""
AFTER_IMITATION: Final = {"entropy": "0.001", "weight-templates": "failure"}
"""A large entropy bonus undoes what was imitated, and most templates are learned by then."""


def _score(arm: Arm, seed: int, home: Path, updates: int) -> Stage:
    flags = {
        "checkpoint": str(home / "ppo"),
        "encoder": arm.played_encoder,
        "seed": str(seed),
        "name": arm.name,
        "rows": "64",
        "out": str(home / f"trace_{updates}.jsonl.gz"),
    }
    command = ("-m", f"{_PACKAGE}.evaluate", *_flags(flags), "--force")
    return Stage(f"trace_{updates}", command)


def _lift(arm: Arm, seed: int, home: Path) -> Stage:
    """Return the paired comparison of the run before and after PPO, on fresh episodes."""
    flags = {
        "fresh": FRESH_KEY,
        "num-episodes": str(arm.budget.fresh),
        "encoder": arm.played_encoder,
        "seed": str(seed),
        "out": str(home / "lift"),
    }
    runs = (str(home / "imitation"), str(home / "ppo"))
    return Stage("lift", ("-m", f"{_PACKAGE}.compare", *runs, *_flags(flags)))


def _imitation(flags: Mapping[str, str]) -> tuple[str, ...]:
    return ("-m", f"{_PACKAGE}.imitation.train", *_flags(flags))


def _flags(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return settings as arguments; an empty value is a switch."""
    pairs = [(f"--{name}", value) for name, value in settings.items()]
    return tuple(part for pair in pairs for part in pair if part)
