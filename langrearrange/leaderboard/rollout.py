"""Agents playing episodes through the vector env, recorded as traces. Not for judging them."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np

from langrearrange.agents import (
    AgentRefusalError,
    AgentTimeoutError,
    BatchedAgent,
    PrivilegedBatchedAgent,
    RowsOfAgents,
    RunStoppedError,
    is_privileged,
)
from langrearrange.dataset import Selection
from langrearrange.env import (
    STOP,
    LangRearrangeHardVectorEnv,
    LangRearrangeVectorEnv,
    Observation,
    read_answer,
    rows_of,
)
from langrearrange.errors import ActionError, AgentError, UsageError
from langrearrange.leaderboard.chain import ObservationChain
from langrearrange.leaderboard.trace import EpisodeTrace, Failure, OutcomeName, ProtocolName
from langrearrange.log import get_logger
from langrearrange.world.vocabulary import HORIZON

logger = get_logger(__name__)
ENVS: Final = {"paper": LangRearrangeVectorEnv, "hard": LangRearrangeHardVectorEnv}


class RunRules(NamedTuple):
    """How every episode of a run is played.

    Attributes:
        protocol: `paper` or `hard`.
        horizon: skills an episode may take.
        num_rows: at most so many episodes side by side, at least 1.
        simulator: arguments of the env that say what draws: `simulator`, `habitat_python`, ...
        modality: what the header says of the agent; "" for whatever the agent has.
    """

    protocol: ProtocolName = "paper"
    horizon: int = HORIZON
    num_rows: int = 1
    simulator: Mapping[str, Any] = {}
    modality: str = ""


def ignore(episode_id: str) -> None:
    """Do nothing as an episode begins."""


def play(
    agent: BatchedAgent,
    episodes: Selection,
    rules: RunRules = RunRules(),  # noqa: B008 (a constant)
    on_start: Callable[[str], None] = ignore,
    reported: set[str] | None = None,
) -> Iterator[EpisodeTrace]:
    """Let an agent play episodes side by side.

    What an agent does wrong fails its episode and is logged; it never stops the run and never
    drops an episode. The traces do not depend on the number of rows.

    Args:
        agent: batched; `agents.load_rows` makes one of any agent. Agents that are a row each play
            one episode at a time, since one that breaks breaks the call for all rows.
        episodes: what to play, each once.
        rules: how.
        on_start: called with an episode's id before the agent receives it.
        reported: kinds of failure that need no further warning, extended by those that occur;
            None to begin with none.

    Yields:
        A trace as each episode ends, in order of ending.

    Raises:
        UsageError: num_rows < 1.
        AgentError: the agent has another modality than the rules.
        RunStoppedError: from the agent; its episode was not played to the end.
    """
    if rules.num_rows < 1:
        raise UsageError(f"num_rows={rules.num_rows}; accepted: 1 or more")
    if agent.modality != (rules.modality or agent.modality):
        raise AgentError(
            f"a worker's agent has modality '{agent.modality}', the header of the run says "
            f"'{rules.modality}'; an agent must have one modality in all processes"
        )
    if not len(episodes):
        return
    env = ENVS[rules.protocol](
        1 if isinstance(agent, RowsOfAgents) else min(rules.num_rows, len(episodes)),
        autoreset_mode="SameStep",
        episodes=episodes,
        observation=agent.modality,
        horizon=rules.horizon,
        **rules.simulator,
    )
    try:
        yield from _Rollout(agent, env, on_start, set() if reported is None else reported).play()
    finally:
        env.close()


@dataclass(slots=True)
class _Row:
    """The episode that a row is playing, as far as it has come."""

    episode_id: str
    chain: ObservationChain = field(default_factory=ObservationChain)
    actions: list[int] = field(default_factory=list)
    outcomes: list[OutcomeName] = field(default_factory=list)

    def trace(self, *, success: bool = False, failure: Failure = "") -> EpisodeTrace:
        return EpisodeTrace(
            id=self.episode_id,
            actions=tuple(self.actions),
            outcomes=tuple(self.outcomes),
            success=success,
            failure=failure,
            chain=self.chain.hexdigest(),
        )


class _Rollout:
    """An agent in front of a vector env, whose rows begin an episode as soon as one has ended."""

    def __init__(
        self,
        agent: BatchedAgent,
        env: LangRearrangeVectorEnv,
        on_start: Callable[[str], None],
        reported: set[str],
    ) -> None:
        self._agent, self._env, self._on_start, self._reported = agent, env, on_start, reported
        self._privileged, self._num_actions = is_privileged(agent), env.config.num_actions
        self._rows: dict[int, _Row] = {}
        self._failed: dict[int, Failure] = {}
        self._observations: Observation = {}

    def play(self) -> Iterator[EpisodeTrace]:
        """Play until every episode of the env was played."""
        env = self._env
        self._observations, infos = env.reset(seed=0)
        fresh = list(range(env.num_envs))
        while fresh or self._rows:
            self._begin(fresh)
            actions = self._ask([row for row in self._rows if row not in self._failed])
            fresh = []
            if actions:
                step = [actions.get(row) for row in range(env.num_envs)]
                self._observations, _, terminated, truncated, infos = env.step(step)
                ended = terminated | truncated
                told = infos.get("final_info", infos)
                for row, action in actions.items():
                    record, info = self._rows[row], told if ended[row] else infos
                    record.actions.append(action)
                    record.outcomes.append("stop" if action == STOP else info["outcome"][row])
                    if ended[row]:
                        yield self._rows.pop(row).trace(success=bool(info["success"][row]))
                        fresh.append(row)
                    else:
                        record.chain.add(self._seen(row))
            for row, failure in self._failed.items():
                yield self._rows.pop(row).trace(failure=failure)
                fresh.append(row)
            if self._failed:
                mask = np.isin(np.arange(env.num_envs), list(self._failed))
                self._observations, infos = env.reset(options={"reset_mask": mask})
                self._failed.clear()
            fresh = [row for row in sorted(fresh) if not infos["exhausted"][row]]

    def _begin(self, fresh: Sequence[int]) -> None:
        """Tell the agent of the episodes that begin."""
        agent = self._agent
        for row in fresh:
            episode = self._env.tasks[row].episode
            self._rows[row] = _Row(episode.id)
            self._rows[row].chain.add(self._seen(row))
            self._on_start(episode.id)
            try:
                if self._privileged and isinstance(agent, PrivilegedBatchedAgent):
                    agent.bind_rows([row], [episode])
                agent.reset_rows([row], [episode.instruction])
            except RunStoppedError:
                raise
            except Exception as error:
                self._fail(row, error)

    def _ask(self, rows: Sequence[int]) -> dict[int, int]:
        """Return the agent's skill for each row; not for those whose agent fails."""
        if not rows:
            return {}
        rows = sorted(rows)
        everything = self._observations
        batch = everything if len(rows) == self._env.num_envs else rows_of(everything, rows)
        try:
            answers = list(self._agent.act_rows(rows, batch))
            if len(answers) != len(rows):
                raise AgentRefusalError(f"{len(answers)} skills for {len(rows)} rows")
        except RunStoppedError:
            raise
        except Exception as error:
            for row in rows:
                self._fail(row, error)
            return {}
        actions = {}
        for row, answer in zip(rows, answers, strict=True):
            try:
                actions[row] = read_answer(answer, self._num_actions)
            except ActionError as error:
                self._fail(row, error)
        return actions

    def _seen(self, row: int) -> Observation:
        return {name: values[row] for name, values in self._observations.items()}

    def _fail(self, row: int, error: Exception) -> None:
        self._failed[row] = failure = _failure_of(error)
        name = self._rows[row].episode_id
        kind = f"{failure} {getattr(error, 'kind', '')}".strip()
        first = kind not in self._reported
        self._reported.add(kind)
        logger.log(
            logging.WARNING if first else logging.INFO,
            "%s: agent failed (%s): %s: %s", name, kind, type(error).__name__, error,
            exc_info=error if failure == "crash" else None,
        )  # fmt: skip


def _failure_of(error: Exception) -> Failure:
    if isinstance(error, AgentTimeoutError):
        return "timeout"
    if isinstance(error, AgentRefusalError):
        return "refusal"
    return "bad_action" if isinstance(error, ActionError) else "crash"
