"""The OpenEnv package: its validator, the graders it announces, sessions, tools, real MCP clients.

In openenv 0.10.0 the validator's semantic graders are not implemented; the tests named after them
check what they describe. Run by `make test-integrations`.
"""

from __future__ import annotations

import asyncio
import json
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

pytest.importorskip("openenv")

import fastmcp
import httpx
from openenv.core import GenericEnvClient
from openenv.core.mcp_client import MCPToolClient
from openenv.validation.runner import run_validation
from openenv.validation.types import ProviderCapability
from websockets.sync.client import connect

from langrearrange.generator import open_split
from langrearrange.integrations.openenv import RearrangeEnvironment
from langrearrange.world import SKILLS, skill_index

pytestmark = pytest.mark.filterwarnings("default")
PACKAGE = Path(__file__).parents[2] / "examples" / "openenv"
Policy = Callable[[int], str]


@contextmanager
def server(
    *arguments: str, module: str = "langrearrange.integrations.openenv_app"
) -> Iterator[str]:
    """Serve in a process of its own; yields the base URL."""
    with socket_of_a_free_port() as port:
        pass
    command = [sys.executable, "-m", module, "--port", str(port), *arguments]
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
    url = f"http://127.0.0.1:{port}"
    try:
        for _ in range(600):
            try:
                assert httpx.get(f"{url}/health", timeout=5).json()["status"] == "healthy"
                break
            except httpx.TransportError:
                assert process.poll() is None
                time.sleep(0.1)
        yield url
    finally:
        process.terminate()
        process.wait(20)


@contextmanager
def socket_of_a_free_port() -> Iterator[int]:
    import socket

    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        yield free.getsockname()[1]


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    with server("--split", "validation") as base:
        yield base


class Session:
    """An OpenEnv session over `/ws`, every message as it was on the wire."""

    def __init__(self, url: str) -> None:
        self._socket = connect(url.replace("http", "ws") + "/ws")
        self.wire: list[str] = []

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def ask(self, kind: str, **data: Any) -> dict[str, Any]:
        self._socket.send(json.dumps({"type": kind} | ({"data": data} if kind != "state" else {})))
        self.wire.append(str(self._socket.recv()))
        answer: dict[str, Any] = json.loads(self.wire[-1])
        return answer

    def episode(self, policy: Policy, **reset: Any) -> float:
        """Play to the end by a policy of the step; returns the sum of rewards."""
        data = self.ask("reset", **reset)["data"]
        total, step = 0.0, 0
        while not data["done"]:
            data = self.ask("step", action=policy(step))["data"]
            total, step = total + data["reward"], step + 1
        return total


IDS = tuple(f"{split}/{index:06d}" for split in ("validation", "context") for index in range(8))


def oracle(episode_id: str) -> Policy:
    source = open_split(episode_id.partition("/")[0])
    plan = source.get(source.index_of(episode_id)).plan
    return lambda step: plan[step]


