"""Which episodes an env plays: a split by name, a written data set, ids, or episodes in memory.

Not in which order: that is `env.sampling`.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path

from langrearrange.dataset.episode import Episode, parse_episode_id
from langrearrange.dataset.source import Chosen, EpisodeList, EpisodeSource, Selection
from langrearrange.env.config import Episodes
from langrearrange.errors import EpisodeError, UsageError

Source = EpisodeSource | Selection


def open_episodes(split: str, episodes: Episodes | None) -> Source:
    """Return what the env's `split` and `episodes` arguments name.

    Args:
        split: played when `episodes` is None.
        episodes: ids, the path of a written data set, a source, a selection, or episodes in memory.

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
    if isinstance(episodes, EpisodeSource | Selection) and len(episodes):
        return episodes
    if isinstance(episodes, Sequence) and episodes:
        if all(isinstance(item, str) for item in episodes):
            return _select_ids([str(item) for item in episodes])
        if all(isinstance(item, Episode) for item in episodes):
            source = EpisodeList(chosen := [item for item in episodes if isinstance(item, Episode)])
            return Selection(Chosen(source, source.index_of(item.id)) for item in chosen)
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
    """Return the episode of an id, with its variant; DatasetError if unknown."""
    if not isinstance(episode_id, str):
        raise UsageError(f"episode_id={episode_id!r}; accepted: an id such as '{source.id_at(0)}'")
    variant = parse_episode_id(episode_id).variant
    position = source.index_of(episode_id)
    return source.get(position, 0 if source.id_at(position) == episode_id else variant)


def place_of(source: Source, episode_id: str) -> str:
    """Return where an episode comes from, for messages: file, line and id where there is a file."""
    from langrearrange.dataset import Dataset

    while isinstance(source, Selection):
        source = source.chosen[source.index_of(episode_id)].source
    stored = getattr(source, "stored", source)  # what a split reads from, if anything
    if isinstance(stored, Dataset) and "#" not in episode_id:
        return stored.place(stored.index_of(episode_id))
    return episode_id


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
    chosen = []
    for text in ids:
        parsed = parse_episode_id(text)
        source = sources.get(parsed.split) or _open_split(parsed.split)
        sources[parsed.split] = source
        chosen.append(Chosen(source, source.index_of(text), parsed.variant))
    return Selection(chosen)
