"""A training run by PPO: play, learn, record, save, resume. No command line here.

A checkpoint is enough to continue bit for bit on the CPU with the same number of processes:
weights, optimiser, random generators, the envs' state and the running episodes.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import numpy as np
import torch

from .. import tensors
from . import checkpoint
from .config import TrainConfig
from .critic_training import CriticTrainer
from .encoder import Encoded, Encoder
from .errors import CheckpointError, TrainingError
from .factory import make_episodes
from .group import Group
from .learner import derived_seed
from .metrics import Metrics
from .optimizer import sync_masters
from .policy import Policy
from .ppo import Ppo
from .rollout import Player

RESUMABLE = {
    "out",
    "resume",
    "init_from",
    "num_updates",
    "checkpoint_every",
    "keep_checkpoints",
    "device",
    "threads",
    "render_threads",
    "backend",
    "habitat_python",
    "habitat_data",
    "habitat_gpu",
    "tensorboard",
    "prefix_megabytes",
    "ratio_tolerance",
    "microbatch_envs",
}
"""Settings that may differ when a run is resumed."""
_CRITIC: Final = "critic.safetensors"


class Trainer:
    """A run from its first update or from a checkpoint.

    Args:
        config: settings.
        envs: of this process, in SameStep mode, with `save_state` and `restore_state`.
        encoder: of their observations.
        policy: the same in all processes.
        group: the processes that train together.
    """

    def __init__(
        self,
        config: TrainConfig,
        envs: Any,
        encoder: Encoder,
        policy: Policy,
        group: Group | None = None,
    ) -> None:
        self.config, self.envs, self.policy = config, envs, policy
        self.group = group or Group()
        rank = self.group.rank
        self.action_rng = torch.Generator().manual_seed(derived_seed(config.seed, "actions", rank))
        self.batch_rng = torch.Generator().manual_seed(derived_seed(config.seed, "batches", rank))
        self.episodes = make_episodes(config, policy, encoder, envs.num_envs)
        self.player = Player(envs, encoder, self.episodes, self.action_rng, config)
        self.critic: CriticTrainer | None = None
        if config.critic == "own":
            self.critic = CriticTrainer(config, encoder, self.group)
        self.ppo = Ppo(policy, config, self.batch_rng, self.group, self.critic)
        self.metrics = Metrics()
        self.update = 0
        self.env_steps = 0

    def begin(self) -> None:
        """Begin a new run: fresh episodes, weights of `init_from` where it is set.

        An own critic begins with that of `init_from` if it has one; it still warms up.

        Raises:
            CheckpointError: `init_from` is corrupt, of another kind, or has another critic.
        """
        if self.config.init_from:
            folder = checkpoint.find_checkpoint(self.config.init_from)
            state = checkpoint.read_state(folder)
            checkpoint.check_kind(state, self.config, folder)
            checkpoint.load_policy(self.policy, self.player.encoder, folder)
            sync_masters(self.ppo.optimizer)
            if self.critic is not None and (folder / _CRITIC).is_file():
                checkpoint.check_equal(state, self.config, folder, ["critic_inputs"])
                self._load_critic(folder)
        # The vector env seeds env i with seed + i: ranks must not overlap.
        self.player.begin(derived_seed(self.config.seed, "envs", self.group.rank) >> 32)

    def run(
        self,
        until: int | None = None,
        *,
        on_update: Callable[[dict[str, Any]], None] = lambda record: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make updates until `until` (default: num_updates), or until `stop` returns True.

        Saves every `checkpoint_every` updates and at the end, whatever ends it.

        Raises:
            TrainingError: training cannot continue; the last good weights are saved.
        """
        last = self.config.num_updates if until is None else until
        saved = self.update
        try:
            while self.update < last:
                record = self._one_update()
                self._write_metrics(record)
                on_update(record)
                if self.group.any(stop()):
                    break
                if self.update % self.config.checkpoint_every == 0:
                    self.save()
                    saved = self.update
        except TrainingError as error:
            raise TrainingError(f"{error}. Saved: {self._rescue()}") from error
        except torch.OutOfMemoryError as error:
            raise TrainingError(
                f"too little memory on {self.config.device} at update {self.update}. Saved: "
                f"{self._rescue()}; resume with --microbatch-envs 1"
            ) from error
        except RuntimeError as error:
            if self.group.size == 1:
                raise
            raise TrainingError(
                f"a process was lost at update {self.update} ({str(error).splitlines()[0]:.120}). "
                f"Saved: {self._rescue()}; start all processes again with --resume"
            ) from error
        if saved != self.update:
            self.save()

    def save(self) -> Path:
        """Write a checkpoint, all processes together, and return its folder."""
        partial = checkpoint.partial_folder(self.config.out, self.update)
        partial.mkdir(parents=True, exist_ok=True)
        self._save_rank(partial)
        self.group.barrier()
        if self.group.rank == 0:
            self._save_shared(partial)
            checkpoint.complete(self.config.out, self.update, self.config.keep_checkpoints)
        self.group.barrier()
        return partial.with_suffix("")

    def _rescue(self) -> Path:
        """Save the weights of the last good step without waiting for any other process.

        The current rollout is lost: a run resumed from here begins fresh episodes. Weights are the
        same in all processes, so any that is left may write them.
        """
        partial = checkpoint.partial_folder(self.config.out, self.update, self.group.rank)
        final = partial.with_suffix("")
        if not final.exists():
            partial.mkdir(parents=True, exist_ok=True)
            self._save_shared(partial)
            with contextlib.suppress(OSError):  # another process was first
                partial.rename(final)
        shutil.rmtree(partial, ignore_errors=True)
        return final

    def _save_shared(self, partial: Path) -> None:
        checkpoint.write_policy(
            partial,
            self.config,
            self.policy,
            self.player.encoder,
            "ppo",
            update=self.update,
            env_steps=self.env_steps,
            processes=self.group.size,
            metrics=self.metrics.saved(),
            critic_ready=self.critic is None or self.critic.ready,
        )
        moments = checkpoint.optimizer_tensors(self.ppo.optimizer)
        tensors.write_tensors(partial / "optimizer.safetensors", moments)
        if self.critic is not None:
            own = dict(self.critic.critic.named_parameters())
            moments = checkpoint.optimizer_tensors(self.critic.optimizer)
            tensors.write_tensors(partial / _CRITIC, own)
            tensors.write_tensors(partial / "critic_optimizer.safetensors", moments)

    def resume(self, folder: Path) -> None:
        """Continue from a checkpoint.

        Raises:
            CheckpointError: it is corrupt, or of other settings or another model.
        """
        state = checkpoint.read_state(folder)
        if state["method"] != "ppo":
            raise CheckpointError(f"{folder} is of {state['method']}; start with --init-from")
        checkpoint.check_settings(state, self.config, folder, free=RESUMABLE)
        checkpoint.load_policy(self.policy, self.player.encoder, folder)
        moments = checkpoint.read_tensors(folder / "optimizer.safetensors")
        checkpoint.load_optimizer(self.ppo.optimizer, moments)
        if self.critic is not None:
            self._load_critic(folder)
            moments = checkpoint.read_tensors(folder / "critic_optimizer.safetensors")
            checkpoint.load_optimizer(self.critic.optimizer, moments)
            self.critic.ready = state["critic_ready"]
        self.update, self.env_steps = state["update"], state["env_steps"]
        self.metrics.restore(state["metrics"])
        own = folder / f"rank_{self.group.rank}.json"
        if state["processes"] == self.group.size and own.is_file():
            self._resume_rank(own)
        else:  # another number of processes, or saved in an emergency: fresh episodes
            parts = ("envs", self.group.rank, "update", self.update)
            self.player.begin(derived_seed(self.config.seed, *parts) >> 32)

    def _load_critic(self, folder: Path) -> None:
        assert self.critic is not None
        own = dict(self.critic.critic.named_parameters())
        checkpoint.copy_weights(own, checkpoint.read_tensors(folder / _CRITIC), folder / _CRITIC)

    def _one_update(self) -> dict[str, Any]:
        started = time.perf_counter()
        cpu = time.process_time()
        config = self.config
        self.group.begin_rollout(self.update)
        if config.weight_templates == "failure":
            self.envs.weigh_templates(self.metrics.failure_weights())

        def stop(step: int) -> bool:
            return self.group.may_stop(step, config.num_steps, config.sync_fraction)

        rollout = self.player.play(config.num_steps, stop)
        self.group.rollout_done()
        played = time.perf_counter()
        learned = self.ppo.update(rollout, self.update)
        finished = time.perf_counter()
        count = torch.tensor(float(rollout.actions.numel()), device=rollout.values.device)
        steps = int(self.group.sum(count))
        self.env_steps += steps
        self.update += 1
        self.metrics.add(rollout.finished)
        return {
            "update": self.update,
            "env_steps": self.env_steps,
            **self.metrics.summary(),
            **learned,
            "invalid": rollout.invalid,
            "preempted": rollout.actions.shape[1] < config.num_steps,
            "prefix_hits": self.episodes.store.hit_rate,
            "sps": steps / (finished - started),
            **{f"{name}_s": seconds for name, seconds in rollout.seconds.items()},
            "update_s": finished - played,
            "cpu_s": time.process_time() - cpu,
        }

    def _write_metrics(self, record: dict[str, Any]) -> None:
        if self.group.rank != 0:
            return
        self.config.out.mkdir(parents=True, exist_ok=True)
        with (self.config.out / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, allow_nan=False) + "\n")

    def _save_rank(self, partial: Path) -> None:
        episodes, now = self.episodes, self.player.now
        assert now is not None
        path = partial / f"rank_{self.group.rank}.safetensors"
        state = {name: getattr(episodes, name) for name in ("features", "proprio", "counts")}
        state |= {"now_features": now.features, "now_proprio": now.proprio}
        if self.player.valid is not None:
            state["now_valid"] = self.player.valid
        state["action_rng"] = self.action_rng.get_state()
        state["batch_rng"] = self.batch_rng.get_state()
        tensors.write_tensors(path, state)
        record = {
            "envs": self.envs.save_state(),
            "totals": self.player.totals.tolist(),
            "last_actions": self.player.last_actions.tolist(),
            "instructions": [list(read.ids) for read in episodes.instructions if read is not None],
        }
        if self.player.potential is not None:
            record["potential"] = self.player.potential.saved()
        tensors.write_json(path.with_suffix(".json"), record)

    def _resume_rank(self, path: Path) -> None:
        state = checkpoint.read_tensors(path.with_suffix(".safetensors"))
        record = checkpoint.read_json(path)
        episodes, device = self.episodes, self.episodes.features.device
        self.envs.restore_state(record["envs"])
        episodes.features = state["features"].to(device)
        episodes.proprio = state["proprio"].to(device)
        episodes.counts = state["counts"]
        episodes.instructions = episodes.store.of_all([tuple(i) for i in record["instructions"]])
        now = state["now_features"].to(device), state["now_proprio"].to(device)
        self.player.now = Encoded(*now)
        if "now_valid" in state:
            self.player.valid = state["now_valid"].to(device)
        self.player.totals = np.array(record["totals"])
        if "last_actions" in record:  # older checkpoints have none, nor a use for them
            self.player.last_actions = np.array(record["last_actions"])
        if self.player.potential is not None:
            self.player.potential.restore(record["potential"], self.envs.tasks)
        self.action_rng.set_state(state["action_rng"])
        self.batch_rng.set_state(state["batch_rng"])
