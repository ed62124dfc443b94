"""Writes docs/protocol_transcript.txt: conversations both ends of the protocol are held to.

python tests/golden/make_transcript.py
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from unittest import mock

sys.path.insert(0, str(Path(__file__).parent.parent))

from handmade import FRIDGE, traces_of

from langrearrange.agents import ProcessAgent, RowsOfAgents
from langrearrange.agents.process import _Pipes
from langrearrange.agents.wire import pack

ROOT = Path(__file__).parents[2]
PATH = ROOT / "docs" / "protocol_transcript.txt"
COMMANDS = {
    "explorer": [sys.executable, "-m", "langrearrange.agents.serve", "explorer"],
    "agent.sh": ["bash", str(ROOT / "tests" / "agents" / "foreign" / "agent.sh")],
}


def conversation(name: str) -> list[str]:
    """Let an agent play one episode; return the lines that passed."""
    lines: list[str] = []
    ask = _Pipes.ask

    def overheard(self: _Pipes, request: Mapping[str, Any], limit_s: float) -> bytes:
        answer = ask(self, request, limit_s)
        lines.append("> " + b"".join(pack(request)).decode().rstrip("\n"))
        lines.append("< " + answer.decode())
        return answer

    with mock.patch.object(_Pipes, "ask", overheard):
        agent = ProcessAgent(COMMANDS[name])
        traces_of(RowsOfAgents(lambda: agent), [FRIDGE])
        agent.close()
    return lines


def transcript() -> str:
    """Return the whole file."""
    parts = [f"# {name}\n" + "\n".join(conversation(name)) + "\n" for name in COMMANDS]
    return "\n".join(parts)


if __name__ == "__main__":
    PATH.write_text(transcript(), encoding="ascii")
