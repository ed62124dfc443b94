"""The four bundled agents: what each may use and what it reaches on episodes made by hand."""

from __future__ import annotations

import numpy as np
import pytest
from handmade import APPLE, FRIDGE, HANDMADE, HIDDEN, episode, on, traces_of

from langrearrange.agents import (
    BlindSweepAgent,
    ExplorerAgent,
    OracleAgent,
    RandomAgent,
    load_rows,
    sweep,
)
from langrearrange.errors import AgentError
from langrearrange.world import SKILLS
from langrearrange.world.vocabulary import RECEPTACLES


def ids(skills: tuple[int, ...]) -> list[str]:
    return [SKILLS[skill].id for skill in skills]


def test_oracle_succeeds_with_the_stored_plan_and_no_skill_more() -> None:
    traces = traces_of("oracle", HANDMADE)
    for e in HANDMADE:
        assert traces[e.id].success
        assert ids(traces[e.id].actions) == list(e.plan)


def test_oracle_stops_in_the_hard_variant() -> None:
    for trace in traces_of("oracle", HANDMADE, hard=True).values():
        assert trace.success
        assert trace.outcomes[-1] == "stop"


def test_explorer_stops_when_it_believes_to_be_done() -> None:
    traces = traces_of("explorer", HANDMADE, hard=True)
    assert all(trace.success for trace in traces.values())
    assert {trace.outcomes[-1] for trace in traces.values()} == {"stop"}


def test_blind_sweep_stops_at_the_end_of_its_script() -> None:
    trace = traces_of("blind_sweep", [FRIDGE], hard=True)[FRIDGE.id]
    assert ids(trace.actions[:-1]) == ["nav(fridge)", "open(fridge)", "close(fridge)"]
    assert trace.outcomes[-1] == "stop"
    assert not trace.success


def test_oracle_refuses_to_play_what_it_was_not_shown() -> None:
    agent = OracleAgent()
    with pytest.raises(AgentError, match="bind"):
        agent.reset(APPLE.instruction)
    agent.bind(APPLE)
    with pytest.raises(AgentError, match="bind"):
        agent.reset(HIDDEN.instruction)


def test_explorer_succeeds_where_plain_words_suffice() -> None:
    assert all(trace.success for trace in traces_of("explorer", HANDMADE).values())


def test_explorer_goes_straight_to_a_named_source() -> None:
    assert len(traces_of("explorer", [APPLE])[APPLE.id].actions) == len(APPLE.plan)


def test_explorer_looks_into_closed_containers() -> None:
    trace = traces_of("explorer", [HIDDEN])[HIDDEN.id]
    assert "open(fridge)" in ids(trace.actions)
    assert "pick(mug)" in ids(trace.actions)


def test_explorer_remembers_what_it_saw() -> None:
    both = episode(
        9,
        "Put a book and a lid on the sofa.",
        f"(and {on('book', 'sofa')} {on('lid', 'sofa')})",
        {"lid_0": "chair", "book_0": "black_table"},
    )
    assert ids(traces_of("explorer", [both])[both.id].actions) == [
        "nav(chair)", "nav(black_table)", "pick(book)", "nav(sofa)", "place(sofa)",
        "nav(chair)", "pick(lid)", "nav(sofa)", "place(sofa)",
    ]  # fmt: skip


def test_explorer_swaps_two_things() -> None:
    swap = episode(
        9,
        "Swap the cup on the sofa with the lid in the sink.",
        f"(and {on('cup', 'sink')} {on('lid', 'sofa')})",
        {"cup_0": "sofa", "lid_0": "sink"},
    )
    assert len(traces_of("explorer", [swap])[swap.id].actions) == 7


def test_explorer_moves_all_of_a_kind() -> None:
    every = episode(
        9,
        "Put all the apples in the sink.",
        "(and (forall (?x - apple) (on_top ?x sink)) (hand_free))",
        {"apple_0": "sofa", "apple_1": "left_drawer", "pear_0": "chair"},
    )
    assert traces_of("explorer", [every])[every.id].success


def test_explorer_sees_nothing_that_is_hidden() -> None:
    """Two episodes that differ only in what a closed drawer holds look alike until it opens."""
    other = episode(1, HIDDEN.instruction, HIDDEN.goal, {"mug_0": "left_drawer", "book_0": "sofa"})
    first = ids(traces_of("explorer", [HIDDEN])[HIDDEN.id].actions)
    second = ids(traces_of("explorer", [other])[other.id].actions)
    shared = first.index("open(fridge)") + 1
    assert first[:shared] == second[:shared]


def test_blind_sweep_takes_27_skills_for_one_object() -> None:
    script = ids(sweep("Bring a mug to the brown table."))
    assert len(script) == 27
    assert script[0] == "nav(chair)"
    assert script[-2:] == ["nav(brown_table)", "place(brown_table)"]
    assert [s for s in script if s.startswith("nav")][:11] == [f"nav({r})" for r in RECEPTACLES]
    assert script.count("pick(mug)") == 11
    assert [s for s in script if s.startswith("open")] == [
        "open(fridge)", "open(left_drawer)", "open(right_drawer)",
    ]  # fmt: skip


def test_blind_sweep_opens_and_closes_what_is_named_when_no_object_is() -> None:
    assert ids(sweep("Open the fridge.")) == ["nav(fridge)", "open(fridge)", "close(fridge)"]
    assert ids(sweep("Go to the sofa.")) == ["nav(sofa)"]
    assert ids(sweep("Go to the bottom drawer.")) == [
        "nav(bottom_drawer_handle)", "open(bottom_drawer)", "close(bottom_drawer)",
    ]  # fmt: skip


def test_blind_sweep_does_the_same_whatever_it_sees() -> None:
    agent = BlindSweepAgent()
    agent.reset(FRIDGE.instruction)
    played = [agent.act({}) for _ in range(32)]
    agent.reset(FRIDGE.instruction)
    assert played == [agent.act({"place": np.zeros(17)}) for _ in range(32)]


def test_random_draws_depend_on_seed_and_sentence_only() -> None:
    def draws(seed: int, *sentences: str) -> list[int]:
        agent = RandomAgent(seed)
        for sentence in sentences:
            agent.reset(sentence)
            played = [agent.act({}) for _ in range(32)]
        return played

    assert draws(0, "a", "b") == draws(0, "b")
    assert draws(0, "a") != draws(1, "a")
    assert draws(0, "a") != draws(0, "b")
    many = [skill for i in range(200) for skill in draws(0, str(i))]
    assert set(many) == set(range(70))


def test_agents_of_many_rows_play_as_they_do_alone() -> None:
    rows = load_rows("explorer")
    alone = {e.id: traces_of("explorer", [e])[e.id] for e in HANDMADE}
    assert traces_of(rows, HANDMADE) == alone
    assert isinstance(rows, object)
    assert ExplorerAgent.modality == rows.modality
