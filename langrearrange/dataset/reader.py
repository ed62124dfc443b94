"""Reading a written split lazily: opening costs its manifest, an episode costs one gzip member.

Not for proving what it holds (`langrearrange.generator.check_dataset`).
"""

from __future__ import annotations

import hashlib
import os
import zlib
from collections import OrderedDict
from collections.abc import Iterator
from itertools import accumulate
from pathlib import Path
from typing import Final

from langrearrange.dataset.codec import MEMBER_EPISODES, decode_episode, split_members
from langrearrange.dataset.episode import Episode, parse_episode_id
from langrearrange.dataset.manifest import Manifest, read_manifest
from langrearrange.dataset.source import no_variants, published_id
from langrearrange.errors import DatasetError

MAX_CONTENT: Final = 4 << 30
"""Most bytes that a data set may have uncompressed: a million episodes have 3 GB."""
CACHED_MEMBERS: Final = 8
"""Decompressed members kept per data set: about 1 MB."""


class Dataset:
    """A written split: an `EpisodeSource` over a folder.

    Attributes:
        path: the folder.
        manifest: its manifest.
        split: name of the split.
        template_ranges: template id -> positions.
    """

    def __init__(self, path: str | Path) -> None:
        """Open a folder; DatasetError says what is wrong with it and what to do."""
        self.path = Path(path)
        self.manifest: Manifest = read_manifest(self.path)
        self.split = self.manifest.split
        self._order = self.manifest.order
        self.template_ranges = self._order.ranges()
        self._file = self.path / self.manifest.file
        self._offsets = (0, *accumulate(self.manifest.members))
        self._members: OrderedDict[int, list[bytes]] = OrderedDict()
        self._positions: dict[str, int] | None = None
        self._check_size()

    def __len__(self) -> int:
        return self.manifest.num_episodes

    def __getitem__(self, key: int | str) -> Episode:
        """Return an episode by position or by id."""
        return self.get(self.index_of(key) if isinstance(key, str) else key)

    def __iter__(self) -> Iterator[Episode]:
        return map(self.get, range(len(self)))

    @property
    def ids(self) -> Iterator[str]:
        """The episode ids in file order."""
        return map(self.id_at, range(len(self)))

    def id_at(self, position: int) -> str:
        """Return the episode id at a position."""
        if self.manifest.ids is not None:
            return self.manifest.ids[position]
        return f"{self.manifest.id_split}/{self._order.index_at(position):06d}"

    def template_at(self, position: int) -> str:
        """Return the template id at a position."""
        return self._order.template_of(position)

    def index_of(self, episode_id: str) -> int:
        """Return the position of an id (a variant suffix is ignored); DatasetError if unknown."""
        published = published_id(episode_id)
        parsed = parse_episode_id(published)
        if self.manifest.ids is not None:
            if self._positions is None:
                self._positions = {name: i for i, name in enumerate(self.manifest.ids)}
            if published in self._positions:
                return self._positions[published]
        elif parsed.split == self.manifest.id_split and parsed.index < len(self):
            return self._order.position(parsed.index)
        raise DatasetError(
            f"{self.path} has no episode '{episode_id}'; its {len(self)} ids are "
            f"{self.id_at(0)} .. {self.id_at(len(self) - 1)}"
        )

    def get(self, position: int, variant: int = 0) -> Episode:
        """Return the episode at a position (a stored split has variant 0 only).

        Raises:
            IndexError: the position does not exist.
            DatasetError: a variant is asked for, or the file is damaged there.
            EpisodeError: the episode breaks a limit; the message gives file and line.
        """
        if variant:
            raise no_variants(self.split)
        line = self.line(position)
        episode = decode_episode(line, self.place(position))
        if episode.id != self.id_at(position):
            raise DatasetError(
                f"{self.place(position)}: holds episode '{episode.id}' where the manifest has "
                f"'{self.id_at(position)}'; {self._remedy()}"
            )
        return episode

    def place(self, position: int) -> str:
        """Return file, line and id of a position, for messages."""
        return f"{self._file}, line {position + 1} ({self.id_at(position)})"

    def line(self, position: int) -> bytes:
        """Return the canonical line of a position, newline included."""
        if not 0 <= position < len(self):
            raise IndexError(f"position {position} outside a data set of {len(self)} episodes")
        number, row = divmod(position, MEMBER_EPISODES)
        lines = self._members.get(number)
        if lines is None:
            lines = self._read_member(number)
            self._members[number] = lines
            if len(self._members) > CACHED_MEMBERS:
                self._members.popitem(last=False)
        return lines[row]

    def lines(self) -> Iterator[bytes]:
        """Yield all canonical lines in file order, without filling the cache.

        Raises:
            DatasetError: the file is damaged, or has more than `MAX_CONTENT` bytes uncompressed.
        """
        self._check_content_size()
        for number in range(len(self.manifest.members)):
            yield from self._read_member(number)

    def content_sha256(self) -> str:
        """Compute the hash of the content on disk (reads the whole file)."""
        hasher = hashlib.sha256()
        for line in self.lines():
            hasher.update(line)
        return hasher.hexdigest()

    def _read_member(self, number: int) -> list[bytes]:
        start, end = self._offsets[number], self._offsets[number + 1]
        first = number * MEMBER_EPISODES
        expected = min(MEMBER_EPISODES, len(self) - first)
        place = f"{self._file}: lines {first + 1} to {first + expected} (bytes {start} to {end})"
        try:
            with self._file.open("rb") as file:
                file.seek(start)
                size, content = next(split_members(file.read(end - start)), (0, b""))
            if size != end - start:
                raise zlib.error(f"{size} bytes are one gzip member")
        except zlib.error as error:
            raise DatasetError(f"{place} are damaged ({error}); {self._remedy()}") from None
        except OSError as error:
            raise DatasetError(f"{place} cannot be read ({error.strerror})") from None
        lines = content.splitlines(keepends=True)
        if len(lines) != expected:
            raise DatasetError(
                f"{place} hold {len(lines)} episodes instead of {expected}; {self._remedy()}"
            )
        return lines

    def _check_size(self) -> None:
        try:
            size = self._file.stat().st_size
        except FileNotFoundError:
            raise DatasetError(
                f"{self.path} has a manifest but not {self.manifest.file}; {self._remedy()}"
            ) from None
        except OSError as error:
            raise DatasetError(f"{self._file}: cannot be read ({error.strerror})") from None
        if size != self.manifest.num_bytes:
            raise DatasetError(
                f"{self._file} has {size} bytes where its manifest says "
                f"{self.manifest.num_bytes}: it is truncated; {self._remedy()}"
            )

    def _check_content_size(self) -> None:
        """Add up the sizes that the members declare, before any of them is decompressed.

        A member that is longer than it declares fails when it is read: zlib compares the two.
        """
        with self._file.open("rb") as file:
            sizes = (os.pread(file.fileno(), 4, max(0, end - 4)) for end in self._offsets[1:])
            total = sum(int.from_bytes(size, "little") for size in sizes)
        if total > MAX_CONTENT:
            raise DatasetError(
                f"{self._file} declares {total} bytes uncompressed; accepted: at most "
                f"{MAX_CONTENT}; {self._remedy()}"
            )

    def _remedy(self) -> str:
        if self.manifest.provenance is None:
            return "restore the folder from where it came"
        return (
            "restore the folder, or make it again: langrearrange generate --split "
            f"{self.split} --out FOLDER (its content_sha256 must be {self.manifest.content_sha256})"
        )


def open_dataset(path: str | Path) -> Dataset:
    """Open a folder that `langrearrange generate` wrote; costs milliseconds whatever its size.

    Args:
        path: the folder that holds `manifest.json`.

    Raises:
        DatasetError: the folder is missing, incomplete, truncated or from another release.
    """
    return Dataset(path)