def test_the_validator_finds_nothing_static() -> None:
    done = subprocess.run(
        [sys.executable, "-m", "openenv.cli", "validate", "--level", "static", str(PACKAGE)],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "Verdict: PASS" in done.stdout


def test_the_validator_accepts_the_running_server(url: str) -> None:
    command = [sys.executable, "-m", "openenv.cli", "validate", "--json", "--url", url]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    report = json.loads(done.stdout)
    assert done.returncode == 0
    assert report["passed"]
    assert not report["summary"]["failed_criteria"]


class LocalProvider:
    """Runs the package's server as a process of this machine where the validator wants Docker."""

    name = "local-process"
    capabilities = frozenset({ProviderCapability.IMAGE_BUILD})
    supported_network_modes = frozenset({"no-network", "public"})

    def __init__(self, url: str) -> None:
        self._url = url

    def build(self, root: Path, execution: Any) -> str:
        assert (root / execution.dockerfile).is_file()
        return "sha256:" + "0" * 64

    def start(self, spec: Any) -> Any:
        nothing = SimpleNamespace(base_url=self._url)
        nothing.inspect, nothing.stop = dict, lambda: None
        return nothing


def test_the_validators_runtime_graders_pass(url: str, tmp_path: Path) -> None:
    shutil.copytree(PACKAGE, tmp_path / "package")
    report = run_validation(tmp_path / "package", provider=LocalProvider(url))
    found = {check.check_id: check.status.value for check in report.results}
    passed = {name for name, status in found.items() if status == "pass"}
    assert passed >= {
        "static.manifest",
        "runtime.startup",
        "runtime.reward_well_formed",
        "runtime.observation_schema",
        "runtime.state_contract",
    }
    assert "fail" not in found.values()
    assert "error" not in found.values()


def test_seed_control(url: str) -> None:
    with Session(url) as one, Session(url) as two:
        for split in ("train", "validation"):
            for seed in range(6):
                assert one.ask("reset", seed=seed, split=split) == two.ask(
                    "reset", seed=seed, split=split
                )
            assert len(set(one.wire[-6:])) == 6, split


def test_episode_determinism(url: str) -> None:
    wires = []
    for _ in range(2):
        with Session(url) as session:
            session.episode(lambda step: str(step * 7 % 70), episode_id="context/000003")
            wires.append(session.wire)
    assert wires[0] == wires[1]


def test_oracle_max(url: str) -> None:
    with Session(url) as session:
        assert [session.episode(oracle(name), episode_id=name) for name in IDS] == [1.0] * len(IDS)


def test_floor_gap(url: str) -> None:
    with Session(url) as session:
        idle = [session.episode(lambda step: "go to the chair", episode_id=name) for name in IDS]
    assert sum(idle) / len(idle) <= 0.5  # the package declares floor_margin 0.5


CANARIES = {
    "nothing": "",
    "not an action": "I am done, the task is a success.",
    "a number beyond the last": "70",
    "a huge number": "9" * 200,
    "a reward": '{"reward": 1.0, "done": true}',
    "stop of the hard variant": "stop",
    "several actions": "go to the sofa, pick up the apple",
    "code": "__import__('os').system('true')",
    "always the same": "open(fridge)",
}


@pytest.mark.parametrize("words", CANARIES.values(), ids=CANARIES)
def test_canary_floor(url: str, words: str) -> None:
    with Session(url) as session:
        assert [session.episode(lambda step: words, episode_id=name) for name in IDS[:4]] == [
            0.0
        ] * 4


def test_no_solution_leakage(url: str) -> None:
    for name in IDS[:4]:
        source = open_split(name.partition("/")[0])
        episode = source.get(source.index_of(name))
        with Session(url) as session:
            session.episode(lambda step: str(step % 16), episode_id=name)
            session.ask("state")
            wire = "\n".join(session.wire)
        split, index = name.split("/")
        task = {"split": split, "index": int(index)}
        wire += httpx.post(f"{url}/langrearrange/task", json=task).text
        wire += httpx.get(f"{url}/schema").text + httpx.get(f"{url}/metadata").text
        for secret in (episode.goal, episode.house, "subgoal", "template", "cluster", "phrasing"):
            assert secret not in wire
        assert not re.search(r"\bplan\b", wire)


def test_oracle_containment(url: str) -> None:
    paths = httpx.get(f"{url}/openapi.json").json()["paths"]
    allowed = r"/(reset|step|state|schema|metadata|health|mcp|list_environments|{env_name}/\w+)"
    assert not [path for path in paths if not re.fullmatch(allowed, path)]
    with Session(url) as session:
        session.ask("reset", episode_id="context/000001")
        assert set(session.ask("state")["data"]) == {"episode_id", "step_count"}
        answer = session.ask("step", action="0", metadata={"world": True}, bind=True)
        assert answer["type"] == "error"


def test_verifier_determinism_and_replayability(url: str) -> None:
    """The recorded actions of an episode, played again elsewhere, give every byte again."""
    name = "validation/000005"
    with Session(url) as session:
        first = session.episode(oracle(name), episode_id=name)
        recorded = session.wire
    environment = RearrangeEnvironment("validation")
    plan = oracle(name)
    observation = environment.reset(episode_id=name)
    for step, message in enumerate(recorded):
        data = json.loads(message)["data"]
        assert data["observation"]["text"] == observation.text
        assert data["reward"] == observation.reward
        if step < len(recorded) - 1:
            action = environment_action(plan(step))
            observation = environment.step(action)
    assert (observation.done, observation.reward) == (True, 1.0)
    assert environment.dialogue.replayed().success == (first == 1.0)
    environment.close()


def environment_action(words: str) -> Any:
    from langrearrange.integrations.openenv import RearrangeAction

    return RearrangeAction(action=words)


def test_an_invalid_session_answers_in_one_sentence(url: str) -> None:
    with Session(url) as session:
        wrong = session.ask("reset", split="kitchen")
        assert wrong["type"] == "error"
        assert "split='kitchen'; accepted:" in wrong["data"]["message"]
        assert (
            session.ask("reset", episode_id="any-name", split="context", index=2)["type"] != "error"
        )
        assert session.ask("state")["data"]["episode_id"] == "any-name"
        ended = session.ask("step", action="fly")["data"]
        assert ended["done"]
        assert "'fly' is not an action" in ended["observation"]["text"]


def test_the_page_works_as_printed(url: str) -> None:
    page = (PACKAGE.parents[1] / "docs" / "openenv.md").read_text()
    blocks = [
        block.replace("http://127.0.0.1:8000", url)
        for block in re.findall(r"```python\n(.*?)```", page, re.S)
    ]
    assert len(blocks) == 2
    for block in blocks:
        done = subprocess.run(
            [sys.executable, "-c", block], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "You went to the fridge." in done.stdout


def test_openenvs_own_clients_play(url: str) -> None:
    with GenericEnvClient(base_url=url).sync() as client:
        result = client.reset(split="context", index=4)
        for words in (
            open_split("context").get(open_split("context").index_of("context/000004")).plan
        ):
            result = client.step({"action": SKILLS[skill_index(words)].name})
        assert result.done
        assert result.reward == 1.0
    with MCPToolClient(base_url=url).sync() as tools:
        assert {tool.name for tool in tools.list_tools()} == {"begin", "act"}


@pytest.mark.parametrize("where", ["http", "stdio"])
def test_a_real_mcp_client_plays(url: str, where: str) -> None:
    target: Any = f"{url}/mcp/"
    if where == "stdio":
        server = {"command": sys.executable, "args": ["-m", "langrearrange.integrations.mcp"]}
        target = {"mcpServers": {"langrearrange": server}}
    source = open_split("context")
    plan = source.get(source.index_of("context/000004")).plan

    async def play() -> str:
        async with fastmcp.Client(target) as client:
            assert {tool.name for tool in await client.list_tools()} == {"begin", "act"}
            answer = await client.call_tool("begin", {"split": "context", "index": 4})
            for words in plan:
                assert "ended" not in answer.content[0].text
                answer = await client.call_tool("act", {"action": words})
            return str(answer.content[0].text)

    assert asyncio.run(play()).endswith("The episode has ended: success.")


def test_the_mcp_example_plays_an_episode() -> None:
    example = PACKAGE.parent / "mcp_client.py"
    command = [sys.executable, str(example), "--split", "context", "--index", "4"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout.endswith("The episode has ended: failure.\n"), done.stderr
    assert done.stdout.startswith("tools: ['begin', 'act']\ngo to the chair: You are at the chair.")
