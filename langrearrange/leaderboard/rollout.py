"""Agents playing episodes through the env, recorded as traces. Not for judging them (`replay`)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

import gymnasium as gym
import numpy as np

from langrearrange.agents import (
    AgentRefusalError,
    AgentTimeoutError,
    BatchedAgent,
    PrivilegedBatchedAgent,
    RowsOfAgents,
    is_privileged,
)
from langrearrange.dataset import Episode, EpisodeSource
from langrearrange.env.task import STOP
from langrearrange.errors import ActionError, UsageError
from langrearrange.leaderboard.chain import ObservationChain
from langrearrange.leaderboard.trace import EpisodeTrace, Failure
from langrearrange.leaderboard.trace import Protocol as Rule
from langrearrange.log import get_logger

logger = get_logger(__name__)
ENV_IDS: dict[Rule, str] = {"paper": "LangRearrange-v0", "hard": "LangRearrangeHard-v0"}


class Household(Protocol):
    """What a rollout needs of an env: Gymnasium's reset and step."""

    def reset(self, *, options: dict[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
        """Begin the episode `options["episode_id"]`."""
        ...

    def step(self, action: int) -> tuple[dict[str, Any], float, bool, bool, dict[str, Any]]:
        """Take a skill."""
        ...


def env_factory(
    source: EpisodeSource,
    modality: str,
    *,
    protocol: Rule = "paper",
    horizon: int = 32,
    **simulator: Any,
) -> Callable[[], Household]:
    """Return a function that makes an env which shows `modality` and nothing else.

    Args:
        source: the episodes.
        modality: what is shown.
        protocol: `paper` or `hard`.
        horizon: skills an episode may take.
        simulator: arguments of the env that say what draws: `simulator`, `habitat_python`, ...
    """
    import langrearrange  # noqa: F401 (registers the ids)

    kwargs: dict[str, Any] = {"observation": modality, "horizon": horizon, **simulator}

    def make() -> Household:
        return gym.make(  # type: ignore[return-value]
            ENV_IDS[protocol], episodes=source, variants=0, disable_env_checker=True, **kwargs
        ).unwrapped

    return make


@dataclass(slots=True)
class _Row:
    """One env of a rollout and the episode it is playing."""

    env: Household
    episode_id: str = ""
    observation: dict[str, Any] = field(default_factory=dict)
    chain: ObservationChain = field(default_factory=ObservationChain)
    actions: list[int] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)

    def begin(self, episode_id: str) -> str:
        """Reset to an episode and return its instruction."""
        self.episode_id = episode_id
        self.chain, self.actions, self.outcomes = ObservationChain(), [], []
        self.observation, _ = self.env.reset(options={"episode_id": episode_id})
        self.chain.add(self.observation)
        return str(self.observation["instruction"])

    def step(self, action: Any) -> EpisodeTrace | None:
        """Take a skill; return the trace if the episode is over."""
        try:
            observation, _, terminated, truncated, info = self.env.step(action)
        except ActionError as error:
            logger.warning("%s: %s", self.episode_id, error)
            return self.trace(failure="bad_action")
        self.actions.append(int(action))
        self.outcomes.append(str(info["outcome"]) if action != STOP else "stop")
        if terminated or truncated:
            return self.trace(success=bool(info["success"]))
        self.observation = observation
        self.chain.add(observation)
        return None

    def trace(self, *, success: bool = False, failure: Failure = "") -> EpisodeTrace:
        return EpisodeTrace(
            id=self.episode_id,
            actions=tuple(self.actions),
            outcomes=tuple(self.outcomes),
            success=success,
            failure=failure,
            chain=self.chain.hexdigest(),
        )


def play(
    agent: BatchedAgent,
    episode_ids: Iterable[str],
    make_env: Callable[[], Household],
    find: Callable[[str], Episode] | None = None,
    *,
    num_rows: int = 1,
) -> Iterator[EpisodeTrace]:
    """Let an agent play episodes, `num_rows` of them side by side.

    What an agent does wrong fails its episode and is logged; it never stops the run and never
    drops an episode.

    Args:
        agent: batched; `agents.load_rows` makes one of any agent.
        episode_ids: what to play, each once.
        make_env: makes one env a row (`env_factory`).
        find: id -> episode, needed by privileged agents only.
        num_rows: at most 1 for agents that are a row each, since one that breaks breaks its call.

    Yields:
        A trace as each episode ends, in order of ending.

    Raises:
        UsageError: a privileged agent without `find`, or num_rows < 1.
    """
    if num_rows < 1:
        raise UsageError(f"num_rows={num_rows}; accepted: 1 or more")
    privileged = is_privileged(agent)
    if privileged and find is None:
        raise UsageError("a privileged agent (it has bind) needs the episodes: pass find=...")
    if isinstance(agent, RowsOfAgents):
        num_rows = 1
    waiting = iter(episode_ids)
    rows = [_Row(make_env()) for _ in range(num_rows)]
    active: list[int] = []
    fresh = list(range(num_rows))
    while fresh or active:
        begun = _begin(agent, rows, fresh, waiting, find if privileged else None)
        yield from begun.failed
        active = sorted([*active, *begun.playing])
        fresh = begun.again
        if not active:
            continue
        ended = list(_act(agent, rows, active))
        for row, trace in ended:
            active.remove(row)
            fresh.append(row)
            yield trace


@dataclass(slots=True)
class _Begun:
    playing: list[int] = field(default_factory=list)
    again: list[int] = field(default_factory=list)
    failed: list[EpisodeTrace] = field(default_factory=list)


def _begin(
    agent: BatchedAgent,
    rows: Sequence[_Row],
    fresh: Sequence[int],
    waiting: Iterator[str],
    find: Callable[[str], Episode] | None,
) -> _Begun:
    begun = _Begun()
    for row in fresh:
        episode_id = next(waiting, None)
        if episode_id is None:
            continue
        instruction = rows[row].begin(episode_id)
        try:
            if find is not None and isinstance(agent, PrivilegedBatchedAgent):
                agent.bind_rows([row], [find(episode_id)])
            agent.reset_rows([row], [instruction])
        except Exception as error:
            begun.failed.append(rows[row].trace(failure=_why(error, rows[row])))
            begun.again.append(row)
        else:
            begun.playing.append(row)
    return begun


def _act(
    agent: BatchedAgent, rows: Sequence[_Row], active: Sequence[int]
) -> Iterator[tuple[int, EpisodeTrace]]:
    batch = batched([rows[row].observation for row in active])
    try:
        actions = list(agent.act_rows(list(active), batch))
        if len(actions) != len(active):
            raise AgentRefusalError(f"{len(actions)} skills for {len(active)} rows")
    except Exception as error:
        for row in active:
            yield row, rows[row].trace(failure=_why(error, rows[row]))
        return
    for row, action in zip(active, actions, strict=True):
        trace = rows[row].step(action)
        if trace is not None:
            yield row, trace


def _why(error: Exception, row: _Row) -> Failure:
    if isinstance(error, AgentTimeoutError):
        failure: Failure = "timeout"
    elif isinstance(error, AgentRefusalError):
        failure = "refusal"
    elif isinstance(error, ActionError):
        failure = "bad_action"
    else:
        failure = "crash"
    detail = f"{type(error).__name__}: {error}"
    logger.warning("%s: agent failed (%s): %s", row.episode_id, failure, detail)
    return failure


def batched(observations: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Stack observations: arrays get a leading axis, texts become tuples."""
    if len(observations) == 1:  # views, not copies
        return {
            name: (value,) if isinstance(value, str) else value[None]
            for name, value in observations[0].items()
        }
    return {
        name: (
            tuple(observation[name] for observation in observations)
            if isinstance(value, str)
            else np.stack([observation[name] for observation in observations])
        )
        for name, value in observations[0].items()
    }
