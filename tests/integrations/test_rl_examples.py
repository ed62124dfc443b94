"""The learners under `examples/` run for a few steps; run by `make test-integrations`."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("stable_baselines3")

EXAMPLES = Path(__file__).parents[2] / "examples"


def run(folder: Path, name: str, *arguments: str) -> str:
    """Run an example and return its last line."""
    command = [sys.executable, str(EXAMPLES / name), *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=folder)
    assert done.returncode == 0, done.stderr[-2000:]
    return done.stdout.splitlines()[-1]


@pytest.mark.parametrize(
    ("command", "last"),
    [
        ("stable_baselines3_ppo.py --timesteps 512", r"success on validation: [01]\.\d\d"),
        ("maskable_ppo.py --timesteps 512", "impossible actions in 5 episodes: 0"),
        ("torchrl_rollout.py --frames 400", r"\d+ episodes, mean return -?\d+\.\d\d"),
        ("ppo.py --steps 3000", r"trained on \d+ episodes"),
        ("embodied_bench.py", r".*\. \| You .*\. [01]\.0"),
    ],
)
def test_it_runs(tmp_path: Path, command: str, last: str) -> None:
    name, *arguments = command.split()
    assert re.fullmatch(last, run(tmp_path, name, *arguments))


@pytest.fixture
def endpoint() -> Iterator[str]:
    """An OpenAI-compatible endpoint that sends the robot everywhere, then says a wrong word."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body: Any = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            turn = len(body["messages"]) // 2
            words = ("go to the sofa", "pick(apple)", "Put it on the chair.", "fly")[min(turn, 3)]
            reply = {"choices": [{"message": {"content": f"I think.\nAction: {words}"}}]}
            self.send_response(200)
            self.end_headers()
            self.wfile.write(json.dumps(reply).encode())

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/v1"
        server.shutdown()


def test_the_chat_example_plays_against_an_endpoint(tmp_path: Path, endpoint: str) -> None:
    arguments = ("--base-url", endpoint, "--model", "stub", "--episodes", "2")
    assert run(tmp_path, "chat_endpoint.py", *arguments) == "0 of 2 episodes succeeded"


def test_every_example_is_short() -> None:
    lengths = {path.name: len(path.read_text().splitlines()) for path in EXAMPLES.glob("*.py")}
    assert len(lengths) == 8
    assert max(lengths.values()) <= 80, lengths
