"""Records episodes of a vector env: an expert alone, or a policy whose states the expert labels."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
import torch
from torch import Tensor

from langrearrange.progress import progress

from ..engine.encoder import FEATURE_DTYPE, Encoder, encoder_facts
from ..engine.envs import make_instruction_transform
from ..engine.episodes import RunningEpisodes
from ..engine.inputs import NO_ACTION
from .config import ImitationConfig
from .demonstrations import NO_ADVICE, Demonstrations
from .experts import Expert


class _Step(NamedTuple):
    features: Tensor
    proprio: Tensor
    advice: int
    action: int
    reward: float


@dataclass(slots=True)
class _Episode:
    sentence: str
    steps: list[_Step] = field(default_factory=list)
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
        longest = max(len(episode.steps) for episode in self._running)
        for i in range(longest):
            rows = [row for row, e in enumerate(self._running) if len(e.steps) > i]
            steps = [self._running[row].steps[i] for row in rows]
            features = torch.stack([step.features for step in steps])
            learner.step(features, torch.stack([step.proprio for step in steps]), rows=rows)

    def _step(self, learner: RunningEpisodes | None, expert_share: float) -> list[_Episode]:
        last = np.array([e.steps[-1].action if e.steps else NO_ACTION for e in self._running])
        features, proprio = self._encoder({**self._observations, "last_action": last})
        advice = self._expert.advise(self._observations)
        actions = self._choose(learner, features, proprio, advice, expert_share)
        self._expert.done(actions)
        self._observations, rewards, terminated, truncated, infos = self._envs.step(actions)
        ends = np.flatnonzero(terminated | truncated).tolist()
        for row, episode in enumerate(self._running):
            seen = features[row].cpu(), proprio[row].cpu()
            step = _Step(*seen, int(advice[row]), int(actions[row]), float(rewards[row]))
            episode.steps.append(step)
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
    lengths = [len(episode.steps) for episode in episodes]
    steps = [step for episode in episodes for step in episode.steps]
    features = torch.zeros(len(steps), *encoder.feature_shape, dtype=FEATURE_DTYPE)
    proprio = torch.zeros(len(steps), encoder.proprio_dim)
    for i, step in enumerate(steps):
        features[i], proprio[i] = step.features, step.proprio
    return Demonstrations(
        features=features,
        proprio=proprio,
        advice=torch.tensor([step.advice for step in steps], dtype=torch.int16),
        actions=torch.tensor([step.action for step in steps], dtype=torch.int16),
        rewards=torch.tensor([step.reward for step in steps], dtype=torch.float32),
        starts=torch.tensor(np.cumsum([0, *lengths]), dtype=torch.long),
        sentence=torch.tensor([sentences[e.sentence] for e in episodes], dtype=torch.long),
        template=torch.tensor([templates[e.template] for e in episodes], dtype=torch.long),
        success=torch.tensor([e.success for e in episodes], dtype=torch.bool),
        sentences=tuple(sentences),
        templates=tuple(templates),
        source=source,
    )
