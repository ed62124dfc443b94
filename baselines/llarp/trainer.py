"""A training run: play, learn, record, save; and go on exactly where it was saved. No options here.

What a checkpoint holds is enough to continue bit for bit on the CPU with the same number of
processes: weights, optimiser, random generators, the envs' state and what they have seen.
"""

from __future__ import annotations

import contextlib
import json
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from . import checkpoint
from .backbone import fingerprint
from .build import make_hearing
from .config import TrainConfig
from .errors import CheckpointError, TrainingError
from .eyes import Eyes, Seen
from .group import Group
from .learners import Policy, derived_seed, make_contexts
from .metrics import Metrics
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
    "tensorboard",
    "prefix_megabytes",
    "ratio_tolerance",
    "microbatch_envs",
}
"""Settings that may differ when a run is resumed."""


class Trainer:
    """A run from its first update or from a checkpoint.

    Args:
        config: settings.
        envs: of this process, in SameStep mode, with `save_state` and `restore_state`.
        eyes: for their observations.
        policy: the same in all processes.
        group: the processes that train together.
    """

    def __init__(
        self,
        config: TrainConfig,
        envs: Any,
        eyes: Eyes,
        policy: Policy,
        group: Group | None = None,
    ) -> None:
        self.config, self.envs, self.policy = config, envs, policy
        self.group = group or Group()
        rank = self.group.rank
        self.action_rng = torch.Generator().manual_seed(derived_seed(config.seed, "actions", rank))
        self.batch_rng = torch.Generator().manual_seed(derived_seed(config.seed, "batches", rank))
        self.contexts = make_contexts(config, policy, eyes, envs.num_envs)
        self.player = Player(
            envs,
            eyes,
            self.contexts,
            self.action_rng,
            gamma=config.gamma,
            bootstrap_horizon=config.bootstrap_horizon,
            reward_scale=config.reward_scale,
            hearing=make_hearing(config),
        )
        self.ppo = Ppo(policy, config, self.batch_rng, self.group)
        self.metrics = Metrics()
        self.update = 0
        self.env_steps = 0

    def begin(self) -> None:
        """Begin a new run: fresh episodes, weights of `init_from` where it is set."""
        if self.config.init_from:
            folder = checkpoint.find_checkpoint(self.config.init_from)
            state = checkpoint.read_state(folder)
            checkpoint.check_kind(state, self.config, folder)
            checkpoint.check_eyes(state, self.player.eyes, folder)
            checkpoint.load_weights(self.policy, folder)
        # The vector env seeds env i with seed + i: ranks must not overlap.
        self.player.begin(derived_seed(self.config.seed, "envs", self.group.rank) >> 32)

    def run(
        self,
        until: int | None = None,
        *,
        on_update: Callable[[dict[str, Any]], None] = lambda record: None,
        stop: Callable[[], bool] = lambda: False,
    ) -> None:
        """Make updates until `until` (default: num_updates), or until `stop` says so.

        Saves every `checkpoint_every` updates and at the end, whatever ends it.

        Raises:
            TrainingError: training cannot go on; what was trained until then is saved.
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
                f"{self._rescue()}; resume with --microbatch-envs 1, or a smaller number"
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

        The rollout in hand is lost: a run resumed from here begins fresh episodes. Weights are the
        same in all processes, so that any that is left may write them.
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
        state = {
            "schema_version": checkpoint.SCHEMA_VERSION,
            "config": self.config.record(),
            "update": self.update,
            "env_steps": self.env_steps,
            "processes": self.group.size,
            "backbone": fingerprint(self.policy.backbone),
            "feature_shape": list(self.contexts.features.shape[2:]),
            "proprio_dim": self.contexts.proprio.shape[2],
            "eyes": self.player.eyes.fingerprint,
            "num_actions": self.policy.action.policy.out_features,
            "metrics": self.metrics.saved(),
        }
        weights = {name: parameter for name, parameter in self.policy.trained()}
        checkpoint.write_tensors(partial / "weights.safetensors", weights)
        moments = checkpoint.optimizer_tensors(self.ppo.optimizer)
        checkpoint.write_tensors(partial / "optimizer.safetensors", moments)
        checkpoint.write_json(partial / "state.json", state)

    def resume(self, folder: Path) -> None:
        """Go on from a checkpoint.

        Raises:
            CheckpointError: it belongs to other settings, another model or is torn.
        """
        state = checkpoint.read_state(folder)
        if "metrics" not in state:
            raise CheckpointError(f"{folder} is of imitation; start from it with --init-from")
        ours = self.config.record()
        for name, value in state["config"].items():
            if name not in RESUMABLE and ours.get(name) != value:
                raise CheckpointError(
                    f"{folder} was trained with {name}={value!r}, asked for is {ours.get(name)!r}; "
                    "resume with the same settings, or start anew with --init-from"
                )
        checkpoint.check_eyes(state, self.player.eyes, folder)
        checkpoint.load_weights(self.policy, folder)
        moments = checkpoint.read_tensors(folder / "optimizer.safetensors")
        checkpoint.load_optimizer(self.ppo.optimizer, moments)
        self.update, self.env_steps = state["update"], state["env_steps"]
        self.metrics.restore(state["metrics"])
        own = folder / f"rank_{self.group.rank}.json"
        if state["processes"] == self.group.size and own.is_file():
            self._resume_rank(own)
        else:  # another number of processes, or saved in an emergency: fresh episodes
            parts = ("envs", self.group.rank, "update", self.update)
            self.player.begin(derived_seed(self.config.seed, *parts) >> 32)

    def _one_update(self) -> dict[str, Any]:
        started = time.perf_counter()
        cpu = time.process_time()
        config = self.config
        self.group.begin_rollout(self.update)

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
            "prefix_hits": self._hit_rate(),
            "sps": steps / (finished - started),
            "env_s": rollout.env_s,
            "eyes_s": rollout.eyes_s,
            "policy_s": rollout.policy_s,
            "update_s": finished - played,
            "cpu_s": time.process_time() - cpu,
        }

    def _hit_rate(self) -> float:
        store = self.contexts.store
        return float(store.hits / max(1, store.hits + store.misses))

    def _write_metrics(self, record: dict[str, Any]) -> None:
        if self.group.rank != 0:
            return
        self.config.out.mkdir(parents=True, exist_ok=True)
        with (self.config.out / "metrics.jsonl").open("a", encoding="utf-8") as file:
            file.write(json.dumps(record, allow_nan=False) + "\n")

    def _save_rank(self, partial: Path) -> None:
        contexts, now = self.contexts, self.player.now
        assert now is not None
        tensors = {
            "features": contexts.features,
            "proprio": contexts.proprio,
            "counts": contexts.counts,
            "now_features": now.features,
            "now_proprio": now.proprio,
            "action_rng": self.action_rng.get_state(),
            "batch_rng": self.batch_rng.get_state(),
        }
        rank = f"rank_{self.group.rank}"
        checkpoint.write_tensors(partial / f"{rank}.safetensors", tensors)
        record = {
            "envs": self.envs.save_state(),
            "totals": self.player.totals.tolist(),
            "prefixes": [list(p.ids) for p in contexts.prefixes if p is not None],
        }
        checkpoint.write_json(partial / f"{rank}.json", record)

    def _resume_rank(self, path: Path) -> None:
        tensors = checkpoint.read_tensors(path.with_suffix(".safetensors"))
        record = checkpoint.read_json(path)
        contexts, device = self.contexts, self.contexts.features.device
        if tensors["features"].shape != contexts.features.shape:
            raise CheckpointError(
                f"{path}: features of shape {tuple(tensors['features'].shape)}, these eyes give "
                f"{tuple(contexts.features.shape)}; use the same encoder"
            )
        self.envs.restore_state(record["envs"])
        contexts.features = tensors["features"].to(device)
        contexts.proprio = tensors["proprio"].to(device)
        contexts.counts = tensors["counts"]
        contexts.prefixes = [contexts.store.of_ids(tuple(ids)) for ids in record["prefixes"]]
        self.player.now = Seen(
            tensors["now_features"].to(device), tensors["now_proprio"].to(device)
        )
        self.player.totals = np.array(record["totals"])
        self.action_rng.set_state(tensors["action_rng"])
        self.batch_rng.set_state(tensors["batch_rng"])
