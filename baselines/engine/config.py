"""Settings of training as flat values: the command line, the record and the documentation.

`RunConfig` is what every way of training shares; `TrainConfig` adds PPO, `imitation` its own.
"""

from __future__ import annotations

import dataclasses
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from langrearrange.cli.common import SimulatorOptions
from langrearrange.errors import UsageError, did_you_mean
from langrearrange.world.vocabulary import HORIZON

PresetName = Literal["paper", "lstm_flan", "lstm_llama", "released", "stable", "tiny", "small"]
Precision = Literal["float32", "bfloat16"]
INPUTS: Final = ("last-action", "outcome")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig(SimulatorOptions):
    """Settings of a run that trains a policy, by whatever method."""

    out: Path
    """folder for checkpoints and metrics.jsonl; must be new, or --resume it"""
    resume: bool = False
    """continue from the last checkpoint in --out"""
    seed: int = 0
    """of weights, actions, batches and the order of episodes"""
    device: str = "cpu"
    """cpu, cuda, cuda:1, ..."""
    threads: int = 1
    """of torch on the CPU"""

    learner: str = "llarp"
    """llarp, lstm (LSTM-Flan and LSTM-LLaMA), gru (small), or module:Class of your own"""
    summary: Literal["last", "mean", "perceiver"] = "last"
    """of the instruction, for the lstm: last (LSTM-Flan), perceiver (LSTM-LLaMA)"""
    backbone: str = "tiny"
    """tiny (random), smollm2, minilm, a folder with a Hugging Face language model, a GGUF file, or
    a name on the hub"""
    layers: int = 0
    """of the language model, the first so many; 0: all"""
    backbone_weights: Literal["pretrained", "random"] = "pretrained"
    """random: the same shape without its knowledge (control; LLaRP-Scratch)"""
    backbone_dtype: Precision = "float32"
    """of the language model; adapters are float32"""
    train_backbone: Literal["none", "lora", "all"] = "none"
    """none: frozen; lora: low-rank updates; all: LLaRP-FT, LLaRP-Scratch"""
    lora_rank: int = 8
    """rank of the low-rank updates"""
    lora_alpha: float = 16.0
    """their scale is alpha / rank"""
    encoder: str = "segcnn"
    """segcnn, random, symbolic (the state observation), percepts (what segcnn would read out,
    computed from the state), percepts:segcnn (read out of pictures), or a path to a vision model"""
    encoder_precision: Literal["float32", "bfloat16", "auto"] = "float32"
    """of the vision model; bfloat16 is 2.5 times as fast on a CPU with AMX, slower without; auto:
    the fastest, with its layout, measured once as the run begins and kept when it is resumed"""
    encoder_layout: Literal["channels_last", "contiguous"] = "channels_last"
    """memory layout of the vision model's convolutions"""
    reuse_views: bool = True
    """encode a picture that was seen before, bit for bit, only once"""
    observation_module: Literal["linear", "mlp2"] = "mlp2"
    """linear: paper C.1; mlp2: two layers"""
    proprioception: bool = True
    """whether joints, hand and pose are seen beside the image"""
    tokens_per_step: int = 1
    """tokens an observation becomes; more than one needs an encoder with patches"""
    control: Literal["none", "shuffled", "blank"] = "none"
    """what claims are compared with: shuffled: given the instruction of another episode; blank:
    sees nothing but proprioception"""

    split: str = "train"
    """what to train on"""
    episodes: str = ""
    """a folder of `langrearrange generate` to train on instead"""
    horizon: int = HORIZON
    """skills an episode may take"""
    hard: bool = False
    """the harder variant (paper D.3)"""
    inputs: str = ""
    """what the policy sees besides: last-action, outcome (of it), or both with a comma; an outcome
    is in the state observation, or with pictures in the feedback"""
    num_envs: int = 18
    """envs of each process"""
    render_threads: int = 1
    """threads that draw the pictures of all envs; the pictures are the same"""
    exact_resume: bool = False
    """read each instruction alone, so that on the CPU a resumed run continues bit for bit; without
    it, instructions are read together, which is faster, and a resumed run differs by rounding"""
    prefix_megabytes: int = 1024
    """memory for instructions that were read; beyond it they are read again"""

    def __post_init__(self) -> None:
        object.__setattr__(self, "out", Path(self.out))
        object.__setattr__(self, "homes", tuple(self.homes))
        check_range(
            self,
            1,
            "threads",
            "render_threads",
            "lora_rank",
            "tokens_per_step",
            "horizon",
            "num_envs",
        )
        check_range(self, 0, "seed", "prefix_megabytes", "layers")
        if wrong := [name for name in self.input_names if name not in INPUTS]:
            raise UsageError(f"inputs '{wrong[0]}'; accepted: {', '.join(INPUTS)}")

    @property
    def input_names(self) -> tuple[str, ...]:
        """The parts of `inputs`."""
        return tuple(filter(None, self.inputs.split(",")))

    def record(self) -> dict[str, Any]:
        """Return all settings as JSON values."""
        return dataclasses.asdict(self) | {"out": str(self.out), "homes": list(self.homes)}


