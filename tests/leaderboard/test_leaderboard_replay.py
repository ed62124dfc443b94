"""Replay against a slow reference: skills by `apply`, reward and subgoals written out again."""

from __future__ import annotations

from typing import NamedTuple

import pytest
from handmade import APPLE, FRIDGE, HANDMADE, HIDDEN, episode, on, traces_of
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from langrearrange.agents import RowsOfAgents
from langrearrange.dataset import Episode
from langrearrange.env import Observation
from langrearrange.errors import SubmissionError
from langrearrange.leaderboard import AgentFacts, EpisodeTrace, Header, replay
from langrearrange.leaderboard.chain import verifier
from langrearrange.leaderboard.replay import Replayed
from langrearrange.leaderboard.trace import Failure, ProtocolName
from langrearrange.world import (
    NUM_SKILLS,
    SKILLS,
    Outcome,
    WorldState,
    apply,
    compile_subgoal,
    parse_subgoal,
    skill_index,
)
from langrearrange.world.goals import compile_goal, parse_goal

STOP = NUM_SKILLS
TWO_PEARS = episode(
    4,
    "Put both pears in the fridge.",
    "(and (hand_free) (forall (?x - pear) (on_top ?x fridge)))",
    {"pear_0": "sofa", "pear_1": "sofa", "mug_0": "fridge"},
    ("nav(fridge)", "open(fridge)", "nav(sofa)", "pick(pear)", "nav(fridge)", "place(fridge)",
     "nav(sofa)", "pick(pear)", "nav(fridge)", "place(fridge)"),
    subgoals=("opened(fridge)", "held(pear)", "delivered(pear,fridge,1)",
              "delivered(pear,fridge,2)"),
)  # fmt: skip
EPISODES = (*HANDMADE, TWO_PEARS)


def header(protocol: ProtocolName = "paper", horizon: int = 32) -> Header:
    return Header(
        package_version="0", protocol=protocol, horizon=horizon, datasets={},
        agent=AgentFacts(name="a", modality="state"),
    )  # fmt: skip


class Played(NamedTuple):
    """What the reference says of a prefix of actions."""

    actions: tuple[int, ...]
    states: tuple[WorldState, ...]
    outcomes: tuple[str, ...]
    reward: float
    success: bool
    reached: int
    over: bool


def reference(e: Episode, actions: list[int], *, hard: bool = False, horizon: int = 32) -> Played:
    """Play until the episode ends or the actions do."""
    layout, state = e.layout(), e.initial_state()
    goal = compile_goal(parse_goal(e.goal), layout, state)
    facts = [compile_subgoal(parse_subgoal(text), layout) for text in e.subgoals]
    reached: set[int] = set()
    states, outcomes, reward, success, over = [state], [], 0.0, False, False
    taken: list[int] = []
    for action in actions:
        if over:
            break
        taken.append(action)
        before = state
        bonus = 0.0
        if hard and action == STOP:
            outcomes.append("stop")
            success, over = goal(state), True
        else:
            state, outcome = apply(layout, state, action)
            outcomes.append(str(outcome))
            if outcome is Outcome.OK:
                new = {
                    i
                    for i, fact in enumerate(facts)
                    if i not in reached and fact(state) and not fact(before)
                }
                reached |= new
                success = goal(state) and not hard
                bonus = 5.0 if new and not success else 0.0
                over = success
            else:
                bonus = -0.1
                over = hard
        reward += bonus - 0.01 + (10.0 if success else 0.0)
        states.append(state)
        over = over or len(taken) >= horizon
    return Played(tuple(taken), tuple(states), tuple(outcomes), reward, success, len(reached), over)


@st.composite
def games(draw: st.DrawFn, hard: bool = False) -> tuple[Episode, list[int]]:
    """An episode and skills: at random, or those of its plan with others put between."""
    e = draw(st.sampled_from(EPISODES))
    near = [
        s.index
        for s in SKILLS
        if s.target in ("sofa", "sink", "fridge", "chair", "apple", "pear", "mug", "book")
    ]
    extra = st.sampled_from(near + [STOP] * (3 if hard else 0))
    actions: list[int] = []
    for skill in e.plan:
        actions += draw(st.lists(extra, max_size=2))
        if draw(st.integers(0, 9)):
            actions.append(skill_index(skill))
    actions += draw(st.lists(extra, max_size=40))
    return e, actions[: draw(st.integers(1, 45))]


