"""One run of imitation in phases (recordings, and passes over them), each saved when it is done.

Every phase begins new episodes and has its own generator, so that a resumed run equals an
uninterrupted one, bit for bit on the CPU with `exact_resume`.

    unfinished/checkpoints/000004/       after 4 phases; the folder is renamed when all is written
    unfinished/recorded/000.safetensors  what the first stage recorded
    checkpoints/000000/                  the result; then `unfinished` is removed
"""

import json
import shutil
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import torch

from langrearrange.errors import UsageError
from langrearrange.log import get_logger

from ..engine import checkpoint
from ..engine.encoder import check_encoder, make_encoder
from ..engine.envs import make_envs
from ..engine.factory import load_trained, make_episodes, make_policy
from ..engine.learner import derived_seed
from ..tensors import write_tensors
from .clone import Cloner
from .collect import Collector
from .config import ImitationConfig
from .demonstrations import DemonstrationError, Demonstrations, join, read, write
from .experts import Expert, ExplorerExpert, OracleExpert, PolicyExpert

logger = get_logger(__name__)

RESUMABLE: Final = {
    "out", "resume", "device", "threads", "render_threads", "save_demonstrations", "habitat_python",
    "habitat_data", "habitat_gpu",
}  # fmt: skip
"""Settings that may differ when a run is resumed."""


PROGRESS: Final = ("done", "records", "given_steps", "expert_success", "recorded_success")
"""Attributes of an unfinished run that are saved after each phase."""


class Phase(NamedTuple):
    """A piece of a run: stage 0 clones, the others are DAgger's; epoch 0 records, others learn."""

    stage: int
    epoch: int


def phases_of(config: ImitationConfig) -> Iterator[Phase]:
    """Yield the phases of a run in order."""
    for stage in range(config.rounds + 1):
        for epoch in range(1 + (config.round_epochs if stage else config.epochs)):
            yield Phase(stage, epoch)


