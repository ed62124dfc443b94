"""Settings of imitation as one flat value: the command line, the record and the doc."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from langrearrange.errors import UsageError
from langrearrange.world.vocabulary import HORIZON

from ..llarp.config import PresetName, TrainConfig, preset

ExpertName = Literal["explorer", "oracle", "policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImitationConfig:
    """Imitate an expert: behaviour cloning, then rounds of DAgger."""

    out: Path = Path("out/imitation")
    """folder for the checkpoint, metrics.jsonl and demonstrations; must be new, or --resume it"""
    resume: bool = False
    """go on after the last recording or pass that was finished in --out"""
    expert: ExpertName = "explorer"
    """explorer: reads the state, knows nothing hidden; oracle: the optimal plan (an ablation: it
    knows where hidden things are); policy: a trained one, see --expert-checkpoint"""
    expert_checkpoint: str = ""
    """run or checkpoint of the policy to imitate"""
    demonstrations: str = ""
    """recorded ones to begin with, .safetensors, instead of playing the expert"""
    save_demonstrations: bool = False
    """keep what was recorded in --out"""
    num_steps: int = 20_000
    """env steps of the expert alone"""
    epochs: int = 6
    """passes over them"""
    rounds: int = 3
    """of DAgger: the learner acts, the expert says what it would have done; 0: cloning alone"""
    round_steps: int = 10_000
    """env steps a round"""
    round_epochs: int = 3
    """passes over all that was recorded so far, after each round"""
    expert_share: float = 0.3
    """chance that the expert's advice is done in the first round; halved each round"""
    successes_only: bool = True
    """leave out the expert's own episodes that failed"""

    lr: float = 1e-3
    """learning rate of AdamW, down to a tenth within each training"""
    weight_decay: float = 0.01
    """of matrices"""
    rows_per_batch: int = 16
    """rows of --horizon steps a gradient step"""
    grad_clip: float = 1.0
    """largest norm of the gradient"""
    label_smoothing: float = 0.0
    """share of the target spread over all skills, so that PPO has something left to explore"""

    control: Literal["none", "shuffled", "blank"] = "none"
    """what a claim is compared with: shuffled: the learner hears the sentence of another episode;
    blank: it sees nothing but proprioception"""

    preset: PresetName = "tiny"
    """of the policy's shape, as in llarp.train"""
    seed: int = 0
    """of weights, actions and the order of episodes"""
    device: str = "cpu"
    """cpu, cuda, cuda:1, ..."""
    threads: int = 1
    """of torch on the CPU"""
    learner: Literal["llarp", "lstm"] = "llarp"
    """llarp, or its rival of a text encoder and an LSTM (paper C.3)"""
    summary: Literal["last", "mean", "perceiver"] = "last"
    """lstm: how a sentence becomes one vector; last: LSTM-Flan, perceiver: LSTM-LLaMA"""
    backbone: str = "tiny"
    """tiny (random), minilm, a folder with a Hugging Face language model, or a name on the hub"""
    backbone_weights: Literal["pretrained", "random"] = "pretrained"
    """random: the same shape without its knowledge (control)"""
    backbone_dtype: Literal["float32", "bfloat16"] = "float32"
    """of the language model"""
    train_backbone: Literal["none", "lora", "all"] = "none"
    """none: frozen; lora: low-rank updates; all: everything"""
    encoder: str = "segcnn"
    """segcnn, random, symbolic (the state observation), or a path to a vision model"""
    encoder_precision: Literal["float32", "bfloat16"] = "float32"
    """of the vision model; bfloat16 is 2.5 times as fast on a CPU with AMX, slower without"""
    observation_module: Literal["linear", "mlp2"] = "mlp2"
    """linear: paper C.1; mlp2: two layers"""
    proprioception: bool = True
    """whether joints, hand and pose are seen beside the picture"""
    split: str = "train"
    """what to play"""
    episodes: str = ""
    """a folder of `langrearrange generate` to play instead"""
    horizon: int = HORIZON
    """skills an episode may take"""
    num_envs: int = 32
    """episodes played side by side"""
    exact_resume: bool = True
    """read each instruction alone, so that on the CPU a resumed run goes on bit for bit; without it
    it goes on up to rounding, and instructions are read together in a third of the time"""
    prefix_megabytes: int = 8192
    """memory for instructions that were read, at most; passes beyond it read them again"""

    def __post_init__(self) -> None:
        counts = ("num_steps", "epochs", "round_steps", "round_epochs", "rows_per_batch")
        for name in (*counts, "num_envs", "threads"):
            if getattr(self, name) < 1:
                raise UsageError(f"{name}={getattr(self, name)}; accepted: 1 or more")
        if self.rounds < 0 or not 0 <= self.expert_share <= 1:
            raise UsageError("rounds >= 0 and 0 <= expert_share <= 1 are needed")
        if (self.expert == "policy") != bool(self.expert_checkpoint):
            raise UsageError("--expert policy and --expert-checkpoint go together")
        if self.expert == "oracle" and self.rounds:
            raise UsageError(
                "the oracle's plan gives no advice off its own path; use --rounds 0 with it"
            )

    def policy_settings(self) -> TrainConfig:
        """Return the settings that `llarp.train` would have for the same policy."""
        shared = {f.name for f in dataclasses.fields(TrainConfig)} - {"lr", "weight_decay"}
        shared -= {"epochs", "grad_clip", "minibatches"}
        changes = {n: getattr(self, n) for n in self.__dataclass_fields__ if n in shared}
        changes.pop("preset")
        minibatches = min(self.num_envs, preset(self.preset).minibatches)
        return preset(self.preset, **changes, minibatches=minibatches)

    def record(self) -> dict[str, Any]:
        """Return all settings as JSON values."""
        return dataclasses.asdict(self) | {"out": str(self.out)}
