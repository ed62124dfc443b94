"""What the commands of all baselines share: exit codes, signals, and the folder of a run."""

from __future__ import annotations

import errno
import signal
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import FrameType
from typing import TypeVar

import tyro

from langrearrange.errors import LangRearrangeError, MissingExtraError, UsageError
from langrearrange.log import get_logger

logger = get_logger(__name__)


class Stopped(LangRearrangeError, RuntimeError):
    """A signal ended a run early; its progress is saved."""


Settings = TypeVar("Settings")


def run_module(
    module: str,
    settings: type[Settings],
    work: Callable[[Settings], object],
    arguments: Sequence[str] | None = None,
) -> int:
    """Parse the options of `python -m langrearrange_baselines.<module>` and do its work.

    Args:
        module: name of the command.
        settings: dataclass of its options.
        work: is called with them; see `run_command`.
        arguments: the command line; None: that of the process.

    Returns:
        The exit code, see `run_command`.
    """
    prog = f"python -m langrearrange_baselines.{module}"
    return run_command(lambda: work(tyro.cli(settings, args=arguments, prog=prog)))


def run_command(work: Callable[[], object]) -> int:
    """Do the work of a command, write what it returns to stdout, return the exit code.

    Args:
        work: of the command.

    Returns:
        0 done, 1 failed, 2 wrong usage, 130 stopped by a signal.
    """
    try:
        result = work()
    except LangRearrangeError as error:
        logger.error("%s", error)
        if isinstance(error, Stopped):
            return 130
        return 2 if isinstance(error, (UsageError, MissingExtraError)) else 1
    except KeyboardInterrupt:
        logger.error("stopped; what was saved is kept")
        return 130
    except _memory_errors() as error:
        reason = (str(error).splitlines() or [""])[0]
        logger.error("too little memory (%.120s); use a smaller model or fewer envs", reason)
        return 1
    except OSError as error:
        place = f" ({error.filename})" if error.filename else ""
        hint = "; free some space, then resume" if error.errno == errno.ENOSPC else ""
        logger.error("%s%s%s", error.strerror or error, place, hint)
        return 1
    if result is not None:
        sys.stdout.write(f"{result}\n")
    return 0


def _memory_errors() -> tuple[type[BaseException], ...]:
    """Return the errors for too little memory; torch is not loaded for it."""
    torch = sys.modules.get("torch")
    return (MemoryError,) if torch is None else (MemoryError, torch.OutOfMemoryError)


@contextmanager
def on_signals(act: Callable[[int], None]) -> Iterator[None]:
    """Call `act` with the number of each SIGTERM or Ctrl-C, instead of ending the process."""

    def handle(number: int, frame: FrameType | None) -> None:
        act(number)

    previous = {n: signal.signal(n, handle) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


@contextmanager
def stop_signals(unit: str) -> Iterator[Callable[[], bool]]:
    """Turn SIGTERM and Ctrl-C into a flag; yields a function that returns it.

    Args:
        unit: is finished before saving, for the message.
    """
    received: list[int] = []

    def stop(number: int) -> None:
        received.append(number)
        logger.warning("%s: saving after this %s", signal.Signals(number).name, unit)

    with on_signals(stop):
        yield lambda: bool(received)


def check_new(out: Path, *, resume: bool, exists: bool) -> None:
    """Raise UsageError if a new run would overwrite one that `exists` in its folder."""
    if exists and not resume:
        raise UsageError(
            f"{out} contains a run already; continue it with --resume or choose another --out"
        )


def finished(out: Path, done: int, total: int, units: str) -> Path:
    """Return a run's folder; Stopped if a signal ended it before all units were done."""
    if done < total:
        raise Stopped(f"stopped and saved after {done} of {total} {units}; --resume continues")
    return out