@dataclass(frozen=True, slots=True, kw_only=True)
class TrainConfig(RunConfig):
    """Train a policy by PPO. Choose a --preset first; every other option changes it."""

    out: Path = Path("out/llarp")
    preset: PresetName = "tiny"
    """paper, lstm_flan, lstm_llama: Table 3; released: the released code; stable: our advice for
    GPUs; tiny: two cores; small: a GRU on the state observation, for fast experiments"""
    init_from: str = ""
    """a checkpoint to take the weights from, for instance one of imitation; an own critic begins
    with its critic, if it has one"""
    num_updates: int = 100
    """rollouts, each followed by an update; a resumed run may have more"""
    num_steps: int = 32
    """steps of each env between updates"""

    lr: float = 3e-4
    """learning rate of AdamW"""
    lr_schedule: Literal["constant", "linear"] = "constant"
    """linear: down to 0 at num_updates"""
    weight_decay: float = 0.01
    """of matrices; vectors have none"""
    adam_eps: float = 1e-5
    """epsilon of AdamW"""
    epochs: int = 1
    """passes over a rollout"""
    minibatches: int = 6
    """gradient steps a pass"""
    min_steps_per_gradient: int = 0
    """fewer minibatches are made rather than take a gradient over fewer steps, all processes
    counted"""
    microbatch_envs: int = 0
    """rollouts put through the model at once, to save memory; 0: a whole minibatch"""
    clip: float = 0.2
    """of the probability ratio"""
    entropy: float = 0.01
    """weight of the entropy bonus"""
    value_coef: float = 0.5
    """weight of the value loss"""
    value_loss: Literal["mse", "huber"] = "mse"
    """huber: errors above 1 count linearly (paper C.6)"""
    grad_clip: float = 0.2
    """largest norm of the gradient"""
    gamma: float = 0.99
    """discount"""
    gae_lambda: float = 0.95
    """of generalised advantage estimation"""
    normalise_advantage: bool = False
    """by mean and spread over all processes"""
    target_kl: float = 0.0
    """stop a pass when the policy moved further; 0: never"""
    reward_scale: float = 1.0
    """rewards are multiplied by this before learning; reported returns are not"""
    bootstrap_horizon: bool = False
    """running out of steps is worth what would follow; without it, it is a failure (paper)"""
    critic_updates: int = 0
    """first updates that train the value head alone; for a policy that comes from imitation"""
    critic_lr: float = 0.0
    """learning rate of these updates: a fresh value head must be right before it moves a policy
    that is good already; 0: lr"""
    critic: Literal["shared", "own"] = "shared"
    """shared: a value head on the policy (paper); own: a network of its own"""
    critic_inputs: Literal["observed", "privileged"] = "observed"
    """privileged: an own critic also reads template, step, subgoals reached and where things are;
    in training only"""
    critic_warmup: int = 0
    """first updates in which an own critic alone is trained: until it explains half of the
    variance of returns, or so many; 0: none"""
    mask_invalid: bool = False
    """draw valid skills only, by the env's mask; in training only: a policy is scored without"""
    mask_loss: float = 0.0
    """weight of minus the logarithm of what the policy gives to valid skills without the mask: it
    learns which are valid. Skills that are rarely valid are then avoided where they are, too"""
    weight_templates: Literal["none", "failure"] = "none"
    """failure: templates are drawn in proportion to how often they fail"""
    shaping: Literal["none", "planner"] = "none"
    """planner: potential-based reward of the steps that the exact planner still needs"""
    shaping_scale: float = 0.2
    """reward for each step nearer"""
    measure_noise: int = 0
    """updates between measurements of the gradient's noise; 0: never"""
    ratio_tolerance: float = 0.0
    """how far acting and training may differ at an update's first minibatch; 0: 1e-5 in float32,
    2e-2 in bfloat16"""
    sync_fraction: float = 0.0
    """several processes: a rollout ends early once this share of the others is done (DD-PPO; 0.6
    is usual; such runs do not repeat exactly); 0: never"""

    backend: Literal["auto", "gloo", "nccl"] = "auto"
    """several processes: how they exchange gradients; auto: nccl on cuda, else gloo. Processes that
    share a GPU need gloo"""

    checkpoint_every: int = 10
    """updates between checkpoints; the last update is always kept"""
    keep_checkpoints: int = 2
    """older ones are removed"""
    tensorboard: bool = False
    """write event files as well"""

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        check_range(self, 1, "num_updates", "num_steps", "epochs", "minibatches")
        check_range(self, 1, "checkpoint_every", "keep_checkpoints")
        check_range(self, 0, "lr", "weight_decay", "entropy", "value_coef", "target_kl")
        check_range(self, 0, "critic_updates", "critic_lr", "microbatch_envs", "ratio_tolerance")
        check_range(self, 0, "min_steps_per_gradient", "critic_warmup", "measure_noise")
        check_range(self, 0, "shaping_scale", "mask_loss")
        check_range(self, 1e-12, "adam_eps", "clip", "grad_clip", "reward_scale")
        check_range(self, 0, "gamma", "gae_lambda", "sync_fraction", most=1)
        if self.backend == "nccl" and not self.device.startswith("cuda"):
            raise UsageError(f"--backend nccl with device '{self.device}'; nccl needs cuda")
        if self.minibatches > self.num_envs:
            raise UsageError(
                f"minibatches={self.minibatches} of num_envs={self.num_envs}: a minibatch is of "
                "whole envs; use fewer minibatches or more envs"
            )
        for wrong in _contradictions(self):
            raise UsageError(wrong)

    @property
    def tolerance(self) -> float:
        """`ratio_tolerance` with 0 resolved."""
        return self.ratio_tolerance or (1e-5 if self.backbone_dtype == "float32" else 2e-2)


