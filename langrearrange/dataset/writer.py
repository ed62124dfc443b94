"""Writing a split: gzip members of 32 episodes, the manifest last, no file half-written.

Not for drawing episodes (`generator`).
"""

from __future__ import annotations

import errno
import gzip
import hashlib
import os
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import msgspec

from langrearrange.dataset.codec import MEMBER_EPISODES, encode_episode, split_members
from langrearrange.dataset.episode import SPLIT_NAME, Episode
from langrearrange.dataset.manifest import (
    MANIFEST,
    Manifest,
    Provenance,
    write_manifest,
)
from langrearrange.dataset.order import EpisodeOrder
from langrearrange.dataset.source import EpisodeList
from langrearrange.errors import DatasetError, UsageError

LEVEL: Final = 6


def encode_members(lines: Sequence[bytes]) -> bytes:
    """Compress lines into gzip members of 32; no clock enters (mtime 0)."""
    return b"".join(
        gzip.compress(b"".join(lines[i : i + MEMBER_EPISODES]), LEVEL, mtime=0)
        for i in range(0, len(lines), MEMBER_EPISODES)
    )


class Summary(msgspec.Struct):
    """The few fields of a stored line that the manifest's counts need; decodes ten times faster."""

    cluster: str
    house: str
    open: tuple[str, ...]
    plan: tuple[str, ...]


class EpisodeCounts:
    """Counts what the manifest says of a split beyond its templates."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {}

    def add(self, episode: Episode | Summary) -> None:
        """Count one episode."""
        openness = "open" if "fridge" in episode.open else "closed"
        for name, value in (
            ("house", episode.house),
            ("plan_length", f"{len(episode.plan):02d}"),
            ("fridge", openness),
            ("cluster", episode.cluster),
        ):
            self._counts.setdefault(name, Counter())[value] += 1

    def counts(self, max_values: int = 128) -> dict[str, dict[str, int]]:
        """Return name -> value -> count, sorted; a dimension with more values is left out."""
        return {
            name: dict(sorted(counter.items()))
            for name, counter in self._counts.items()
            if len(counter) <= max_values
        }


class DatasetWriter:
    """Writes one split folder; the manifest appears only when `finish` succeeds.

    Example:
        with DatasetWriter(folder, "my_set", EpisodeOrder({"find": 2})) as writer:
            writer.add(encode_members(lines))
            writer.finish()
    """

    def __init__(
        self, folder: Path, split: str, order: EpisodeOrder, *, overwrite: bool = False
    ) -> None:
        """Prepare the folder; UsageError if it holds a finished set and `overwrite` is False."""
        if not re.fullmatch(SPLIT_NAME, split):
            raise UsageError(
                f"{split[:80]!a} is an invalid name of a set; accepted: up to 64 of a-z, 0-9 and "
                "_, the first a letter"
            )
        refuse_existing(folder, overwrite=overwrite)
        self._folder = folder
        self._split = split
        self._order = order
        self._path = folder / f"{split}.jsonl.gz"
        self._temporary = folder / f"{split}.jsonl.gz.tmp"
        self._members: list[int] = []
        self._hasher = hashlib.sha256()
        with disk_errors(folder):
            folder.mkdir(parents=True, exist_ok=True)
            (folder / MANIFEST).unlink(missing_ok=True)
            self._file = self._temporary.open("wb")

    def add(self, members: bytes) -> list[bytes]:
        """Append gzip members; returns the lines they hold. zlib.error when they are damaged."""
        lines: list[bytes] = []
        sizes: list[int] = []
        for size, content in split_members(members):
            sizes.append(size)
            lines += content.splitlines(keepends=True)
        with disk_errors(self._folder):
            self._file.write(members)
        self._members += sizes
        self._hasher.update(b"".join(lines))
        return lines

    def finish(self, **fields: Any) -> Manifest:
        """Close the file, give it its name, write the manifest; `fields` are the manifest's own."""
        from langrearrange import __version__

        defaults: dict[str, Any] = {"id_split": self._split, "written_by": __version__}
        manifest = Manifest(
            split=self._split,
            content_sha256=self._hasher.hexdigest(),
            num_episodes=self._order.num_episodes,
            templates=dict(zip(self._order.templates, self._order.counts, strict=True)),
            file=self._path.name,
            num_bytes=sum(self._members),
            members=self._members,
            **defaults | fields,
        )
        with disk_errors(self._folder):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
            self._temporary.replace(self._path)
            write_manifest(self._folder, manifest)
        return manifest

    def __enter__(self) -> DatasetWriter:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        """Remove what was written if an error ends the block; no manifest is written then."""
        if kind is not None:
            self._file.close()
            self._temporary.unlink(missing_ok=True)


def write_dataset(
    folder: str | Path,
    episodes: Iterable[Episode],
    split: str = "",
    *,
    overwrite: bool = False,
    provenance: Provenance | None = None,
) -> Manifest:
    """Write any episodes as a data set that `open_dataset` reads.

    Args:
        folder: where to; created if need be.
        episodes: at least one, with distinct ids; grouped by template in the file.
        split: name of the set; the first episode's split if empty.
        overwrite: replace a finished set.
        provenance: what they were generated from, if anything.

    Returns:
        The manifest.

    Raises:
        UsageError: the folder holds a finished set.
        EpisodeError: an episode breaks a limit of the format.
        DatasetError: no episodes, ids that repeat, or a disk that is full.
    """
    source = EpisodeList(episodes, split)
    counts = {template: len(places) for template, places in source.template_ranges.items()}
    order = EpisodeOrder(counts)
    ids = [episode.id for episode in source]
    regular = [f"{source.split}/{order.index_at(i):06d}" for i in range(len(source))]
    writer = DatasetWriter(Path(folder), source.split, order, overwrite=overwrite)
    counter = EpisodeCounts()
    with writer:
        lines = []
        for episode in source:
            counter.add(episode)
            lines.append(encode_episode(episode))
        writer.add(encode_members(lines))
        return writer.finish(
            counts=counter.counts(), provenance=provenance, ids=None if ids == regular else ids
        )


def refuse_existing(folder: Path, *, overwrite: bool) -> None:
    """Raise UsageError if the folder holds a finished set that may not be replaced."""
    if (folder / MANIFEST).exists() and not overwrite:
        raise UsageError(
            f"{folder} already holds a finished data set; choose another folder, or pass --force "
            "to replace it (in Python overwrite=True)"
        )


@contextmanager
def disk_errors(folder: Path) -> Iterator[None]:
    """Turn OSError into a DatasetError with a remedy."""
    try:
        yield
    except OSError as error:
        if error.errno in (errno.ENOSPC, errno.EDQUOT):
            raise DatasetError(
                f"{folder}: the disk is full. What was complete stays complete; free some space "
                "and run the same command again: it resumes where it stopped"
            ) from error
        raise DatasetError(
            f"{folder}: cannot be written ({error.strerror or error}). Choose another folder or "
            "fix its permissions, then run the same command again"
        ) from error
