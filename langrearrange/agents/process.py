"""An agent in its own process, isolated or not, that exchanges JSON lines on stdin and stdout.

It receives observations only. If it times out, exits or violates the protocol, the episode fails
and the next one starts with a new process.
"""

import contextlib
import fcntl
import mmap
import os
import resource
import select
import subprocess
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, replace
from typing import Any, Final

from langrearrange.agents import wire
from langrearrange.agents.isolation import (
    Kind,
    Sandbox,
    environment_of,
    folder_of,
    in_jail,
    isolation_here,
    settings,
)
from langrearrange.agents.protocol import AgentRefusalError, AgentTimeoutError
from langrearrange.agents.watchdog import watch
from langrearrange.env.observer import Observation
from langrearrange.errors import AgentError, UsageError

KEPT_STDERR: Final = 4096
"""Number of bytes of an agent's stderr that are kept for error messages."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """Limits of an agent outside this process.

    Attributes:
        start_s: seconds from process start to handshake, which includes loading weights.
        step_s: for one answer.
        episode_s: for all answers of an episode together.
        memory_mb: of each process; of an isolated agent's processes together as well. 0 for none.
        processes: how many processes and threads an isolated agent may have. 0 for any number.
        cpus: cores it may use. 0 for all.
    """

    start_s: float = 600.0
    step_s: float = 60.0
    episode_s: float = 600.0
    memory_mb: int = 16_384
    processes: int = 1_024
    cpus: int = 0

    def __post_init__(self) -> None:
        if min(self.start_s, self.step_s, self.episode_s) <= 0:
            raise UsageError(f"time limits must be positive, got {self}")
        if min(self.memory_mb, self.processes, self.cpus) < 0:
            raise UsageError(f"limits must be 0 (none) or positive, got {self}")


class ProcessAgent:
    """A single agent that is a command. Closing or deleting it ends the process.

    Args:
        command: program and arguments.
        limits: time limits.
        hard: whether the hard variant is played, so that `stop` is among its skills.
        shared: pass images through shared memory; only if the command is `agents.serve`.
        sandbox: isolate it as far as this machine allows, and let it reach this; None: do not.

    Attributes:
        modality, name, perception: as its handshake declares them.
        limits: those in force.
        isolation: what keeps it from this process.
        network: whether it may reach the network.

    Raises:
        AgentError: the command does not start, or its handshake is invalid.
    """

    def __init__(
        self,
        command: Sequence[str],
        limits: Limits | None = None,
        *,
        hard: bool = False,
        shared: bool = False,
        sandbox: Sandbox | None = None,
    ) -> None:
        self._command, self.limits, self._hard = list(command), limits or Limits(), hard
        self._shared, self._sandbox = shared, sandbox
        self.isolation: Kind = "process" if sandbox is None else isolation_here()
        self.network = self.isolation != "sandbox" or (sandbox is not None and sandbox.network)
        if self.isolation == "process":  # the limit would be for all of the user's processes
            self.limits = replace(self.limits, processes=0)
        self._process: _Pipes | None = None
        self._left_s = 0.0
        self.modality = ""
        self._start()

    def reset(self, instruction: str) -> None:
        """Begin an episode, in a new process if the previous one has exited."""
        if self._process is None or not self._process.alive:
            self._start()
        self._left_s = self.limits.episode_s
        self._ask({"type": "reset", "instruction": instruction}, "ready")

    def act(self, observation: Observation) -> Any:
        """Return the agent's answer, unchecked."""
        reply = self._ask({"type": "act", "observation": dict(observation)}, "act")
        if "skill" not in reply:
            self.close()
            raise AgentRefusalError('the answer has no \'skill\'; reply {"type":"act","skill":12}')
        return reply["skill"]

    def close(self) -> None:
        """End the process. May be called more than once."""
        if self._process is not None:
            self._process.close()
            self._process = None

    def __del__(self) -> None:
        with contextlib.suppress(Exception):
            self.close()

    def _start(self) -> None:
        self.close()
        self._process = _Pipes(
            self._command, self.limits, self.isolation, self._sandbox, shared=self._shared
        )
        self._left_s = self.limits.start_s
        reply = self._ask(wire.hello(self._hard), "hello", self.limits.start_s)
        try:
            said = wire.read_hello(reply, "agent")
            if said.modality != (self.modality or said.modality):
                raise AgentError(
                    f"modality '{said.modality}', '{self.modality}' when first started"
                )
        except AgentError:
            self.close()
            raise
        self.modality, self.name, self.perception = said

    def _ask(
        self, message: Mapping[str, Any], expected: str, limit_s: float | None = None
    ) -> dict[str, Any]:
        if self._process is None:
            raise AgentError("the agent's process exited earlier in this episode")
        began = time.monotonic()
        try:
            line = self._process.ask(message, min(self._left_s, limit_s or self.limits.step_s))
            return wire.read_reply(line, expected)
        except AgentError:
            self.close()
            raise
        finally:
            self._left_s -= time.monotonic() - began


