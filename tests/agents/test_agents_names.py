"""At every interface an answer is an index, an id or an English name; traces hold indices."""

from __future__ import annotations

import json
import sys
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import pytest
from handmade import HANDMADE, traces_of

from langrearrange.agents import HttpAgent, RowsOfAgents, from_command, in_own_process, load_rows
from langrearrange.agents.wire import pack
from langrearrange.dataset import EpisodeList, select
from langrearrange.leaderboard.rollout import RunRules, play
from langrearrange.leaderboard.trace import EpisodeTrace

ANSWERS: tuple[Any, ...] = (12, "nav(sofa)", "Go to the sofa.", "go to sofa")
UNKNOWN = "go to the soffa"
AGENT = """
class Agent:
    modality = "state"
    def reset(self, instruction):
        pass
    def act(self, observation):
        return {answer!r}
class Batched:
    modality = "state"
    def reset_rows(self, rows, instructions):
        pass
    def act_rows(self, rows, observations):
        return [{answer!r}] * len(rows)
"""
PROGRAM = """
import json, sys
for line in sys.stdin:
    kind = json.loads(line)["type"]
    if kind == "bye":
        break
    print(json.dumps({"hello": {"type": "hello", "protocol": 1, "modality": "text"},
                      "reset": {"type": "ready"},
                      "act": {"type": "act", "skill": json.loads(sys.argv[1])}}[kind]), flush=True)
"""


class Answering(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    answer: Any = None

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        message: Mapping[str, Any] = json.loads(body.partition(b"\n")[0])
        replies: dict[str, dict[str, Any]] = {
            "hello": {"type": "hello", "protocol": 1, "modality": "text"},
            "reset": {"type": "ready"},
            "act": {"type": "act", "skills": [self.answer] * len(message.get("rows", ()))},
        }
        data = b"".join(pack(replies[message["type"]]))
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, *args: Any) -> None:
        pass


def over_http(answer: Any) -> dict[str, EpisodeTrace]:
    handler = type("Handler", (Answering,), {"answer": answer})
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}).start()
        agent = HttpAgent(f"http://127.0.0.1:{server.server_port}")
        traces = play(agent, select(EpisodeList(HANDMADE)), RunRules(num_rows=2))
        found = {trace.id: trace for trace in traces}
        agent.close()
        server.shutdown()
    return found


def played(
    interface: str, answer: Any, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> dict[str, EpisodeTrace]:
    """Return what an agent did that always answers the same."""
    (folder / "naming_agent.py").write_text(AGENT.format(answer=answer))
    monkeypatch.chdir(folder)
    monkeypatch.setattr(sys, "path", [str(folder), *sys.path])
    monkeypatch.delitem(sys.modules, "naming_agent", raising=False)
    match interface:
        case "in-process":
            return traces_of(load_rows("naming_agent:Agent"), HANDMADE)
        case "batched":
            return traces_of(load_rows("naming_agent:Batched"), HANDMADE)
        case "own process":
            agent: RowsOfAgents = in_own_process("naming_agent:Agent")
        case "program":
            agent = from_command([sys.executable, "-c", PROGRAM, json.dumps(answer)])
        case _:
            return over_http(answer)
    traces = traces_of(agent, HANDMADE)
    agent.close()
    return traces


INTERFACES: Sequence[str] = ("in-process", "batched", "own process", "program", "http")


@pytest.mark.parametrize("interface", INTERFACES)
def test_every_interface_takes_index_id_and_name(
    interface: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for answer in ANSWERS:
        for trace in played(interface, answer, tmp_path, monkeypatch).values():
            assert trace.failure == ""
            assert set(trace.actions) == {12}


@pytest.mark.parametrize("interface", INTERFACES)
def test_an_unknown_answer_is_logged_as_given_with_the_closest_action(
    interface: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    traces = played(interface, UNKNOWN, tmp_path, monkeypatch)
    assert {trace.failure for trace in traces.values()} == {"bad_action"}
    assert "'go to the soffa' is not an action; did you mean 'go to the sofa'?" in caplog.text
