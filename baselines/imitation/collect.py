"""Records episodes of a vector env: an expert alone, or a policy whose states the expert labels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import torch
from torch import Tensor

from langrearrange.progress import progress

from ..engine.encoder import Encoder, encoder_facts
from ..engine.envs import make_instruction_transform
from ..engine.episodes import RunningEpisodes
from .config import ImitationConfig
from .demonstrations import NO_ADVICE, Demonstrations
from .experts import Expert


@dataclass(slots=True)
class _Episode:
    sentence: str
    observed: list[tuple[Tensor, Tensor]] = field(default_factory=list)
    advice: list[int] = field(default_factory=list)
    actions: list[int] = field(default_factory=list)
    rewards: list[float] = field(default_factory=list)
    template: str = ""
    success: bool = False


class Collector:
    """Records episodes; those still running at the end continue at the next call.

    Args:
        envs: in SameStep mode.
        encoder: of the learner.
        expert: gives advice, and acts where no learner does.
        rng: draws the learner's skills and who acts.
        config: names what is recorded, and the instructions that the learner is given; the expert
            is given the env's own.
    """

    def __init__(
        self,
        envs: Any,
        encoder: Encoder,
        expert: Expert,
        rng: torch.Generator,
        config: ImitationConfig,
    ) -> None:
        self._envs, self._encoder, self._expert, self._rng = envs, encoder, expert, rng
        self._transform = make_instruction_transform(config)
        self._source = {
            "encoder": encoder_facts(config.encoder, encoder),
            "expert": config.expert,
            "split": config.split,
        }
        self._observations: Any = None
        self._running: list[_Episode] = []
        self.env_steps = 0

    def begin(self, seed: int) -> None:
        """Begin an episode in every env."""
        self._observations, _ = self._envs.reset(seed=seed)
        sentences = self._observations["instruction"]
        self._running = [_Episode(sentence) for sentence in self._given(sentences)]
        self._expert.begin(range(len(sentences)), sentences)

    def record(
        self, num_steps: int, learner: RunningEpisodes | None = None, expert_share: float = 1.0
    ) -> Demonstrations:
        """Return the episodes that ended within `num_steps` steps of all envs together.

        Args:
            num_steps: at least this many steps are taken.
            learner: running episodes of the policy, one row an env; None: the expert acts.
            expert_share: probability that the expert acts instead of the learner.
        """
        if learner is not None:
            self._restart(learner)
        ended: list[_Episode] = []
        taken = 0
        with progress("record", num_steps, "steps") as advance:
            while taken < num_steps:
                ended += self._step(learner, expert_share)
                taken += len(self._running)
                advance(len(self._running), "")
        self.env_steps += taken
        return _packed(ended, self._encoder, self._source | {"expert_share": expert_share})

    def _restart(self, learner: RunningEpisodes) -> None:
        """Give a learner that joins in the middle the steps so far of each episode."""
        learner.begin(range(len(self._running)), [e.sentence for e in self._running])
        longest = max(len(episode.observed) for episode in self._running)
        for step in range(longest):
            rows = [row for row, e in enumerate(self._running) if len(e.observed) > step]
            observed = [self._running[row].observed[step] for row in rows]
            features, proprio = zip(*observed, strict=True)
            learner.step(torch.stack(features), torch.stack(proprio), rows=rows)

    def _step(self, learner: RunningEpisodes | None, expert_share: float) -> list[_Episode]:
        features, proprio = self._encoder(self._observations)
        advice = self._expert.advise(self._observations)
        actions = self._choose(learner, features, proprio, advice, expert_share)
        self._expert.done(actions)
        self._observations, rewards, terminated, truncated, infos = self._envs.step(actions)
        ends = np.flatnonzero(terminated | truncated).tolist()
        for row, episode in enumerate(self._running):
            episode.observed.append((features[row].cpu(), proprio[row].cpu()))
            episode.advice.append(int(advice[row]))
            episode.actions.append(int(actions[row]))
            episode.rewards.append(float(rewards[row]))
        ended = []
        sentences = [self._observations["instruction"][row] for row in ends]
        given = self._given(sentences)
        for row, sentence in zip(ends, given, strict=True):
            episode = self._running[row]
            episode.template = str(infos["final_info"]["template"][row])
            episode.success = bool(infos["final_info"]["success"][row])
            ended.append(episode)
            self._running[row] = _Episode(sentence)
        if ends:
            self._expert.begin(ends, sentences)
            if learner is not None:
                learner.begin(ends, given)
        return ended

    def _given(self, sentences: Sequence[str]) -> list[str]:
        return self._transform(sentences, torch.rand(len(sentences), generator=self._rng).tolist())

    def _choose(
        self,
        learner: RunningEpisodes | None,
        features: Tensor,
        proprio: Tensor,
        advice: np.ndarray[Any, Any],
        expert_share: float,
    ) -> np.ndarray[Any, Any]:
        """Return the action of each row: a random one where the expert acts without advice."""
        if learner is None:
            num_actions = int(self._envs.single_action_space.n)
            drawn = torch.randint(num_actions, advice.shape, generator=self._rng).numpy()
            return np.where(advice == NO_ADVICE, drawn, advice)
        probabilities = learner.step(features, proprio).logits.float().softmax(-1).cpu()
        own = torch.multinomial(probabilities, 1, generator=self._rng)[:, 0].numpy()
        follow = torch.rand(len(own), generator=self._rng).numpy() < expert_share
        return np.where(follow & (advice != NO_ADVICE), advice, own)


def _packed(episodes: list[_Episode], encoder: Encoder, source: dict[str, Any]) -> Demonstrations:
    sentences = {text: i for i, text in enumerate(dict.fromkeys(e.sentence for e in episodes))}
    templates = {text: i for i, text in enumerate(dict.fromkeys(e.template for e in episodes))}
    lengths = [len(episode.actions) for episode in episodes]
    shapes = encoder.feature_shape, (encoder.proprio_dim,)
    features, proprio = (
        torch.stack([pair[i] for e in episodes for pair in e.observed])
        if episodes
        else torch.zeros(0, *shape)
        for i, shape in enumerate(shapes)
    )
    return Demonstrations(
        features=features.half(),
        proprio=proprio.float(),
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
