"""Progress on stderr: a bar on a terminal, one line every 30 s elsewhere. Never on stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager

LINE_EVERY_S = 30.0
Advance = Callable[[int, str], None]
"""advance(steps, note): `note` stands beside the bar, "" keeps the old one."""


def progress(
    task: str, total: int | None, unit: str = "episodes"
) -> AbstractContextManager[Advance]:
    """Show progress of a long job.

    Args:
        task: what is being done, `generate train`.
        total: how many units there are, None if unknown.
        unit: noun of the unit, plural.

    Returns:
        A context that gives a function to call with (units done since the last call, note).
    """
    return (_bar if sys.stderr.isatty() else _lines)(task, total, unit)


@contextmanager
def _bar(task: str, total: int | None, unit: str) -> Iterator[Advance]:
    from rich import progress as rich
    from rich.console import Console

    columns = (
        rich.TextColumn("{task.description}"),
        rich.BarColumn(),
        rich.MofNCompleteColumn(),
        rich.TextColumn(unit),
        rich.TimeRemainingColumn(),
        rich.TextColumn("{task.fields[note]}"),
    )
    with rich.Progress(*columns, console=Console(stderr=True)) as bar:
        task_id = bar.add_task(task, total=total, note="")

        def advance(steps: int, note: str = "") -> None:
            bar.advance(task_id, steps)
            if note:
                bar.update(task_id, note=note)

        yield advance


@contextmanager
def _lines(task: str, total: int | None, unit: str) -> Iterator[Advance]:
    started = last = time.monotonic()
    done, note = 0, ""

    def advance(steps: int, new_note: str = "") -> None:
        nonlocal done, last, note
        done += steps
        note = new_note or note
        now = time.monotonic()
        if now - last < LINE_EVERY_S:
            return
        last = now
        of_total = f" of {total}" if total is not None else ""
        left_s = (now - started) / done * (total - done) if total and done else None
        left = "" if left_s is None else f", about {left_s:.0f} s left"
        extra = f", {note}" if note else ""
        print(f"{task}: {done}{of_total} {unit}{left}{extra}", file=sys.stderr, flush=True)  # noqa: T201

    yield advance
