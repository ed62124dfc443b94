"""A pytest plugin of the mutation runs: coverage by test, and the tests that reach a line first."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest
from coverage import Coverage
from hypothesis import Phase, settings

_DURATIONS: Final = [Path(name) for name in os.environ["MUTANTS_DURATIONS"].split(os.pathsep)]
_REACHING: Final = frozenset(json.loads(os.environ.get("MUTANTS_REACHING", "[]")))
_KNOWN: Final[dict[str, float]] = {}
_found: dict[str, float] = {}
IMPORT_LIMIT_S: Final = 60.0

for _path in _DURATIONS:
    if _path.exists():
        _KNOWN.update(json.loads(_path.read_text()))
# SIGPROF ends the process: an endless loop is found by its CPU time, however busy the machine is.
signal.setitimer(signal.ITIMER_PROF, IMPORT_LIMIT_S)


def pytest_sessionstart() -> None:
    """Look for failing examples, but do not shrink them."""
    settings.register_profile(
        "mutants", settings.get_profile("default"), phases=(Phase.explicit, Phase.generate)
    )
    settings.load_profile("mutants")


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the tests that reach the mutated line first, quick files before slow ones."""
    cost: dict[tuple[bool, Path], float] = {}
    for item in items:
        key = (item.nodeid not in _REACHING, item.path)
        cost[key] = cost.get(key, 0.0) + _KNOWN.get(item.nodeid, 0.1)

    def rank(item: pytest.Item) -> tuple[bool, float, str]:
        later = item.nodeid not in _REACHING
        return later, cost[later, item.path], str(item.path)

    items.sort(key=rank)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_protocol(item: pytest.Item) -> Iterator[None]:
    """Label the lines that this test reaches; bound its CPU time."""
    if coverage := Coverage.current():
        coverage.switch_context(item.nodeid)
    signal.setitimer(signal.ITIMER_PROF, 20.0 + 5 * _KNOWN.get(item.nodeid, 1.0))
    return (yield)


def pytest_runtest_logreport(report: pytest.TestReport) -> None:
    """Add up what a test takes, fixtures included."""
    _found[report.nodeid] = _found.get(report.nodeid, 0.0) + report.duration


def pytest_sessionfinish() -> None:
    """Keep the durations of a clean run."""
    if Coverage.current():
        _DURATIONS[0].write_text(json.dumps(_found))
