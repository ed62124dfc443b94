"""A stand-in for `progress` that notes which jobs were announced and how they advanced."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from langrearrange.progress import Advance


class NotedProgress:
    """Attributes: jobs, (task, total) of each; advanced, (steps, note) in order."""

    def __init__(self) -> None:
        self.jobs: list[tuple[str, int | None]] = []
        self.advanced: list[tuple[int, str]] = []

    @contextmanager
    def __call__(self, task: str, total: int | None) -> Iterator[Advance]:
        self.jobs.append((task, total))
        yield lambda steps, note: self.advanced.append((steps, note))
