"""Progress on stderr: a bar on a terminal, one line every 30 s elsewhere. Never on stdout."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

LINE_EVERY_S = 30.0
Advance = Callable[[int, str], None]
"""advance(steps, note): `note` stands beside the bar, "" keeps the old one."""


@contextmanager
def progress(task: str, total: int | None, unit: str = "episodes") -> Iterator[Advance]:
    """Show progress of a long job.

    Args:
        task: what is being done, `generate train`.
        total: how many units there are, None if unknown.
        unit: noun of the unit, plural.

    Yields:
        A function to call with (units done since the last call, note).
    """
    if sys.stderr.isatty():
        with _bar(task, total, unit) as advance:
            yield advance
        return
    with _lines(task, total, unit) as advance:
        yield advance


@contextmanager
def _bar(task: str, total: int | None, unit: str) -> Iterator[Advance]:
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn(unit),
        TimeRemainingColumn(),
        TextColumn("{task.fields[note]}"),
    )
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task_id = bar.add_task(task, total=total, note="")

        def advance(steps: int, note: str = "") -> None:
            bar.advance(task_id, steps)
            if note:
                bar.update(task_id, note=note)

        yield advance


@contextmanager
def _lines(task: str, total: int | None, unit: str) -> Iterator[Advance]:
    started = last = time.monotonic()
    done = 0
    note = ""

    def advance(steps: int, new_note: str = "") -> None:
        nonlocal done, last, note
        done += steps
        note = new_note or note
        now = time.monotonic()
        if now - last < LINE_EVERY_S:
            return
        last = now
        of_total = f" of {total}" if total is not None else ""
        left = ""
        if total and done:
            left = f", about {(now - started) / done * (total - done):.0f} s left"
        extra = f", {note}" if note else ""
        print(f"{task}: {done}{of_total} {unit}{left}{extra}", file=sys.stderr, flush=True)  # noqa: T201

    yield advance
