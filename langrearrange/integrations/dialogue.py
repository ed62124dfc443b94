"""One episode after another in words: what a chat model is told and what its answers do.

Shared by the adapters. Scores come from replay (`leaderboard`), as for every agent.
"""

import re
from functools import lru_cache
from typing import Any, Final

from langrearrange.dataset.episode import parse_episode_id
from langrearrange.env import LangRearrangeEnv, Observation, Rules, read_answer, rules_text
from langrearrange.errors import ActionError
from langrearrange.generator import open_split
from langrearrange.leaderboard import AgentFacts, EpisodeTrace, Header, Replayed, replay
from langrearrange.leaderboard.trace import Failure
from langrearrange.world import NUM_SKILLS

ANSWER: Final = "End each reply with one line: Action: <the action>"
PLAN: Final = "You receive nothing but the task. Reply with your whole plan: one action per line."
_FACTS: Final = AgentFacts(name="chat", modality="text")
_HEADER: Final = Header(package_version="0", agent=_FACTS, datasets={})
_NUMBER: Final = re.compile(r"\W*(\d{1,3})\W*")


def action_of(words: str) -> int:
    """Return the action that a number, an id or an English name means.

    Raises:
        ActionError: it means none.
    """
    number = _NUMBER.fullmatch(words)
    return read_answer(int(number[1]) if number else words, NUM_SKILLS)


def chosen(reply: str) -> str:
    """Return the words for the action in a reply: after the last "Action:", else its last line."""
    _, found, words = reply.rpartition("Action:")
    lines = [line for line in (words if found else reply).strip().splitlines() if line.strip()]
    return lines[0 if found else -1] if lines else ""


def plan(reply: str) -> list[str]:
    """Return the words for each action of a plan: the lines of a reply."""
    return [line for line in reply.splitlines() if line.strip()] or [""]


def system_prompt(ending: str, *, rules: bool = True) -> str:
    """Return the first message: the rules, unless the observation has them, and an ending."""
    return f"{rules_text(Rules())}\n\n{ending}" if rules else ending


@lru_cache(maxsize=64)
def num_episodes(split: str) -> int:
    """Return the size of a split; UsageError for an unknown one."""
    return len(open_split(split))


class Dialogue:
    """Plays episodes by words and keeps what is needed to score them.

    An answer that is not an action ends the episode, which has then failed (docs/protocol.md).

    Args:
        arguments: of the env; `split` is the default of `reset`.

    Attributes:
        env: what plays the current episode.
        actions: taken in the current episode.
        failure: why it ended early, "" if it did not.
    """

    def __init__(self, **arguments: Any) -> None:
        self._arguments = arguments
        self.env = LangRearrangeEnv(**arguments)
        self.actions: list[int] = []
        self.failure: Failure = ""

    def reset(
        self,
        split: str = "",
        index: int | None = None,
        seed: int | None = None,
        episode_id: str | None = None,
    ) -> Observation:
        """Begin an episode and return its first observation.

        Args:
            split: whose; "" for the current one.
            index: position in the split; None: as `seed` draws, else the next one.
            seed: restarts the order of a training split; in the others, position modulo size.
            episode_id: plays this one whatever else is given.

        Raises:
            UsageError, DatasetError: an unknown split or episode.
        """
        split = parse_episode_id(episode_id).split if episode_id else split
        if split and split != self.env.config.split:
            env = LangRearrangeEnv(**{**self._arguments, "split": split})
            self.env.close()
            self.env = env
        split = self.env.config.split
        if index is None and seed is not None and self.env.config.fixed_order:
            index = seed % num_episodes(split)
        if index is not None and not episode_id:
            episode_id = f"{split}/{index:06d}"
        self.actions, self.failure = [], ""
        options = {"episode_id": episode_id} if episode_id else None
        return self.env.reset(seed=seed, options=options)[0]

    @property
    def over(self) -> bool:
        """Whether the episode has ended."""
        return bool(self.failure) or self.env.task.over

    @property
    def num_steps(self) -> int:
        """Answers given in the episode."""
        return len(self.actions) + bool(self.failure)

    @property
    def succeeded(self) -> bool:
        """Whether the goal held in time and no answer failed."""
        return self.env.task.success and not self.failure

    def step(self, words: str) -> tuple[Observation, float]:
        """Take the action that the words mean and return observation and reward.

        Raises:
            ActionError: they mean none; the episode has failed.
        """
        try:
            action = action_of(words)
        except ActionError:
            self.failure = "bad_action" if words.strip() else "refusal"
            raise
        self.actions.append(action)
        observation, reward, *_ = self.env.step(action)
        return observation, reward

    def give_up(self) -> None:
        """End the episode as refused: no further answer comes."""
        self.failure = self.failure or ("" if self.env.task.over else "refusal")

    def replayed(self) -> Replayed:
        """Return what happened in the episode, recomputed from its actions."""
        episode = self.env.episode
        trace = EpisodeTrace(id=episode.id, actions=tuple(self.actions), failure=self.failure)
        return replay(episode, trace, _HEADER)
