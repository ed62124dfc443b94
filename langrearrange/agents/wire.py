"""Serialisation of the agent protocol: messages are JSON lines, followed by the bytes of arrays.

Both ends use this module; docs/protocol.md is the contract. Does not do any I/O.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np

from langrearrange.env.observer import MODALITIES, is_modality
from langrearrange.errors import AgentError
from langrearrange.world import ACTION_IDS, NUM_SKILLS

PROTOCOL: Final = 1
SHARED_FD: Final = "LANGREARRANGE_SHARED_FD"
"""Environment variable with the file descriptor of the shared memory, for `agents.serve`."""
SHARED_BYTES: Final = 1 << 22
MAX_REPLY: Final = 1 << 16
"""Longest reply of an agent, bytes."""
INLINE: Final = 256
"""Arrays of up to this many numbers are JSON lists; larger ones follow as bytes."""


_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder()
Buffer = bytes | memoryview


def pack(message: Mapping[str, Any], shared: memoryview | None = None) -> list[Buffer]:
    """Return a message as buffers: one JSON line, then the bytes of its large arrays in order.

    A large array is replaced by `{"shape": [...], "dtype": "uint8", "bytes": n}` in the line; its
    buffer is a view, not a copy. If it fits into the `shared` memory of both ends, it is copied
    there and replaced by `{"shape": [...], "dtype": "uint8", "shared": offset}`.
    """
    blobs: list[Buffer] = []
    plain = _plain(message, blobs, _Room(shared) if shared is not None else None)
    line = _ENCODER.encode(plain)
    if not line.isascii():
        line = json.dumps(plain, separators=(",", ":")).encode()
    return [line + b"\n", *blobs]


def unpack(
    line: bytes,
    read_into: Callable[[memoryview], int | None],
    shared: memoryview | None = None,
) -> dict[str, Any]:
    """Return the message of a line; `read_into` fills a buffer with what follows the line.

    Raises:
        AgentError: the line is not a JSON object, or its array bytes are missing.
    """
    message = _object(line)
    return {name: _arrays(value, read_into, shared) for name, value in message.items()}


def hello(hard: bool = False) -> dict[str, Any]:
    """Return the message that opens a connection."""
    skills = ACTION_IDS[: NUM_SKILLS + hard]
    return {"type": "hello", "protocol": PROTOCOL, "skills": skills}


class Handshake(NamedTuple):
    """What an agent declares of itself; name and perception are cut to 100 and 200 characters."""

    modality: str
    name: str
    perception: str


def read_hello(reply: Mapping[str, Any], agent: str) -> Handshake:
    """Return what an agent declares.

    Args:
        reply: answer to `hello`.
        agent: noun for error messages.

    Raises:
        AgentError: unsupported protocol version or unknown modality.
    """
    protocol, modality = reply.get("protocol"), reply.get("modality")
    if protocol != PROTOCOL or not is_modality(modality):
        raise AgentError(
            f"the handshake of the {agent} declares protocol {protocol!r} and modality "
            f"{modality!r}; accepted: {PROTOCOL} and {', '.join(MODALITIES)} or module:factory"
        )
    return Handshake(
        modality, str(reply.get("name", ""))[:100], str(reply.get("perception", ""))[:200]
    )


def read_reply(line: bytes, expected: str) -> dict[str, Any]:
    """Return an agent's reply after checking its type.

    Raises:
        AgentError: not a JSON object, an unexpected type, or an `error` message of the agent.
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


def _object(line: bytes) -> dict[str, Any]:
    try:
        message = _DECODER.decode(line)
    except (ValueError, RecursionError):
        try:
            message = json.loads(line)  # which reads NaN as well
        except (ValueError, RecursionError) as error:
            raise AgentError(f"not a JSON line: {line[:80]!r} ({error})") from None
    if not isinstance(message, dict):
        raise AgentError(f"a message is a JSON object, not {line[:80]!r}")
    return message


class _Room:
    """Shared memory that is filled from the start for each message."""

    def __init__(self, memory: memoryview) -> None:
        self._memory, self._used = memory, 0

    def put(self, data: memoryview) -> int | None:
        """Copy data in and return its offset; None if it does not fit."""
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
    if isinstance(value, list) and value and isinstance(value[0], list | dict):
        return [_arrays(part, read_into, shared) for part in value]
    if not isinstance(value, dict):  # numbers are not looked at one by one
        return value
    if value.keys() == {"shape", "dtype", "shared"} and shared is not None:
        array = np.empty(value["shape"], value["dtype"])
        array.data.cast("B")[:] = shared[value["shared"] : value["shared"] + array.nbytes]
        return array
    if value.keys() == {"shape", "dtype", "bytes"}:
        array = np.empty(value["shape"], value["dtype"])
        if array.nbytes != value["bytes"] or read_into(array.data.cast("B")) != array.nbytes:
            raise AgentError(f"an array of {value['bytes']} bytes is missing or truncated")
        return array
    return {name: _arrays(part, read_into, shared) for name, part in value.items()}
