"""A batched agent behind an HTTP address. Uses the messages of `wire`, with rows."""

import contextlib
import http.client
import socket
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from langrearrange.agents.process import Limits
from langrearrange.agents.protocol import AgentRefusalError, AgentTimeoutError
from langrearrange.agents.wire import MAX_REPLY, hello, pack, read_hello, read_reply
from langrearrange.env.actions import read_answer
from langrearrange.env.observer import Observation
from langrearrange.errors import AgentError
from langrearrange.world import NUM_SKILLS


class HttpAgent:
    """A batched agent at an address: POST /hello, /reset and /act.

    Args:
        url: `http://host:port/path`; https too.
        limits: time limits.
        hard: whether the hard variant is played.

    Attributes:
        modality, name, perception: as its handshake declares them.
        limits: time limits, each for a whole exchange: connect, send, wait and receive.
        is_local: whether the address is this machine's own, by any of its names.

    Raises:
        AgentError: no answer, or an invalid handshake.
    """

    def __init__(self, url: str, limits: Limits | None = None, *, hard: bool = False) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise AgentError(f"invalid agent address '{url}'; use http://host:port")
        self._url, self._parts = url, parts
        self.limits = replace(limits or Limits(), memory_mb=0, processes=0, cpus=0)
        self.is_local = True
        self._connection: http.client.HTTPConnection | None = None
        self._left_s: dict[int, float] = {}
        reply = self._post("hello", hello(hard), self.limits.start_s)
        self.modality, self.name, self.perception = read_hello(reply, f"agent at {url}")

    def reset_rows(self, rows: Sequence[int], instructions: Sequence[str]) -> None:
        """Begin an episode in each row."""
        self._left_s.update(dict.fromkeys(rows, self.limits.episode_s))
        message = {"type": "reset", "rows": list(rows), "instructions": list(instructions)}
        self._post("ready", message, self._limit_of(rows))

    def act_rows(self, rows: Sequence[int], observations: Observation) -> NDArray[np.int64]:
        """Return a skill for each row, shape (n,), int64; ActionError if one is invalid."""
        message = {"type": "act", "rows": list(rows), "observations": dict(observations)}
        began = time.monotonic()
        reply = self._post("act", message, self._limit_of(rows))
        for row in rows:
            self._left_s[row] -= time.monotonic() - began
        skills = reply.get("skills")
        if not isinstance(skills, list) or len(skills) != len(rows):
            raise AgentRefusalError(f"{self._url}: the reply must contain 'skills', one per row")
        checked = [read_answer(skill, NUM_SKILLS + 1) for skill in skills]
        return np.array(checked, np.int64)

    def close(self) -> None:
        """Close the connection. May be called more than once."""
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def _limit_of(self, rows: Sequence[int]) -> float:
        left_s = min((self._left_s.get(row, 0.0) for row in rows), default=0.0)
        if left_s <= 0:
            raise AgentTimeoutError(f"no answer within {self.limits.episode_s:.3g} s an episode")
        return min(self.limits.step_s, left_s)

    def _post(self, expected: str, message: Mapping[str, Any], limit_s: float) -> dict[str, Any]:
        path = f"{self._parts.path.rstrip('/')}/{message['type']}"
        body = b"".join(pack(message))
        deadline = time.monotonic() + limit_s
        timer = threading.Timer(limit_s, self._interrupt)
        timer.start()
        try:
            connection = self._connect(limit_s)
            connection.request("POST", path, body, {"Content-Type": "application/octet-stream"})
            response = connection.getresponse()
            data = response.read(MAX_REPLY + 1)
            if time.monotonic() >= deadline:
                raise TimeoutError
        except (OSError, http.client.HTTPException) as error:
            self.close()
            if isinstance(error, TimeoutError) or time.monotonic() >= deadline:
                raise AgentTimeoutError(f"{self._url}: no answer within {limit_s:.3g} s") from None
            raise AgentError(f"{self._url}: {type(error).__name__}: {error}") from None
        finally:
            timer.cancel()
        if len(data) > MAX_REPLY:
            self.close()
            raise AgentRefusalError(f"{self._url}: the reply is longer than {MAX_REPLY} bytes")
        if response.status != 200:
            raise AgentError(f"{self._url}{path}: status {response.status} {data[:200]!r}")
        return read_reply(data, expected)

    def _interrupt(self) -> None:
        """At the deadline: socket timeouts restart with each byte received."""
        sock = self._connection.sock if self._connection is not None else None
        if sock is not None:
            with contextlib.suppress(OSError):
                socket.socket.shutdown(sock, socket.SHUT_RDWR)

    def _connect(self, limit_s: float) -> http.client.HTTPConnection:
        if self._connection is None:
            secure = self._parts.scheme == "https"
            kind = http.client.HTTPSConnection if secure else http.client.HTTPConnection
            assert self._parts.hostname
            self._connection = kind(self._parts.hostname, self._parts.port)
        self._connection.timeout = limit_s
        is_new = self._connection.sock is None
        if is_new:
            self._connection.connect()
        sock: socket.socket = self._connection.sock
        if is_new:
            self.is_local = sock.getsockname()[0] == sock.getpeername()[0]
        sock.settimeout(limit_s)
        return self._connection
