"""What is compared: entries, seeds and one budget of env steps, as command lines. Runs nothing."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langrearrange.errors import UsageError, did_you_mean
from langrearrange.leaderboard.groups import BOARD_SPLITS

_PACKAGE: Final = __package__.rsplit(".", 1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """Env steps of one run, the same for every learner.

    Attributes:
        expert_steps: of the explorer, recorded once and given to all.
        epochs: passes of cloning over them.
        rounds, round_steps, round_epochs: of DAgger.
        updates, steps_per_update: of PPO.
        critic_updates: the first of them, which train the value head alone.
    """

    expert_steps: int = 40_000
    epochs: int = 5
    rounds: int = 3
    round_steps: int = 12_000
    round_epochs: int = 2
    updates: int = 24
    steps_per_update: int = 1024
    critic_updates: int = 3


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of the comparison: a learner with its settings.

    Attributes:
        name: of its files and in tables.
        what: in one line.
        seeds: of its runs.
        settings: other than those of the preset `tiny`.
    """

    name: str
    what: str
    seeds: tuple[int, ...]
    settings: Mapping[str, str] = dataclasses.field(default_factory=dict)


IMITATION: Final = ("epochs", "rounds", "round_steps", "round_epochs")
"""Fields of `Budget` that are settings of imitation."""
DEMONSTRATION_SEED: Final = 100
NUM_ENVS: Final = 32
REFERENCES: Final = ("explorer", "blind_sweep", "random")
"""Agents that do not learn; explorer reads the `state` observation, the others nothing."""
ENCODER: Final = {"encoder": "segcnn", "encoder-precision": "bfloat16"}
ENTRIES: Final = (
    Entry("llarp", "LLaRP: frozen pretrained MiniLM, trained adapters", (0, 1, 2),
            {"backbone": "minilm"}),
    Entry("lstm", "LSTM-Flan's shape: the sentence's MiniLM vector into an LSTM", (0, 1, 2),
            {"learner": "lstm", "backbone": "minilm"}),
    Entry("random_backbone", "control: MiniLM's shape with random weights, frozen", (0,),
            {"backbone": "minilm", "backbone-weights": "random"}),
    Entry("scratch", "LLaRP-Scratch: MiniLM's shape, random weights, all trained", (0,),
            {"backbone": "minilm", "backbone-weights": "random", "train-backbone": "all"}),
    Entry("blank", "control: sees nothing but joints, hand and pose", (0,),
            {"backbone": "minilm", "control": "blank"}),
    Entry("shuffled", "control: given the instruction of another episode", (0,),
            {"backbone": "minilm", "control": "shuffled"}),
)  # fmt: skip


def find(names: tuple[str, ...]) -> tuple[Entry, ...]:
    """Return entries by name, all if there are no names; UsageError for an unknown one."""
    known = {entry.name: entry for entry in ENTRIES}
    for name in names:
        if name not in known:
            hint = did_you_mean(name, known)
            raise UsageError(f"no entry '{name}'; accepted: {', '.join(known)}{hint}")
    return tuple(known[name] for name in names) if names else ENTRIES


@dataclass(frozen=True, slots=True)
class Stage:
    """A command and the path that exists when it is done.

    Attributes:
        name: of the stage.
        command: arguments of the Python interpreter.
        done: exists when the stage is done.
        resumes: if this folder has a checkpoint, the command is given `--resume`.
    """

    name: str
    command: tuple[str, ...]
    done: Path
    resumes: Path | None = None

    def line(self) -> str:
        """Return the command line."""
        return " ".join(("python", *self.command))


def demonstrations(budget: Budget, out: Path) -> Stage:
    """Return the stage that records the explorer, once for all entries."""
    folder = out / "demonstrations"
    flags = ENCODER | {
        "backbone": "tiny",
        "num-steps": str(budget.expert_steps),
        "epochs": "1",
        "rounds": "0",
        "seed": str(DEMONSTRATION_SEED),
        "out": str(folder),
    }
    command = ("-m", f"{_PACKAGE}.imitation.train", *_flags(flags), "--save-demonstrations")
    return Stage("demonstrations", command, folder / "checkpoints" / "000000")


def stages(entry: Entry, seed: int, budget: Budget, out: Path) -> tuple[Stage, ...]:
    """Return the stages of one run: imitation, PPO, evaluation before and after PPO."""
    home = out / entry.name / str(seed)
    shape = ENCODER | dict(entry.settings) | {"seed": str(seed), "no-exact-resume": ""}
    imitation = shape | {
        "demonstrations": str(out / "demonstrations" / "demonstrations.safetensors"),
        **{name.replace("_", "-"): str(getattr(budget, name)) for name in IMITATION},
        "out": str(home / "imitation"),
    }
    ppo = shape | PPO | {
        "init-from": str(home / "imitation"),
        "num-updates": str(budget.updates),
        "num-envs": str(NUM_ENVS),
        "num-steps": str(budget.steps_per_update // NUM_ENVS),
        "critic-updates": str(budget.critic_updates),
        "checkpoint-every": "5",
        "keep-checkpoints": "1",
        "out": str(home / "ppo"),
    }  # fmt: skip
    last = home / "ppo" / "checkpoints" / f"{budget.updates:06d}"
    play = {"seed": str(seed), "name": entry.name}
    warm = play | {
        "checkpoint": str(home / "imitation"),
        "episodes": "train_eval",
        "out": str(home / "before_ppo.jsonl.gz"),
    }
    final = play | {"checkpoint": str(home / "ppo"), "out": str(home / "trace.jsonl.gz")}
    return (
        Stage(
            "imitation",
            ("-m", f"{_PACKAGE}.imitation.train", *_flags(imitation)),
            home / "imitation" / "checkpoints" / "000000",
            home / "imitation" / "unfinished",
        ),
        Stage("ppo", ("-m", f"{_PACKAGE}.train", *_flags(ppo)), last, home / "ppo"),
        _evaluation("before_ppo", warm),
        _evaluation("trace", final),
    )


def _evaluation(name: str, flags: Mapping[str, str]) -> Stage:
    command = ("-m", f"{_PACKAGE}.evaluate", *_flags(flags), "--force")
    return Stage(name, command, Path(flags["out"]))


def references(out: Path) -> tuple[Stage, ...]:
    """Return the stages of the agents that do not learn."""
    return tuple(
        Stage(
            "trace",
            ("-m", "langrearrange", "evaluate", "--agent", name, "--episodes", *BOARD_SPLITS,
             "--out", str(trace), "--force"),
            trace,
        )
        for name in REFERENCES
        for trace in [out / name / "0" / "trace.jsonl.gz"]
    )  # fmt: skip


PPO: Final = {
    "lr": "1e-4",
    "critic-lr": "3e-3",
    "value-coef": "0.25",
    "clip": "0.1",
    "target-kl": "0.03",
    "entropy": "0",
    "ratio-tolerance": "1e-4",
}
"""Settings of PPO after imitation other than the preset's, chosen on `validation` with one run of
`llarp`: smaller steps, a critic trained first, no entropy bonus, and a tolerance for the rounding
of confident policies. With lr 3e-4, entropy 0.003 and one learning rate for all, PPO took
success on `validation` from 0.80 to 0.67; with these from 0.80 to 0.82."""


def _flags(settings: Mapping[str, str]) -> tuple[str, ...]:
    """Return settings as arguments; an empty value is a switch."""
    pairs = [(f"--{name}", value) for name, value in settings.items()]
    return tuple(part for pair in pairs for part in pair if part)
