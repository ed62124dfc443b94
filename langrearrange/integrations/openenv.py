"""An OpenEnv environment: text in, words out, for every trainer that reads OpenEnv.

docs/openenv.md says what a session is, `openenv_app` serves it, `examples/openenv/` is the package.
"""

from __future__ import annotations

from functools import cached_property, lru_cache
from typing import Any, Final

import fastmcp
from openenv.core.env_server.interfaces import Environment
from openenv.core.env_server.types import Action, EnvironmentMetadata, Observation, State
from pydantic import Field

from langrearrange import __version__
from langrearrange.env import RewardConfig
from langrearrange.env.episodes import find_episode
from langrearrange.errors import ActionError
from langrearrange.generator import open_split
from langrearrange.integrations.dialogue import Dialogue, num_episodes
from langrearrange.integrations.mcp import make_server
from langrearrange.world.vocabulary import SPLITS

NUM_LISTED: Final = 100
"""Tasks that `list_tasks` shows of a split; `num_tasks` counts all of them."""
REWARDS: Final = {
    "success": RewardConfig(success=1.0, subgoal=0.0, invalid_penalty=0.0, step_penalty=0.0),
    "paper": "paper",
}
_source = lru_cache(maxsize=16)(open_split)


class RearrangeAction(Action):
    """One action."""

    action: str = Field(
        max_length=200,
        description="number 0..69, id such as nav(sofa), or English name such as 'go to the sofa'",
    )


class RearrangeObservation(Observation):
    """What the robot reports."""

    instruction: str = Field(default="", description="what is to be done")
    text: str = Field(default="", description="what the robot perceives; an error ends the episode")


class RearrangeEnvironment(Environment[RearrangeAction, RearrangeObservation, State]):
    """One session: episode after episode of any split.

    Args:
        split: of `reset` without one.
        reward: `success` (1 on success, else 0) or `paper` (paper B.4).
    """

    SUPPORTS_CONCURRENT_SESSIONS = True

    def __init__(self, split: str = "train", reward: str = "success") -> None:
        super().__init__()
        self._arguments: Any = {"split": split, "reward": REWARDS[reward]}
        self._name: str | None = None

    @cached_property
    def dialogue(self) -> Dialogue:
        """What plays; made at the first use, since servers also make environments to ask them."""
        return Dialogue(**self._arguments, observation="text")

    @cached_property
    def mcp_server(self) -> fastmcp.FastMCP:
        """The tools `begin` and `act` on this session, for OpenEnv's own `/mcp`."""
        return make_server(lambda: self.dialogue)

    @cached_property
    def mcp_client(self) -> fastmcp.Client[Any]:
        """Client of these tools, through which the server answers."""
        return fastmcp.Client(self.mcp_server)

    def reset(
        self,
        seed: int | None = None,
        episode_id: str | None = None,
        split: str = "",
        index: int | None = None,
        **kwargs: Any,
    ) -> RearrangeObservation:
        """Begin an episode: that of an id (`context/000004`), of a split and index, or of a seed.

        An id of another form is kept as the name of the session's episode.
        """
        chosen = episode_id if (episode_id or "").partition("/")[0] in SPLITS else None
        seen = self.dialogue.reset(split, index, seed, chosen)
        self._name = episode_id or self.dialogue.env.episode.id
        return RearrangeObservation(instruction=seen["instruction"], text=seen["text"])

    def step(
        self, action: RearrangeAction, timeout_s: float | None = None, **kwargs: Any
    ) -> RearrangeObservation:
        """Take an action; words that are no action end the episode without success."""
        instruction = self.dialogue.env.episode.instruction
        try:
            seen, reward = self.dialogue.step(action.action)
            text = seen["text"]
        except ActionError as error:
            text, reward = str(error), 0.0
        return RearrangeObservation(
            instruction=instruction, text=text, reward=reward, done=self.dialogue.over
        )

    @property
    def state(self) -> State:
        """Id of the episode and number of steps; nothing of the world."""
        return State(episode_id=self._name, step_count=self.dialogue.num_steps)

    def get_metadata(self) -> EnvironmentMetadata:
        """Return name, description and version."""
        about = "Language-conditioned household rearrangement in text, 70 skills"
        return EnvironmentMetadata(name="langrearrange", description=about, version=__version__)

    def list_splits(self) -> list[str]:
        """Return the names of the splits."""
        return list(SPLITS)

    def num_tasks(self, split: str) -> int:
        """Return the number of episodes of a split."""
        return num_episodes(split)

    def get_task(self, split: str, index: int) -> dict[str, Any]:
        """Return id and instruction of an episode; IndexError beyond the last."""
        if not 0 <= index < num_episodes(split):
            raise IndexError(f"{split} has {num_episodes(split)} episodes, no {index}")
        episode = find_episode(_source(split), f"{split}/{index:06d}")
        return {"id": episode.id, "index": index, "instruction": episode.instruction}

    def get_task_range(
        self, split: str, start: int | None = None, stop: int | None = None
    ) -> list[dict[str, Any]]:
        """Return the tasks of a slice of the split."""
        return [self.get_task(split, k) for k in range(num_episodes(split))[start:stop]]

    def list_tasks(self, split: str) -> list[dict[str, Any]]:
        """Return the first tasks of a split."""
        return self.get_task_range(split, 0, NUM_LISTED)

    def close(self) -> None:
        """Free the session's env."""
        if "dialogue" in self.__dict__:
            self.dialogue.env.close()
