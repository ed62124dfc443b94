"""From settings to a policy and what it remembers: LLaRP, or its LSTM rival. Not for training them.

The trainer asks of a policy what the two protocols here say, and of nothing else.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import partial
from typing import Any, Protocol

import torch
from torch import Tensor, nn

from langrearrange.errors import UsageError
from langrearrange.seeding import digest

from .adapters import ActionModule, Heads, ObservationModule
from .backbone import load_backbone
from .config import TrainConfig
from .contexts import Contexts
from .errors import TrainingError
from .eyes import Eyes
from .lora import add_lora
from .packing import Carried, Rows
from .policy import LlarpPolicy


class Policy(Protocol):
    """A policy that can be trained: what PPO and checkpoints need of it.

    Attributes:
        backbone: the part that knows language; `trainable` says whether it takes a gradient.
        action: has `policy` and `value`, the last linear layers.
    """

    backbone: Any
    action: Any

    def evaluate(self, rows: Rows) -> Heads:
        """Return logits (rows, steps, num_actions) and values (rows, steps) of whole rollouts."""
        ...

    def trained(self) -> Iterator[tuple[str, nn.Parameter]]:
        """Yield name and parameter of everything that takes a gradient."""
        ...


class RunningEpisodes(Protocol):
    """What each row has seen of its episode; `Contexts` says what each of these is."""

    features: Tensor
    proprio: Tensor
    counts: Tensor
    prefixes: list[Any]
    store: Any

    def begin(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each of these rows."""
        ...

    def step(self, features: Tensor, proprio: Tensor, rows: Sequence[int] | None = None) -> Heads:
        """Take in an observation in each row and say what to do."""
        ...

    def value_of(
        self, features: Tensor, proprio: Tensor, rows: Sequence[int] | None = None
    ) -> Tensor:
        """Return the value of an observation without taking it in."""
        ...

    def refresh(self) -> Carried:
        """Remember the running episodes anew with the policy as it is now; return their steps."""
        ...

    def grow(self, num_rows: int) -> None:
        """Make room for at least so many rows."""
        ...


def derived_seed(*parts: str | int) -> int:
    """Return a seed of 63 bits that depends on all the parts."""
    return int.from_bytes(digest("llarp", *parts)[:8], "big") >> 1


def make_policy(config: TrainConfig, eyes: Eyes, num_actions: int) -> Any:
    """Return an untrained policy; the same in every process.

    Raises:
        BackboneError: the language model cannot be loaded.
        TrainingError: too little memory for it.
    """
    try:
        make = _llarp if config.learner == "llarp" else _lstm
        return make(config, eyes, num_actions).to(config.device)
    except (torch.OutOfMemoryError, MemoryError) as error:
        raise TrainingError(
            f"too little memory for '{config.backbone}' in {config.backbone_dtype} on "
            f"{config.device}; use --backbone-dtype bfloat16, a smaller model, or another device"
        ) from error


def make_contexts(config: TrainConfig, policy: Any, eyes: Eyes, num_rows: int) -> RunningEpisodes:
    """Return the memory of `num_rows` rows of a policy."""
    kind: Any = partial(Contexts, read_together=not config.exact_resume)
    if config.learner == "lstm":
        from ..lstm.contexts import LstmContexts

        kind = LstmContexts
    memory: RunningEpisodes = kind(
        policy,
        num_rows,
        config.horizon,
        eyes.feature_shape,
        eyes.proprio_dim,
        config.prefix_megabytes << 20,
    )
    return memory


def _llarp(config: TrainConfig, eyes: Eyes, num_actions: int) -> nn.Module:
    backbone = load_backbone(
        config.backbone,
        dtype=config.backbone_dtype,
        weights=config.backbone_weights,
        seed=config.seed,
        device=config.device,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(config.seed, "adapters"))
        observation = ObservationModule(
            eyes.feature_shape,
            eyes.proprio_dim,
            backbone.hidden_size,
            config.observation_module,
            config.tokens_per_step,
        )
        action = ActionModule(backbone.hidden_size, num_actions)
    if config.train_backbone == "all":
        backbone.model.requires_grad_(True)
    elif config.train_backbone == "lora":
        seed = derived_seed(config.seed, "lora")
        add_lora(backbone.model, config.lora_rank, config.lora_alpha, seed)
    return LlarpPolicy(backbone, observation, action)


def _lstm(config: TrainConfig, eyes: Eyes, num_actions: int) -> nn.Module:
    from ..lstm.policy import LstmPolicy, Summary
    from ..lstm.text import load_text_encoder

    if config.train_backbone == "lora" or config.tokens_per_step > 1:
        raise UsageError(
            "the lstm learner takes --train-backbone none or all, and --tokens-per-step 1"
        )
    text = load_text_encoder(
        config.backbone,
        weights=config.backbone_weights,
        dtype=config.backbone_dtype,
        seed=config.seed,
        device=config.device,
    )
    text.requires_grad_(config.train_backbone == "all")
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(derived_seed(config.seed, "adapters"))
        summary = Summary(text.width, config.summary)
        return LstmPolicy(text, summary, eyes.feature_shape[0], eyes.proprio_dim, num_actions)
