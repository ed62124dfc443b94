"""Replays recorded actions and recomputes what scores need; declared results are not used."""

from __future__ import annotations

from dataclasses import dataclass

from langrearrange.dataset.episode import Episode
from langrearrange.env import STOP, Observations, Rules, Task
from langrearrange.errors import SubmissionError
from langrearrange.leaderboard.causes import cause_of
from langrearrange.leaderboard.chain import ObservationChain
from langrearrange.leaderboard.trace import EpisodeTrace, Failure, Header
from langrearrange.world import WorldState


@dataclass(frozen=True, slots=True)
class Replayed:
    """The replay of an episode.

    Attributes:
        id, split, template, phrasing, cluster, instruction: of the episode.
        actions: skills played.
        outcomes: outcome of each, recomputed.
        states: the world before each skill and after the last; len(actions) + 1.
        success: the goal held in time (in the hard variant: when the agent said stop).
        steps: skills taken, n.
        optimal: length of the proved optimal plan, one more in the hard variant.
        invalid: how many skills were no-ops.
        reward: sum over the steps.
        subgoals: fraction of the episode's subgoals reached; 1.0 where it has none.
        horizon: most skills that the episode may take.
        chained: whether the trace keeps a hash of the observations, which replay has compared.
        failure: why the agent stopped answering, as declared; "" if it did not.
        cause: why it failed (`causes`), "" on success.
    """

    id: str
    split: str
    template: str
    phrasing: int
    cluster: str
    instruction: str
    actions: tuple[int, ...]
    outcomes: tuple[str, ...]
    states: tuple[WorldState, ...]
    success: bool
    steps: int
    optimal: int
    invalid: int
    reward: float
    subgoals: float
    horizon: int
    chained: bool
    failure: Failure = ""
    cause: str = ""

    @property
    def efficiency(self) -> float:
        """1 - n / horizon, 0 on failure (paper Table 6)."""
        return 1 - self.steps / self.horizon if self.success else 0.0

    @property
    def regret(self) -> int | None:
        """Skills beyond the proved optimum; None on failure."""
        return self.steps - self.optimal if self.success else None


def replay(
    episode: Episode, trace: EpisodeTrace, header: Header, observations: Observations | None = None
) -> Replayed:
    """Play a trace's actions in its episode.

    Args:
        episode: rebuilt from its source, never from the trace.
        trace: one line of a submission.
        header: of that submission; gives protocol and horizon.
        observations: what the agent was shown (`chain.verifier`), to compare the chain; None: it
            is not compared.

    Raises:
        SubmissionError: actions outside the space or after the end, an episode that ended early
            without a reason, or observations of another build or modality.
    """
    task = Task(episode, Rules(horizon=header.horizon, hard=header.protocol == "hard"))
    played = _play(task, trace, observations)
    success = task.success and not trace.failure
    states, outcomes = played.states, played.outcomes
    return Replayed(
        id=trace.id,
        split=episode.split,
        template=episode.template,
        phrasing=episode.phrasing,
        cluster=episode.cluster,
        instruction=episode.instruction,
        actions=trace.actions,
        outcomes=tuple(outcomes),
        states=tuple(states),
        success=success,
        steps=task.steps,
        optimal=len(episode.plan) + task.rules.hard,
        invalid=played.invalid,
        reward=played.reward,
        subgoals=task.num_reached / task.num_subgoals if task.num_subgoals else 1.0,
        horizon=header.horizon,
        chained=bool(trace.chain),
        failure=trace.failure,
        cause="" if success else cause_of(episode, task.layout, states, outcomes, trace.failure),
    )


@dataclass(slots=True)
class _Played:
    states: list[WorldState]
    outcomes: list[str]
    reward: float = 0.0
    invalid: int = 0


def _play(task: Task, trace: EpisodeTrace, observations: Observations | None) -> _Played:
    """Step a task through the actions; reject impossible ones."""
    if not trace.chain:
        observations = None
    chain, played = ObservationChain(), _Played([task.state], [])
    if observations:
        observations.begin(0, task)
    for position, action in enumerate(trace.actions):
        if task.over:
            raise SubmissionError(
                f"{trace.id}: {len(trace.actions)} actions, but the episode ended after {position}"
            )
        if not 0 <= action < task.rules.num_actions:
            raise SubmissionError(
                f"{trace.id}: action {position} is {action}; accepted: "
                f"0..{task.rules.num_actions - 1}"
            )
        if observations:
            chain.add(observations.observe(0, task))
        played.reward += task.step(action)
        played.invalid += task.outcome.invalid
        played.outcomes.append(str(task.outcome) if action != STOP else "stop")
        played.states.append(task.state)
    if not task.over:
        if not trace.failure:
            raise SubmissionError(
                f"{trace.id}: the trace ends after {task.steps} actions with neither success "
                "nor the horizon reached nor a failure named"
            )
        if observations:
            chain.add(observations.observe(0, task))
    if observations and chain.hexdigest() != trace.chain:
        raise SubmissionError(
            f"{trace.id}: the observations behind this trace are not those of modality "
            f"'{observations.modality}' in this build (chain {trace.chain[:12]}..., here "
            f"{chain.hexdigest()[:12]}...); evaluate again with the version that scores"
        )
    return played
