"""One episode being played: state, goal, subgoals, reward, end. No pictures, no choice of episode.

The single env, the vector env and the leaderboard's replay all step this class and nothing else.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

from gymnasium.error import ResetNeeded

from langrearrange.dataset.episode import Episode
from langrearrange.env.rewards import PAPER_REWARD, Reward, RewardConfig, Transition
from langrearrange.errors import UsageError
from langrearrange.world import (
    NUM_SKILLS,
    Layout,
    Outcome,
    Semantics,
    WorldState,
    apply,
    compile_subgoal,
    parse_subgoal,
)
from langrearrange.world.goals import StaleGoal, compile_goal, parse_goal
from langrearrange.world.vocabulary import HORIZON, NUM_NAV_TARGETS

STOP: Final = NUM_SKILLS
"""Skill 70, of the hard variant only: the agent declares that it is done (paper D.3)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Rules:
    """What holds for every episode of an env.

    Attributes:
        horizon: skills an episode may take, at least 1.
        reward: what a step pays.
        hard: the variant of paper D.3: an invalid skill ends the episode, success is judged at
            `STOP` only, and running out of steps fails.
        semantics: `paper` (ranked) or `release`: the official code's rules, for comparison (picks
            from a closed fridge, places into closed containers, goals judged with a stale hand).
    """

    horizon: int = HORIZON
    reward: Reward = PAPER_REWARD
    hard: bool = False
    semantics: Semantics = "paper"

    def __post_init__(self) -> None:
        if type(self.horizon) is not int or self.horizon < 1:
            raise UsageError(f"horizon={self.horizon!r}; accepted: an int of at least 1")
        if self.semantics not in ("paper", "release"):
            raise UsageError(f"semantics={self.semantics!r}; accepted: 'paper', 'release'")

    @property
    def num_actions(self) -> int:
        """70 skills, and `STOP` in the hard variant."""
        return NUM_SKILLS + self.hard


class Progress(NamedTuple):
    """How far an episode is: all that `Task.step` changes. Compared by value.

    Attributes:
        state: the world.
        outcome: what became of the last skill.
        steps: skills taken.
        action: the last skill, -1 at the start.
        held_before: index of the object that was held before it, -1 for none.
        reached: bit i set: subgoal i was reached.
        holding: bit i set: the fact of subgoal i, not yet reached, holds now (it can only be
            reached by becoming true).
        success, terminated, truncated: results of the last step.
    """

    state: WorldState
    outcome: Outcome
    steps: int
    action: int
    held_before: int
    reached: int
    holding: int
    success: bool
    terminated: bool
    truncated: bool


class Task:
    """One episode being played.

    Attributes:
        episode: what is played.
        rules: under which rules.
        layout: the world's static part.

    The fields of `Progress` are attributes as well.
    """

    state: WorldState
    outcome: Outcome
    steps: int
    action: int
    held_before: int
    reached: int
    holding: int
    success: bool
    terminated: bool
    truncated: bool

    def __init__(
        self, episode: Episode, rules: Rules | None = None, layout: Layout | None = None
    ) -> None:
        """Compile the episode's goal and subgoals and stand at t=0.

        Args:
            episode: what is to be played.
            rules: None: the defaults.
            layout: None: the episode's own, every stance reaching its own receptacle.

        Raises:
            GoalError, EpisodeError: the goal or a subgoal does not parse or is too large.
        """
        self.episode = episode
        self.rules = rules = rules or Rules()
        self.layout = layout or episode.layout(semantics=rules.semantics)
        initial = episode.initial_state()
        goal = parse_goal(episode.goal)
        self._goal = compile_goal(goal, self.layout, initial)
        # The hard variant judges at `STOP`, whose step has asked for no fact of the hand.
        stale = rules.semantics == "release" and not rules.hard
        self._stale_goal = StaleGoal(goal, self.layout, initial) if stale else None
        self._subgoals = tuple(
            (1 << i, compile_subgoal(parse_subgoal(text), self.layout))
            for i, text in enumerate(episode.subgoals)
        )
        holding = sum(bit for bit, holds in self._subgoals if holds(initial))
        # The release counts what holds at the start as reached; the paper pays what comes about.
        shares = isinstance(rules.reward, RewardConfig) and rules.reward.subgoals_share
        reached, holding = (holding, 0) if shares else (0, holding)
        self._initial = Progress(
            initial, Outcome.NONE, 0, -1, -1, reached, holding, False, False, False
        )
        self.reset()

    @property
    def over(self) -> bool:
        """Whether the episode has ended."""
        return self.terminated or self.truncated

    @property
    def goal_holds(self) -> bool:
        """Whether the goal is true now, whoever judges it when."""
        return self._goal_holds

    @property
    def num_subgoals(self) -> int:
        """How many subgoals the episode has; 0 is legal."""
        return len(self._subgoals)

    @property
    def num_reached(self) -> int:
        """How many of them were reached."""
        return self.reached.bit_count()

    @property
    def progress(self) -> Progress:
        """All that `step` changes, as one value; `restore` takes it back."""
        return Progress(*[getattr(self, name) for name in Progress._fields])

    def reset(self) -> None:
        """Go back to t=0."""
        self.restore(self._initial)

    def restore(self, progress: Progress) -> None:
        """Go to a moment of this same episode."""
        for name, value in progress._asdict().items():
            setattr(self, name, value)
        self._goal_holds = self._goal(self.state)

    def step(self, action: int) -> float:
        """Take a skill and return the reward; what else changed stands in the attributes.

        Args:
            action: 0..69; also 70 (`STOP`) in the hard variant. The caller has checked it.

        Raises:
            ResetNeeded: the episode is over.
            ActionError: the skill does not exist.
        """
        if self.terminated or self.truncated:
            raise ResetNeeded("the episode is over; call reset() before the next step()")
        rules, before, new_subgoals = self.rules, self.state, 0
        self.action, self.held_before = action, before.held
        if action == STOP and rules.hard:
            self.outcome, self.success, self.terminated = Outcome.OK, self._goal_holds, True
        else:
            self.state, self.outcome = apply(self.layout, before, action)
            valid = self.outcome is Outcome.OK
            if valid:
                self._goal_holds = self._goal(self.state)
            else:
                self.terminated = rules.hard
            holds = self._goal_holds
            if valid and self._stale_goal is not None:
                holds = self._stale_goal(before, self.state)
            if holds and not rules.hard:
                self.success = self.terminated = True
            # Navigation reaches no subgoal: none depends on where the robot is.
            if valid and action >= NUM_NAV_TARGETS:
                new_subgoals = self._reach_subgoals()
        self.steps += 1
        self.truncated = not self.terminated and self.steps >= rules.horizon
        return rules.reward(
            Transition(
                self.layout, before, action, self.outcome, self.state, self.success, new_subgoals,
                len(self._subgoals), self.steps,
            )
        )  # fmt: skip

    def _reach_subgoals(self) -> int:
        """Mark the subgoals that have just become true and return how many these are."""
        state, reached, holding, before = self.state, self.reached, 0, self.holding
        for bit, holds in self._subgoals:
            if not reached & bit and holds(state):
                if before & bit:
                    holding |= bit
                else:
                    reached |= bit
        new_subgoals = (reached ^ self.reached).bit_count()
        self.reached, self.holding = reached, holding
        return new_subgoals
