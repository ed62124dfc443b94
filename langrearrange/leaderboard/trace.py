"""The record of a run: header, one line an episode, footer. Its schema, reading and refusing.

Not for writing (`trace_writer`) and not for believing: `replay` recomputes all that is declared.
"""

from __future__ import annotations

import gzip
import hashlib
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Final, Literal

import msgspec

from langrearrange.errors import SubmissionError

SCHEMA_VERSION: Final = 1
MAX_LINE: Final = 1 << 16
"""Longest line a reader takes, in bytes; 32 skills need about 300."""
MAX_EPISODES: Final = 200_000
MAX_BYTES: Final = 64 << 20
"""Largest file on disk a reader opens."""
MAX_ACTIONS: Final = 1_000

Action = Annotated[int, msgspec.Meta(ge=0, lt=1_000)]
"""A number that may be a skill; `replay` knows which ones are."""
Name = Annotated[
    str, msgspec.Meta(min_length=1, max_length=100, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")
]
Text = Annotated[str, msgspec.Meta(max_length=500, pattern=r"^[^\x00-\x1f\x7f-\x9f]*$")]
"""Free text of submitters, shown to others: of bounded length, without control characters."""
ProtocolName = Literal["paper", "hard"]
Failure = Literal["", "crash", "timeout", "bad_action", "refusal"]
"""Why the agent did not play on: it broke, was too slow, said no skill, or would not answer."""


class AgentFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a submitter says of an agent. Declared, never checked, except for `modality`.

    Attributes:
        name: shown in tables.
        modality: what it sees, a name of `env.MODALITIES` or `module:factory`.
        privileged: it was shown the episodes (tier T0, never ranked).
        authors, url, parameters, train_data, note: free text.
    """

    name: Name
    modality: Name
    privileged: bool = False
    authors: Text = ""
    url: Text = ""
    parameters: Text = ""
    train_data: Text = ""
    note: Text = ""


class DatasetFacts(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Which episodes of a split were to be played.

    Attributes:
        num_episodes: how many.
        sha256: of their canonical content, in file order.
    """

    num_episodes: Annotated[int, msgspec.Meta(ge=1)]
    sha256: str


class Header(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind",
    tag="header",
):  # fmt: skip
    """The first line of a trace.

    Attributes:
        schema_version: of the file; readers refuse newer ones.
        package_version: of langrearrange when the run was made.
        protocol: `paper` or `hard` (design 3.5); boards of their own.
        horizon: skills an episode may take.
        seed: given to the agent.
        agent: declared facts.
        datasets: split -> which episodes.
    """

    schema_version: int = SCHEMA_VERSION
    package_version: str
    protocol: ProtocolName = "paper"
    horizon: Annotated[int, msgspec.Meta(ge=1, le=1_000)] = 32
    seed: int = 0
    agent: AgentFacts
    datasets: dict[str, DatasetFacts]


class EpisodeTrace(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind",
    tag="episode",
):  # fmt: skip
    """What an agent did in one episode.

    Attributes:
        id: episode id; `#k` for a variant.
        actions: skills in order.
        outcomes: what became of each, for readers; replay recomputes them.
        success: as declared by whoever ran it; replay ignores it.
        failure: why the agent stopped answering, "" if it did not.
        chain: hash of the observations it was given, "" if not kept.
    """

    id: str
    actions: tuple[Action, ...]
    outcomes: tuple[str, ...] = ()
    success: bool = False
    failure: Failure = ""
    chain: str = ""


class Footer(
    msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, tag_field="kind",
    tag="footer",
):  # fmt: skip
    """The last line: number of episode lines, sha256 of every byte before this line."""

    episodes: int
    sha256: str


Line = Header | EpisodeTrace | Footer
ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final[msgspec.json.Decoder[Line]] = msgspec.json.Decoder(Line)


@dataclass(frozen=True, slots=True)
class Trace:
    """A whole trace, schema and footer checked; what it declares is not."""

    header: Header
    episodes: tuple[EpisodeTrace, ...]


def encode_line(line: Line) -> bytes:
    """Return the canonical line, newline included."""
    return ENCODER.encode(line) + b"\n"


def decode_line(data: bytes, place: str) -> Line:
    """Read one line; SubmissionError gives the place and what is wrong."""
    try:
        line = _DECODER.decode(data)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        _refuse_newer(_version_of(data), place)
        raise SubmissionError(f"{place}: not a line of a trace ({error})") from None
    if isinstance(line, Header):
        _refuse_newer(line.schema_version, place)
    if isinstance(line, EpisodeTrace) and len(line.actions) > MAX_ACTIONS:
        raise SubmissionError(
            f"{place}: {len(line.actions)} actions; accepted: at most {MAX_ACTIONS}"
        )
    return line


def read_trace(path: Path | str) -> Trace:
    """Read a finished trace.

    Args:
        path: a `.jsonl.gz` written by `rollout`, or by anybody.

    Returns:
        The trace; every line fits the schema and the footer's hash is right.

    Raises:
        SubmissionError: not a trace file, truncated, altered, too large or from a newer version.
    """
    path = Path(path)
    hasher = hashlib.sha256()
    header: Header | None = None
    footer: Footer | None = None
    episodes: list[EpisodeTrace] = []
    for number, data in _lines(path):
        place = f"{path}:{number}"
        if footer is not None:
            raise SubmissionError(f"{place}: there are lines behind the footer; remove them")
        line = decode_line(data, place)
        if (header is None) != isinstance(line, Header):
            raise SubmissionError(f"{place}: a trace has one header, as its first line")
        if isinstance(line, Header):
            header = line
        elif isinstance(line, Footer):
            footer = line
            _check_footer(footer, len(episodes), hasher.hexdigest(), place)
        elif len(episodes) >= MAX_EPISODES:
            raise SubmissionError(f"{place}: more than {MAX_EPISODES} episodes")
        else:
            episodes.append(line)
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


def _lines(path: Path) -> Iterator[tuple[int, bytes]]:
    """Yield (line number, line); bounded, so that no file exhausts memory."""
    if not path.is_file():
        raise SubmissionError(f"{path}: no such file; evaluate writes traces as NAME.jsonl.gz")
    if path.stat().st_size > MAX_BYTES:
        raise SubmissionError(f"{path}: larger than {MAX_BYTES >> 20} MiB; no run needs as much")
    number = 0
    try:
        with gzip.open(path, "rb") as file:
            while line := file.readline(MAX_LINE + 1):
                number += 1
                if len(line) > MAX_LINE:
                    raise SubmissionError(
                        f"{path}:{number}: a line longer than {MAX_LINE} bytes; accepted: less"
                    )
                if number > MAX_EPISODES + 2:
                    raise SubmissionError(f"{path}: more than {MAX_EPISODES} episodes")
                yield number, line
    except (OSError, EOFError, zlib.error) as error:
        raise SubmissionError(
            f"{path}: truncated or corrupt after line {number} ({error}); evaluate again or "
            "restore it"
        ) from None


class _Version(msgspec.Struct):
    schema_version: int = SCHEMA_VERSION


def _version_of(data: bytes) -> int:
    try:
        return msgspec.json.decode(data, type=_Version).schema_version
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return SCHEMA_VERSION


def _refuse_newer(version: int, place: str) -> None:
    if not 1 <= version <= SCHEMA_VERSION:
        from langrearrange import __version__

        raise SubmissionError(
            f"{place}: schema version {version}, but langrearrange {__version__} reads versions "
            f"1 to {SCHEMA_VERSION}; install a later release: "
            "pip install --upgrade langrearrange"
        )
