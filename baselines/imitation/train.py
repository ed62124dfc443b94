"""`python -m langrearrange_baselines.imitation.train`: clone an expert, then DAgger.

What it leaves is a checkpoint that `llarp.train --init-from` goes on from and `llarp.evaluate`
plays. Settings are in `config`.
"""

from __future__ import annotations

import dataclasses
import json
import sys
import time
from pathlib import Path
from typing import Any

import torch
import tyro
from torch import Tensor

from langrearrange.errors import UsageError
from langrearrange.log import get_logger

from ..command import run_command
from ..llarp import checkpoint
from ..llarp.agent import config_of
from ..llarp.backbone import fingerprint
from ..llarp.build import make_envs, make_eyes, make_hearing
from ..llarp.learners import derived_seed, make_contexts, make_policy
from .clone import Cloner, CloneSettings
from .collect import Collector
from .config import ImitationConfig
from .demonstrations import DemonstrationError, Demonstrations, join, read, write
from .experts import Expert, ExplorerExpert, OracleExpert, PolicyExpert

logger = get_logger(__name__)


class Imitation:
    """One run: its policy, what was recorded, and the records of its metrics.

    Args:
        config: settings.
    """

    def __init__(self, config: ImitationConfig) -> None:
        self.config = config
        settings = config.policy_settings()
        self.settings = settings
        self.eyes = make_eyes(settings)
        self.envs = make_envs(settings, self.eyes.modality)
        num_actions = int(self.envs.single_action_space.n)
        self.policy = make_policy(settings, self.eyes, num_actions)
        self.contexts = make_contexts(settings, self.policy, self.eyes, config.num_envs)
        rng = torch.Generator().manual_seed(derived_seed(config.seed, "imitation"))
        self.cloner = Cloner(
            self.policy,
            self.contexts.store,
            CloneSettings(
                lr=config.lr,
                weight_decay=config.weight_decay,
                rows_per_batch=config.rows_per_batch,
                grad_clip=config.grad_clip,
                label_smoothing=config.label_smoothing,
            ),
            rng,
            config.horizon,
        )
        source = {"encoder": config.encoder, "expert": config.expert, "split": config.split}
        expert = make_expert(config, self.envs)
        hearing = make_hearing(settings)
        self.collector = Collector(self.envs, self.eyes, expert, rng, source, hearing)
        self.given_steps = 0
        self.recorded: list[Demonstrations] = []
        self.records: list[dict[str, Any]] = []

    @property
    def env_steps(self) -> int:
        """Steps this run learned from or played: demonstrations it was given are counted."""
        return self.given_steps + self.collector.env_steps

    def run(self) -> Path:
        """Clone, make the rounds of DAgger, save; return the checkpoint's folder."""
        config = self.config
        self.collector.begin(derived_seed(config.seed, "envs", "imitation") >> 32)
        if config.demonstrations:
            first = self._stored(Path(config.demonstrations))
            self.given_steps = first.num_steps
        else:
            first = self.collector.record(config.num_steps)
        expert_success = first.success_rate
        kept = first.successful() if config.successes_only else first
        if not kept.num_episodes:
            raise DemonstrationError(
                f"none of the expert's {first.num_episodes} episodes succeeded; raise --num-steps "
                "or choose another expert"
            )
        self._learn(kept, config.epochs, "clone", expert_success)
        share = config.expert_share
        for number in range(config.rounds):
            played = self.collector.record(config.round_steps, self.contexts, share)
            self._learn(played, config.round_epochs, f"dagger {number + 1}", played.success_rate)
            share /= 2
        if config.save_demonstrations:
            write(join(self.recorded), config.out / "demonstrations.safetensors")
        return save(self, expert_success)

    def _stored(self, path: Path) -> Demonstrations:
        """Return recorded demonstrations as this learner would have seen and heard them."""
        stored = read(path)
        ours = (*self.eyes.feature_shape,), self.eyes.proprio_dim
        theirs = (*stored.features.shape[1:],), stored.proprio.shape[1]
        if stored.source.get("encoder") != self.config.encoder or ours != theirs:
            raise DemonstrationError(
                f"{path} was seen through '{stored.source.get('encoder')}' {theirs}, this learner "
                f"sees through '{self.config.encoder}' {ours}; use the same, or record again"
            )
        if self.config.control == "shuffled":
            return stored.with_shuffled_sentences(derived_seed(self.config.seed, "shuffled"))
        return stored.blind() if self.config.control == "blank" else stored

    def _learn(self, new: Demonstrations, epochs: int, stage: str, success: float) -> None:
        self.recorded.append(new)
        everything = join(self.recorded)
        cpu = time.process_time()
        if self.policy.backbone.trainable:
            self.contexts.store.clear()
        for epoch, learned in enumerate(self.cloner.train(everything, epochs)):
            record = {
                "stage": stage,
                "epoch": epoch + 1,
                "env_steps": self.env_steps,
                "recorded_success": round(success, 4),
                "recorded_episodes": new.num_episodes,
                **learned,
                "cpu_s": round(time.process_time() - cpu, 2),
            }
            self.records.append(record)
            logger.info("%s", record)
        if self.policy.backbone.trainable:
            self.contexts.store.clear()
        self.config.out.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(record) + "\n" for record in self.records)
        (self.config.out / "metrics.jsonl").write_text(lines, encoding="utf-8")


