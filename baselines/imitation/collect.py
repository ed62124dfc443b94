"""Plays a vector env and records it: an expert alone, or a learner with an expert beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from langrearrange.progress import progress

from ..llarp.build import Hearing
from .demonstrations import NO_ADVICE, Demonstrations
from .experts import Expert


@dataclass(slots=True)
class _Episode:
    sentence: str
    seen: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    advice: list[int] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    template: str = ""
    success: bool = False


class Collector:
    """Records episodes; what is still running at the end is left out and goes on at the next call.

    Args:
        envs: in SameStep mode.
        eyes: what the learner sees of their observations.
        expert: advises, and acts where no learner does.
        rng: draws the learner's skills and who acts.
        source: facts that are kept with what is recorded.
        hearing: what the learner hears of sentences (`llarp.build.make_hearing`); the expert hears
            them as they are.
    """

    def __init__(
        self,
        envs: Any,
        eyes: Callable[[Mapping[str, Any]], Any],
        expert: Expert,
        rng: torch.Generator,
        source: Mapping[str, Any],
        hearing: Hearing = lambda sentences, draws: list(sentences),
    ) -> None:
        self._envs, self._eyes, self._expert, self._rng = envs, eyes, expert, rng
        self._source = dict(source)
        self._hearing = hearing
        self._observations: Any = None
        self._running: list[_Episode] = []
        self.env_steps = 0

    def begin(self, seed: int) -> None:
        """Begin an episode in every env."""
        self._observations, _ = self._envs.reset(seed=seed)
        sentences = self._observations["instruction"]
        self._running = [_Episode(sentence) for sentence in self._heard(sentences)]
        self._expert.begin(range(len(sentences)), sentences)

    def record(
        self, num_steps: int, learner: Any = None, expert_share: float = 1.0
    ) -> Demonstrations:
        """Return the episodes that ended within about so many steps of all envs together.

        Args:
            num_steps: at least this many steps are taken.
            learner: `Contexts` of the learning policy, one row an env; None: the expert acts.
            expert_share: chance that the expert's advice is done instead of the learner's choice.
        """
        if learner is not None:
            sentences = [episode.sentence for episode in self._running]
            self._restart(learner, sentences)
        ended: list[_Episode] = []
        taken = 0
        with progress("record", num_steps, "steps") as advance:
            while taken < num_steps:
                ended += self._step(learner, expert_share)
                taken += len(self._running)
                advance(len(self._running), "")
        self.env_steps += taken
        return _packed(ended, self._source | {"expert_share": expert_share})

    def _restart(self, learner: Any, sentences: list[str]) -> None:
        """Let a learner that joins in the middle see what was seen so far in each episode."""
        learner.begin(range(len(sentences)), sentences)
        longest = max(len(episode.seen) for episode in self._running)
        for step in range(longest):
            rows = [row for row, e in enumerate(self._running) if len(e.seen) > step]
            seen = [self._running[row].seen[step] for row in rows]
            learner.step(
                torch.stack([f for f, _ in seen]), torch.stack([p for _, p in seen]), rows=rows
            )

    def _step(self, learner: Any, expert_share: float) -> list[_Episode]:
        features, proprio = self._eyes(self._observations)
        advice = self._expert.advise(self._observations)
        actions = self._choose(learner, features, proprio, advice, expert_share)
        self._expert.done(actions)
        self._observations, rewards, terminated, truncated, infos = self._envs.step(actions)
        ends = np.flatnonzero(terminated | truncated).tolist()
        for row, episode in enumerate(self._running):
            episode.seen.append((features[row].cpu(), proprio[row].cpu()))
            episode.advice.append(int(advice[row]))
            episode.actions.append(int(actions[row]))
            episode.rewards.append(float(rewards[row]))
        ended = []
        sentences = [self._observations["instruction"][row] for row in ends]
        heard = self._heard(sentences)
        for row, sentence in zip(ends, heard, strict=True):
            episode = self._running[row]
            episode.template = str(infos["final_info"]["template"][row])
            episode.success = bool(infos["final_info"]["success"][row])
            ended.append(episode)
            self._running[row] = _Episode(sentence)
        if ends:
            self._expert.begin(ends, sentences)
            if learner is not None:
                learner.begin(ends, heard)
        return ended

    def _heard(self, sentences: Sequence[str]) -> list[str]:
        return self._hearing(sentences, torch.rand(len(sentences), generator=self._rng).tolist())

    def _choose(
        self,
        learner: Any,
        features: Tensor,
        proprio: Tensor,
        advice: np.ndarray[Any, Any],
        expert_share: float,
    ) -> np.ndarray[Any, Any]:
        """Return what is done in each row; where the expert is at a loss, a skill at random."""
        if learner is None:
            num_actions = int(self._envs.single_action_space.n)
            drawn = torch.randint(num_actions, advice.shape, generator=self._rng).numpy()
            return np.where(advice == NO_ADVICE, drawn, advice)
        probabilities = learner.step(features, proprio).logits.float().softmax(-1).cpu()
        own = torch.multinomial(probabilities, 1, generator=self._rng)[:, 0].numpy()
        follow = torch.rand(len(own), generator=self._rng).numpy() < expert_share
        return np.where(follow & (advice != NO_ADVICE), advice, own)


def _packed(episodes: list[_Episode], source: dict[str, Any]) -> Demonstrations:
    sentences = {text: i for i, text in enumerate(dict.fromkeys(e.sentence for e in episodes))}
    templates = {text: i for i, text in enumerate(dict.fromkeys(e.template for e in episodes))}
    lengths = [len(episode.actions) for episode in episodes]
    seen = [pair for episode in episodes for pair in episode.seen]
    return Demonstrations(
        features=torch.stack([f for f, _ in seen]).half() if seen else torch.zeros(0, 0).half(),
        proprio=torch.stack([p for _, p in seen]).float() if seen else torch.zeros(0, 0),
        advice=torch.tensor([a for e in episodes for a in e.advice], dtype=torch.int16),
        actions=torch.tensor([a for e in episodes for a in e.actions], dtype=torch.int16),
        rewards=torch.tensor([r for e in episodes for r in e.rewards], dtype=torch.float32),
        starts=torch.tensor(np.cumsum([0, *lengths]), dtype=torch.long),
        sentence=torch.tensor([sentences[e.sentence] for e in episodes], dtype=torch.long),
        template=torch.tensor([templates[e.template] for e in episodes], dtype=torch.long),
        success=torch.tensor([e.success for e in episodes], dtype=torch.bool),
        sentences=tuple(sentences),
        templates=tuple(templates),
        source=source,
    )
