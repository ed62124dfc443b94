"""Settings of imitation as one flat value: the command line, the record and the documentation."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from langrearrange.errors import UsageError

from ..engine.config import RunConfig, check_range

ExpertName = Literal["explorer", "oracle", "policy"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ImitationConfig(RunConfig):
    """Imitate an expert: behaviour cloning, then rounds of DAgger."""

    out: Path = Path("out/imitation")
    expert: ExpertName = "explorer"
    """explorer: reads the state, knows nothing hidden; oracle: the optimal plan (an ablation: it
    knows where hidden things are); policy: a trained one, see --expert-checkpoint"""
    expert_checkpoint: str = ""
    """run or checkpoint of the policy to imitate"""
    demonstrations: str = ""
    """recorded ones to start with, .safetensors, instead of playing the expert"""
    save_demonstrations: bool = False
    """keep the recorded episodes in --out"""
    num_steps: int = 20_000
    """env steps of the expert alone"""
    epochs: int = 6
    """passes over them"""
    rounds: int = 3
    """of DAgger: the learner acts, the expert labels its states; 0: cloning alone"""
    round_steps: int = 10_000
    """env steps a round"""
    round_epochs: int = 3
    """passes over all episodes so far, after each round"""
    expert_share: float = 0.3
    """probability that the expert acts in the first round; halved each round"""
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

    num_envs: int = 32
    """episodes played at once"""
    exact_resume: bool = True
    prefix_megabytes: int = 8192

    def __post_init__(self) -> None:
        RunConfig.__post_init__(self)
        check_range(self, 1, "num_steps", "epochs", "round_steps", "round_epochs")
        check_range(self, 1, "rows_per_batch")
        check_range(self, 0, "rounds", "weight_decay")
        check_range(self, 1e-12, "lr", "grad_clip")
        check_range(self, 0, "expert_share", "label_smoothing", most=1)
        if (self.expert == "policy") != bool(self.expert_checkpoint):
            raise UsageError("--expert policy and --expert-checkpoint go together")
        if self.expert == "oracle" and self.rounds:
            raise UsageError(
                "the oracle's plan gives no advice off its own path; use --rounds 0 with it"
            )
        if self.hard and self.expert != "policy":
            raise UsageError("only a policy can be imitated with --hard: no other expert stops")
