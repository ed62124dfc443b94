"""Success so far, by template, over the latest episodes. Not for scores: those come from replay."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Mapping
from typing import Any

from .rollout import Finished

WINDOW = 200
"""Figures are means over so many of the latest episodes; of each template over a quarter."""

LEAST_WEIGHT = 0.1
"""Of a template that never fails, where templates are weighted by failure."""


class Metrics:
    """The latest episodes, all together and by template."""

    def __init__(self) -> None:
        self._latest: deque[Finished] = deque(maxlen=WINDOW)
        self._templates: dict[str, deque[bool]] = {}
        self.episodes = 0

    def add(self, finished: Iterable[Finished]) -> None:
        """Add episodes that ended."""
        for episode in finished:
            self.episodes += 1
            self._latest.append(episode)
            outcomes = self._templates.setdefault(episode.template, deque(maxlen=WINDOW // 4))
            outcomes.append(episode.success)

    def summary(self) -> dict[str, Any]:
        """Return episodes, success, return, length and success by template; None where unknown."""
        latest = self._latest
        count = len(latest)
        return {
            "episodes": self.episodes,
            "success": sum(e.success for e in latest) / count if count else None,
            "return": sum(e.total for e in latest) / count if count else None,
            "length": sum(e.steps for e in latest) / count if count else None,
            "success_by_template": {
                name: sum(outcomes) / len(outcomes)
                for name, outcomes in sorted(self._templates.items())
            },
        }

    def failure_weights(self) -> dict[str, float]:
        """Return template -> how often it fails, at least `LEAST_WEIGHT`, of those seen so far."""
        return {
            name: max(LEAST_WEIGHT, 1.0 - sum(outcomes) / len(outcomes))
            for name, outcomes in self._templates.items()
        }

    def saved(self) -> dict[str, Any]:
        """Return all of it as JSON values."""
        return {
            "episodes": self.episodes,
            "latest": [list(episode) for episode in self._latest],
            "templates": {name: list(found) for name, found in self._templates.items()},
        }

    def restore(self, saved: Mapping[str, Any]) -> None:
        """Restore what `saved` returned."""
        self.episodes = int(saved["episodes"])
        self._latest = deque((Finished(*values) for values in saved["latest"]), maxlen=WINDOW)
        self._templates = {
            name: deque(found, maxlen=WINDOW // 4) for name, found in saved["templates"].items()
        }
