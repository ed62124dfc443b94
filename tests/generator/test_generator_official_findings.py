"""Findings on released episodes: each kind where it begins, on households made by hand."""

from __future__ import annotations

from typing import Any

import pytest
from handmade import episode, on

from langrearrange.dataset.official import OfficialEpisode
from langrearrange.dataset.official.names import RECEPTACLE_OF
from langrearrange.generator.official_findings import NOTES, SENSOR_TOKENS, sentence_findings

OFFICIAL = {ours: theirs for theirs, ours in RECEPTACLE_OF.items()}
THINGS = {"apple_0": "sofa", "apple_1": "chair", "pear_0": "sofa", "book_0": "sink"}


def found(
    sentence: str, goal: str, entities: dict[str, str] | None = None,
    things: dict[str, str] | None = None,
) -> list[tuple[str, str]]:  # fmt: skip
    e = episode(0, sentence, goal, things or THINGS)
    record = OfficialEpisode(
        template="t", instruction=sentence, scene="s", objects=(), start_predicates=(), goal=None,
        entities={k: OFFICIAL.get(v, v) for k, v in (entities or {}).items()}, num_subgoals=0,
    )  # fmt: skip
    findings = list(sentence_findings(record, e))
    assert all(finding.episode_id == e.id for finding in findings)
    return [(finding.kind, finding.message) for finding in findings]


MOVE = "Move the apple from the {} to the sink."


@pytest.mark.parametrize(
    ("source", "empty"), [("sofa", False), ("chair", False), ("fridge", True), ("sink", False)]
)
def test_a_named_source_without_the_thing_is_a_finding(source: str, empty: bool) -> None:
    entities = {"obj": "apple", "source": source, "target": "sink"}
    findings = found(MOVE.format(source), on("apple", "sink"), entities)
    expected = [("source_empty", f"the sentence names the {source}, where no apple is")]
    assert findings == (expected if empty else [])


def test_a_place_that_no_word_names_or_the_goal_speaks_of_is_no_source() -> None:
    entities = {"obj": "apple", "place": "fridge"}
    assert found("Move the apple to the sink.", on("apple", "sink"), entities) == []
    assert found("Put the apple into the fridge.", on("apple", "fridge"), entities) == []
    assert found("Go from the fridge to the sink.", "(robot_at sink)", {"place": "fridge"}) == []


def test_any_of_several_wanted_things_makes_a_source() -> None:
    entities = {"a": "pear", "b": "lemon", "place": "chair"}
    goal = on("pear", "sink")
    (finding,) = found("Move the pear from the chair.", goal, entities)
    assert finding[1].endswith("where no lemon or pear is")
    assert found("Move the pear from the sofa.", goal, entities | {"place": "sofa"}) == []


@pytest.mark.parametrize(
    ("sentence", "false"),
    [
        ("There is an apple on the sofa. Go to the sink.", False),
        ("There is an apple on the fridge. Go to the sink.", True),
        ("there's a pear in the sink. Go to the sink.", True),
        ("On the chair there is an apple. Go to the sink.", False),
        ("In the sink there's an apple. Go to the sink.", True),
        ("There is an apple somewhere. Go to the sink.", False),
    ],
)
def test_a_false_statement_is_a_finding(sentence: str, false: bool) -> None:
    findings = found(sentence, "(robot_at sink)")
    assert [kind for kind, _ in findings] == ["statement_false"] * false
    if false:
        thing = "pear" if "pear" in sentence else "apple"
        place = "fridge" if "fridge" in sentence else "sink"
        assert findings[0][1] == f"the sentence states: {thing} on the {place}; there is none"


ALL = "(and (forall (?x - {}) (on_top ?x {})) (hand_free))"
OFF = "(exists (?x - {}) (and (not (on_top ?x {})) (hand_free)))"


@pytest.mark.parametrize(
    ("goal", "expected"),
    [
        (ALL.format("apple", "sink"), []),
        (ALL.format("apple", "sofa"), [("partly_done", "1 of 2 apple are there at the start")]),
        (ALL.format("pear", "sink"),
         [("for_all_of_one", "the sentence mentions all pear; there is one")]),
        (ALL.format("pear", "sofa"),
         [("for_all_of_one", "the sentence mentions all pear; there is one"),
          ("partly_done", "1 of 1 pear are there at the start")]),
        (OFF.format("pear", "sofa"), []),
        (OFF.format("apple", "sofa"),
         [("two_readings", "1 of 2 apple are there; the goal asks to take off one, the sentence "
           "may mean each")]),
        (on("apple", "sink"), []),
        (ALL.format("(either apple pear)", "sofa"),
         [("partly_done", "2 of 3 pear are there at the start")]),
    ],
)  # fmt: skip
def test_quantities_are_compared_with_the_household(
    goal: str, expected: list[tuple[str, str]]
) -> None:
    assert found("Whatever.", goal) == expected


@pytest.mark.parametrize(
    ("words", "tokens"), [(28, None), (29, 31), (40, 42)]
)  # the words, a full stop and a beginning
def test_more_tokens_than_the_sensor_takes_are_a_note(words: int, tokens: int | None) -> None:
    assert SENSOR_TOKENS == 30
    findings = found(" ".join(["go"] * words) + ".", "(robot_at sink)")
    if tokens is None:
        assert findings == []
    else:
        ((kind, message),) = findings
        assert kind == "over_30_tokens"
        assert message.startswith(f"at least {tokens} tokens")


def test_notes_contradict_nothing_and_other_kinds_do() -> None:
    kinds: set[Any] = {kind for kind, _ in found("Whatever.", ALL.format("pear", "sofa"))}
    assert kinds <= set(NOTES)
    assert not {"source_empty", "statement_false"} & set(NOTES)
