"""Rollouts: `num_steps` steps of every env under the policy as it is. Not for learning from them.

Envs reset themselves in the step that ends an episode (SameStep mode), so every step is a step of
an episode: there are no dummy steps to train on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, Protocol

import numpy as np
import torch
from torch import Tensor

from .config import TrainConfig
from .encoder import Encoded, Encoder
from .envs import make_instruction_transform
from .episodes import RunningEpisodes
from .errors import TrainingError
from .inputs import NO_ACTION
from .packing import Rows, Segment, Segments
from .policy import masked
from .privileged import PlannerPotential, privileged_facts, tasks_of


class Envs(Protocol):
    """A Gymnasium vector env in SameStep mode whose observations hold an `instruction`."""

    num_envs: int

    def reset(self, *, seed: int | None = None) -> tuple[Mapping[str, Any], Mapping[str, Any]]:
        """Begin an episode in every env."""
        ...

    def step(self, actions: Any) -> tuple[Mapping[str, Any], Any, Any, Any, Mapping[str, Any]]:
        """Take an action in every env."""
        ...


class Finished(NamedTuple):
    """An episode that ended in a rollout."""

    template: str
    success: bool
    steps: int
    total: float


@dataclass(slots=True)
class Rollout:
    """What was played: arrays of (rows, steps) unless said otherwise.

    Attributes:
        rows: what the policy saw.
        actions: int64. log_probs, values, rewards: float32. ends: bool.
        last_value: (rows,): value of the observation after the last step.
        last: the observation after the last step.
        valid: (rows, steps, num_actions), bool: what could be drawn; None: everything.
        privileged: (rows, steps + 1, PRIVILEGED_DIM), for a critic that reads it; else None.
        finished: the episodes that ended.
        invalid: share of skills that were invalid.
        seconds: spent in `env`, `encoder` and `policy`.
    """

    rows: Rows
    actions: Tensor
    log_probs: Tensor
    values: Tensor
    rewards: Tensor
    ends: Tensor
    last_value: Tensor
    last: Encoded
    valid: Tensor | None
    privileged: Tensor | None
    finished: list[Finished]
    invalid: float
    seconds: dict[str, float]


class _Step(NamedTuple):
    """One step of all envs, each array (num_envs,) or more."""

    features: Tensor
    proprio: Tensor
    actions: Tensor
    log_probs: Tensor
    values: Tensor
    rewards: Tensor
    ends: Tensor
    valid: Tensor


@dataclass(slots=True)
class _Counts:
    finished: list[Finished] = field(default_factory=list)
    invalid: int = 0
    seconds: dict[str, float] = field(default_factory=lambda: {"env": 0.0, "encoder": 0.0})
    facts: list[Tensor] = field(default_factory=list)


class Player:
    """Plays envs with a policy; episodes continue from one rollout to the next.

    Args:
        envs: in SameStep mode.
        encoder: of their observations.
        episodes: the running episodes, one row an env.
        rng: draws the actions; on the CPU.
        config: says how rewards are scaled and what running out of steps is worth.
    """

    def __init__(
        self,
        envs: Envs,
        encoder: Encoder,
        episodes: RunningEpisodes,
        rng: torch.Generator,
        config: TrainConfig,
    ) -> None:
        self.envs, self.encoder, self.episodes, self.rng = envs, encoder, episodes, rng
        self.config = config
        self.transform = make_instruction_transform(config)
        self.totals = np.zeros(envs.num_envs)
        self.now: Encoded | None = None
        self.valid: Tensor | None = None
        self.last_actions = np.full(envs.num_envs, NO_ACTION)
        self.potential: PlannerPotential | None = None
        if config.shaping == "planner":
            self.potential = PlannerPotential(config.shaping_scale, config.gamma)
        self._privileged = config.critic_inputs == "privileged"

    def begin(self, seed: int) -> None:
        """Begin an episode in every env."""
        observations, _ = self.envs.reset(seed=seed)
        self.last_actions[:] = NO_ACTION
        self._look(observations)
        if self.potential is not None:
            self.potential.begin(tasks_of(self.envs, "shaping 'planner'"))
        self._begin_episodes(range(self.envs.num_envs), observations["instruction"])

    def play(self, num_steps: int, stop: Callable[[int], bool] = lambda step: False) -> Rollout:
        """Play, and return what was played.

        Args:
            num_steps: of each env.
            stop: asked before each step but the first; True ends the rollout there.
        """
        started = time.perf_counter()
        carried = self.episodes.refresh()
        num_envs = self.envs.num_envs
        segments: list[Segment] = []
        starts = [0] * num_envs
        steps: list[_Step] = []
        counts = _Counts()
        for t in range(num_steps):
            if t > 0 and stop(t):
                break
            step, ended = self._step(counts)
            steps.append(step)
            for row, instruction in ended.items():
                segments.append(Segment(row, starts[row], t + 1, instruction))
                starts[row] = t + 1
        played = len(steps)
        going_on = zip(range(num_envs), starts, self.episodes.instructions, strict=True)
        segments += [Segment(row, at, played, said) for row, at, said in going_on if at < played]
        assert self.now is not None
        last_value = self.episodes.value_of(*self.now)
        self._note_facts(counts)
        elsewhere = sum(counts.seconds.values())
        whole = _Step(*(torch.stack(column, 1) for column in zip(*steps, strict=True)))
        return Rollout(
            rows=Rows(whole.features, whole.proprio, Segments.collect(segments), carried),
            actions=whole.actions,
            log_probs=whole.log_probs,
            values=whole.values,
            rewards=whole.rewards,
            ends=whole.ends,
            last_value=last_value,
            last=self.now,
            valid=whole.valid if self.config.mask_invalid else None,
            privileged=torch.stack(counts.facts, 1) if self._privileged else None,
            finished=counts.finished,
            invalid=counts.invalid / (played * num_envs),
            seconds={**counts.seconds, "policy": time.perf_counter() - started - elsewhere},
        )

    def _step(self, counts: _Counts) -> tuple[_Step, dict[int, Any]]:
        """Take one step in every env; return it, and row -> instruction of episodes it ended."""
        encoded = self.now
        assert encoded is not None
        self._note_facts(counts)
        heads = self.episodes.step(*encoded)
        valid = self.valid
        log_probs = masked(heads.logits, valid).log_softmax(-1)
        chances = log_probs.exp().cpu()
        if not chances.isfinite().all():
            raise TrainingError(
                "policy output contains NaN; restart from the last checkpoint with a lower --lr "
                "(--init-from)"
            )
        drawn = torch.multinomial(chances, 1, generator=self.rng)
        actions = drawn.to(log_probs.device)
        started = time.perf_counter()
        taken = drawn[:, 0].numpy()
        observations, rewards, terminated, truncated, infos = self.envs.step(taken)
        stepped = time.perf_counter()
        ends = np.asarray(terminated | truncated)
        self.last_actions = np.where(ends, NO_ACTION, taken)
        self._look(observations)
        counts.seconds["env"] += stepped - started
        counts.seconds["encoder"] += time.perf_counter() - stepped
        rewards = np.asarray(rewards, np.float64)
        self.totals += rewards
        if self.potential is not None:
            tasks = tasks_of(self.envs, "shaping 'planner'")
            rewards = rewards + self.potential.step(tasks, taken.tolist(), ends)
        worth = torch.from_numpy(rewards).float() * self.config.reward_scale
        if self.config.bootstrap_horizon and np.asarray(truncated).any():
            late = np.asarray(truncated)
            worth += self.config.gamma * self._value_at_horizon(late, infos, taken)
        ended = {row: self.episodes.instructions[row] for row in np.flatnonzero(ends).tolist()}
        counts.invalid += _count_invalid(infos, ended)
        counts.finished += [self._finished(row, infos) for row in ended]
        if ended:
            self._begin_episodes(list(ended), [observations["instruction"][row] for row in ended])
        device = heads.value.device
        step = _Step(
            *encoded,
            actions=actions[:, 0],
            log_probs=log_probs.gather(1, actions)[:, 0],
            values=heads.value,
            rewards=worth.to(device),
            ends=torch.from_numpy(ends).to(device),
            valid=torch.empty(0) if valid is None else valid,
        )
        return step, ended

    def _look(self, observations: Mapping[str, Any]) -> None:
        """Encode what the envs show now, and keep which skills are valid if asked for."""
        self.now = self.encoder({**observations, "last_action": self.last_actions})
        if self.config.mask_invalid:
            mask = torch.from_numpy(np.asarray(observations["action_mask"])).bool()
            self.valid = mask.to(self.now.features.device)

    def _note_facts(self, counts: _Counts) -> None:
        if self._privileged:
            tasks = tasks_of(self.envs, "critic_inputs 'privileged'")
            counts.facts.append(privileged_facts(tasks).to(self.episodes.features.device))

    def _begin_episodes(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        draws = torch.rand(len(rows), generator=self.rng).tolist()
        self.episodes.begin(rows, self.transform(instructions, draws))

    def _finished(self, row: int, infos: Mapping[str, Any]) -> Finished:
        template, success, steps = (
            infos["final_info"][name][row] for name in ("template", "success", "steps")
        )
        total, self.totals[row] = float(self.totals[row]), 0.0
        return Finished(str(template), bool(success), int(steps), total)

    def _value_at_horizon(
        self,
        truncated: np.ndarray[Any, Any],
        infos: Mapping[str, Any],
        taken: np.ndarray[Any, Any],
    ) -> Tensor:
        rows = np.flatnonzero(truncated).tolist()
        finals = [infos["final_obs"][row] for row in rows]
        batch = {name: np.stack([final[name] for final in finals]) for name in finals[0]}
        batch["last_action"] = taken[rows]
        result = torch.zeros(len(truncated))
        result[rows] = self.episodes.value_of(*self.encoder(batch), rows=rows).cpu()
        return result


def _count_invalid(infos: Mapping[str, Any], ended: Iterable[int]) -> int:
    """Count the envs whose last skill was invalid."""
    if "outcome" not in infos:
        return 0
    outcomes = np.array(infos["outcome"], dtype=object)
    for row in ended:
        outcomes[row] = infos["final_info"]["outcome"][row]
    return int(np.count_nonzero(outcomes != "ok"))
