"""What the commands of all baselines share: an error becomes one sentence and an exit code."""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import FrameType

import torch

from langrearrange.errors import LangRearrangeError, MissingExtraError, UsageError
from langrearrange.log import get_logger

logger = get_logger(__name__)


class Stopped(LangRearrangeError, RuntimeError):
    """A signal ended a run before its time; what it had is saved."""


def run_command(work: Callable[[], object]) -> int:
    """Do the work of a command, write what it returns to stdout, return the exit code.

    Args:
        work: reads the command line and does what it says.

    Returns:
        0 done, 1 failed, 2 wrong usage, 130 stopped by a signal.
    """
    try:
        result = work()
    except (UsageError, MissingExtraError) as error:
        logger.error("%s", error)
        return 2
    except Stopped as error:
        logger.warning("%s", error)
        return 130
    except LangRearrangeError as error:
        logger.error("%s", error)
        return 1
    except KeyboardInterrupt:
        logger.error("stopped; what was saved is kept")
        return 130
    except (torch.OutOfMemoryError, MemoryError) as error:
        reason = (str(error).splitlines() or [""])[0]
        logger.error("too little memory (%.120s); use a smaller model or fewer envs", reason)
        return 1
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        hint = "; free some space, then go on" if error.errno == errno.ENOSPC else ""
        logger.error("%s%s%s", error.strerror or error, place, hint)
        return 1
    if result is not None:
        sys.stdout.write(f"{result}\n")
    return 0


@contextmanager
def stop_signals(what: str) -> Iterator[Callable[[], bool]]:
    """Turn SIGTERM and Ctrl-C into a flag; yields a function that says whether one came.

    Args:
        what: is still done before saving, for the message.
    """
    stopping = False

    def stop(number: int, frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True
        logger.warning("%s: saving after this %s", signal.Signals(number).name, what)

    previous = {n: signal.signal(n, stop) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield lambda: stopping
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)
