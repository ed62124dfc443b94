"""Causes of failure: each rule on the plainest episode that should meet it."""

from __future__ import annotations

import pytest
from handmade import episode, on

from langrearrange.leaderboard import AgentFacts, EpisodeTrace, Header, replay
from langrearrange.leaderboard.causes import CAUSES
from langrearrange.leaderboard.trace import Failure
from langrearrange.world import skill_index

THINGS = {"mug_0": "chair", "mug_1": "left_drawer", "pear_0": "sofa", "book_0": "sofa"}
MUG = on("mug", "sink")
EVERY = "(and (forall (?x - mug) (on_top ?x sink)) (hand_free))"
BRANCHES = (
    "(or (and (initially (open fridge)) (hand_free) (exists (?x - mug) (on_top ?x sink))"
    " (forall (?y - pear) (undisturbed ?y))) (and (initially (closed fridge)) (hand_free)"
    " (exists (?y - pear) (on_top ?y sink)) (forall (?x - mug) (undisturbed ?x))))"
)
HEADER = Header(package_version="0", agent=AgentFacts(name="a", modality="state"), datasets={})


def cause(
    sentence: str, goal: str, *skills: str, failure: Failure = "", filler: str = "nav(chair)"
) -> str:
    """Play the skills, then the filler to the end."""
    e = episode(0, sentence, goal, THINGS)
    played = [*skills, *([filler] * (32 - len(skills)) if not failure else [])]
    line = EpisodeTrace(id=e.id, actions=tuple(map(skill_index, played)), failure=failure)
    return replay(e, line, HEADER).cause


PUT = "Put a mug in the sink. Mind the pear."


@pytest.mark.parametrize(
    ("expected", "sentence", "goal", "skills"),
    [
        ("wrong_branch", "Whatever.", BRANCHES,
         ("nav(chair)", "pick(mug)", "nav(sink)", "place(sink)")),
        ("distractor", PUT, MUG, ("nav(sofa)", "pick(pear)", "nav(sink)", "place(sink)")),
        ("wrong_object", PUT, MUG, ("nav(sofa)", "pick(book)", "nav(sink)", "place(sink)")),
        ("missed_one", "Put all mugs in the sink.", EVERY,
         ("nav(chair)", "pick(mug)", "nav(sink)", "place(sink)")),
        ("wrong_receptacle", PUT, MUG, ("nav(chair)", "pick(mug)", "nav(sofa)", "place(sofa)")),
        ("loop", PUT, MUG, ("nav(sofa)", "nav(sink)")),
    ],
)  # fmt: skip
def test_each_rule_fits_its_plainest_case(
    expected: str, sentence: str, goal: str, skills: tuple[str, ...]
) -> None:
    assert cause(sentence, goal, *skills) == expected


def test_mostly_impossible_skills_are_a_precondition_failure() -> None:
    assert cause(PUT, MUG, filler="place(sink)") == "precondition"


@pytest.mark.parametrize("failure", ["timeout", "crash", "refusal", "bad_action"])
def test_an_agent_that_stopped_answering_is_its_own_cause(failure: Failure) -> None:
    assert cause(PUT, MUG, "nav(sofa)", failure=failure) == failure


def test_the_goal_of_the_branch_that_holds_decides_what_is_wanted() -> None:
    assert cause("Whatever.", BRANCHES, "nav(sofa)", "pick(pear)", "nav(chair)") != "wrong_branch"


def test_what_was_never_in_reach_was_never_found() -> None:
    e = episode(0, PUT, MUG, {"mug_0": "right_drawer", "pear_0": "sofa"})
    doors = [
        skill
        for spot in ("left_drawer", "middle_drawer", "bottom_drawer", "fridge")
        for skill in (f"nav({spot}_handle)", f"open({spot})")
    ]
    shut = [skill.replace("open(", "close(") for skill in doors]
    late = ["nav(sofa)", "nav(sink)", "nav(chair)", "nav(tv_stand)"] * 2
    played = [*late, *doors, *shut, *["nav(black_table)", "nav(brown_table)"] * 4]
    actions = tuple(map(skill_index, played[:32]))
    assert replay(e, EpisodeTrace(id=e.id, actions=actions), HEADER).cause == "never_found"


def test_an_agent_on_its_way_ran_out_of_time() -> None:
    doors = [
        skill
        for spot in ("left_drawer", "middle_drawer", "bottom_drawer", "fridge")
        for skill in (f"nav({spot}_handle)", f"open({spot})")
    ]
    shut = [skill.replace("open(", "close(") for skill in doors]
    wander = ["nav(sofa)", "nav(sink)", "nav(chair)", "nav(tv_stand)"] * 4
    assert cause(PUT, MUG, *wander, *doors, *shut) == "horizon"


def test_every_cause_is_listed() -> None:
    assert len(set(CAUSES)) == len(CAUSES) == 13
