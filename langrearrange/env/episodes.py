"""Which episodes an env plays: a split by name, a written data set, ids, or episodes in memory.

Not in which order: that is `env.sampling`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from langrearrange.dataset.episode import Episode, parse_episode_id
from langrearrange.dataset.source import EpisodeList, EpisodeSource
from langrearrange.env.config import Episodes
from langrearrange.errors import EpisodeError, UsageError


class _Entry(NamedTuple):
    source: EpisodeSource
    position: int
    variant: int


class Selection:
    """Chosen episodes in the order they were given, unlike a source, which groups by template."""

    def __init__(self, entries: Sequence[_Entry], split: str) -> None:
        self._entries = tuple(entries)
        self.split = split
        self._positions = {self.id_at(i): i for i in range(len(self._entries))}
        groups: dict[str, list[int]] = {}
        for position in range(len(self._entries)):
            groups.setdefault(self.template_at(position), []).append(position)
        self.template_positions = groups

    def __len__(self) -> int:
        return len(self._entries)

    def id_at(self, position: int) -> str:
        """Return the id as it was given, with its variant."""
        source, index, variant = self._entries[position]
        return f"{source.id_at(index)}#{variant}" if variant else source.id_at(index)

    def template_at(self, position: int) -> str:
        """Return the template id at a position."""
        source, index, _ = self._entries[position]
        return source.template_at(index)

    def index_of(self, episode_id: str) -> int:
        """Return the position of an id; UsageError if it was not chosen."""
        if episode_id not in self._positions:
            raise UsageError(
                f"episode '{episode_id}' is not among the {len(self)} chosen ones, such as "
                f"'{self.id_at(0)}'"
            )
        return self._positions[episode_id]

    def get(self, position: int, variant: int = 0) -> Episode:
        """Return an episode; the variant of its id unless another one is asked for."""
        source, index, own = self._entries[position]
        return source.get(index, variant or own)


Source = EpisodeSource | Selection


def open_episodes(split: str, episodes: Episodes | None) -> Source:
    """Return what the env's `split` and `episodes` arguments name.

    Args:
        split: played when `episodes` is None.
        episodes: ids, the path of a written data set, a source, or episodes in memory.

    Raises:
        UsageError: no episodes, or something else than these.
        DatasetError: a data set or id that does not exist.
    """
    if episodes is None:
        return _open_split(split)
    if isinstance(episodes, Path) or (isinstance(episodes, str) and not _is_id(episodes)):
        from langrearrange.dataset import open_dataset

        return open_dataset(Path(episodes))
    if isinstance(episodes, str):
        episodes = [episodes]
    if isinstance(episodes, EpisodeSource):
        return episodes
    if isinstance(episodes, Sequence) and episodes:
        if all(isinstance(item, str) for item in episodes):
            return _select_ids([str(item) for item in episodes])
        if all(isinstance(item, Episode) for item in episodes):
            return _select_episodes([item for item in episodes if isinstance(item, Episode)])
    raise UsageError(
        f"episodes={episodes!r:.80}; accepted: a non-empty list of episode ids or Episodes, the "
        "path of a data set, or an EpisodeSource"
    )


def template_positions(source: Source) -> Mapping[str, Sequence[int]]:
    """Return template id -> positions of its episodes, in file order."""
    if isinstance(source, Selection):
        return source.template_positions
    return source.template_ranges


def find_episode(source: Source, episode_id: str) -> Episode:
    """Return the episode of an id, with its variant; DatasetError or UsageError if unknown."""
    if not isinstance(episode_id, str):
        raise UsageError(f"episode_id={episode_id!r}; accepted: an id such as '{source.id_at(0)}'")
    position = source.index_of(episode_id)
    if source.id_at(position) == episode_id:
        return source.get(position)
    return source.get(position, parse_episode_id(episode_id).variant)


def _is_id(text: str) -> bool:
    try:
        parse_episode_id(text)
    except EpisodeError:
        return False
    return True


def _open_split(split: str) -> EpisodeSource:
    from langrearrange.generator import open_split

    return open_split(split)


def _select_ids(ids: Sequence[str]) -> Selection:
    sources: dict[str, EpisodeSource] = {}
    entries = []
    for text in ids:
        parsed = parse_episode_id(text)
        source = sources.get(parsed.split) or _open_split(parsed.split)
        sources[parsed.split] = source
        entries.append(_Entry(source, source.index_of(text), parsed.variant))
    return Selection(entries, "+".join(sources))


def _select_episodes(episodes: Sequence[Episode]) -> Selection:
    source = EpisodeList(episodes)
    return Selection([_Entry(source, source.index_of(e.id), 0) for e in episodes], source.split)
