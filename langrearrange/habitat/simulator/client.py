"""An engine in this process or in a worker, with the same calls. Does not know flats.

`Local` calls habitat_sim here. `Worker` runs it in the Python of a Habitat environment, so that its
pins never meet ours; pictures come through shared memory.
"""

from __future__ import annotations

import json
import mmap
import os
import select
import signal
import subprocess
import sys
import tempfile
import weakref
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, ClassVar, Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import HabitatError
from langrearrange.habitat.simulator.engine import Engine, EngineError

START_TIMEOUT_S: Final = 180.0
"""Importing habitat_sim and making a GL context takes seconds, on a busy machine more."""
TIMEOUT_VARIABLE: Final = "LANGREARRANGE_HABITAT_TIMEOUT_S"
"""How long a worker may take to load a household or to draw; 30 s if it is not set."""
_DAY_S: Final = 86400
END_TIMEOUT_S: Final = 5.0
"""How long a worker may take to end by itself."""
_SCRIPT: Final = Path(__file__).with_name("worker.py")
FOREIGN_VARIABLES: Final = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__")
"""Variables of our Python that would lead another one astray."""


class Local:
    """An engine in this process: one at a time, and none in a fork of a process that had one.

    habitat_sim does not keep the GL contexts of two simulators apart (0.3.4: the second one's
    closing leaves the first without any, which aborts the process).

    Args:
        gpu_device: see `Engine`.

    Raises:
        HabitatError: habitat_sim is unfit.
    """

    _live: ClassVar[weakref.ref[Local] | None] = None
    _owner: ClassVar[int] = 0

    def __init__(self, gpu_device: int) -> None:
        with _engine_errors():
            self._engine = Engine(gpu_device)
        # Not left to the garbage collector, which would do it while the next one is at work.
        self._finalizer = weakref.finalize(self, self._engine.close)
        Local._live, Local._owner = weakref.ref(self), os.getpid()
        self._view: dict[str, Any] = {}

    @staticmethod
    def possible() -> bool:
        """Return whether an engine can be made here now."""
        live = Local._live() if Local._live else None
        return Local._owner in (0, os.getpid()) and (live is None or live.closed)

    @property
    def closed(self) -> bool:
        """Whether it was closed, its process ended, or it belongs to the parent of this process."""
        return not self._finalizer.alive or Local._owner != os.getpid()

    @property
    def sim(self) -> Any:
        """The `habitat_sim.Simulator`."""
        return self._engine.sim

    def load(self, rigid: Sequence[Any], articulated: Sequence[Any]) -> None:
        """Replace everything in the scene; see `Engine.load`."""
        with _engine_errors():
            self._engine.load(rigid, articulated)

    def begin(self, view: dict[str, Any]) -> None:
        """Begin to draw, see `Engine.draw`; `pictures` has to follow."""
        self._view = view

    def pictures(self) -> dict[str, NDArray[Any]]:
        """Return what was drawn, by kind; valid until the next drawing."""
        return self._engine.draw(self._view)

    def close(self) -> None:
        """End it; harmless when called twice."""
        self._finalizer()


