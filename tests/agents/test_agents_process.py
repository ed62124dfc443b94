"""Agents in processes of their own: any language, and every way to misbehave fails one episode."""

from __future__ import annotations

import json
import shutil
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from handmade import HANDMADE, traces_of

from langrearrange.agents import (
    AgentRefusalError,
    AgentTimeoutError,
    BatchedAgent,
    HttpAgent,
    Limits,
    ProcessAgent,
    RowsOfAgents,
    from_command,
    in_own_process,
    load_rows,
)
from langrearrange.agents.wire import hello, pack, unpack
from langrearrange.dataset import EpisodeList, select
from langrearrange.errors import AgentError, UsageError
from langrearrange.leaderboard import EpisodeTrace, RunRules, play

FOREIGN = Path(__file__).parent / "foreign"
PATIENT = Limits(start_s=60.0, step_s=30.0, episode_s=60.0)
HASTY = Limits(start_s=60.0, step_s=0.4, episode_s=60.0)
HELLO = 'say({"type": "hello", "protocol": 1, "modality": "text"})'
PRELUDE = """
import json, sys, time
def say(message): sys.stdout.write(json.dumps(message) + chr(10)); sys.stdout.flush()
def hear(): return json.loads(sys.stdin.readline() or '{"type": "bye"}')
"""
TURNS = """
while True:
    message = hear()
    if message["type"] == "bye": break
    if message["type"] == "hello": %s
    elif message["type"] == "reset":
        sentence = message["instruction"]
        say({"type": "ready"})
    else: %s
"""


def python_agent(act: str, greet: str = HELLO, limits: Limits = PATIENT) -> RowsOfAgents:
    return from_command([sys.executable, "-c", PRELUDE + TURNS % (greet, act)], limits)


def failures_of(act: str) -> list[str]:
    return [trace.failure for trace in traces_of(python_agent(act), HANDMADE).values()]


@pytest.mark.parametrize("name", ["explorer", "random"])
def test_a_process_of_its_own_changes_nothing(name: str) -> None:
    assert traces_of(in_own_process(name), HANDMADE) == traces_of(name, HANDMADE)


def test_privileged_agents_cannot_run_in_a_process_of_their_own() -> None:
    with pytest.raises(AgentError, match="privileged"):
        in_own_process("oracle")


@pytest.mark.parametrize("program", ["agent.sh", "agent.js"])
def test_agents_in_other_languages_play(program: str) -> None:
    if program == "agent.js" and shutil.which("node") is None:
        pytest.skip("needs node")
    interpreter = {"agent.sh": "bash", "agent.js": "node"}[program]
    traces = traces_of(from_command([interpreter, str(FOREIGN / program)]), HANDMADE)
    assert {trace.failure for trace in traces.values()} == {""}
    assert traces["context/000002"].success


def test_a_python_agent_without_this_package_reads_raw_pictures() -> None:
    agent = ProcessAgent([sys.executable, str(FOREIGN / "agent.py")], PATIENT)
    agent.reset("Find an apple.")
    picture = np.zeros((64, 64, 3), np.uint8)
    picture[:, 43:] = 200
    dark = agent.act({"rgb": np.zeros((64, 64, 3), np.uint8), "instruction": "Find an apple."})
    assert dark == 5 + 3
    assert agent.act({"rgb": picture, "instruction": "Find an apple."}) == 5 + (6 + 2) % 11
    agent.close()


@pytest.mark.parametrize("program", sorted(FOREIGN.iterdir()))
def test_the_agents_in_other_languages_stay_under_60_lines(program: Path) -> None:
    assert len(program.read_text().splitlines()) < 60


