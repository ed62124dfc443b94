"""A split computed on demand: an `EpisodeSource` without a file, or around a shipped one.

Not for writing splits (`generator.parallel`).
"""

from __future__ import annotations

from collections import OrderedDict
from typing import Final

from langrearrange.dataset import (
    Dataset,
    Episode,
    EpisodeSource,
    Manifest,
    open_dataset,
    parse_episode_id,
    read_manifest,
)
from langrearrange.dataset.manifest import MANIFEST
from langrearrange.errors import DatasetError, VocabularyError
from langrearrange.generator.blueprint import blueprint_of, refresh
from langrearrange.generator.make import make_episode
from langrearrange.generator.provenance import changes
from langrearrange.generator.spec import SplitSpec, load_spec
from langrearrange.log import get_logger
from langrearrange.paths import datasets_path
from langrearrange.world.vocabulary import SPLITS

logger = get_logger(__name__)

CACHED_EPISODES: Final = 64


class GeneratedSplit:
    """The episodes of a spec, computed on access (1-3 ms each); a few are cached.

    Attributes:
        spec: the spec.
        split: name of the set.
        template_ranges: template id -> positions.
        stored: the written set that variant 0 is read from, if any.
        published: the manifest of the shipped set, if any: `check_dataset` compares with it.
    """

    def __init__(
        self,
        spec: SplitSpec | str,
        stored: Dataset | None = None,
        published: Manifest | None = None,
    ) -> None:
        """Take a spec or a split's name; the others default to none."""
        self.spec = load_spec(spec) if isinstance(spec, str) else spec
        self.split = self.spec.name
        self.stored = stored
        self.published = published
        refresh(self.spec)
        self._order = blueprint_of(self.spec).order
        self.template_ranges = self._order.ranges()
        self._cache: OrderedDict[tuple[int, int], Episode] = OrderedDict()

    def __len__(self) -> int:
        return self._order.num_episodes

    def __getitem__(self, key: int | str) -> Episode:
        """Return an episode by position, or by id (of any variant)."""
        if isinstance(key, str):
            return self.get(self.index_of(key), parse_episode_id(key).variant)
        return self.get(key)

    def id_at(self, position: int) -> str:
        """Return the episode id at a position."""
        return f"{self.spec.split}/{self._order.index_at(position):06d}"

    def template_at(self, position: int) -> str:
        """Return the template id at a position."""
        return self._order.template_of(position)

    def index_of(self, episode_id: str) -> int:
        """Return the position of an id (a variant suffix is ignored); DatasetError if unknown."""
        parsed = parse_episode_id(episode_id)
        if parsed.split != self.spec.split or parsed.index >= len(self):
            raise DatasetError(
                f"{self.split} has no episode '{episode_id}'; its ids are {self.spec.split}/000000 "
                f"to {self.spec.split}/{len(self) - 1:06d}"
            )
        return self._order.position(parsed.index)

    def get(self, position: int, variant: int = 0) -> Episode:
        """Return the episode at a position; IndexError outside the split."""
        key = (position, variant)
        if key in self._cache:
            self._cache.move_to_end(key)
            return self._cache[key]
        if self.stored is not None and not variant:
            episode = self.stored.get(position)
        else:
            episode = make_episode(self.spec, self._order.index_at(position), variant)
        self._cache[key] = episode
        if len(self._cache) > CACHED_EPISODES:
            self._cache.popitem(last=False)
        return episode


def open_split(name: str) -> EpisodeSource:
    """Return a published split: read if its file is shipped, else computed; the same episodes.

    Raises:
        VocabularyError: no split has this name.
        DatasetError: the shipped folder is damaged.
    """
    if name not in SPLITS:
        raise VocabularyError(f"unknown split '{name}'; accepted: {', '.join(SPLITS)}")
    spec, folder = load_spec(name), datasets_path() / name
    if not (folder / MANIFEST).exists():
        return GeneratedSplit(spec)
    manifest, stored = read_manifest(folder), None
    changed = changes(manifest.provenance, blueprint_of(spec), flats=False)
    if changed:  # variants of the stored episodes could not be computed
        logger.warning("%s; until then its episodes are computed, not the published ones", changed)
    elif (folder / manifest.file).exists():  # of train the manifest alone is shipped
        stored = open_dataset(folder)
    return GeneratedSplit(spec, stored, manifest)
