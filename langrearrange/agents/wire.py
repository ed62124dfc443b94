"""The agent protocol on the wire: messages as JSON lines, arrays as raw bytes behind their line.

Both ends use this module; docs/protocol.md is the contract. Not for pipes and sockets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from langrearrange.errors import AgentError
from langrearrange.world import SKILL_INDEX, SKILLS

PROTOCOL: Final = 1
MAX_REPLY: Final = 1 << 16
"""Longest reply of an agent, bytes."""
INLINE: Final = 256
"""Arrays of at most so many numbers stand in the line as lists; larger ones follow as bytes."""


Buffer = bytes | memoryview


def pack(message: Mapping[str, Any]) -> list[Buffer]:
    """Return a message as buffers: one JSON line, then the bytes of its large arrays in order.

    A large array stands in the line as `{"shape": [...], "dtype": "uint8", "bytes": n}`; its
    buffer is a view, not a copy.
    """
    blobs: list[Buffer] = []
    line = json.dumps(_plain(message, blobs), separators=(",", ":"), ensure_ascii=True)
    return [line.encode() + b"\n", *blobs]


def unpack(line: bytes, read_into: Callable[[memoryview], int | None]) -> dict[str, Any]:
    """Return the message of a line; `read_into` fills a buffer with what follows the line.

    Raises:
        AgentError: the line is no JSON object, or the bytes it announces do not follow.
    """
    message = _object(line)
    return {name: _arrays(value, read_into) for name, value in message.items()}


def hello(hard: bool = False) -> dict[str, Any]:
    """Return the message that opens a connection."""
    skills = [skill.id for skill in SKILLS] + ["stop"] * hard
    return {"type": "hello", "protocol": PROTOCOL, "skills": skills}


def read_reply(line: bytes, expected: str) -> dict[str, Any]:
    """Return an agent's reply, checked as far as its type.

    Raises:
        AgentError: no JSON object, another type, or an `error` the agent reports.
    """
    reply = _object(line)
    if reply.get("type") == "error":
        raise AgentError(f"the agent reports: {str(reply.get('message', ''))[:500]}")
    if reply.get("type") != expected:
        raise AgentError(
            f"the agent answered with type {str(reply.get('type'))[:40]!r}; expected '{expected}' "
            "(docs/protocol.md)"
        )
    return reply


def skill_of(value: Any) -> Any:
    """Return the index of a skill id; anything else as it is, to be judged as an action."""
    if isinstance(value, str):
        return len(SKILLS) if value == "stop" else SKILL_INDEX.get(value, value)
    return value


def _object(line: bytes) -> dict[str, Any]:
    try:
        message = json.loads(line)
    except (ValueError, RecursionError) as error:
        raise AgentError(f"not a JSON line: {line[:80]!r} ({error})") from None
    if not isinstance(message, dict):
        raise AgentError(f"a message is a JSON object, not {line[:80]!r}")
    return message


def _plain(value: Any, blobs: list[Buffer]) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part, blobs) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part, blobs) for part in value]
    if isinstance(value, np.ndarray):
        if value.size <= INLINE:
            return value.tolist()
        data = np.ascontiguousarray(value)
        blobs.append(data.data.cast("B"))
        return {"shape": list(data.shape), "dtype": data.dtype.name, "bytes": data.nbytes}
    if isinstance(value, np.generic):
        return value.item()
    return value


def _arrays(value: Any, read_into: Callable[[memoryview], int | None]) -> Any:
    if isinstance(value, list):
        return [_arrays(part, read_into) for part in value]
    if isinstance(value, dict):
        if value.keys() == {"shape", "dtype", "bytes"}:
            array = np.empty(value["shape"], value["dtype"])
            if array.nbytes != value["bytes"] or read_into(array.data.cast("B")) != array.nbytes:
                raise AgentError(f"an array of {value['bytes']} bytes was announced and not sent")
            return array
        return {name: _arrays(part, read_into) for name, part in value.items()}
    return value
