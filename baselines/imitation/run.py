"""One run of imitation in parts, each saved when it is done: recordings, and passes over them.

Every part begins fresh episodes and draws from a generator of its own, so that a run which was
stopped and goes on makes what it would have made, bit for bit on the CPU with `exact_resume`.

    parts/checkpoints/000004/         4 parts were done; the name appears when all is written
    parts/recorded/000.safetensors    what the first stage recorded
    checkpoints/000000/               the result; then `parts` is removed
"""

from __future__ import annotations

import dataclasses
import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch
from torch import Tensor

from langrearrange.errors import UsageError
from langrearrange.log import get_logger

from ..llarp import checkpoint
from ..llarp.agent import config_of
from ..llarp.backbone import fingerprint
from ..llarp.build import make_envs, make_eyes, make_hearing
from ..llarp.errors import CheckpointError
from ..llarp.learners import derived_seed, make_contexts, make_policy
from .clone import Cloner, CloneSettings
from .collect import Collector
from .config import ImitationConfig
from .demonstrations import DemonstrationError, Demonstrations, join, read, write
from .experts import Expert, ExplorerExpert, OracleExpert, PolicyExpert

logger = get_logger(__name__)

RESUMABLE: Final = {"out", "resume", "device", "threads", "save_demonstrations"}
"""Settings that may differ when a run is resumed."""


class Part(NamedTuple):
    """A piece of a run: stage 0 clones, the others are DAgger's; epoch 0 records, others learn."""

    stage: int
    epoch: int


def parts_of(config: ImitationConfig) -> Iterator[Part]:
    """Yield the parts of a run in order."""
    for stage in range(config.rounds + 1):
        for epoch in range(1 + (config.round_epochs if stage else config.epochs)):
            yield Part(stage, epoch)


