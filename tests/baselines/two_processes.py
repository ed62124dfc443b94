"""Run by torchrun: what one process learns from all rows, two learn from half of them each."""

from __future__ import annotations

import dataclasses
import os
import sys
import time
from pathlib import Path
from typing import Any

import torch
from langrearrange_baselines.engine.config import TrainConfig, preset
from langrearrange_baselines.engine.critic_training import CriticTrainer
from langrearrange_baselines.engine.encoder import Encoded
from langrearrange_baselines.engine.errors import TrainingError
from langrearrange_baselines.engine.factory import make_policy
from langrearrange_baselines.engine.group import Group
from langrearrange_baselines.engine.ppo import Ppo
from langrearrange_baselines.engine.rollout import Rollout
from langrearrange_baselines.engine.trainer import Trainer
from langrearrange_baselines.tensors import write_tensors
from toy_world import HORIZON, NUM_ACTIONS, ToyEncoder, ToyEnvs


def settings(out: Path, **changes: Any) -> TrainConfig:
    shape: dict[str, Any] = {"horizon": HORIZON, "num_envs": 4, "num_steps": 12, "minibatches": 1}
    return preset("tiny", out=out, **(shape | changes))


def part_of(rollout: Rollout, rows: torch.Tensor) -> Rollout:
    """The rollout of some of the envs."""
    arrays = ("actions", "log_probs", "values", "rewards", "ends", "last_value")
    parts = {name: getattr(rollout, name)[rows] for name in arrays}
    last = Encoded(*(part[rows] for part in rollout.last))
    return dataclasses.replace(rollout, rows=rollout.rows.of(rows), last=last, **parts)


def trained(out: Path, group: Group, **changes: Any) -> dict[str, torch.Tensor]:
    """Learn from one rollout, this process's share of it; return the weights, a critic's too."""
    config = settings(out, **changes)
    encoder = ToyEncoder()
    trainer = Trainer(
        config, ToyEnvs(4), encoder, make_policy(config, encoder, NUM_ACTIONS), Group()
    )
    trainer.begin()
    rollout = trainer.player.play(12)
    share = torch.arange(4).tensor_split(group.size)[group.rank]
    critic = CriticTrainer(config, encoder, group) if config.critic == "own" else None
    ppo = Ppo(trainer.policy, config, torch.Generator().manual_seed(0), group, critic)
    ppo.update(part_of(rollout, share), 0)
    own = critic.critic.named_parameters() if critic is not None else ()
    return {**dict(trainer.policy.trained()), **{f"critic.{name}": p for name, p in own}}


class SlowEnvs(ToyEnvs):
    """Envs that keep everybody waiting."""

    def step(self, actions: Any) -> Any:
        time.sleep(0.1)
        return super().step(actions)


def preempted(out: Path, group: Group) -> tuple[Trainer, list[dict[str, Any]]]:
    """Train two updates beside a process whose envs are slow."""
    config = settings(out, sync_fraction=0.6, num_updates=2, num_steps=32)
    encoder = ToyEncoder()
    envs = SlowEnvs(4) if group.rank == 1 else ToyEnvs(4)
    trainer = Trainer(config, envs, encoder, make_policy(config, encoder, NUM_ACTIONS), group)
    trainer.begin()
    records: list[dict[str, Any]] = []
    trainer.run(on_update=records.append)
    return trainer, records


class BreakingEnvs(ToyEnvs):
    """Envs that take their process down in the second rollout."""

    steps = 0

    def step(self, actions: Any) -> Any:
        self.steps += 1
        if self.steps > 20:
            os._exit(3)
        return super().step(actions)


def lost(out: Path, group: Group) -> None:
    """Train beside a process that goes away."""
    config = settings(out, num_updates=5)
    encoder = ToyEncoder()
    envs = BreakingEnvs(4) if group.rank == 1 else ToyEnvs(4)
    trainer = Trainer(config, envs, encoder, make_policy(config, encoder, NUM_ACTIONS), group)
    trainer.begin()
    try:
        trainer.run()
    except TrainingError as error:
        (out / "message.txt").write_text(str(error))
    os._exit(0)


def main() -> None:
    out = Path(sys.argv[1])
    torch.set_num_threads(1)
    group = Group.from_environment("cpu", "gloo")
    if "lost" in sys.argv:
        lost(out, group)
    for critic in ("shared", "own"):
        weights = trained(out / critic, group, critic=critic)
        write_tensors(out / f"{critic}_{group.rank}.safetensors", weights)
    trainer, records = preempted(out / "preempted", group)
    steps = torch.tensor([float(r["preempted"]) for r in records])
    result = dict(trainer.policy.trained()) | {"preempted": steps}
    write_tensors(out / f"preempted_{group.rank}.safetensors", result)
    torch.distributed.destroy_process_group()


if __name__ == "__main__":
    main()
