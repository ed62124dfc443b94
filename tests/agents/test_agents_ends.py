"""What ends when: agents with a killed evaluator, HTTP exchanges at their deadline."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

from langrearrange.agents import AgentTimeoutError, HttpAgent, Limits, ProcessAgent, RowsOfAgents
from langrearrange.agents.serve import _reply
from langrearrange.errors import AgentError

HELLO = {"type": "hello", "protocol": 1, "modality": "state", "perception": "pictures of cats"}
AGENT = """
import os, subprocess, sys, time
class Agent:
    modality = "state"
    def __init__(self):
        self.child = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(100)"])
        for pid in (os.getpid(), self.child.pid, os.getppid()):
            open(f"pids/{pid}", "w").close()
    def reset(self, instruction): pass
    def act(self, observation):
        time.sleep(100)
"""


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except OSError:
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize("workers", [1, 2])
def test_nothing_outlives_a_killed_evaluator(tmp_path: Path, workers: int) -> None:
    (tmp_path / "stuck.py").write_text(AGENT)
    (tmp_path / "pids").mkdir()
    command = [sys.executable, "-m", "langrearrange", "evaluate", "--agent", "stuck:Agent"]
    command += ["--episodes", "validation", "--num-episodes", "8", "--out", "run.jsonl.gz"]
    with subprocess.Popen(
        [*command, "--workers", str(workers)], cwd=tmp_path, stderr=subprocess.DEVNULL
    ) as evaluator:
        wanted = 3 if workers == 1 else 5 + 3 * workers  # two more ask for the modality
        until = time.monotonic() + 120
        while len(list((tmp_path / "pids").iterdir())) < wanted and time.monotonic() < until:
            time.sleep(0.2)
        os.kill(evaluator.pid, signal.SIGKILL)
    pids = [int(path.name) for path in (tmp_path / "pids").iterdir()]
    assert len(pids) >= wanted
    until = time.monotonic() + 5
    while any(map(alive, pids)) and time.monotonic() < until:
        time.sleep(0.1)
    assert not [pid for pid in pids if alive(pid)]


class Dripping(BaseHTTPRequestHandler):
    """Answers hello; then keeps the socket busy for longer than any limit."""

    protocol_version = "HTTP/1.1"
    drip = "body"

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        data = json.dumps(HELLO).encode()
        if self.path == "/hello":
            self.send_response(200)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)
            return
        start = {"body": b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n", "header": b"HTTP/1.1 "}
        try:
            self.wfile.write(start.get(self.drip, b""))
            for _ in range(100):
                self.wfile.write(b"HTTP/1.1 100 Continue\r\n\r\n" if self.drip == "100" else b"2")
                self.wfile.flush()
                time.sleep(0.1)
        except OSError:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        pass


@pytest.fixture
def address() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), Dripping) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("drip", ["body", "header", "100"])
def test_a_limit_is_for_the_whole_exchange(
    address: str, drip: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Dripping, "drip", drip)
    agent = HttpAgent(address, Limits(start_s=30.0, step_s=0.5, episode_s=30.0))
    assert (agent.perception, agent.is_local) == ("pictures of cats", True)
    began = time.monotonic()
    with pytest.raises(AgentTimeoutError, match=r"no answer within 0\.5 s"):
        agent.reset_rows([0], ["Find an apple."])
    assert time.monotonic() - began < 3
    agent.close()


class Declared:
    modality = "state"
    perception = "192 thousand pictures"

    def reset(self, instruction: str) -> None: ...

    def act(self, observation: Any) -> int:
        return 0


def test_an_agent_says_what_its_encoder_was_trained_on() -> None:
    said = _reply(Declared(), "it", {"type": "hello", "protocol": 1})
    assert said["perception"] == "192 thousand pictures"
    assert RowsOfAgents(Declared).perception == "192 thousand pictures"


CHANGES = """
import json, os, sys
first = not os.path.exists("started")
open("started", "w").close()
for line in sys.stdin:
    kind = json.loads(line)["type"]
    modality = "state" if first else "text"
    said = {"hello": {"protocol": 1, "modality": modality}, "reset": {}}
    if kind not in said: break
    answer = {"hello": "hello", "reset": "ready"}[kind]
    print(json.dumps({"type": answer, **said[kind]}), flush=True)
"""


def test_an_agent_that_starts_again_keeps_its_modality(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    agent = ProcessAgent([sys.executable, "-c", CHANGES], Limits(step_s=20.0))
    agent.reset("Find an apple.")
    with pytest.raises(AgentError, match="process exited"):
        agent.act({})
    with pytest.raises(AgentError, match="modality 'text', 'state' when first started"):
        agent.reset("Find an apple.")