class Imitation:
    """One run: its policy, what was recorded, and the records of its metrics.

    Args:
        config: settings.

    Attributes:
        done: how many parts are done.
        recorded: of each stage so far, what is learned from.
        records: one a pass, as in metrics.jsonl.
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
        self.rng = torch.Generator()
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
            self.rng,
            config.horizon,
        )
        source = {
            "encoder": config.encoder,
            "eyes": self.eyes.fingerprint,
            "expert": config.expert,
            "split": config.split,
        }
        expert = make_expert(config, self.envs, self.rng)
        hearing = make_hearing(settings)
        self.collector = Collector(self.envs, self.eyes, expert, self.rng, source, hearing)
        self.parts = tuple(parts_of(config))
        self.done = 0
        self.given_steps = 0
        self.expert_success = 0.0
        self.recorded: list[Demonstrations] = []
        self.records: list[dict[str, Any]] = []
        self._success = 0.0
        self._everything: Demonstrations | None = None

    @property
    def env_steps(self) -> int:
        """Steps this run learned from or played: demonstrations it was given are counted."""
        return self.given_steps + self.collector.env_steps

    def run(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Do the parts that are left and save the result, or save after the part that `stop` ends.

        Raises:
            LangRearrangeError: one sentence; the parts that were done are saved.
        """
        if self.done == len(self.parts):
            return
        while self.done < len(self.parts):
            part = self.parts[self.done]
            self.rng.manual_seed(derived_seed(self.config.seed, "imitation", *part))
            if part.epoch == 0:
                self._record(part.stage)
            else:
                self._learn(part)
            self.done += 1
            if self.done < len(self.parts):
                self._save_part()
                if stop():
                    return
        if self.config.save_demonstrations:
            write(join(self.recorded), self.config.out / "demonstrations.safetensors")
        self._save(self.config.out, 0)
        shutil.rmtree(parts_folder(self.config.out), ignore_errors=True)

    def resume(self) -> None:
        """Go on from the last part that was saved; with nothing left to do, take the result.

        Raises:
            CheckpointError: there is none, or it is torn or of other settings.
        """
        out, parts = self.config.out, parts_folder(self.config.out)
        finished = bool(checkpoint.checkpoints(out))
        folder = checkpoint.find_checkpoint(parts if parts.exists() and not finished else out)
        state = checkpoint.read_state(folder)
        ours = self.config.record()
        for name, value in state["imitation"].items():
            if name not in RESUMABLE and ours.get(name) != value:
                raise CheckpointError(
                    f"{folder} was begun with {name}={value!r}, asked for is {ours.get(name)!r}; "
                    "resume with the same settings, or choose another --out"
                )
        checkpoint.check_eyes(state, self.eyes, folder)
        checkpoint.load_weights(self.policy, folder)
        if finished:
            self.done = len(self.parts)
            shutil.rmtree(parts, ignore_errors=True)
            return
        moments = checkpoint.read_tensors(folder / "cloner.safetensors")
        checkpoint.load_optimizer(self.cloner.optimizer, moments)
        self.done, self.records = state["done"], state["records"]
        self.given_steps, self.collector.env_steps = state["given_steps"], state["played_steps"]
        self.expert_success, self._success = state["expert_success"], state["recorded_success"]
        stages = range(self.parts[self.done - 1].stage + 1)
        self.recorded = [read(self._recorded_path(stage)) for stage in stages]
        self._write_metrics()

    def _record(self, stage: int) -> None:
        """Play an episode in every env, then more, as this stage does; keep what was recorded."""
        config = self.config
        if self.policy.backbone.trainable:
            self.contexts.store.clear()
        if stage == 0 and config.demonstrations:
            new = self._stored(Path(config.demonstrations))
            self.given_steps = new.num_steps
        else:
            self.collector.begin(derived_seed(config.seed, "envs", "imitation", stage) >> 32)
            if stage == 0:
                new = self.collector.record(config.num_steps)
            else:
                share = config.expert_share / 2 ** (stage - 1)
                new = self.collector.record(config.round_steps, self.contexts, share)
        self._success = new.success_rate
        if stage == 0:
            self.expert_success = new.success_rate
            kept = new.successful() if config.successes_only else new
            if not kept.num_episodes:
                raise DemonstrationError(
                    f"none of the expert's {new.num_episodes} episodes succeeded; raise "
                    "--num-steps or choose another expert"
                )
            new = kept
        self.recorded.append(new)
        self._everything = None
        write(new, self._recorded_path(stage))

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
        if stored.source.get("eyes", self.eyes.fingerprint) != self.eyes.fingerprint:
            raise DemonstrationError(
                f"{path} was seen through other weights of '{self.config.encoder}' than those "
                "found here; use the same, or record again"
            )
        if self.config.control == "shuffled":
            return stored.with_shuffled_sentences(derived_seed(self.config.seed, "shuffled"))
        return stored.blind() if self.config.control == "blank" else stored

    def _learn(self, part: Part) -> None:
        """Pass over all that was recorded so far, once."""
        if self._everything is None:
            self._everything = join(self.recorded)
            if self.policy.backbone.trainable:
                self.contexts.store.clear()
        config = self.config
        epochs = config.round_epochs if part.stage else config.epochs
        stage = f"dagger {part.stage}" if part.stage else "clone"
        before = self.records[-1]["cpu_s"] if part.epoch > 1 else 0.0
        cpu = time.process_time()
        learned = self.cloner.train_pass(self._everything, (part.epoch - 1) / epochs)
        record = {
            "stage": stage,
            "epoch": part.epoch,
            "env_steps": self.env_steps,
            "recorded_success": round(self._success, 4),
            "recorded_episodes": self.recorded[-1].num_episodes,
            **learned,
            "cpu_s": round(before + time.process_time() - cpu, 2),
        }
        self.records.append(record)
        logger.info("%s", record)
        self._write_metrics()

    def _recorded_path(self, stage: int) -> Path:
        return parts_folder(self.config.out) / "recorded" / f"{stage:03d}.safetensors"

    def _write_metrics(self) -> None:
        self.config.out.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(record) + "\n" for record in self.records)
        (self.config.out / "metrics.jsonl").write_text(lines, encoding="utf-8")

    def _save_part(self) -> None:
        more = {
            "done": self.done,
            "records": self.records,
            "given_steps": self.given_steps,
            "played_steps": self.collector.env_steps,
            "recorded_success": self._success,
        }
        self._save(
            parts_folder(self.config.out),
            self.done,
            more,
            checkpoint.optimizer_tensors(self.cloner.optimizer),
        )

    def _save(
        self,
        out: Path,
        number: int,
        more: dict[str, Any] | None = None,
        moments: dict[str, Tensor] | None = None,
    ) -> None:
        """Write a checkpoint that `llarp.train --init-from` takes."""
        partial = checkpoint.partial_folder(out, number)
        partial.mkdir(parents=True, exist_ok=True)
        weights: dict[str, Tensor] = dict(self.policy.trained())
        checkpoint.write_tensors(partial / "weights.safetensors", weights)
        if moments is not None:
            checkpoint.write_tensors(partial / "cloner.safetensors", moments)
        state = {
            "schema_version": checkpoint.SCHEMA_VERSION,
            "config": self.settings.record(),
            "imitation": self.config.record(),
            "expert_success": self.expert_success,
            "update": 0,
            "env_steps": self.env_steps,
            "processes": 1,
            "backbone": fingerprint(self.policy.backbone),
            "feature_shape": list(self.eyes.feature_shape),
            "proprio_dim": self.eyes.proprio_dim,
            "eyes": self.eyes.fingerprint,
            "num_actions": self.policy.action.policy.out_features,
            **(more or {}),
        }
        checkpoint.write_json(partial / "state.json", state)
        checkpoint.complete(out, number, keep=1)


def parts_folder(out: Path) -> Path:
    """Return where the parts of an unfinished run are kept."""
    return out / "parts"


def make_expert(config: ImitationConfig, envs: Any, rng: torch.Generator) -> Expert:
    """Return the expert that the settings name; a policy draws its skills from `rng`."""
    if config.expert == "explorer":
        return ExplorerExpert(envs)
    if config.expert == "oracle":
        return OracleExpert(envs)
    folder = checkpoint.find_checkpoint(config.expert_checkpoint)
    state = checkpoint.read_state(folder)
    settings = config_of(state, device=config.device)
    settings = dataclasses.replace(settings, horizon=config.horizon)
    eyes = make_eyes(settings)
    if eyes.modality != envs.config.observation:
        raise UsageError(
            f"{folder} reads {eyes.modality} observations, the learner {envs.config.observation}; "
            "give the learner an encoder of the same kind"
        )
    checkpoint.check_eyes(state, eyes, folder)
    policy = make_policy(settings, eyes, int(envs.single_action_space.n))
    checkpoint.load_weights(policy, folder)
    return PolicyExpert(make_contexts(settings, policy, eyes, config.num_envs), eyes, rng)
