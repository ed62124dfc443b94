"""The agent protocol on the wire: messages as JSON lines, arrays as raw bytes behind their line.

Both ends use this module; docs/protocol.md is the contract. Not for pipes and sockets.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

import numpy as np

from langrearrange.env.observer import MODALITIES, is_modality
from langrearrange.errors import AgentError
from langrearrange.world import SKILL_INDEX, SKILLS

PROTOCOL: Final = 1
SHARED_FD: Final = "LANGREARRANGE_SHARED_FD"
"""Variable that tells our own agent server which descriptor is shared memory."""
SHARED_BYTES: Final = 1 << 22
MAX_REPLY: Final = 1 << 16
"""Longest reply of an agent, bytes."""
INLINE: Final = 256
"""Arrays of at most so many numbers stand in the line as lists; larger ones follow as bytes."""


Buffer = bytes | memoryview


def pack(message: Mapping[str, Any], shared: memoryview | None = None) -> list[Buffer]:
    """Return a message as buffers: one JSON line, then the bytes of its large arrays in order.

    A large array stands in the line as `{"shape": [...], "dtype": "uint8", "bytes": n}`; its
    buffer is a view, not a copy. Where `shared` memory has room, it goes there instead, as
    `{"shape": [...], "dtype": "uint8", "shared": offset}`: between two ends that both have it.
    """
    blobs: list[Buffer] = []
    plain = _plain(message, blobs, _Room(shared) if shared is not None else None)
    line = json.dumps(plain, separators=(",", ":"), ensure_ascii=True)
    return [line.encode() + b"\n", *blobs]


def unpack(
    line: bytes,
    read_into: Callable[[memoryview], int | None],
    shared: memoryview | None = None,
) -> dict[str, Any]:
    """Return the message of a line; `read_into` fills a buffer with what follows the line.

    Raises:
        AgentError: the line is no JSON object, or the bytes it announces do not follow.
    """
    message = _object(line)
    return {name: _arrays(value, read_into, shared) for name, value in message.items()}


def hello(hard: bool = False) -> dict[str, Any]:
    """Return the message that opens a connection."""
    skills = [skill.id for skill in SKILLS] + ["stop"] * hard
    return {"type": "hello", "protocol": PROTOCOL, "skills": skills}


def read_hello(reply: Mapping[str, Any], agent: str) -> tuple[str, str]:
    """Return the modality and the name that an agent declares, the name cut to 100 characters.

    Args:
        reply: to `hello`.
        agent: which one, for messages.

    Raises:
        AgentError: another protocol or an unknown modality.
    """
    protocol, modality = reply.get("protocol"), reply.get("modality")
    if protocol != PROTOCOL or not is_modality(modality):
        raise AgentError(
            f"the {agent} declares protocol {protocol!r} and modality {modality!r} in its hello; "
            f"accepted: {PROTOCOL} and {', '.join(MODALITIES)} or module:factory"
        )
    return modality, str(reply.get("name", ""))[:100]


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


class _Room:
    """Shared memory being filled from its start, once a message."""

    def __init__(self, memory: memoryview) -> None:
        self._memory, self._used = memory, 0

    def put(self, data: memoryview) -> int | None:
        """Copy data in and return its offset; None if there is no room."""
        offset = self._used
        if offset + len(data) > len(self._memory):
            return None
        self._memory[offset : offset + len(data)] = data
        self._used += len(data)
        return offset


def _plain(value: Any, blobs: list[Buffer], room: _Room | None) -> Any:
    if isinstance(value, Mapping):
        return {name: _plain(part, blobs, room) for name, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [_plain(part, blobs, room) for part in value]
    if isinstance(value, np.ndarray):
        return value.tolist() if value.size <= INLINE else _large(value, blobs, room)
    if isinstance(value, np.generic):
        return value.item()
    return value


def _large(array: np.ndarray, blobs: list[Buffer], room: _Room | None) -> dict[str, Any]:
    data = np.ascontiguousarray(array)
    described = {"shape": list(data.shape), "dtype": data.dtype.name}
    view = data.data.cast("B")
    offset = room.put(view) if room is not None else None
    if offset is not None:
        return {**described, "shared": offset}
    blobs.append(view)
    return {**described, "bytes": data.nbytes}


def _arrays(
    value: Any, read_into: Callable[[memoryview], int | None], shared: memoryview | None
) -> Any:
    if isinstance(value, list):
        return [_arrays(part, read_into, shared) for part in value]
    if not isinstance(value, dict):
        return value
    if value.keys() == {"shape", "dtype", "shared"} and shared is not None:
        array = np.empty(value["shape"], value["dtype"])
        array.data.cast("B")[:] = shared[value["shared"] : value["shared"] + array.nbytes]
        return array
    if value.keys() == {"shape", "dtype", "bytes"}:
        array = np.empty(value["shape"], value["dtype"])
        if array.nbytes != value["bytes"] or read_into(array.data.cast("B")) != array.nbytes:
            raise AgentError(f"an array of {value['bytes']} bytes was announced and not sent")
        return array
    return {name: _arrays(part, read_into, shared) for name, part in value.items()}
