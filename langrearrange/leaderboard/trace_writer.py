"""Writes a trace episode by episode, so that an interrupted run can resume.

During a run, its lines are kept uncompressed in `<name>.part`: a header each time it is begun, a
line before each episode and one after it. `finish` writes the final file, in the given order; where
nothing was interrupted, it is the same file every time.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from msgspec.structs import replace

from langrearrange.dataset.writer import disk_errors
from langrearrange.errors import SubmissionError, UsageError
from langrearrange.leaderboard.trace import (
    EpisodeTrace,
    Footer,
    Header,
    StartLine,
    decode_line,
    encode_line,
)


class TraceWriter:
    """Appends episodes to a partial file and turns it into a trace.

    Args:
        path: the final `.jsonl.gz`.
        header: of this run. A partial file of the same header is continued.
        force: replace a finished file and a partial one of another run.

    Raises:
        UsageError: a finished file, or a partial one of another run, is in the way, or the name
            does not end in `.jsonl.gz`.
        DatasetError: the folder cannot be written.
        SubmissionError: the header breaks the schema, a name too long for example.
    """

    def __init__(self, path: Path | str, header: Header, *, force: bool = False) -> None:
        decode_line(encode_line(header), "the run's header")  # fails before the run if unreadable
        self._path = Path(path)
        if not self._path.name.endswith(".jsonl.gz"):
            raise UsageError(
                f"{self._path}: a trace is compressed JSON lines; give --out a name that ends in "
                ".jsonl.gz"
            )
        self._part = self._path.with_name(self._path.name + ".part")
        self._header = header
        self._done: dict[str, EpisodeTrace] = {}
        self._starts: Counter[str] = Counter()
        with disk_errors(self._path.parent):
            if self._path.exists() and not force:
                raise UsageError(f"{self._path} exists; choose another --out, or pass --force")
            self._path.parent.mkdir(parents=True, exist_ok=True)
            keep = self._resume(force) if self._part.exists() else 0
            self._file: BinaryIO = open(self._part, "r+b" if keep else "wb")
            self._file.truncate(keep)
            self._file.seek(keep)
        self._append(encode_line(header))

    @property
    def done(self) -> dict[str, EpisodeTrace]:
        """Episode id -> trace of all that is written, resumed ones included."""
        return dict(self._done)

    def start(self, episode_id: str) -> None:
        """Record that an episode begins, before its agent receives it."""
        self._starts[episode_id] += 1
        self._append(encode_line(StartLine(id=episode_id)))

    def write(self, episode: EpisodeTrace) -> EpisodeTrace:
        """Append one episode and return it with its attempts; it survives a kill from now on."""
        episode = replace(episode, attempts=max(1, self._starts[episode.id]))
        self._append(encode_line(episode))
        self._done[episode.id] = episode
        return episode

    def finish(self, order: Sequence[str]) -> Path:
        """Write the final file, episodes in the order of these ids, and drop the partial one.

        Raises:
            SubmissionError: an episode of the order was not written.
        """
        self._file.close()
        missing = [episode_id for episode_id in order if episode_id not in self._done]
        if missing:
            raise SubmissionError(f"{len(missing)} episodes were not played, first {missing[0]}")
        body = encode_line(self._header)
        body += b"".join(encode_line(self._done[episode_id]) for episode_id in order)
        footer = Footer(episodes=len(order), sha256=hashlib.sha256(body).hexdigest())
        body += encode_line(footer)
        fresh = self._path.with_name(self._path.name + ".tmp")
        with disk_errors(self._path.parent):
            fresh.write_bytes(gzip.compress(body, 6, mtime=0))
            os.replace(fresh, self._path)
            self._part.unlink()
        return self._path

    def close(self) -> None:
        """Stop without finishing; the partial file stays for the next run."""
        self._file.close()

    def _append(self, line: bytes) -> None:
        with disk_errors(self._path.parent):
            self._file.write(line)
            self._file.flush()

    def _resume(self, force: bool) -> int:
        """Read the partial file; return how many of its bytes are whole lines of this run."""
        lines = self._part.read_bytes().split(b"\n")[:-1]  # the last line may be truncated
        if not lines:
            return 0
        keep = 0
        for number, data in enumerate(lines, start=1):
            try:
                line = decode_line(data, f"{self._part}:{number}")
            except SubmissionError:
                break  # a truncated line within the file: resume here
            if number == 1 and (not isinstance(line, Header) or not self._continues(line)):
                break
            if isinstance(line, Header):
                self._header = _resumed(self._header, line)
            elif isinstance(line, StartLine):
                self._starts[line.id] += 1
            elif isinstance(line, EpisodeTrace):
                self._done[line.id] = line
            else:
                break
            keep += len(data) + 1
        if not keep and not force:
            raise UsageError(
                f"{self._part}:1: the unfinished run here has other settings; finish it with its "
                "own command, choose another --out, or pass --force to drop it"
            )
        return keep

    def _continues(self, begun: Header) -> bool:
        """Whether an unfinished run is this one, maybe with other workers."""
        played = replace(self._header.played, workers=begun.played.workers)
        return replace(self._header, played=played) == begun


def _resumed(header: Header, begun: Header) -> Header:
    """Return the header of a run that was begun once more."""
    played, workers = header.played, max(header.played.workers, begun.played.workers)
    return replace(header, played=replace(played, workers=workers, resumes=played.resumes + 1))