def check_range(settings: object, least: float, *names: str, most: float = math.inf) -> None:
    """Raise UsageError unless these settings are finite and within `least` to `most`."""
    for name in names:
        value = getattr(settings, name)
        if not (math.isfinite(value) and least <= value <= most):
            limit = f"{least} or more" if most == math.inf else f"{least} to {most}"
            raise UsageError(f"{name}={value!r}; accepted: {limit}")


def _contradictions(config: TrainConfig) -> Iterator[str]:
    """Yield, in one sentence each, which settings do not go together."""
    own = config.critic == "own"
    changed = [name for name, plain in EXTRAS.items() if getattr(config, name) != plain]
    if config.preset in PAPER_PRESETS and changed:
        yield (
            f"preset '{config.preset}' is the paper's, which has no {changed[0]}="
            f"{getattr(config, changed[0])!r}; choose another preset"
        )
    if not own and (config.critic_inputs != "observed" or config.critic_warmup):
        yield "critic_inputs and critic_warmup are of an own critic; add --critic own"
    if own and (config.critic_updates or config.bootstrap_horizon):
        yield (
            "critic_updates and bootstrap_horizon need the shared critic; with --critic own use "
            "--critic-warmup"
        )
    if config.mask_loss and not config.mask_invalid:
        yield "mask_loss is of masked training; add --mask-invalid"
    if config.episodes and config.weight_templates != "none":
        yield "weight_templates needs a split, which is drawn by template; leave --episodes out"


