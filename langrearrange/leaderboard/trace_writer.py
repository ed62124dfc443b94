"""Writes a trace episode by episode, so that an interrupted run can resume.

While a run lasts, its lines lie uncompressed in `<name>.part`; `finish` puts them in the given
order and writes the final file, which is the same whatever was interrupted.
"""

from __future__ import annotations

import gzip
import hashlib
import os
from collections.abc import Sequence
from pathlib import Path
from typing import BinaryIO

from langrearrange.errors import SubmissionError, UsageError
from langrearrange.leaderboard.trace import (
    EpisodeTrace,
    Footer,
    Header,
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
        UsageError: a finished file, or a partial one of another run, is in the way.
        SubmissionError: the header breaks the schema, a name too long for example.
    """

    def __init__(self, path: Path | str, header: Header, *, force: bool = False) -> None:
        decode_line(encode_line(header), "the run's header")  # fails before the run if unreadable
        self._path = Path(path)
        self._part = self._path.with_name(self._path.name + ".part")
        self._header = header
        if self._path.exists() and not force:
            raise UsageError(f"{self._path} exists; choose another --out, or pass --force")
        self._path.parent.mkdir(parents=True, exist_ok=True)
        self._done: dict[str, EpisodeTrace] = {}
        keep = self._resume(force) if self._part.exists() else 0
        self._file: BinaryIO = open(self._part, "r+b" if keep else "wb")
        self._file.truncate(keep)
        self._file.seek(keep)
        if not keep:
            self._append(encode_line(header))

    @property
    def done(self) -> dict[str, EpisodeTrace]:
        """Episode id -> trace of all that is written, resumed ones included."""
        return dict(self._done)

    def write(self, episode: EpisodeTrace) -> None:
        """Append one episode; it survives a kill once this returns."""
        self._append(encode_line(episode))
        self._done[episode.id] = episode

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
        fresh.write_bytes(gzip.compress(body, 6, mtime=0))
        os.replace(fresh, self._path)
        self._part.unlink()
        return self._path

    def close(self) -> None:
        """Stop without finishing; the partial file stays for the next run."""
        self._file.close()

    def _append(self, line: bytes) -> None:
        self._file.write(line)
        self._file.flush()

    def _resume(self, force: bool) -> int:
        """Read the partial file; return how many of its bytes are whole lines of this run."""
        lines = self._part.read_bytes().split(b"\n")[:-1]  # the last line may be truncated
        if not lines:
            return 0
        place = f"{self._part}:1"
        if encode_line(self._header) != lines[0] + b"\n":
            if force:
                return 0
            raise UsageError(
                f"{place}: an unfinished run with other settings lies here; finish it with its own "
                "command, choose another --out, or pass --force to drop it"
            )
        keep = len(lines[0]) + 1
        for number, line in enumerate(lines[1:], start=2):
            try:
                episode = decode_line(line, f"{self._part}:{number}")
            except SubmissionError:
                break  # a truncated line within the file: resume here
            if not isinstance(episode, EpisodeTrace):
                break
            self._done[episode.id] = episode
            keep += len(line) + 1
        return keep