def check(e: Episode, actions: list[int], protocol: ProtocolName, horizon: int) -> None:
    wanted = reference(e, actions, hard=protocol == "hard", horizon=horizon)
    failure: Failure = "" if wanted.over else "crash"
    line = EpisodeTrace(id=e.id, actions=wanted.actions, failure=failure)
    found = replay(e, line, header(protocol, horizon))
    assert found.states == wanted.states
    assert found.outcomes == wanted.outcomes
    assert found.reward == pytest.approx(wanted.reward)
    assert found.success == wanted.success
    assert found.steps == len(wanted.actions)
    assert found.invalid == sum(o not in ("ok", "stop") for o in wanted.outcomes)
    assert found.subgoals == (wanted.reached / len(e.subgoals) if e.subgoals else 1.0)
    assert found.optimal == len(e.plan) + (protocol == "hard")
    assert found.efficiency == (1 - len(wanted.actions) / horizon if wanted.success else 0.0)
    assert found.regret == (found.steps - found.optimal if wanted.success else None)
    assert bool(found.cause) != found.success


@given(games(), st.sampled_from([1, 5, 9, 32]))
def test_replay_is_the_reference(game: tuple[Episode, list[int]], horizon: int) -> None:
    check(*game, "paper", horizon)


@given(games(hard=True), st.sampled_from([1, 5, 9, 32]))
def test_replay_of_the_hard_variant_is_the_reference(
    game: tuple[Episode, list[int]], horizon: int
) -> None:
    check(*game, "hard", horizon)


def play(e: Episode, *skills: str, failure: Failure = "", hard: bool = False) -> Replayed:
    actions = tuple(STOP if skill == "stop" else skill_index(skill) for skill in skills)
    line = EpisodeTrace(id=e.id, actions=actions, failure=failure)
    return replay(e, line, header("hard" if hard else "paper"))


def test_a_plan_pays_what_the_paper_says() -> None:
    """Four steps, one subgoal on the way, the last one with the success and unpaid."""
    found = play(APPLE, *APPLE.plan)
    assert found.reward == pytest.approx(10 + 5 - 4 * 0.01)
    assert (found.success, found.steps, found.subgoals) == (True, 4, 1.0)
    assert (found.efficiency, found.regret) == (1 - 4 / 32, 0)
    both = play(TWO_PEARS, *TWO_PEARS.plan)
    assert both.reward == pytest.approx(10 + 3 * 5 - 10 * 0.01)
    assert both.subgoals == 1.0


def test_in_the_hard_variant_the_last_subgoal_is_paid_and_stop_judges() -> None:
    found = play(APPLE, *APPLE.plan, "stop", hard=True)
    assert found.reward == pytest.approx(10 + 2 * 5 - 5 * 0.01)
    assert (found.success, found.regret, found.outcomes[-1]) == (True, 0, "stop")
    early = play(APPLE, "nav(sofa)", "stop", hard=True)
    assert not early.success
    assert early.reward == pytest.approx(-0.02)
    impossible = play(APPLE, "place(sofa)", hard=True)
    assert (impossible.success, impossible.invalid, impossible.steps) == (False, 1, 1)


def test_a_subgoal_that_is_lost_and_reached_again_is_paid_once() -> None:
    skills = ["nav(sofa)", "pick(apple)", "place(sofa)", "pick(apple)", "nav(sink)", "place(sink)"]
    assert play(APPLE, *skills).reward == pytest.approx(10 + 5 - 6 * 0.01)


def test_a_failure_keeps_what_was_reached_and_is_no_success() -> None:
    found = play(APPLE, "nav(sofa)", "pick(apple)", failure="timeout")
    assert (found.success, found.cause, found.failure) == (False, "timeout", "timeout")
    assert (found.subgoals, found.steps, found.efficiency, found.regret) == (0.5, 2, 0.0, None)


