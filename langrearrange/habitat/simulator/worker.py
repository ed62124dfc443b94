"""The other end of `client.Worker`: an engine in the user's Habitat environment. Run as a script.

Python 3.9 syntax, the standard library, numpy and habitat_sim. Requests and answers are lines of
JSON on stdin and stdout; pictures go into memory shared by a file descriptor. It ends when stdin
does, or when the process that started it is gone.
"""

from __future__ import annotations

import importlib.util
import json
import mmap
import os
import sys
import threading
import time
from typing import Any, TextIO

import numpy as np


def _engine_module() -> Any:
    """Load `engine.py` beside this file; the package around it is not of this environment."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), "engine.py")
    spec = importlib.util.spec_from_file_location("langrearrange_habitat_engine", path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class SharedMemory:
    """Memory in a file without a name, which grows as needed; pictures are copied into it."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self._memory: Any = None

    def write(self, pictures: dict[str, Any]) -> dict[str, Any]:
        """Copy pictures into it; return (offset, dtype, shape) of each."""
        places, size = {}, 0
        for kind, picture in pictures.items():
            places[kind] = (size, picture.dtype.str, picture.shape)
            size += -(-picture.nbytes // 64) * 64
        if self._memory is None or len(self._memory) < size:
            os.ftruncate(self._descriptor, size)
            self._memory = mmap.mmap(self._descriptor, size)
        for kind, (offset, dtype, shape) in places.items():
            np.ndarray(shape, dtype, self._memory, offset)[...] = pictures[kind]
        return places


def serve(requests: TextIO, answers: TextIO, memory_fd: int, gpu_device: int) -> None:
    """Answer requests until there are no more."""
    module = _engine_module()

    def tell(number: int, answer: Any) -> None:
        answers.write(json.dumps(dict(answer, number=number)) + "\n")
        answers.flush()

    try:
        engine = module.Engine(gpu_device)
    except module.EngineError as error:
        tell(0, {"error": str(error)})
        return
    version = str(getattr(module.find_habitat(), "__version__", "unknown"))
    tell(0, {"python": sys.version.split()[0], "version": version})
    memory = SharedMemory(memory_fd)
    for line in requests:
        request = json.loads(line)
        answer: dict[str, Any] = {}
        try:
            if request["task"] == "load":
                engine.load(request["rigid"], request["articulated"])
            else:
                answer = {"pictures": memory.write(engine.draw(request))}
        except module.EngineError as error:
            answer = {"error": str(error)}
        except Exception as error:
            # Any error has to reach the other process: it would be lost here.
            answer = {"error": f"{type(error).__name__}: {error}"}
        tell(request["number"], answer)
    engine.close()


def _end_with(parent: int) -> None:
    """End this process when its parent is gone, however that ended."""
    while os.getppid() == parent:
        time.sleep(0.5)
    os._exit(1)


def main() -> None:
    """Start: arguments are the descriptor of the shared memory, the GPU, the parent's id."""
    memory_fd, gpu_device, parent = map(int, sys.argv[1:])
    threading.Thread(target=_end_with, args=(parent,), daemon=True).start()
    # What habitat_sim prints must not be taken for an answer.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(sys.stdin, answers, memory_fd, gpu_device)


if __name__ == "__main__":
    main()