ATTACKS = {
    "silent": ("time.sleep(60)", "timeout"),
    "dead": ("sys.exit(3)", "crash"),
    "killed": ("import os; os.kill(os.getpid(), 9)", "crash"),
    "endless_line": ("[sys.stdout.write('x' * 4096) for _ in iter(int, 1)]", "refusal"),
    "endless_lines": ("[print('{}' * 30) for _ in iter(int, 1)]", "crash"),
    "ten_megabytes": ("say({'type': 'act', 'skill': 'x' * 10_000_000})", "refusal"),
    "no_json": ("print('12', flush=True)", "crash"),
    "a_torn_line": ('print(\'{"type":"act",\', flush=True)', "crash"),
    "deep_nesting": ("print('[' * 60000, flush=True)", "crash"),
    "wrong_type": ("say({'type': 'ready'})", "crash"),
    "own_error": ("say({'type': 'error', 'message': 'out of memory'})", "crash"),
    "no_skill": ("say({'type': 'act', 'success': True})", "refusal"),
    "true": ("say({'type': 'act', 'skill': True})", "bad_action"),
    "float": ("say({'type': 'act', 'skill': 3.0})", "bad_action"),
    "nan": ("say({'type': 'act', 'skill': float('nan')})", "bad_action"),
    "negative": ("say({'type': 'act', 'skill': -1})", "bad_action"),
    "huge": ("say({'type': 'act', 'skill': 10 ** 40})", "bad_action"),
    "seventy": ("say({'type': 'act', 'skill': 70})", "bad_action"),
    "unknown_name": ("say({'type': 'act', 'skill': 'win()'})", "bad_action"),
    "list": ("say({'type': 'act', 'skill': [1]})", "bad_action"),
    "null": ("say({'type': 'act', 'skill': None})", "bad_action"),
    "binary": ("sys.stdout.buffer.write(bytes(range(256)) + b'\\n'); sys.stdout.flush()", "crash"),
}


@pytest.mark.parametrize("attack", ATTACKS)
def test_misbehaving_fails_the_episode_and_the_next_one_begins(attack: str) -> None:
    act, failure = ATTACKS[attack]
    limits = HASTY if failure == "timeout" else PATIENT
    played = traces_of(python_agent(act, limits=limits), HANDMADE[:2])
    assert [trace.failure for trace in played.values()] == [failure] * 2
    assert all(trace.actions == () for trace in played.values())


def test_an_agent_that_fails_once_plays_the_next_episode() -> None:
    act = 'sys.exit(1) if "apple" in sentence else say({"type": "act", "skill": "nav(sofa)"})'
    assert failures_of(act) == ["crash", "", "", ""]


def test_answers_nobody_asked_for_fail_the_episode() -> None:
    act = 'say({"type": "act", "skill": 1}); say({})'
    assert set(failures_of(act)) <= {"refusal", "crash"}  # as it comes before or after the question


def test_a_flood_on_stderr_neither_blocks_nor_fills_memory() -> None:
    act = "sys.stderr.write('e' * 3_000_000); say({'type': 'act', 'skill': 12})"
    assert failures_of(act)[3] == ""


def test_the_time_of_an_episode_is_limited_as_well() -> None:
    limits = Limits(start_s=60.0, step_s=30.0, episode_s=0.7)
    act = "time.sleep(0.3); say({'type': 'act', 'skill': 0})"
    traces = traces_of(python_agent(act, limits=limits), HANDMADE[:1])
    assert traces["context/000000"].failure == "timeout"
    assert len(traces["context/000000"].actions) <= 2


@pytest.mark.parametrize(
    ("greet", "error", "message"),
    [
        ('say({"type": "hello", "protocol": 2, "modality": "text"})', AgentError, "protocol 2"),
        ('say({"type": "hello", "protocol": 1, "modality": "world"})', AgentError, "'world'"),
        ("time.sleep(9)", AgentTimeoutError, "within 1 s"),
        ("sys.exit('no weights')", AgentError, "code 1.*no weights"),
        ("print('x' * 70000, flush=True)", AgentRefusalError, "longer than"),
    ],
)
def test_an_invalid_handshake_raises_before_anything_is_played(
    greet: str,
    error: type[AgentError],
    message: str,
) -> None:
    limits = Limits(start_s=1.0 if "sleep" in greet else 60.0)
    with pytest.raises(error, match=message):
        python_agent("pass", greet, limits)


def test_commands_and_limits_that_cannot_be_are_refused() -> None:
    with pytest.raises(AgentError, match="does not start"):
        from_command("./no_such_agent --fast")
    with pytest.raises(AgentError, match="empty"):
        from_command("")
    with pytest.raises(UsageError, match="positive"):
        Limits(step_s=0)


SPY = """
import gc
found = [o for o in gc.get_objects() if type(o).__name__ in ("Task", "Episode", "WorldState")]
import langrearrange.env as env
found += [o for o in gc.get_objects() if isinstance(o, (env.Task, env.LangRearrangeEnv))]
import os
secret = [k for k, v in os.environ.items() if "context/" in v]
say({"type": "act", "skill": "nav(sofa)" if not found and not secret else "win"})
"""


