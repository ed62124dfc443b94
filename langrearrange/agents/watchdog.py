"""Ends agents whose evaluator was killed: a small process that waits for the end of a pipe.

Not for agents that end in time; `process` ends those itself.
"""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
from functools import cache
from typing import Final

_WATCH: Final = """
import os, sys
groups = set()
for line in sys.stdin.buffer:
    (groups.add if line[:1] == b"+" else groups.discard)(int(line[1:]))
for group in groups:
    try:
        os.killpg(group, 9)
    except OSError:
        pass
"""


def watch(group: int, *, ended: bool = False) -> None:
    """Have a process group killed as soon as this process is gone; no longer if it `ended`."""
    with contextlib.suppress(OSError):
        os.write(_pipe(os.getpid()), b"%c%d\n" % (b"-" if ended else b"+", group))


@cache
def _pipe(owner: int) -> int:
    """Start this process's watchdog once; return where to write to it."""
    ours, its = os.pipe()[::-1]
    process = subprocess.Popen(
        [sys.executable, "-S", "-E", "-c", _WATCH], stdin=its, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    process.returncode = 0  # not waited for: it ends after this process
    os.close(its)
    return ours