def make_expert(config: ImitationConfig, envs: Any) -> Expert:
    """Return the expert that the settings name."""
    if config.expert == "explorer":
        return ExplorerExpert(envs)
    if config.expert == "oracle":
        return OracleExpert(envs)
    folder = checkpoint.find_checkpoint(config.expert_checkpoint)
    settings = config_of(checkpoint.read_state(folder), device=config.device)
    settings = dataclasses.replace(settings, horizon=config.horizon)
    eyes = make_eyes(settings)
    if eyes.modality != envs.config.observation:
        raise UsageError(
            f"{folder} reads {eyes.modality} observations, the learner {envs.config.observation}; "
            "give the learner an encoder of the same kind"
        )
    policy = make_policy(settings, eyes, int(envs.single_action_space.n))
    checkpoint.load_weights(policy, folder)
    contexts = make_contexts(settings, policy, eyes, config.num_envs)
    rng = torch.Generator().manual_seed(derived_seed(config.seed, "expert"))
    return PolicyExpert(contexts, eyes, rng)


def save(run: Imitation, expert_success: float) -> Path:
    """Write the checkpoint that `llarp.train --init-from` takes; return its folder."""
    config, policy, eyes = run.config, run.policy, run.eyes
    partial = checkpoint.partial_folder(config.out, 0)
    partial.mkdir(parents=True, exist_ok=True)
    weights: dict[str, Tensor] = dict(policy.trained())
    checkpoint.write_tensors(partial / "weights.safetensors", weights)
    state = {
        "schema_version": checkpoint.SCHEMA_VERSION,
        "config": run.settings.record(),
        "imitation": config.record(),
        "expert_success": expert_success,
        "update": 0,
        "env_steps": run.env_steps,
        "processes": 1,
        "backbone": fingerprint(policy.backbone),
        "feature_shape": list(eyes.feature_shape),
        "proprio_dim": eyes.proprio_dim,
        "eyes": eyes.fingerprint,
        "num_actions": policy.action.policy.out_features,
    }
    checkpoint.write_json(partial / "state.json", state)
    return checkpoint.complete(config.out, 0, keep=1)


def imitate(config: ImitationConfig) -> Imitation:
    """Run; return the run as it stands at the end.

    Raises:
        LangRearrangeError: one sentence.
    """
    torch.set_num_threads(config.threads)
    if checkpoint.checkpoints(config.out) or (config.out / "metrics.jsonl").exists():
        raise UsageError(f"{config.out} holds a run already; choose another --out")
    run = Imitation(config)
    try:
        run.run()
    finally:
        run.envs.close()
    return run


def main() -> int:
    """Run the command; 0 ok, 1 failed, 2 wrong usage."""
    name = "python -m langrearrange_baselines.imitation.train"
    return run_command(lambda: imitate(tyro.cli(ImitationConfig, prog=name)).config.out)


if __name__ == "__main__":
    sys.exit(main())
