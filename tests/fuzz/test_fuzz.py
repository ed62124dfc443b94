"""Files that others may have made, mutated: an error of this package in bounds, or none at all."""

from __future__ import annotations

import random
import resource
import signal
import traceback
from pathlib import Path
from types import FrameType
from typing import NoReturn

import pytest
from loaders import LOADERS

from langrearrange.errors import LangRearrangeError

LIMIT_S = 10
"""CPU seconds that one input may take."""
LIMIT_MB = 500
"""What loading may add to the most memory that this process has had."""


def _too_slow(_: int, __: FrameType | None) -> NoReturn:
    raise TimeoutError(f"more than {LIMIT_S} CPU seconds")


def faults(name: str, first: int, count: int, folder: Path) -> dict[str, str]:
    """Load keyed mutants; returns what went wrong by where, with the key of an example."""
    found: dict[str, str] = {}
    handler = signal.signal(signal.SIGPROF, _too_slow)
    try:
        for number in range(first, first + count):
            signal.setitimer(signal.ITIMER_PROF, LIMIT_S)
            try:
                LOADERS[name](folder, random.Random(f"{name}/{number}"))
            except LangRearrangeError as error:
                text = str(error)
                if len(text) > 3_000 or not text.replace("\n", "").isprintable():
                    found.setdefault(f"unfit message {text[:60]!r}", f"{number}: {text[:300]!r}")
            except Exception as error:
                at = traceback.extract_tb(error.__traceback__)[-1]
                place = f"{type(error).__name__} at {at.filename}:{at.lineno}"
                found.setdefault(place, f"{number}: {error!r:.300}")
            finally:
                signal.setitimer(signal.ITIMER_PROF, 0)
    finally:
        signal.signal(signal.SIGPROF, handler)
    return found


@pytest.mark.parametrize("name", LOADERS)
def test_mutants_are_refused_in_a_sentence_or_loaded(name: str, tmp_path: Path) -> None:
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    assert faults(name, 0, 500, tmp_path) == {}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < LIMIT_MB << 10


@pytest.mark.slow
@pytest.mark.parametrize("name", LOADERS)
def test_many_mutants(name: str, tmp_path: Path) -> None:
    assert faults(name, 500, 20_000, tmp_path) == {}
    assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss < 1 << 20
