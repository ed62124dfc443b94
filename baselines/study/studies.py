"""The studies: which arms, seeds and budgets stand behind each table and figure. Runs nothing."""

import dataclasses
from collections.abc import Iterable, Mapping
from typing import Final, TypeVar

from langrearrange.errors import UsageError, did_you_mean

from .plan import Arm, Budget, Study

DEPTH: Final = "10"
"""Layers of SmolLM2 that are kept, chosen by `study.depth`; docs/train.md has its table."""
SMOLLM2: Final = {"backbone": "smollm2", "layers": DEPTH}
LONG: Final = Budget(updates=(49, 73, 244))
"""0.2, 0.3 and 1 million env steps of PPO, scored after each."""
SHORT: Final = Budget()
"""0.3 million env steps of PPO."""
SLOW: Final = Budget(updates=(49,))
"""0.2 million env steps of PPO, for rivals whose steps cost most."""
CONTROL: Final = Budget(fresh=1000)
"""As `SHORT`, with fewer fresh episodes."""
ALONE: Final = Budget(updates=(244,), fresh=0)
"""A million env steps without imitation."""
NO_IMITATION: Final = {"entropy": "0.02", "gamma": "0.95"}
"""With 0.99 the small learner searched at random; results/engine has both."""


def _arm(name: str, what: str, num_seeds: int, ms: float, budget: Budget, **settings: str) -> Arm:
    shape = {key.replace("_", "-"): value for key, value in settings.items()}
    return Arm(
        name=name, what=what, seeds=tuple(range(num_seeds)), settings=shape, budget=budget, ms=ms
    )


LLARP: Final = _arm("llarp", "LLaRP: SmolLM2 frozen", 3, 4.8, LONG, **SMOLLM2)
ARMS: Final = (
    LLARP,
    _arm("llarp_lora", "LLaRP with low-rank updates of SmolLM2", 3, 11.5, SLOW,
         train_backbone="lora", **SMOLLM2),
    _arm("llarp_minilm", "LLaRP: MiniLM frozen", 3, 2.1, SHORT, backbone="minilm"),
    _arm("lstm_flan", "LSTM-Flan's shape: MiniLM trained, an LSTM", 3, 4.2, SHORT,
         learner="lstm", backbone="minilm", train_backbone="all"),
    _arm("scratch", "LLaRP-Scratch: SmolLM2's shape, random weights, all trained", 2, 13.8, SLOW,
         backbone_weights="random", train_backbone="all", **SMOLLM2),
    _arm("lstm_llama", "LSTM-LLaMA's shape: SmolLM2 frozen, a perceiver, an LSTM", 2, 3.9, SHORT,
         learner="lstm", summary="perceiver", **SMOLLM2),
    _arm("random_decoder", "control: SmolLM2's shape with random weights, frozen", 1, 4.8, CONTROL,
         backbone_weights="random", **SMOLLM2),
    _arm("shuffled", "control: given the instruction of another episode", 1, 4.8, CONTROL,
         control="shuffled", **SMOLLM2),
    _arm("blank", "control: sees nothing but its last action", 1, 4.8, CONTROL,
         control="blank", **SMOLLM2),
    _arm("llarp_6", "LLaRP on the first 6 layers of SmolLM2", 1, 3.1, CONTROL, backbone="smollm2",
         layers="6"),
    _arm("llarp_20", "LLaRP on the first 20 layers of SmolLM2", 1, 9.4, CONTROL, backbone="smollm2",
         layers="20"),
    dataclasses.replace(
        _arm("rl_alone", "reinforcement learning alone, SmolLM2 frozen", 1, 4.8, ALONE, **SMOLLM2),
        imitates=False, ppo=NO_IMITATION,
    ),
    dataclasses.replace(
        _arm("rl_alone_random", "reinforcement learning alone, random decoder frozen", 1, 4.8,
             ALONE, backbone_weights="random", **SMOLLM2),
        imitates=False, ppo=NO_IMITATION,
    ),
    dataclasses.replace(
        _arm("untrained_encoder", "LLaRP on pictures through an untrained encoder", 1, 14.0,
             Budget(expert_steps=20_000, updates=(12,), fresh=1000), encoder="random", **SMOLLM2),
        played_encoder="random",
    ),
)  # fmt: skip
"""All arms; several studies share the runs of one."""

PERCEPTS: Final = {"encoder": "percepts", "inputs": "last-action"}
"""What arms see in training; all are scored in pictures."""


def _named(*names: str) -> tuple[Arm, ...]:
    by_name = {arm.name: arm for arm in ARMS}
    return tuple(by_name[name] for name in names)


STUDIES: Final = (
    Study(
        name="main",
        paper="Fig. 3, Tables 2 and 5",
        effect="LLaRP above LSTM-Flan, Scratch and LSTM-LLaMA in Total, by 0.03 or more; and "
        "PPO above imitation on fresh episodes",
        arms=tuple(arm for arm in ARMS if arm.name not in ("llarp_6", "llarp_20")),
        settings=PERCEPTS,
    ),
    Study(
        name="sample_efficiency",
        paper="Fig. 4a, Fig. 9",
        effect="env steps to 0.8 in training: LLaRP before LSTM-Flan and Scratch",
        arms=_named("llarp", "lstm_flan", "scratch", "rl_alone"),
        settings=PERCEPTS,
    ),
    Study(
        name="scale",
        paper="Fig. 5",
        effect="more layers of one model, higher success: 6, 10 and 20 of SmolLM2's 30",
        arms=_named("llarp_6", "llarp", "llarp_20"),
        settings=PERCEPTS,
    ),
    Study(
        name="efficiency",
        paper="Fig. 11, Table 6",
        effect="efficiency beside success, ours and the paper's",
        arms=_named("llarp", "lstm_flan", "scratch", "lstm_llama"),
        settings=PERCEPTS,
    ),
)
"""In the order of the paper. One that is added here can be listed, run and reported."""

Named = TypeVar("Named", Study, Arm)


def find_study(name: str) -> Study:
    """Return a study by name; UsageError for an unknown one."""
    return _find([name], STUDIES, "study")[0]


def find_arms(study: Study, names: tuple[str, ...]) -> tuple[Arm, ...]:
    """Return arms of a study by name, all if there are no names; UsageError for an unknown one."""
    return tuple(_find(names, study.arms, "arm")) if names else study.arms


def _find(names: Iterable[str], known: Iterable[Named], what: str) -> list[Named]:
    by_name: Mapping[str, Named] = {one.name: one for one in known}
    for name in names:
        if name not in by_name:
            hint = did_you_mean(name, by_name)
            raise UsageError(f"no {what} '{name}'; accepted: {', '.join(by_name)}{hint}")
    return [by_name[name] for name in names]
