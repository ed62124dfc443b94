"""Experts to imitate: explorer, oracle or a trained policy. Not for recording them."""

from collections import deque
from collections.abc import Sequence
from typing import Any, Protocol

import numpy as np
import torch
from numpy.typing import NDArray

from langrearrange.agents import ExplorerAgent
from langrearrange.env.state_observation import StateObserver
from langrearrange.world import skill_index

from ..engine.encoder import Encoder
from ..engine.episodes import RunningEpisodes
from .demonstrations import NO_ADVICE

Skills = NDArray[np.int64]


class Expert(Protocol):
    """Gives advice in each row of a vector env, whoever acts there."""

    def begin(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each of the rows."""

    def advise(self, observations: Any) -> Skills:
        """Return what it would do in every row, (num_envs,) int64; -1 where it has no advice."""

    def done(self, actions: Skills) -> None:
        """Take note of the actions of every row, as advised or not."""


class _AdvisingExplorer(ExplorerAgent):
    """An explorer whose advice may not be followed: it then keeps what it saw, not what it did."""

    def advise(self, observation: Any) -> int:
        self._before = (deque(self._intents), set(self._delivered), self._rounds)
        skill = self.act(observation)
        # With nothing left to do as it parsed the sentence, it only looks around.
        self._advised = skill if self._intents else NO_ADVICE
        self._acted = skill
        return self._advised

    def done(self, action: int) -> None:
        if action != self._acted:
            self._intents, self._delivered, self._rounds = self._before


class ExplorerExpert:
    """The bundled explorer: reads the state observation, never the goal or the hidden world.

    Args:
        envs: the vector env; the learner may see pictures of it, the explorer its state.
    """

    def __init__(self, envs: Any) -> None:
        self._envs = envs.unwrapped
        self._observer = StateObserver(self._envs.config)
        self._agents = [_AdvisingExplorer() for _ in range(self._envs.num_envs)]

    def begin(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each of the rows."""
        for row, instruction in zip(rows, instructions, strict=True):
            self._agents[row].reset(instruction)

    def advise(self, observations: Any) -> Skills:
        """Return what it would do; -1 where it has done all that it parsed."""
        pairs = zip(self._agents, self._envs.tasks, strict=True)
        advice = [agent.advise(self._observer.observe(0, task)) for agent, task in pairs]
        return np.array(advice, np.int64)

    def done(self, actions: Skills) -> None:
        """Take note of the actions."""
        for agent, action in zip(self._agents, actions.tolist(), strict=True):
            agent.done(action)


class OracleExpert:
    """The stored optimal plan: it knows where hidden things are, so imitating it is an ablation.

    After any other action it has no advice for the rest of the episode.

    Args:
        envs: the vector env.
    """

    def __init__(self, envs: Any) -> None:
        self._envs = envs.unwrapped
        self._plans: list[deque[int]] = [deque() for _ in range(self._envs.num_envs)]

    def begin(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin the plans of the episodes that begin in these rows."""
        for row in rows:
            plan = self._envs.tasks[row].episode.plan
            self._plans[row] = deque(skill_index(skill) for skill in plan)

    def advise(self, observations: Any) -> Skills:
        """Return the next skill of each plan."""
        return np.array([plan[0] if plan else NO_ADVICE for plan in self._plans], np.int64)

    def done(self, actions: Skills) -> None:
        """Advance the plans that were followed; drop the others."""
        for plan, action in zip(self._plans, actions.tolist(), strict=True):
            if plan and plan[0] == action:
                plan.popleft()
            else:
                plan.clear()


class PolicyExpert:
    """A trained policy (the paper's choice).

    Args:
        episodes: running episodes of the policy, one row an env.
        encoder: of the policy.
        rng: draws its skills; None: the likeliest.
    """

    def __init__(
        self, episodes: RunningEpisodes, encoder: Encoder, rng: torch.Generator | None = None
    ) -> None:
        self._episodes, self._encoder, self._rng = episodes, encoder, rng

    def begin(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each of the rows."""
        self._episodes.begin(rows, instructions)

    def advise(self, observations: Any) -> Skills:
        """Return what the policy does."""
        logits = self._episodes.step(*self._encoder(observations)).logits.float().cpu()
        if self._rng is None:
            return logits.argmax(-1).numpy()
        return torch.multinomial(logits.softmax(-1), 1, generator=self._rng)[:, 0].numpy()

    def done(self, actions: Skills) -> None:
        """Do nothing: a policy does not see its last action."""
