"""A person as an agent: the page shows an observation and hands back what was chosen."""

from __future__ import annotations

import json
import threading
import urllib.error
import urllib.request
from collections.abc import Iterator

import pytest

from langrearrange.agents import HumanAgent, RowsOfAgents, load_agent
from langrearrange.dataset import Episode, select
from langrearrange.generator import open_split
from langrearrange.leaderboard import play
from langrearrange.world import skill_index


@pytest.fixture
def human() -> Iterator[HumanAgent]:
    agent = HumanAgent(show=False)
    yield agent
    agent.close()


def ask(agent: HumanAgent, path: str, body: bytes | None = None) -> bytes:
    with urllib.request.urlopen(agent.address + path, data=body, timeout=30) as answer:
        return bytes(answer.read())


def person(agent: HumanAgent, plan: list[int], seen: list[dict[str, object]]) -> None:
    number = 0
    for skill in plan:
        while not (state := json.loads(ask(agent, f"state?{number}")))["ready"]:
            number = state["number"]
        seen.append(state)
        assert ask(agent, "picture").startswith(b"\x89PNG")
        assert json.loads(ask(agent, "act", str(skill).encode())) is True
        number = state["number"]


def test_a_person_plays_an_episode_on_the_page(human: HumanAgent) -> None:
    chosen = select(open_split("context"), 1)
    [episode] = chosen
    assert isinstance(episode, Episode)
    seen: list[dict[str, object]] = []
    plan = [skill_index(skill) for skill in episode.plan]
    hands = threading.Thread(target=person, args=(human, plan, seen))
    hands.start()
    [trace] = play(RowsOfAgents(lambda: human), chosen)
    hands.join(30)
    assert trace.success
    assert list(trace.actions) == plan
    assert {state["instruction"] for state in seen} == {episode.instruction}
    assert [state["step"] for state in seen] == list(range(len(plan)))
    assert {"goal", "plan", "house", "id"}.isdisjoint(set().union(*seen))


def test_only_the_address_with_the_secret_answers(human: HumanAgent) -> None:
    page = ask(human, "").decode()
    assert '"nav(sofa)"' in page
    assert "stop" not in [name for _, name, _ in human.skills()]
    root = human.address.rsplit("/", 2)[0] + "/"
    for path in (root, root + "state?0", human.address + "state?-1", human.address + "else"):
        with pytest.raises(urllib.error.HTTPError, match="404"):
            urllib.request.urlopen(path, timeout=30)


@pytest.mark.parametrize("body", [b"70", b"-1", b"nav(sofa)", b"3.0", b""])
def test_what_is_no_skill_is_not_taken(human: HumanAgent, body: bytes) -> None:
    human._publish(ready=True)
    assert json.loads(ask(human, "act", body)) is False
    with pytest.raises(urllib.error.HTTPError, match="404"):
        ask(human, "act", b"1" * 1001)


def test_a_skill_is_taken_once_and_only_when_awaited(human: HumanAgent) -> None:
    assert not human.choose(3)
    human._publish(ready=True)
    assert human.choose(3)
    assert not human.choose(3)


def test_human_is_an_agent_by_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("webbrowser.open", lambda address: True)
    agent = load_agent("human", hard=True)
    assert isinstance(agent, HumanAgent)
    assert agent.skills()[-1] == (70, "stop", "stop")
    agent.close()