class _Pipes:
    """A running process: writes a request and reads one line before a deadline."""

    def __init__(
        self,
        command: Sequence[str],
        limits: Limits,
        isolation: Kind,
        sandbox: Sandbox | None,
        *,
        shared: bool,
    ) -> None:
        self._memory = _shared_memory() if shared else None
        descriptors = self._memory[:1] if self._memory is not None else ()
        environment = environment_of(sandbox)
        environment[wire.SHARED_FD] = str(*descriptors)  # "" without shared memory
        jailed = sandbox if isolation != "process" else None
        try:
            self._process = subprocess.Popen(
                command if jailed is None else in_jail(command),
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                env=environment,
                cwd=folder_of(sandbox) if sandbox is not None else None,
                pass_fds=descriptors,
                bufsize=0,
                start_new_session=True,
            )
        except OSError as error:
            raise AgentError(
                f"the agent '{' '.join(command)}' does not start: {error.strerror}. Give a program "
                "that can be run from this folder, with its arguments"
            ) from None
        watch(self._process.pid)
        assert self._process.stdin
        assert self._process.stdout
        if jailed is not None:
            self._process.stdin.write(settings(jailed, isolation, asdict(limits)))
        else:
            _limit(self._process.pid, limits)
        self._stdin, self._stdout = self._process.stdin, self._process.stdout
        for pipe in (self._stdin, self._stdout):
            os.set_blocking(pipe.fileno(), False)
            _enlarge(pipe.fileno())
        self._reading, self._both = select.poll(), select.poll()
        self._reading.register(self._stdout, select.POLLIN)
        self._both.register(self._stdout, select.POLLIN)
        self._both.register(self._stdin, select.POLLOUT)
        self._pending = b""
        self._last_words = b""
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def ask(self, message: Mapping[str, Any], limit_s: float) -> bytes:
        """Send a message and return the line that answers it.

        Raises:
            AgentTimeoutError: no answer within the time limit.
            AgentRefusalError: an unterminated reply, or unexpected output.
            AgentError: the process exited.
        """
        deadline = time.monotonic() + limit_s
        if self._reading.poll(0):
            self._read()
        if self._pending:
            raise AgentRefusalError(f"unexpected output of the agent: {self._pending[:80]!r}")
        memory = self._memory[1] if self._memory is not None else None
        unsent = self._write(wire.pack(message, memory))
        while b"\n" not in self._pending:
            left_ms = max(0.0, (deadline - time.monotonic()) * 1000)
            events = (self._both if unsent else self._reading).poll(left_ms)
            if not events:
                raise AgentTimeoutError(f"no answer within {limit_s:.3g} s")
            for descriptor, _ in events:
                if descriptor == self._stdout.fileno():
                    self._read()
                else:
                    unsent = self._write(unsent)
        line, _, self._pending = self._pending.partition(b"\n")
        if unsent:
            raise AgentRefusalError("the agent replied before it had read the whole message")
        return line

    def close(self) -> None:
        """Send bye, wait briefly, then kill the process group."""
        with contextlib.suppress(OSError):
            os.write(self._stdin.fileno(), b'{"type":"bye"}\n')
        with contextlib.suppress(OSError):
            self._stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=0.5 if not self._pending else 0.0)
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(self._process.pid, 9)
        watch(self._process.pid, ended=True)
        self._process.wait()
        self._listener.join(timeout=1.0)
        self._stdout.close()
        if self._memory is not None:
            self._memory[1].release()
            os.close(self._memory[0])
            self._memory = None
        if self._process.stderr and not self._listener.is_alive():
            self._process.stderr.close()

    def _write(self, buffers: Sequence[wire.Buffer]) -> list[wire.Buffer]:
        """Write as much as the pipe accepts and return the rest."""
        try:
            sent = os.writev(self._stdin.fileno(), buffers)
        except BlockingIOError:
            sent = 0
        except OSError:
            raise self._ended() from None
        rest: list[wire.Buffer] = []
        for buffer in buffers:
            if sent < len(buffer):
                rest.append(memoryview(buffer)[sent:])
            sent = max(0, sent - len(buffer))
        return rest

    def _read(self) -> None:
        data = os.read(self._stdout.fileno(), wire.MAX_REPLY)
        if not data:
            raise self._ended()
        self._pending += data
        if len(self._pending) > wire.MAX_REPLY:
            raise AgentRefusalError(f"the reply is longer than {wire.MAX_REPLY} bytes")

    def _ended(self) -> AgentError:
        with contextlib.suppress(subprocess.TimeoutExpired):
            self._process.wait(timeout=1.0)
        self._listener.join(timeout=0.5)
        words = self._last_words.decode(errors="replace").strip()
        code = self._process.returncode
        status = f" (code {code})" if code is not None else ""
        said = f"; stderr: {words[-2000:]}" if words else ""
        return AgentError(f"the agent's process exited{status}{said}")

    def _listen(self) -> None:
        """Read stderr until it closes, keeping only its end."""
        assert self._process.stderr
        with contextlib.suppress(OSError, ValueError):
            while data := os.read(self._process.stderr.fileno(), 1 << 16):
                self._last_words = (self._last_words + data)[-KEPT_STDERR:]