class Imitation:
    """One run: its policy, its demonstrations and its metrics.

    Args:
        config: settings.

    Attributes:
        done: number of phases done.
        given_steps: env steps of the demonstrations that were given.
        expert_success, recorded_success: success rate of the expert, and of the last recording.
        recorded: the demonstrations of each stage so far.
        records: one a pass, as in metrics.jsonl.
    """

    def __init__(self, config: ImitationConfig) -> None:
        self.config = config
        self.encoder = make_encoder(config)
        self.envs = make_envs(config, self.encoder.modality)
        num_actions = int(self.envs.single_action_space.n)
        self.policy = make_policy(config, self.encoder, num_actions)
        self.episodes = make_episodes(config, self.policy, self.encoder, config.num_envs)
        self.rng = torch.Generator()
        self.cloner = Cloner(self.policy, self.episodes.store, config, self.rng)
        expert = make_expert(config, self.envs, self.rng)
        self.collector = Collector(self.envs, self.encoder, expert, self.rng, config)
        self.phases = tuple(phases_of(config))
        self.done = 0
        self.given_steps = 0
        self.expert_success = 0.0
        self.recorded: list[Demonstrations] = []
        self.records: list[dict[str, Any]] = []
        self.recorded_success = 0.0
        self._everything: Demonstrations | None = None

    @property
    def _unfinished(self) -> Path:
        return unfinished_folder(self.config.out)

    @property
    def env_steps(self) -> int:
        """Steps of this run, those of given demonstrations included."""
        return self.given_steps + self.collector.env_steps

    def run(self, stop: Callable[[], bool] = lambda: False) -> None:
        """Do the remaining phases and save the result; `stop` is asked after each phase.

        Raises:
            LangRearrangeError: it cannot continue; the phases that were done are saved.
        """
        if self.done == len(self.phases):
            return
        while self.done < len(self.phases):
            phase = self.phases[self.done]
            self.rng.manual_seed(derived_seed(self.config.seed, "imitation", *phase))
            if phase.epoch == 0:
                self._record(phase.stage)
            else:
                self._learn(phase)
            self.done += 1
            if self.done < len(self.phases):
                self._save_phase()
                if stop():
                    return
        if self.config.save_demonstrations:
            write(join(self.recorded), self.config.out / "demonstrations.safetensors")
        self._save(self.config.out, 0)
        shutil.rmtree(self._unfinished, ignore_errors=True)

    def resume(self) -> None:
        """Continue after the last phase that was saved; if none is left, load the result.

        Raises:
            CheckpointError: there is none, or it is corrupt or of other settings.
        """
        out, unfinished = self.config.out, self._unfinished
        finished = bool(checkpoint.checkpoints(out))
        began = unfinished.exists() and not finished
        folder = checkpoint.find_checkpoint(unfinished if began else out)
        state = checkpoint.read_state(folder)
        checkpoint.check_settings(state, self.config, folder, free=RESUMABLE)
        checkpoint.load_policy(self.policy, self.encoder, folder)
        if finished:
            self.done = len(self.phases)
            shutil.rmtree(unfinished, ignore_errors=True)
            return
        moments = checkpoint.read_tensors(folder / "cloner.safetensors")
        checkpoint.load_optimizer(self.cloner.optimizer, moments)
        self.collector.env_steps = state["played_steps"]
        for name in PROGRESS:
            setattr(self, name, state[name])
        stages = range(self.phases[self.done - 1].stage + 1)
        self.recorded = [read(self._recorded_path(stage)) for stage in stages]
        self._write_metrics()

    def _record(self, stage: int) -> None:
        """Record the demonstrations of a stage."""
        config = self.config
        self.episodes.store.weights_changed()
        if stage == 0 and config.demonstrations:
            new = self._stored(Path(config.demonstrations))
            self.given_steps = new.num_steps
        else:
            self.collector.begin(derived_seed(config.seed, "envs", "imitation", stage) >> 32)
            if stage == 0:
                new = self.collector.record(config.num_steps)
            else:
                share = config.expert_share / 2 ** (stage - 1)
                new = self.collector.record(config.round_steps, self.episodes, share)
        self.recorded_success = new.success_rate
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
        """Return given demonstrations as this learner would have observed them."""
        stored = read(path)
        check_encoder(stored.source["encoder"], self.encoder, path, DemonstrationError)
        if self.config.control == "shuffled":
            return stored.with_shuffled_sentences(derived_seed(self.config.seed, "shuffled"))
        return stored.blind() if self.config.control == "blank" else stored

    def _learn(self, phase: Phase) -> None:
        """Pass over all demonstrations so far, once."""
        if self._everything is None:
            self._everything = join(self.recorded)
            self.episodes.store.weights_changed()
        config = self.config
        epochs = config.round_epochs if phase.stage else config.epochs
        stage = f"dagger {phase.stage}" if phase.stage else "clone"
        before = self.records[-1]["cpu_s"] if phase.epoch > 1 else 0.0
        cpu = time.process_time()
        learned = self.cloner.train_pass(self._everything, (phase.epoch - 1) / epochs)
        record = {
            "stage": stage,
            "epoch": phase.epoch,
            "env_steps": self.env_steps,
            "recorded_success": round(self.recorded_success, 4),
            "recorded_episodes": self.recorded[-1].num_episodes,
            **learned,
            "cpu_s": round(before + time.process_time() - cpu, 2),
        }
        self.records.append(record)
        logger.info("%s", record)
        self._write_metrics()

    def _recorded_path(self, stage: int) -> Path:
        return self._unfinished / "recorded" / f"{stage:03d}.safetensors"

    def _write_metrics(self) -> None:
        self.config.out.mkdir(parents=True, exist_ok=True)
        lines = "".join(json.dumps(record) + "\n" for record in self.records)
        (self.config.out / "metrics.jsonl").write_text(lines, encoding="utf-8")

    def _save_phase(self) -> None:
        more = {name: getattr(self, name) for name in PROGRESS}
        self._save(self._unfinished, self.done, **more, played_steps=self.collector.env_steps)

    def _save(self, out: Path, number: int, **more: Any) -> None:
        """Write a checkpoint that `train --init-from` takes, unfinished if there is `more`."""
        partial = checkpoint.partial_folder(out, number)
        partial.mkdir(parents=True, exist_ok=True)
        if more:
            moments = checkpoint.optimizer_tensors(self.cloner.optimizer)
            write_tensors(partial / "cloner.safetensors", moments)
        checkpoint.write_policy(
            partial,
            self.config,
            self.policy,
            self.encoder,
            "imitation",
            **{"expert_success": self.expert_success, "env_steps": self.env_steps, **more},
        )
        checkpoint.complete(out, number, keep=1)


def unfinished_folder(out: Path) -> Path:
    """Return where the phases of an unfinished run are kept."""
    return out / "unfinished"


def make_expert(config: ImitationConfig, envs: Any, rng: torch.Generator) -> Expert:
    """Return the expert that the settings name; a policy draws its skills from `rng`."""
    if config.expert == "explorer":
        return ExplorerExpert(envs)
    if config.expert == "oracle":
        return OracleExpert(envs)
    options = {"device": config.device, "horizon": config.horizon}
    policy, encoder, settings, _ = load_trained(config.expert_checkpoint, **options)
    if encoder.modality != envs.config.observation:
        raise UsageError(
            f"{config.expert_checkpoint} reads {encoder.modality} observations, the learner "
            f"{envs.config.observation}; give the learner an encoder of the same kind"
        )
    return PolicyExpert(make_episodes(settings, policy, encoder, config.num_envs), encoder, rng)
