"""From a name to an agent, and what the message says when that fails."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from langrearrange.agents import (
    Agent,
    BatchedAgent,
    Observation,
    RowsOfAgents,
    load_agent,
    load_rows,
)
from langrearrange.agents.loading import BUNDLED, agent_names, is_privileged
from langrearrange.errors import ActionError, AgentError

MODULE = """
import numpy as np

class Good:
    modality = "text"
    def __init__(self, seed=3): self.seed = seed
    def reset(self, instruction): pass
    def act(self, observation): return 7

class Batched:
    modality = "rgb"
    def reset_rows(self, rows, instructions): pass
    def act_rows(self, rows, observations): return np.zeros(len(rows), np.int64)

class Trained(Batched):
    def __init__(self, checkpoint=""): self.checkpoint = checkpoint

class NoModality:
    def reset(self, instruction): pass
    def act(self, observation): return 7

class NoAct:
    modality = "text"
    def reset(self, instruction): pass

class Broken:
    modality = "text"
    def __init__(self): raise OSError("no weights here")

def make(): return Good()
number = 5
"""


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "own_agent.py").write_text(MODULE)
    (tmp_path / "torn_agent.py").write_text("import nothing_of_this_name\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))


@pytest.mark.parametrize("name", BUNDLED)
def test_bundled_agents_keep_the_protocol(name: str) -> None:
    assert isinstance(load_agent(name), Agent)
    assert isinstance(load_rows(name), BatchedAgent)
    assert is_privileged(load_agent(name)) == (name == "oracle")
    assert is_privileged(load_rows(name)) == (name == "oracle")


@pytest.mark.usefixtures("module")
def test_own_agents_are_found_in_the_working_directory() -> None:
    assert vars(load_agent("own_agent:Good", seed=11))["seed"] == 11
    assert load_agent("own_agent:make").modality == "text"
    assert isinstance(load_rows("own_agent:Good"), RowsOfAgents)
    assert type(load_rows("own_agent:Batched")).__name__ == "Batched"


@pytest.mark.usefixtures("module")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        ("explorr", "did you mean 'explorer'"),
        ("own_agent", "random, oracle, explorer, blind_sweep, human, .*module:Class"),
        ("own_agent:", "module:Class"),
        ("own_agent:Godo", "its classes: Good, Batched"),
        ("own_agent:number", "no class 'number'"),
        ("nowhere_agent:Good", "importing 'nowhere_agent' failed"),
        ("torn_agent:Good", "nothing_of_this_name"),
        ("own_agent:NoModality", "accepted: rgb, rgb.feedback, state, text"),
        ("own_agent:NoAct", "act"),
        ("own_agent:Broken", "no weights here"),
        ("own_agent:Batched", "load_rows"),
    ],
)
def test_what_is_no_agent_is_refused_with_a_remedy(name: str, message: str) -> None:
    with pytest.raises(AgentError, match=message):
        load_agent(name)


class _Fixed:
    modality = "text"

    def __init__(self, action: Any) -> None:
        self.action = action

    def reset(self, instruction: str) -> None:
        pass

    def act(self, observation: Observation) -> int:
        return self.action  # type: ignore[no-any-return]  # whatever it is


@pytest.mark.parametrize("action", [True, 3.0, "3", float("nan"), None, -1, 71, 10**30, [3]])
def test_rows_refuse_what_merely_looks_like_a_skill(action: object) -> None:
    rows = RowsOfAgents(lambda: _Fixed(action))
    rows.reset_rows([0], ["Find an apple."])
    with pytest.raises(ActionError):
        rows.act_rows([0], {"text": ("",)})


@pytest.mark.parametrize("action", [3, np.int64(3), np.array(3)])
def test_rows_take_every_kind_of_integer(action: object) -> None:
    rows = RowsOfAgents(lambda: _Fixed(action))
    rows.reset_rows([0], ["Find an apple."])
    assert rows.act_rows([0], {"text": ("",)}).tolist() == [3]


class _Entry:
    def __init__(self, name: str, value: str) -> None:
        self.name, self.value = name, value


class _Entries(dict[str, _Entry]):
    @property
    def names(self) -> set[str]:
        return set(self)


@pytest.fixture
def registered(module: None, monkeypatch: pytest.MonkeyPatch) -> None:
    found = {
        "mine": _Entry("mine", "own_agent:Trained"),
        "random": _Entry("random", "own_agent:Good"),
    }

    def entry_points(group: str, name: str = "") -> _Entries:
        assert group == "langrearrange.agents"
        return _Entries({n: e for n, e in found.items() if name in ("", n)})

    monkeypatch.setattr("langrearrange.agents.loading.entry_points", entry_points)


def test_an_installed_package_registers_agents_by_name(registered: None) -> None:
    assert agent_names() == (*BUNDLED, "human", "mine")
    assert load_rows("mine", checkpoint="out/run").checkpoint == "out/run"  # type: ignore[attr-defined]
    assert load_agent("random").modality == BUNDLED["random"]().modality, "bundled names stay"
    with pytest.raises(AgentError, match=r"human, mine or module:Class; did you mean 'mine'"):
        load_agent("mien")


def test_a_checkpoint_for_an_agent_without_weights_is_refused(registered: None) -> None:
    with pytest.raises(AgentError, match="agent 'explorer' takes no checkpoint; leave it out"):
        load_rows("explorer", checkpoint="out/run")
