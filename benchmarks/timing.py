"""How the benchmarks measure: CPU time of all threads, because machines are shared."""

import argparse
import time
from collections.abc import Callable
from typing import Any


def cpu_s(work: Callable[..., Any], *arguments: Any) -> tuple[float, Any]:
    """Return the CPU seconds that some work takes, and its result."""
    began = time.process_time()
    result = work(*arguments)
    return time.process_time() - began, result


def best_s(
    work: Callable[[], object], rounds: int, clock: Callable[[], float] = time.process_time
) -> float:
    """Return the seconds that some work takes, the best of some rounds."""
    times = []
    for _ in range(rounds):
        began = clock()
        work()
        times.append(clock() - began)
    return min(times)


def options(doc: str | None, **defaults: Any) -> Any:
    """Parse the command line: an option per keyword, of its default's type; False is a flag."""
    parser = argparse.ArgumentParser(
        description=doc, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    for name, default in defaults.items():
        flag = f"--{name.replace('_', '-')}"
        if default is False:
            parser.add_argument(flag, action="store_true")
        elif isinstance(default, list):
            parser.add_argument(flag, type=type(default[0]), nargs="+", default=default)
        else:
            parser.add_argument(flag, type=type(default), default=default)
    return parser.parse_args()
