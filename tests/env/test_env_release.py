"""`semantics="release"` and `reward="release"` against a slow model of the release."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import gymnasium as gym
import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st

import langrearrange  # noqa: F401
from langrearrange.dataset import Episode
from langrearrange.env import RELEASE_REWARD, STOP, Rules, Task
from langrearrange.testing import toy_episodes
from langrearrange.world import (
    SKILLS,
    Layout,
    Outcome,
    WorldState,
    apply,
    compile_subgoal,
    in_reach,
    parse_subgoal,
    skill_index,
)
from langrearrange.world.goals import (
    And,
    Atom,
    Goal,
    Initially,
    Not,
    Or,
    Quantified,
    StaleGoal,
    domain,
    parse_goal,
)
from langrearrange.world.vocabulary import OPENABLE_INDEX, RECEPTACLES

TOY = toy_episodes()
RELEASE = Rules(semantics="release", reward=RELEASE_REWARD)
TAKE_OFF = msgspec.structs.replace(
    TOY[0],
    goal="(and (hand_free) (exists (?x - apple) (not (on_top ?x sofa))) "
    "(not (exists (?x - apple) (on_top ?x sofa))))",
    plan=("nav(sofa)", "pick(apple)", "place(sofa)"),
    subgoals=("held(apple)",),
)
OPEN_THE_FRIDGE = msgspec.structs.replace(TOY[2], goal="(open fridge)", subgoals=())
HOLD_AND_DELIVER = msgspec.structs.replace(
    TOY[0], goal="(exists (?x - apple) (and (holding ?x) (on_top ?x sink)))", subgoals=()
)
EPISODES = (*TOY, TAKE_OFF, OPEN_THE_FRIDGE, HOLD_AND_DELIVER)
Fact = tuple[str, ...]


def play(task: Task, *skills: str) -> list[float]:
    return [task.step(skill_index(skill)) for skill in skills]


def test_a_thing_counts_as_put_away_when_it_is_taken() -> None:
    task = Task(TAKE_OFF, RELEASE)
    play(task, "nav(sofa)", "pick(apple)")
    assert (task.success, task.terminated, task.steps) == (True, True, 2)
    task = Task(TAKE_OFF)
    play(task, "nav(sofa)", "pick(apple)", "nav(sink)")
    assert not task.over
    play(task, "place(sink)")
    assert task.success


def test_the_hand_is_stale_in_the_step_of_the_pick_alone() -> None:
    layout, start = TOY[0].layout(semantics="release"), TOY[0].initial_state()
    skills = [skill_index(skill) for skill in ("nav(sofa)", "pick(apple)", "nav(sink)")]
    states = [start]
    for skill in skills:
        states.append(apply(layout, states[-1], skill)[0])
    free = StaleGoal(parse_goal("(hand_free)"), layout, start)
    held = StaleGoal(parse_goal("(exists (?x - apple) (holding ?x))"), layout, start)
    read = [(free(*step), held(*step)) for step in itertools.pairwise(states)]
    assert read == [(True, False), (True, True), (False, True)]


def test_what_was_placed_still_reads_as_held_in_that_step() -> None:
    plan = ("nav(sofa)", "pick(apple)", "nav(sink)", "place(sink)")
    task = Task(HOLD_AND_DELIVER, RELEASE)
    play(task, *plan)
    assert task.success
    task = Task(HOLD_AND_DELIVER)
    play(task, *plan)
    assert not task.success


def test_a_thing_is_picked_from_the_closed_fridge_but_not_from_a_closed_drawer() -> None:
    task = Task(TOY[2], RELEASE)
    play(task, "nav(fridge)", "pick(lemon)")
    assert task.outcome is Outcome.OK
    task = Task(TOY[3], RELEASE)
    play(task, "nav(right_drawer)", "pick(hammer)")
    assert task.outcome is Outcome.CLOSED


def test_stop_judges_with_a_fresh_hand() -> None:
    task = Task(TAKE_OFF, Rules(semantics="release", hard=True))
    play(task, "nav(sofa)", "pick(apple)")
    assert not task.over
    task.step(STOP)
    assert not task.success


def test_the_env_plays_by_the_release_when_asked() -> None:
    env = gym.make(
        "LangRearrange-v0",
        episodes=[TAKE_OFF],
        observation="state",
        semantics="release",
        reward="release",
    )
    env.reset()
    total = 0.0
    for skill in ("pick(mug)", "nav(sofa)", "pick(apple)"):
        _, reward, ended, _, info = env.step(skill_index(skill))
        total += float(reward)
    assert ended
    assert info["success"]
    assert total == pytest.approx(15), "the most that the release pays, whatever was tried"
    env.close()


# -- a slow model: facts are looked up in a cache that the precondition fills --------------------


class Facts:
    """Facts of a moment; what was asked before the skill acted keeps its answer for the step."""

    def __init__(self, layout: Layout, initial: WorldState) -> None:
        self.layout, self.initial, self.cache = layout, initial, dict[Fact, bool]()

    def ask(self, state: WorldState, *fact: str) -> bool:
        return self.cache.setdefault(fact, self._look(state, *fact))

    def _look(self, state: WorldState, predicate: str, *arguments: str) -> bool:
        where = (*RECEPTACLES, "hand")
        match predicate, arguments:
            case "hand_free", ():
                return state.held < 0
            case "holding", (obj,):
                return state.held == int(obj)
            case "on_top", (obj, receptacle):
                return where[state.receptacles[int(obj)]] == receptacle
            case "near", (obj,):
                return in_reach(self.layout, state, int(obj))
            case (("open" | "closed"), (openable,)):
                is_open = bool(state.open_mask >> OPENABLE_INDEX[openable] & 1)
                return is_open == (predicate == "open")
        raise AssertionError(predicate)

    def precondition(self, state: WorldState, skill: int) -> None:
        """Ask what the precondition of a valid skill asks."""
        what = SKILLS[skill]
        if what.kind == "pick":
            self.ask(state, "hand_free")
        elif what.kind == "place":
            for obj in range(self.layout.num_objects):
                if self.ask(state, "holding", str(obj)):
                    break
        elif what.kind in ("open", "close"):
            self.ask(state, "closed" if what.kind == "open" else "open", what.target)

    def holds(self, goal: Goal, state: WorldState, binding: dict[str, int]) -> bool:
        match goal:
            case Atom("=", (one, other)):
                return binding.get(one, one) == binding.get(other, other)
            case Atom(predicate, arguments):
                named = (str(binding[a]) if a in binding else a for a in arguments)
                return self.ask(state, predicate, *named)
            case Not(part):
                return not self.holds(part, state, binding)
            case Initially(part):
                fresh = Facts(self.layout, self.initial)
                return fresh.holds(part, self.initial, binding)
            case And(parts):
                return all([self.holds(part, state, binding) for part in parts])
            case Or(parts):
                return any([self.holds(part, state, binding) for part in parts])
            case Quantified(quantifier, variables, body):
                domains = [domain(variable, self.layout) for variable in variables]
                names = [variable.name for variable in variables]
                each = [
                    self.holds(body, state, binding | dict(zip(names, values, strict=True)))
                    for values in itertools.product(*domains)
                ]
                return all(each) if quantifier == "forall" else any(each)


@st.composite
def rounds(draw: Callable[..., Any]) -> tuple[Episode | list[Any] | list[int], ...]:
    episode = draw(st.sampled_from(EPISODES))
    useful = st.sampled_from([skill_index(skill) for skill in episode.plan])
    return episode, draw(st.lists(useful | st.integers(0, 69), max_size=32))


@given(rounds())
def test_playing_equals_a_slow_model_of_the_release(round_: tuple[Episode, list[Any]]) -> None:
    episode, actions = round_
    task = Task(episode, RELEASE)
    layout, state = episode.layout(semantics="release"), episode.initial_state()
    goal = parse_goal(episode.goal)
    facts = [compile_subgoal(parse_subgoal(text), layout) for text in episode.subgoals]
    ever = {i for i, fact in enumerate(facts) if fact(state)}
    for action in actions:
        cached = Facts(layout, episode.initial_state())
        after, outcome = apply(layout, state, action)
        if outcome is Outcome.OK:
            cached.precondition(state, action)
        success = cached.holds(goal, after, {})
        before = len(ever)
        ever |= {i for i, fact in enumerate(facts) if fact(after)}
        share = (len(ever) - before) / len(facts) if facts else 0.0
        assert task.step(action) == pytest.approx(5 * share + 10 * success)
        assert (task.success, task.terminated) == (success, success)
        assert task.state == after
        if task.over:
            return
        state = after
