"""The protocol of episode sources, which stored and computed splits implement.

Not for reading files (`dataset.reader`) and not for computing episodes (`generator`).
"""

from __future__ import annotations

from collections.abc import Container, Iterable, Iterator, Mapping, Sequence
from functools import cached_property
from typing import NamedTuple, Protocol, runtime_checkable

from langrearrange.dataset.codec import check_episode
from langrearrange.dataset.episode import Episode, parse_episode_id
from langrearrange.dataset.order import EpisodeOrder
from langrearrange.errors import DatasetError, UsageError


@runtime_checkable
class EpisodeSource(Protocol):
    """Random access to the episodes of a split.

    Positions 0 .. len - 1 are the file order: by template, then by index. A stored split and the
    same split computed have the same order, so that swapping one for the other changes nothing.
    """

    @property
    def split(self) -> str:
        """Name of the split."""
        ...

    @property
    def template_ranges(self) -> Mapping[str, range]:
        """Template id -> positions of its episodes; disjoint, ascending, covering all."""
        ...

    def __len__(self) -> int:
        """Return how many episodes there are."""
        ...

    def id_at(self, position: int) -> str:
        """Return the episode id at a position, without building the episode."""
        ...

    def template_at(self, position: int) -> str:
        """Return the template id at a position, without building the episode."""
        ...

    def index_of(self, episode_id: str) -> int:
        """Return the position of an id (a variant suffix is ignored); DatasetError if unknown."""
        ...

    def get(self, position: int, variant: int = 0) -> Episode:
        """Return the episode at a position; variant k >= 1 redraws flat, layout and start."""
        ...


class EpisodeList:
    """A source over episodes in memory, grouped by template in order of first appearance."""

    def __init__(self, episodes: Iterable[Episode], split: str = "") -> None:
        """Take at least one episode with distinct ids; `split` defaults to the first one's."""
        grouped: dict[str, list[Episode]] = {}
        for episode in episodes:
            check_episode(episode, episode.id)
            grouped.setdefault(episode.template, []).append(episode)
        if not grouped:
            raise DatasetError("a list of episodes needs at least one; none were given")
        self._episodes = [episode for group in grouped.values() for episode in group]
        self._positions = {episode.id: i for i, episode in enumerate(self._episodes)}
        if len(self._positions) < len(self._episodes):
            raise DatasetError("two episodes of the list have the same id; ids must be distinct")
        self.split = split or self._episodes[0].split
        self.template_ranges: dict[str, range] = {}
        start = 0
        for template, group in grouped.items():
            self.template_ranges[template] = range(start, start + len(group))
            start += len(group)

    def __len__(self) -> int:
        return len(self._episodes)

    def __iter__(self) -> Iterator[Episode]:
        return iter(self._episodes)

    def __getitem__(self, position: int) -> Episode:
        return self._episodes[position]

    def id_at(self, position: int) -> str:
        """Return the episode id at a position."""
        return self._episodes[position].id

    def template_at(self, position: int) -> str:
        """Return the template id at a position."""
        return self._episodes[position].template

    def index_of(self, episode_id: str) -> int:
        """Return the position of an id; DatasetError if the list has no such episode."""
        if episode_id not in self._positions:
            raise DatasetError(f"the list has no episode '{episode_id}'; it has {len(self)} others")
        return self._positions[episode_id]

    def get(self, position: int, variant: int = 0) -> Episode:
        """Return the episode; DatasetError for a variant, which only a computed split has."""
        if variant:
            raise no_variants(self.split)
        return self._episodes[position]


class Chosen(NamedTuple):
    """An episode of a source, by its position, and which variant of it."""

    source: EpisodeSource
    position: int
    variant: int = 0


class Selection:
    """Chosen episodes in the order they were given, unlike a source, which groups by template.

    Each is built when it is accessed.
    """

    def __init__(self, chosen: Iterable[Chosen]) -> None:
        """Take episodes of any sources."""
        self.chosen = tuple(chosen)

    @property
    def split(self) -> str:
        """Name of the split; several are joined by `+`."""
        return "+".join(dict.fromkeys(entry.source.split for entry in self.chosen))

    @property
    def ids(self) -> list[str]:
        """The ids, with their variants."""
        return [self.id_at(position) for position in range(len(self))]

    def without(self, ids: Container[str]) -> Selection:
        """Return the selection of the others."""
        pairs = zip(self.ids, self.chosen, strict=True)
        return Selection(entry for name, entry in pairs if name not in ids)

    def __len__(self) -> int:
        return len(self.chosen)

    def __iter__(self) -> Iterator[Episode]:
        return map(self.get, range(len(self)))

    def id_at(self, position: int) -> str:
        """Return the id, with its variant."""
        source, index, variant = self.chosen[position]
        return f"{source.id_at(index)}#{variant}" if variant else source.id_at(index)

    def template_at(self, position: int) -> str:
        """Return the template id at a position."""
        source, index, _ = self.chosen[position]
        return source.template_at(index)

    def index_of(self, episode_id: str) -> int:
        """Return the position of an id; DatasetError if it was not chosen."""
        if episode_id not in self._positions:
            raise DatasetError(
                f"episode '{episode_id}' is not among the {len(self)} chosen ones, such as "
                f"'{self.id_at(0)}'"
            )
        return self._positions[episode_id]

    def get(self, position: int, variant: int = 0) -> Episode:
        """Return an episode; the variant that was chosen unless another one is asked for."""
        source, index, own = self.chosen[position]
        return source.get(index, variant or own)

    @cached_property
    def template_positions(self) -> Mapping[str, Sequence[int]]:
        """Template id -> positions of its episodes, ascending."""
        groups: dict[str, list[int]] = {}
        for position in range(len(self)):
            groups.setdefault(self.template_at(position), []).append(position)
        return groups

    @cached_property
    def _positions(self) -> dict[str, int]:
        return {name: position for position, name in enumerate(self.ids)}


def select(source: EpisodeSource, num_episodes: int | None = None) -> Selection:
    """Return the first `num_episodes` of a source, its templates taken in turn; all for None.

    In a generated split these are the episodes of the lowest indices, which are balanced over
    templates, clusters, phrasings, receptacles and flats. They are returned in file order.

    Raises:
        UsageError: `num_episodes` is less than 1.
    """
    if num_episodes is not None and num_episodes < 1:
        raise UsageError(f"num_episodes={num_episodes}; accepted: 1 or more, or none for all")
    positions: Sequence[int] = range(len(source))
    if num_episodes is not None and num_episodes < len(source):
        order = EpisodeOrder({name: len(of) for name, of in source.template_ranges.items()})
        positions = sorted(map(order.position, range(num_episodes)))
    return Selection(Chosen(source, position) for position in positions)


def no_variants(split: str) -> DatasetError:
    """Return the error of a source that holds episodes as stored and cannot redraw them."""
    return DatasetError(
        f"'{split}' holds stored episodes only; a variant has to be computed. Pass variants=0, or "
        "open the split through langrearrange.generator.open_split"
    )


def published_id(episode_id: str) -> str:
    """Return the id without its variant suffix: `train/000017#2` -> `train/000017`."""
    parsed = parse_episode_id(episode_id)
    return f"{parsed.split}/{parsed.index:06d}"