def test_a_failure_declared_after_a_success_is_a_failure() -> None:
    found = play(FRIDGE, *FRIDGE.plan, failure="crash")
    assert (found.success, found.cause) == (False, "crash")


@pytest.mark.parametrize(
    ("actions", "protocol", "message"),
    [
        ((70,), "paper", r"action 0 is 70; accepted: 0\.\.69"),
        ((0, 71), "hard", r"action 1 is 71; accepted: 0\.\.70"),
        ((-1,), "paper", "action 0 is -1"),
        ((0, 0), "paper", "ends after 2 actions"),
        ((), "paper", "ends after 0 actions"),
        ((0,) * 33, "paper", "33 actions, but the episode ended after 32"),
        ((70, 0), "hard", "2 actions, but the episode ended after 1"),
    ],
)
def test_what_cannot_have_happened_is_refused(
    actions: tuple[int, ...], protocol: ProtocolName, message: str
) -> None:
    with pytest.raises(SubmissionError, match=message):
        replay(HIDDEN, EpisodeTrace(id=HIDDEN.id, actions=actions), header(protocol))


def test_the_horizon_is_the_headers() -> None:
    actions = (0,) * 7
    line = EpisodeTrace(id=HIDDEN.id, actions=actions)
    found = replay(HIDDEN, line, header(horizon=7))
    assert (found.steps, found.horizon, found.success) == (7, 7, False)
    with pytest.raises(SubmissionError, match="ends after 7"):
        replay(HIDDEN, line, header(horizon=8))


def test_a_chain_is_compared_where_both_a_chain_and_observations_are_given() -> None:
    observations = verifier(header(), 1).observations
    assert observations is not None
    done = tuple(map(skill_index, FRIDGE.plan))
    line = EpisodeTrace(id=FRIDGE.id, actions=done)
    wrong = replace(line, chain="0" * 32)
    assert not replay(FRIDGE, line, header(), observations).chained
    assert replay(FRIDGE, wrong, header()).chained
    with pytest.raises(SubmissionError, match="not those of modality 'state' in this build"):
        replay(FRIDGE, wrong, header(), observations)
    for right in traces_of("oracle", [APPLE, FRIDGE]).values():
        e = APPLE if right.id == APPLE.id else FRIDGE
        assert replay(e, right, header(), observations).chained
        # One observation less is another chain: the agent stopped earlier.
        cut = replace(right, actions=right.actions[:-2], failure="crash")
        with pytest.raises(SubmissionError, match="in this build"):
            replay(e, cut, header(), observations)


class Leaving:
    """Drives somewhere, then breaks."""

    modality = "state"

    def reset(self, instruction: str) -> None:
        self.calls = 0

    def act(self, observation: Observation) -> int:
        self.calls += 1
        if self.calls == 3:
            raise RuntimeError("gone")
        return self.calls


def test_what_an_agent_saw_before_it_broke_is_compared_too() -> None:
    (line,) = traces_of(RowsOfAgents(Leaving), [APPLE]).values()
    assert (line.failure, line.actions) == ("crash", (1, 2))
    found = replay(APPLE, line, header(), verifier(header(), 1).observations)
    assert (found.chained, found.failure) == (True, "crash")


def test_labels_are_those_of_the_episode_and_the_id_that_of_the_trace() -> None:
    e = replace(APPLE, phrasing=3, template="move", cluster="c7")
    found = play(e, *e.plan)
    assert (found.id, found.split, found.template) == (e.id, "context", "move")
    assert (found.phrasing, found.cluster, found.instruction) == (3, "c7", e.instruction)
    assert found.actions == tuple(map(skill_index, e.plan))


def test_an_episode_without_subgoals_has_reached_them_all() -> None:
    assert play(FRIDGE, "nav(sofa)", failure="crash").subgoals == 1.0
    goal = on("book", "sink")
    e = episode(5, "Put a book in the sink.", goal, {"book_0": "sofa"}, subgoals=("held(book)",))
    assert play(e, "nav(sink)", failure="crash").subgoals == 0.0
