"""Order of the episodes of a split in closed form: index <-> (template, rank) <-> position.

An episode's index goes round-robin over the templates that still have texts, so that any prefix
of a split is balanced; its position is where it stands in the file, which is ordered by template.
Not for what an episode holds.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Mapping
from itertools import accumulate
from typing import Final, NamedTuple

from langrearrange.errors import DatasetError

MAX_TEMPLATES: Final = 10_000


class TemplateRank(NamedTuple):
    """Where an episode stands within its template: template number and rank from 0."""

    template: int
    rank: int


class EpisodeOrder:
    """The templates of a split with the number of episodes each has.

    Every question is answered in time that depends on the number of templates alone, never on the
    number of episodes.

    Example:
        >>> order = EpisodeOrder({"find": 3, "open": 1})
        >>> [order.template_of(order.position(index)) for index in range(4)]
        ['find', 'open', 'find', 'find']
    """

    __slots__ = (
        "_alive",
        "_round_starts",
        "_rounds",
        "_starts",
        "counts",
        "num_episodes",
        "templates",
    )

    def __init__(self, counts: Mapping[str, int]) -> None:
        """Take template id -> number of episodes (>= 0), in the order of the template file."""
        if any(count < 0 for count in counts.values()):
            raise DatasetError(f"a template cannot have a negative number of episodes: {counts}")
        if len(counts) > MAX_TEMPLATES:
            raise DatasetError(f"{len(counts)} templates; accepted: at most {MAX_TEMPLATES}")
        self.templates = tuple(counts)
        self.counts = tuple(counts.values())
        self._starts = (0, *accumulate(self.counts))
        self.num_episodes = self._starts[-1]
        # Rounds between two neighbouring counts all visit the same templates; index jumps there.
        self._rounds = (0, *sorted({count for count in self.counts if count}))
        self._round_starts = tuple(
            sum(min(count, completed) for count in self.counts) for completed in self._rounds
        )

        self._alive = tuple(
            tuple(number for number, count in enumerate(self.counts) if count > completed)
            for completed in self._rounds
        )

    def locate(self, index: int) -> TemplateRank:
        """Return template number and rank of an episode index; IndexError outside the split."""
        if not 0 <= index < self.num_episodes:
            raise IndexError(f"episode {index} outside a split of {self.num_episodes}")
        phase = bisect_right(self._round_starts, index) - 1
        rounds = self._rounds[phase]
        alive = self._alive[phase]
        further, turn = divmod(index - self._round_starts[phase], len(alive))
        return TemplateRank(alive[turn], rounds + further)

    def index(self, template: int, rank: int) -> int:
        """Return the episode index of a template number and rank; IndexError if there is none."""
        if not 0 <= rank < self.counts[template]:
            raise IndexError(f"template {self.templates[template]} has no episode of rank {rank}")
        return sum(min(c, rank + (t < template)) for t, c in enumerate(self.counts))

    def position(self, index: int) -> int:
        """Return the position in the file of an episode index."""
        template, rank = self.locate(index)
        return self._starts[template] + rank

    def index_at(self, position: int) -> int:
        """Return the episode index that stands at a position in the file."""
        number = self._template_number(position)
        return self.index(number, position - self._starts[number])

    def template_of(self, position: int) -> str:
        """Return the template id of a position in the file."""
        return self.templates[self._template_number(position)]

    def ranges(self) -> dict[str, range]:
        """Return template id -> its positions in the file."""
        return {
            template: range(self._starts[number], self._starts[number + 1])
            for number, template in enumerate(self.templates)
        }

    def prefix(self, num_episodes: int) -> EpisodeOrder:
        """Return the order of the first episodes by index; IndexError if there are fewer."""
        if not 0 <= num_episodes <= self.num_episodes:
            raise IndexError(f"a split of {self.num_episodes} has no first {num_episodes} episodes")
        if num_episodes == self.num_episodes:
            return self
        turn, rank = self.locate(num_episodes)
        counts = (min(c, rank + (t < turn)) for t, c in enumerate(self.counts))
        return EpisodeOrder(dict(zip(self.templates, counts, strict=True)))

    def _template_number(self, position: int) -> int:
        if not 0 <= position < self.num_episodes:
            raise IndexError(f"position {position} outside a split of {self.num_episodes}")
        return bisect_right(self._starts, position) - 1