class Worker:
    """An engine in a process of its own.

    Args:
        python: the interpreter of a Habitat environment.
        gpu_device: see `Engine`.

    Attributes:
        facts: what it says of itself: `python` and `version` (of habitat_sim).

    Raises:
        HabitatError: no such program, no habitat_sim in it, or one that is unfit.
    """

    def __init__(self, python: str, gpu_device: int) -> None:
        self._python, self._gpu_device = python, gpu_device
        # Without a name: nothing is left behind, however either process ends.
        self._memory_file = _shared_file()
        self._log = tempfile.TemporaryFile()
        self._memory: mmap.mmap | None = None
        self._process = self._start()
        files = (self._memory_file, self._log)
        self._owner = os.getpid()
        self._finalizer = weakref.finalize(self, _end, self._process, files, self._owner)
        self._log_start = 0
        self._unread = b""
        self._number = 0
        try:
            self.facts = self._answer(START_TIMEOUT_S)
        except HabitatError:
            self.close()
            raise

    @property
    def closed(self) -> bool:
        """As `Local` does."""
        return not self._finalizer.alive or self._owner != os.getpid()

    @property
    def sim(self) -> Any:
        """Raise HabitatError: it is in another process."""
        raise HabitatError(
            f"the habitat_sim.Simulator lives in a worker process ({self._python}) and cannot be "
            "handed out; install langrearrange into that Python, run there without habitat_python, "
            "and make this env the only one of its process that draws with Habitat"
        )

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def load(self, rigid: Sequence[Any], articulated: Sequence[Any]) -> None:
        """As `Local` does."""
        self._ask({"task": "load", "rigid": rigid, "articulated": articulated})
        self._answer()

    def begin(self, view: dict[str, Any]) -> None:
        """As `Local` does."""
        self._ask({"task": "draw", **view})

    def pictures(self) -> dict[str, NDArray[Any]]:
        """As `Local` does."""
        drawn = self._answer()["pictures"]
        size = os.fstat(self._memory_file.fileno()).st_size
        if self._memory is None or len(self._memory) < size:
            self._memory = mmap.mmap(self._memory_file.fileno(), size)
        return {
            kind: np.ndarray(shape, dtype, self._memory, offset)
            for kind, (offset, dtype, shape) in drawn.items()
        }

    def close(self) -> None:
        """As `Local` does."""
        self._finalizer()
        self._memory = None

    def _start(self) -> subprocess.Popen[bytes]:
        descriptor = self._memory_file.fileno()
        foreign = () if self._python == sys.executable else FOREIGN_VARIABLES
        environment = {name: v for name, v in os.environ.items() if name not in foreign}
        arguments = (str(descriptor), str(self._gpu_device), str(os.getpid()))
        try:
            return subprocess.Popen(
                [self._python, str(_SCRIPT), *arguments],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._log,
                env=environment,
                pass_fds=(descriptor,),
                start_new_session=True,  # Ctrl-C is for this process to act on
            )
        except OSError as error:
            self._memory_file.close()
            self._log.close()
            raise HabitatError(
                f"habitat_python='{self._python}' cannot be run ({error.strerror}); give the path "
                "of the Python of your Habitat environment, such as ~/miniconda3/envs/habitat/bin/"
                "python"
            ) from error

    def _ask(self, request: dict[str, Any]) -> None:
        if self.closed:
            raise HabitatError(
                "this env's Habitat worker ended, or belongs to the process that this one was "
                "forked from; reset() starts another one"
            )
        stream = self._process.stdin
        assert stream is not None
        self._number += 1
        self._log_start = os.fstat(self._log.fileno()).st_size
        try:
            stream.write(json.dumps({"number": self._number, **request}).encode() + b"\n")
            stream.flush()
        except BrokenPipeError as error:
            raise self._lost() from error

    def _answer(self, timeout_s: float | None = None) -> dict[str, Any]:
        """Wait for the answer to the last request; those to interrupted ones are passed over."""
        while True:
            answer: dict[str, Any] = json.loads(self._line(timeout_s or _timeout_s()))
            if answer["number"] == self._number:
                break
        if "error" in answer:
            raise HabitatError(_sentence(answer["error"], self._python))
        return answer

    def _line(self, timeout_s: float) -> bytes:
        stream = self._process.stdout
        assert stream is not None
        while b"\n" not in self._unread:
            if not select.select([stream], [], [], timeout_s)[0]:
                self._process.kill()
                self.close()
                raise HabitatError(
                    f"the Habitat worker ({self._python}) did not answer within {timeout_s:.0f} s "
                    f"and was ended; reset() starts another one, {TIMEOUT_VARIABLE} gives it longer"
                )
            piece = os.read(stream.fileno(), 65536)
            if not piece:
                raise self._lost()
            self._unread += piece
        line, _, self._unread = self._unread.partition(b"\n")
        return line

    def _lost(self) -> HabitatError:
        """Return the error of a worker that is gone, with what it said since the last request."""
        status = self._process.wait(10)
        end = f"by {signal.Signals(-status).name}" if status < 0 else f"with status {status}"
        self._log.seek(self._log_start)
        lines = self._log.read().decode(errors="replace").strip().splitlines()
        said = f"; it last said: {lines[-1].strip()[:300]}" if lines else ""
        self.close()
        if self._number:
            then = "reset() starts another one"
        elif self._gpu_device >= 0:
            then = "habitat_gpu=-1 draws without the GPU"
        else:
            then = "try that Python with `-c 'import habitat_sim'`"
        return HabitatError(f"the Habitat worker ({self._python}) ended {end}{said}; {then}")


Backend = Local | Worker


def _timeout_s() -> float:
    given = os.environ.get(TIMEOUT_VARIABLE) or "30"
    try:
        if 0 < (seconds := float(given)) <= _DAY_S:
            return seconds
    except ValueError:
        pass
    raise HabitatError(f"{TIMEOUT_VARIABLE}='{given}'; accepted: seconds, more than 0, up to a day")


def _shared_file() -> IO[bytes]:
    folder = "/dev/shm" if os.access("/dev/shm", os.W_OK) else None
    return tempfile.TemporaryFile(dir=folder)


def _end(process: subprocess.Popen[bytes], files: Sequence[IO[bytes]], owner: int) -> None:
    """End a worker, unless this is a fork of the process that it belongs to."""
    if os.getpid() != owner:
        return
    for file in files:
        file.close()
    for stream in (process.stdin, process.stdout):
        if stream is not None:
            try:
                stream.close()
            except BrokenPipeError:
                pass  # it was gone first
    try:
        process.wait(END_TIMEOUT_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def _engine_errors() -> Iterator[None]:
    """Turn errors of an engine in this process into ours."""
    try:
        yield
    except EngineError as error:
        raise HabitatError(_sentence(str(error))) from error


def _sentence(problem: str, python: str | None = None) -> str:
    where = f"the Habitat environment of {python}" if python else "this Python environment"
    return f"Habitat, in {where}: {problem}. See docs/habitat.md"
