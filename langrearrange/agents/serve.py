"""The agent's end of `process`: serves `module:Class` on stdin and stdout.

    python -m langrearrange.agents.serve my_package:MyAgent [seed [hard]]

The agent's prints are redirected to stderr, since stdout carries the protocol.
"""

import mmap
import os
import sys
from io import BufferedReader
from typing import Any, BinaryIO, cast

from langrearrange.agents.loading import is_privileged, load_agent
from langrearrange.agents.protocol import Agent
from langrearrange.agents.wire import PROTOCOL, SHARED_BYTES, SHARED_FD, pack, unpack
from langrearrange.env.actions import read_answer
from langrearrange.errors import ActionError, AgentError
from langrearrange.world import NUM_SKILLS


def serve(
    agent: Agent, name: str, source: BinaryIO, sink: BinaryIO, shared: memoryview | None = None
) -> None:
    """Answer messages until the source is exhausted or `bye` arrives.

    Args:
        agent: a single agent.
        name: sent in the handshake.
        source: binary stream of messages.
        sink: binary stream of replies.
        shared: shared memory for images, or None.

    Raises:
        AgentError: an invalid message.
    """
    while line := source.readline():
        message = unpack(line, cast(BufferedReader, source).readinto, shared)
        if message["type"] == "bye":
            return
        sink.writelines(pack(_reply(agent, name, message)))
        sink.flush()


def _reply(agent: Agent, name: str, message: dict[str, Any]) -> dict[str, Any]:
    match message["type"]:
        case "hello":
            if message.get("protocol") != PROTOCOL:
                return _error(f"protocol {message.get('protocol')} is not {PROTOCOL}")
            declared = {"modality": agent.modality, "name": name}
            declared["perception"] = getattr(agent, "perception", "")
            return {"type": "hello", "protocol": PROTOCOL, **declared}
        case "reset":
            agent.reset(message["instruction"])
            return {"type": "ready"}
        case "act":
            answer = agent.act(message["observation"])
            try:
                return {"type": "act", "skill": read_answer(answer, NUM_SKILLS + 1)}
            except ActionError:
                told = answer if isinstance(answer, str) else f"{type(answer).__name__} {answer!r}"
                return {"type": "act", "skill": told[:200]}
        case other:
            return _error(f"message of unknown type {other!r}")


def _error(message: str) -> dict[str, Any]:
    return {"type": "error", "message": message}


def _shared_memory() -> memoryview | None:
    descriptor = os.environ.pop(SHARED_FD, "")
    if not descriptor:
        return None
    return memoryview(mmap.mmap(int(descriptor), SHARED_BYTES, prot=mmap.PROT_READ))


def main(arguments: list[str]) -> int:
    """Serve the agent named on the command line."""
    if not 1 <= len(arguments) <= 3:
        sys.stderr.write("usage: python -m langrearrange.agents.serve module:Class [seed [hard]]\n")
        return 2
    name, seed = arguments[0], int(arguments[1]) if len(arguments) > 1 else 0
    source = os.fdopen(os.dup(sys.stdin.fileno()), "rb")
    sink = os.fdopen(os.dup(sys.stdout.fileno()), "wb")
    os.dup2(sys.stderr.fileno(), sys.stdout.fileno())  # stray prints, also of C code
    sys.stdout = sys.stderr
    try:
        agent = load_agent(name, seed=seed, hard="hard" in arguments[2:])
    except AgentError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    if is_privileged(agent):
        sys.stderr.write(f"agent '{name}' is privileged: it cannot run in its own process\n")
        return 2
    serve(agent, name, source, sink, _shared_memory())
    return 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
