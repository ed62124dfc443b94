"""One episode after another in words: what a chat model is told and what its answers do.

Shared by the adapters. Scores come from replay (`leaderboard`), as for every agent.
"""

import re
from collections.abc import Mapping
from typing import Final

from langrearrange import __version__
from langrearrange.env import LangRearrangeEnv, Observation
from langrearrange.errors import ActionError
from langrearrange.leaderboard import AgentFacts, EpisodeTrace, Header, Replayed, replay
from langrearrange.leaderboard.trace import Failure
from langrearrange.world import NUM_SKILLS, SKILLS

ANSWER: Final = "End each reply with one line: Action: <number or name of the action>"
PLAN: Final = (
    "You receive nothing else. Reply with your plan: one action (number or name) per line."
)
_ROLE: Final = """\
You control a household robot with one arm. Carry out the instruction within 32 actions; the
episode ends as soon as it is carried out. You can hold one object. Closed containers (fridge, left
and right drawer) hide what is in them until you open them. Go to a place before you act there. An
impossible action changes nothing and costs one of the 32."""
_ACTIONS: Final = "\n".join(f"{skill.index}: {skill.name}" for skill in SKILLS)
_RULES: Final = Header(
    package_version=__version__, agent=AgentFacts(name="chat", modality="text"), datasets={}
)
_WORDS: Final[Mapping[str, int]] = {
    word.lower(): skill.index
    for skill in SKILLS
    for word in (str(skill.index), skill.id, skill.name)
}
_MARKUP: Final = re.compile(r"^[\s*`\"'#>-]+|[\s*`\"'.!]+$")


def action_of(words: str) -> int:
    """Return the action that an index, an id or an English name means.

    Raises:
        ActionError: it means none.
    """
    index = _WORDS.get(_MARKUP.sub("", words).lower())
    if index is None:
        raise ActionError(
            f"{words[:80]!r} is not an action; accepted: 0..{NUM_SKILLS - 1}, an id such as "
            f"{SKILLS[0].id}, or a name such as '{SKILLS[0].name}'"
        )
    return index


def chosen(reply: str) -> str:
    """Return the words for the action in a reply: after the last "Action:", else its last line."""
    _, found, words = reply.rpartition("Action:")
    lines = [line for line in (words if found else reply).strip().splitlines() if line.strip()]
    return lines[0 if found else -1] if lines else ""


def plan(reply: str) -> list[str]:
    """Return the words for each action of a plan: the lines of a reply."""
    return [line for line in reply.splitlines() if line.strip()] or [""]


def system_prompt(ending: str, *, rules: bool = True) -> str:
    """Return the first message: role, rules and actions unless the observation has them, ending."""
    return "\n\n".join([_ROLE, f"Actions:\n{_ACTIONS}", ending] if rules else [_ROLE, ending])


class Dialogue:
    """Plays episodes of an env by words and keeps what is needed to score them.

    An answer that is not an action ends the episode, which has then failed (docs/protocol.md).

    Attributes:
        env: whose episodes are played.
        actions: taken in the current episode.
        failure: why it ended early, "" if it did not.
    """

    def __init__(self, env: LangRearrangeEnv) -> None:
        self.env = env
        self.actions: list[int] = []
        self.failure: Failure = ""

    def reset(self, episode_id: str | None = None, seed: int | None = None) -> Observation:
        """Begin an episode: the given one, or the env's next."""
        options = {"episode_id": episode_id} if episode_id else None
        self.actions, self.failure = [], ""
        return self.env.reset(seed=seed, options=options)[0]

    @property
    def over(self) -> bool:
        """Whether the episode has ended."""
        return bool(self.failure) or self.env.task.over

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
        trace = EpisodeTrace(
            id=episode.id, actions=tuple(self.actions), outcomes=(), success=False,
            failure=self.failure, chain="",
        )  # fmt: skip
        return replay(episode, trace, _RULES)