EXTRAS: Final[dict[str, Any]] = {
    "critic": "shared",
    "critic_inputs": "observed",
    "mask_invalid": False,
    "mask_loss": 0.0,
    "weight_templates": "none",
    "shaping": "none",
    "inputs": "",
}
"""Settings that change what is learned from, and what they are in the paper."""
PAPER_PRESETS: Final = ("paper", "lstm_flan", "lstm_llama", "released")
_PAPER: Final[dict[str, Any]] = {
    "backbone_dtype": "bfloat16",
    "observation_module": "linear",
    "proprioception": False,
    "num_envs": 144,
}
_LSTM: Final[dict[str, Any]] = {
    **_PAPER,
    "learner": "lstm",
    "minibatches": 4,
    "epochs": 2,
    "weight_decay": 0.0,
}
PRESETS: Final[dict[str, dict[str, Any]]] = {
    "paper": _PAPER,
    "lstm_flan": {**_LSTM, "train_backbone": "all"},
    "lstm_llama": {**_LSTM, "summary": "perceiver"},
    "released": {
        **_PAPER,
        "observation_module": "mlp2",
        "num_envs": 8,
        "minibatches": 8,
        "epochs": 2,
        "sync_fraction": 0.6,
    },
    "stable": {
        "backbone_dtype": "bfloat16",
        "num_envs": 64,
        "minibatches": 2,
        "min_steps_per_gradient": 768,
        "value_loss": "huber",
        "normalise_advantage": True,
        "target_kl": 0.03,
        "reward_scale": 0.2,
        "grad_clip": 0.5,
    },
    "tiny": {
        "exact_resume": True,
        "num_envs": 32,
        "minibatches": 4,
        "epochs": 2,
        "lr": 1e-3,
        "value_loss": "huber",
        "normalise_advantage": True,
        "reward_scale": 0.2,
        "grad_clip": 0.5,
    },
    "small": {
        "learner": "gru",
        "encoder": "symbolic",
        "exact_resume": True,
        "num_envs": 128,
        "minibatches": 4,
        "epochs": 2,
        "lr": 1e-3,
        "weight_decay": 0.0,
        "value_loss": "huber",
        "normalise_advantage": True,
        "reward_scale": 0.2,
        "grad_clip": 0.5,
        "target_kl": 0.03,
        "ratio_tolerance": 1e-4,  # a sure policy amplifies rounding: 1.8e-5 was seen
    },
}
"""Preset -> what it changes of the defaults, which are Table 3 of the paper."""


def preset(name: str, **changes: Any) -> TrainConfig:
    """Return the settings of a preset with some of them changed.

    Raises:
        UsageError: no such preset or setting, or a value that is not accepted.
    """
    if name not in PRESETS:
        raise UsageError(f"preset '{name}'; accepted: {', '.join(PRESETS)}")
    known = [field.name for field in dataclasses.fields(TrainConfig)]
    for key in changes:
        if key not in known:
            raise UsageError(f"no setting '{key}'{did_you_mean(key, known)}")
    return TrainConfig(**({"preset": name} | PRESETS[name] | changes))
