"""An engine at hand, in this process or in another one: the same three calls. Nothing about flats.

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
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, ClassVar, Final, Protocol

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import HabitatError
from langrearrange.habitat.simulator.engine import Engine, EngineError

DTYPES: Final[Mapping[str, tuple[Any, int]]] = {
    "rgb": (np.uint8, 3), "depth": (np.float32, 1), "segmentation": (np.uint32, 1),
}  # fmt: skip
"""Kind of picture -> type and number of its channels."""
START_TIMEOUT_S: Final = 180.0
"""Importing habitat_sim and making a GL context takes seconds, on a busy machine more."""
TIMEOUT_S: Final = 120.0
END_TIMEOUT_S: Final = 5.0
"""How long a worker may take to end by itself."""
_SCRIPT: Final = Path(__file__).with_name("worker.py")
FOREIGN_VARIABLES: Final = ("PYTHONPATH", "PYTHONHOME", "PYTHONSTARTUP", "__PYVENV_LAUNCHER__")
"""Variables of our Python that would lead another one astray."""


@dataclass(slots=True)
class Moves:
    """What moved since the last picture; see `Engine.pose`."""

    rigid: list[tuple[int, list[list[float]]]]
    joints: list[tuple[int, dict[str, float]]]
    bases: list[tuple[int, list[list[float]]]]


@dataclass(frozen=True, slots=True)
class View:
    """What to draw: kinds of pictures, their size, the (4, 4) pose of the camera, y up."""

    kinds: Sequence[str]
    height: int
    width: int
    pose: list[list[float]]
    hfov_deg: float


class Backend(Protocol):
    """An engine somewhere; `start_drawing` and `pictures` go in turn.

    Attributes:
        lost: whether its process ended by itself, or had to be ended.
    """

    lost: bool

    def load(self, rigid: Sequence[Any], articulated: Sequence[Any]) -> None:
        """Replace everything in the scene; see `Engine.load`."""
        ...

    def start_drawing(self, moves: Moves, view: View) -> None:
        """Move things and begin to draw."""
        ...

    def pictures(self) -> dict[str, NDArray[Any]]:
        """Return what was drawn, by kind; valid until the next drawing."""
        ...

    def close(self) -> None:
        """End it; harmless when called twice."""
        ...


class Local:
    """An engine in this process: one at a time, and none in a fork of a process that had one.

    habitat_sim does not keep the GL contexts of two simulators apart (0.3.4: the second one's
    closing leaves the first without any, which aborts the process).
    """

    _live: ClassVar[weakref.ref[Local] | None] = None
    _owner: ClassVar[int] = 0
    lost = False

    def __init__(self, gpu_device: int | None) -> None:
        try:
            self._engine = Engine(gpu_device)
        except EngineError as error:
            raise HabitatError(_sentence(str(error))) from error
        # Not left to the garbage collector, which would do it while the next one is at work.
        self._finalizer = weakref.finalize(self, self._engine.close)
        Local._live, Local._owner = weakref.ref(self), os.getpid()
        self._view: View

    @staticmethod
    def possible() -> bool:
        """Return whether an engine can be made here now."""
        if Local._owner not in (0, os.getpid()):
            return False
        return Local._live is None or Local._live() is None

    def load(self, rigid: Sequence[Any], articulated: Sequence[Any]) -> None:
        """See `Backend`."""
        try:
            self._engine.load(rigid, articulated)
        except EngineError as error:
            raise HabitatError(_sentence(str(error))) from error

    def start_drawing(self, moves: Moves, view: View) -> None:
        """See `Backend`; here nothing can be begun ahead."""
        self._engine.pose(moves.rigid, moves.joints, moves.bases)
        self._view = view

    def pictures(self) -> dict[str, NDArray[Any]]:
        """See `Backend`."""
        view = self._view
        drawn = {
            kind: self._engine.draw(kind, view.pose, view.hfov_deg, view.height, view.width)
            for kind in view.kinds
        }
        if "rgb" in drawn:
            drawn["rgb"] = drawn["rgb"][:, :, :3]
        return drawn

    def close(self) -> None:
        """See `Backend`."""
        self._finalizer()
        if Local._live is not None and Local._live() is self:
            Local._live = None


class Worker:
    """An engine in a process of its own.

    Args:
        python: the interpreter of a Habitat environment.
        gpu_device: see `Engine`.

    Raises:
        HabitatError: no such program, no habitat_sim in it, or one that is unfit.
    """

    def __init__(self, python: str, gpu_device: int | None) -> None:
        self._python = python
        # Without a name: nothing is left behind, however either process ends.
        self._memory_file = _shared_file()
        self._log = tempfile.TemporaryFile()
        self._memory: mmap.mmap | None = None
        self._view: View
        self._offsets: dict[str, int] = {}
        self._process = self._start(gpu_device)
        files = (self._memory_file, self._log)
        self._finalizer = weakref.finalize(self, _end, self._process, files, os.getpid())
        self.lost = False
        self._log_start = 0
        self._unread = b""
        self._number = 0
        try:
            self._answer(START_TIMEOUT_S)
        except HabitatError:
            self.close()
            raise

    @property
    def pid(self) -> int:
        """The worker's process id."""
        return self._process.pid

    def load(self, rigid: Sequence[Any], articulated: Sequence[Any]) -> None:
        """See `Backend`."""
        self._check_open()
        self._ask({"task": "load", "rigid": rigid, "articulated": articulated})
        self._answer()

    def start_drawing(self, moves: Moves, view: View) -> None:
        """See `Backend`."""
        self._check_open()
        size = 0
        for kind in view.kinds:
            dtype, channels = DTYPES[kind]
            self._offsets[kind] = size
            size += -(-view.height * view.width * channels * np.dtype(dtype).itemsize // 64) * 64
        if self._memory is None or len(self._memory) < size:
            self._memory_file.truncate(size)
            self._memory = mmap.mmap(self._memory_file.fileno(), size)
        self._view = view
        self._ask(
            {
                "task": "draw", "rigid": moves.rigid, "joints": moves.joints, "bases": moves.bases,
                "camera": view.pose, "hfov_deg": view.hfov_deg, "height": view.height,
                "width": view.width, "bytes": len(self._memory),
                "offsets": {kind: self._offsets[kind] for kind in view.kinds},
            }
        )  # fmt: skip

    def pictures(self) -> dict[str, NDArray[Any]]:
        """See `Backend`."""
        self._answer()
        view, memory = self._view, self._memory
        assert memory is not None  # `start_drawing` came first
        drawn = {}
        for kind in view.kinds:
            dtype, channels = DTYPES[kind]
            shape = (view.height, view.width, *((channels,) if channels > 1 else ()))
            flat: NDArray[Any] = np.frombuffer(
                memory, dtype, view.height * view.width * channels, self._offsets[kind]
            )
            drawn[kind] = flat.reshape(shape)
        return drawn

    def close(self) -> None:
        """See `Backend`."""
        self._finalizer()
        self._memory = None

    def _check_open(self) -> None:
        if not self._finalizer.alive:
            raise HabitatError("this simulator was closed, or its worker ended; make another one")

    def _start(self, gpu_device: int | None) -> subprocess.Popen[bytes]:
        descriptor = self._memory_file.fileno()
        gpu = "auto" if gpu_device is None else str(gpu_device)
        foreign = () if self._python == sys.executable else FOREIGN_VARIABLES
        environment = {name: v for name, v in os.environ.items() if name not in foreign}
        try:
            return subprocess.Popen(
                [self._python, str(_SCRIPT), str(descriptor), gpu, str(os.getpid())],
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
        stream = self._process.stdin
        assert stream is not None
        self._number += 1
        self._log_start = os.fstat(self._log.fileno()).st_size
        try:
            stream.write(json.dumps({"number": self._number, **request}).encode() + b"\n")
            stream.flush()
        except BrokenPipeError as error:
            raise self._lost() from error

    def _answer(self, timeout_s: float = TIMEOUT_S) -> None:
        """Wait for the answer to the last request; those to interrupted ones are passed over."""
        while True:
            answer = json.loads(self._line(timeout_s))
            if answer["number"] == self._number:
                break
        if "error" in answer:
            raise HabitatError(_sentence(answer["error"], self._python))

    def _line(self, timeout_s: float) -> bytes:
        stream = self._process.stdout
        assert stream is not None
        while b"\n" not in self._unread:
            if not select.select([stream], [], [], timeout_s)[0]:
                self.lost = True
                self.close()
                raise HabitatError(
                    f"the Habitat worker ({self._python}) did not answer within {timeout_s:.0f} s "
                    "and was ended; reset() starts another one"
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
        self.lost = True
        self.close()
        then = (
            "reset() starts another one"
            if self._number
            else ("try that Python with `-c 'import habitat_sim'`")
        )
        return HabitatError(f"the Habitat worker ({self._python}) ended {end}{said}; {then}")


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


def _sentence(problem: str, python: str | None = None) -> str:
    where = f"the Habitat environment of {python}" if python else "this Python environment"
    return f"Habitat, in {where}: {problem}. See docs/habitat.md"
