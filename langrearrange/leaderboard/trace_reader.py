"""Reads finished traces of untrusted origin; sizes are limited before anything is parsed."""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from langrearrange.errors import SubmissionError
from langrearrange.leaderboard.trace import (
    MAX_EPISODES,
    EpisodeTrace,
    Footer,
    Header,
    StartLine,
    Trace,
    decode_line,
)

MAX_HEADER: Final = 1 << 16
"""Longest header that is accepted, in bytes; one of eleven splits needs about 2,000."""
MAX_BYTES: Final = 64 << 20
"""Largest file that is opened, in bytes."""
MAX_UNPACKED: Final = 128 << 20
"""Most bytes of its content, decompressed; 150,000 episodes need about 90 MB."""


def read_trace(path: Path | str) -> Trace:
    """Read a finished trace.

    Args:
        path: a `.jsonl.gz` file, as `evaluate` writes it.

    Returns:
        The trace; every line matches the schema, and the footer's hash is correct.

    Raises:
        SubmissionError: not a trace file, truncated, altered, too large or of another version.
    """
    path = Path(path)
    lines = _Lines(path)
    hasher = hashlib.sha256()
    header: Header | None = None
    footer: Footer | None = None
    episodes: list[EpisodeTrace] = []
    for data in lines:
        if footer is not None:
            raise SubmissionError(f"{lines.place}: lines after the footer; remove them")
        line = decode_line(data, lines.place)
        if isinstance(line, StartLine) or (header is None) != isinstance(line, Header):
            raise SubmissionError(f"{lines.place}: a trace has one header, as its first line")
        if isinstance(line, Header):
            header, lines.max_line = line, line.max_line
        elif isinstance(line, Footer):
            footer = line
            _check_footer(footer, len(episodes), hasher.hexdigest(), lines.place)
        else:
            episodes.append(line)
            assert header is not None
            if len(episodes) > min(header.num_episodes, MAX_EPISODES):
                raise SubmissionError(f"{lines.place}: more episodes than the header declares")
        hasher.update(data)
    if header is None or footer is None:
        raise SubmissionError(
            f"{path}: the trace is not finished (no footer); run the same evaluate command again, "
            "it resumes where it stopped"
        )
    return Trace(header, tuple(episodes))


def _check_footer(footer: Footer, episodes: int, sha256: str, place: str) -> None:
    if footer.episodes != episodes or footer.sha256 != sha256:
        raise SubmissionError(
            f"{place}: the footer declares {footer.episodes} episodes with sha256 "
            f"{footer.sha256[:12]}..., the file has {episodes} with {sha256[:12]}...; it was "
            "altered after the run. Submit the file as evaluate wrote it"
        )


class _Lines:
    """The lines of a file, limited in length so that none exhausts memory."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise SubmissionError(f"{path}: no such file; evaluate writes traces as NAME.jsonl.gz")
        if path.stat().st_size > MAX_BYTES:
            raise SubmissionError(
                f"{path}: larger than {MAX_BYTES >> 20} MiB; no run needs as much"
            )
        self._path, self._number, self.max_line = path, 0, MAX_HEADER

    @property
    def place(self) -> str:
        """File and number of the current line."""
        return f"{self._path}:{self._number}"

    def __iter__(self) -> Iterator[bytes]:
        left = MAX_UNPACKED
        try:
            with gzip.open(self._path, "rb") as file:
                while line := file.readline(self.max_line + 1):
                    self._number += 1
                    left -= len(line)
                    if len(line) > self.max_line or left < 0:
                        raise SubmissionError(
                            f"{self.place}: a line longer than {self.max_line} bytes, or more than "
                            f"{MAX_UNPACKED >> 20} MiB in all; no run needs as much"
                        )
                    yield line
        except (OSError, EOFError, zlib.error) as error:
            if isinstance(error, gzip.BadGzipFile) and not self._number:
                raise SubmissionError(
                    f"{self._path} is not a trace ({error}); `evaluate` writes NAME.jsonl.gz"
                ) from None
            raise SubmissionError(
                f"{self._path}: truncated or corrupt after line {self._number} ({error}); evaluate "
                "again or restore it"
            ) from None