def _shared_memory() -> tuple[int, memoryview] | None:
    """Return a file descriptor and its memory; None where memfd is not supported."""
    if not hasattr(os, "memfd_create"):
        return None
    descriptor = os.memfd_create("langrearrange", os.MFD_CLOEXEC | os.MFD_ALLOW_SEALING)
    os.truncate(descriptor, wire.SHARED_BYTES)
    # An agent that shrinks it would kill this process.
    fcntl.fcntl(descriptor, fcntl.F_ADD_SEALS, fcntl.F_SEAL_SHRINK | fcntl.F_SEAL_SEAL)
    return descriptor, memoryview(mmap.mmap(descriptor, wire.SHARED_BYTES))


def _limit(pid: int, limits: Limits) -> None:
    """Limit a process that is not isolated, where supported."""
    with contextlib.suppress(AttributeError, OSError):
        if limits.memory_mb:
            resource.prlimit(pid, resource.RLIMIT_DATA, (limits.memory_mb << 20,) * 2)
        if limits.cpus:
            os.sched_setaffinity(pid, sorted(os.sched_getaffinity(pid))[: limits.cpus])


def _enlarge(descriptor: int) -> None:
    """Enlarge a pipe's buffer to a whole image where supported, for speed."""
    with contextlib.suppress(AttributeError, OSError):
        fcntl.fcntl(descriptor, fcntl.F_SETPIPE_SZ, 1 << 20)