def test_an_agent_that_looks_for_the_live_world_finds_none() -> None:
    act = f"exec({SPY!r})"
    traces = traces_of(python_agent(act), HANDMADE[3:])
    assert traces["context/000003"].success


def test_the_process_and_its_children_end_with_the_agent() -> None:
    act = "import subprocess as s; say({'type': 'act', 'skill': s.Popen(['sleep', '60']).pid})"
    agent = ProcessAgent([sys.executable, "-c", PRELUDE + TURNS % (HELLO, act)])
    agent.reset("Find an apple.")
    child = agent.act({"text": ""})
    assert is_running(child)
    agent.close()
    deadline = time.monotonic() + 5
    while is_running(child) and time.monotonic() < deadline:
        time.sleep(0.02)
    assert not is_running(child)


def is_running(process_id: int) -> bool:
    try:
        stat = Path(f"/proc/{process_id}/stat").read_text()
    except FileNotFoundError:
        return False
    return stat.rsplit(")", 1)[1].split()[0] != "Z"  # dead, not yet collected by whoever is to


def test_messages_survive_the_wire() -> None:
    rng = np.random.default_rng(0)
    rgb = rng.integers(0, 255, (32, 32, 3), np.uint8)
    observation = {
        "instruction": 'Find "it".',
        "rgb": rgb,
        "pose": np.array([1.5, -2.0, 0.25], np.float32),
    }
    line, blob = map(bytes, pack({"type": "act", "observation": observation}))

    def read_into(buffer: memoryview) -> int:
        buffer[:] = blob
        return len(blob)

    read = unpack(line, read_into)["observation"]
    assert np.array_equal(read["rgb"], rgb)
    assert read["pose"] == [1.5, -2.0, 0.25]
    assert read["instruction"] == 'Find "it".'
    with pytest.raises(AgentError, match="missing or truncated"):
        unpack(line, lambda buffer: 0)


class Served(BaseHTTPRequestHandler):
    """explorer over HTTP, as a server in any framework would do it."""

    protocol_version = "HTTP/1.1"
    agent: BatchedAgent

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        line, _, rest = body.partition(b"\n")
        offset = 0

        def read_into(buffer: memoryview) -> int:
            nonlocal offset
            buffer[:] = rest[offset : offset + len(buffer)]
            offset += len(buffer)
            return len(buffer)

        message = unpack(line, read_into)
        reply = self.answer(message)
        data = json.dumps(reply).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["type"] == "hello":
            type(self).agent = load_rows("explorer")
            return {"type": "hello", "protocol": 1, "modality": "state", "name": "explorer"}
        if message["type"] == "reset":
            self.agent.reset_rows(message["rows"], message["instructions"])
            return {"type": "ready"}
        observations = message["observations"]
        skills = self.agent.act_rows(message["rows"], observations)
        return {"type": "act", "skills": [int(skill) for skill in skills]}

    def log_message(self, *args: Any) -> None:
        pass


class Sleeping(Served):
    def answer(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["type"] == "act":
            time.sleep(1.0)
        return super().answer(message)


@pytest.fixture
def address(request: pytest.FixtureRequest) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), getattr(request, "param", Served)) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/agent"
        server.shutdown()
        thread.join()


def played(agent: HttpAgent, num_rows: int) -> dict[str, EpisodeTrace]:
    traces = play(agent, select(EpisodeList(HANDMADE)), RunRules(num_rows=num_rows))
    return {trace.id: trace for trace in traces}


def test_an_agent_behind_http_plays_in_batches(address: str) -> None:
    agent = HttpAgent(address)
    assert agent.name == "explorer"
    assert played(agent, 3) == traces_of("explorer", HANDMADE)
    agent.close()


@pytest.mark.parametrize("address", [Sleeping], indirect=True)
def test_a_slow_http_agent_times_out(address: str) -> None:
    agent = HttpAgent(address, Limits(step_s=0.2))
    traces = played(agent, 4)
    assert {trace.failure for trace in traces.values()} == {"timeout"}
    agent.close()


def test_addresses_where_nothing_answers_are_refused() -> None:
    with pytest.raises(AgentError, match="ConnectionRefused"):
        HttpAgent("http://127.0.0.1:9")
    with pytest.raises(AgentError, match="http://host:port"):
        HttpAgent("ftp://somewhere")


def test_the_hello_lists_the_skills_by_name() -> None:
    assert hello()["skills"][12] == "nav(sofa)"
    assert hello(hard=True)["skills"][70] == "stop"
