"""One episode as one canonical line of JSON, and back, with the loader's limits.

Not for files and folders (`dataset.writer`, `dataset.reader`).
"""

from __future__ import annotations

import re
import zlib
from collections.abc import Iterator
from typing import Final

import msgspec

from langrearrange.dataset.episode import (
    MAX_INSTRUCTION,
    MAX_LINE,
    MAX_OBJECTS,
    SCHEMA_VERSION,
    Episode,
    Pose,
    parse_episode_id,
)
from langrearrange.errors import DatasetError, EpisodeError
from langrearrange.world import SKILL_INDEX
from langrearrange.world.vocabulary import CATEGORY_INDEX, OPENABLE_INDEX, RECEPTACLE_INDEX

_ENCODER: Final = msgspec.json.Encoder()
_DECODER: Final = msgspec.json.Decoder(Episode)
_PRINTABLE: Final = re.compile(rf"[ -~]{{1,{MAX_INSTRUCTION}}}\Z")
_OBJECT_ID: Final = re.compile(r"[a-z0-9_]+\Z")
MEMBER_EPISODES: Final = 32
"""Episodes in one gzip member: the unit of reading."""
MAX_MEMBER: Final = MEMBER_EPISODES * MAX_LINE
"""Most bytes of a member, compressed or not."""
BAD_JSON: Final = (msgspec.DecodeError, UnicodeError, RecursionError)
"""What msgspec raises on bytes that are not the JSON of a type."""
MAX_YAW: Final = 6283
MAX_SLOT: Final = 9_999
MAX_MM: Final = 100_000
"""Farthest from the origin that anything stands, per axis."""
MAX_START_YAW: Final = 3142


class _Version(msgspec.Struct):
    schema_version: int


def encode_episode(episode: Episode) -> bytes:
    """Return the canonical line, newline included: compact JSON, fields in the record's order.

    Raises:
        EpisodeError: it has more than `MAX_LINE` bytes, which no reader accepts.
    """
    line = _ENCODER.encode(episode) + b"\n"
    if len(line) > MAX_LINE:
        raise EpisodeError(_too_long(line, episode.id))
    return line


def split_members(data: bytes) -> Iterator[tuple[int, bytes]]:
    """Yield (compressed size, content) of each gzip member of at most `MAX_MEMBER` bytes.

    Raises:
        zlib.error: a member is damaged, truncated or too large.
    """
    while data:
        decoder = zlib.decompressobj(wbits=31)
        content = decoder.decompress(data, MAX_MEMBER + 1)
        if len(content) > MAX_MEMBER:
            raise zlib.error(f"decompresses to more than {MAX_MEMBER} bytes")
        if not decoder.eof:
            raise zlib.error("truncated")
        yield len(data) - len(decoder.unused_data), content
        data = decoder.unused_data


def decode_episode(line: bytes, place: str) -> Episode:
    """Read one line.

    Args:
        line: JSON of one episode.
        place: file and line, for messages.

    Raises:
        DatasetError: the line is not an episode of the schema that this release reads.
        EpisodeError: the episode breaks a limit (`check_episode`).
    """
    if len(line) > MAX_LINE:
        raise EpisodeError(_too_long(line, place))
    try:
        episode = _DECODER.decode(line)
    except BAD_JSON as error:
        check_schema(_version_of(line), SCHEMA_VERSION, place)
        raise DatasetError(
            f"{place}: this line is not an episode ({error}). Restore the file or fix the line"
        ) from None
    check_schema(episode.schema_version, SCHEMA_VERSION, place)
    check_episode(episode, place)
    return episode


def check_schema(version: int, read: int, place: str, written_by: str = "") -> None:
    """Raise DatasetError unless a record has the schema version that this release reads.

    Args:
        version: of the record.
        read: the version that is read.
        place: where the record is, for the message.
        written_by: release that wrote it, "" if unknown.
    """
    if version == read:
        return
    from langrearrange import __version__

    if version < read:
        remedy = "generate it again with this release"
    elif written_by:
        remedy = f"install that release or a later one: pip install 'langrearrange >= {written_by}'"
    else:
        remedy = "install a later release: pip install --upgrade langrearrange"
    raise DatasetError(
        f"{place}: schema version {version}, but langrearrange {__version__} reads version {read}; "
        f"{remedy}"
    )


def check_episode(episode: Episode, place: str) -> None:
    """Raise EpisodeError, naming the place, on what no reader may accept.

    These are the limits every loaded episode obeys, cheap enough for each reset; `check_dataset`
    proves the rest (plans, presuppositions, readings).
    """
    for problem in _problems(episode):
        raise EpisodeError(f"{place}: {problem}")


def _too_long(line: bytes, place: str) -> str:
    return f"{place}: {len(line)} bytes of JSON; accepted: at most {MAX_LINE}"


def _version_of(line: bytes) -> int:
    try:
        return msgspec.json.decode(line, type=_Version).schema_version
    except BAD_JSON:
        return SCHEMA_VERSION


def _problems(episode: Episode) -> list[str]:
    found = []
    if not _PRINTABLE.match(episode.instruction):
        found.append(
            f"the instruction has {len(episode.instruction)} characters, "
            f"{episode.instruction[:60]!a}; accepted: 1 to {MAX_INSTRUCTION} printable ASCII "
            "characters"
        )
    if len(episode.objects) > MAX_OBJECTS:
        found.append(f"{len(episode.objects)} objects; accepted: at most {MAX_OBJECTS}")
    try:
        split = parse_episode_id(episode.id).split
    except EpisodeError as error:
        found.append(str(error))
    else:
        if split != episode.split:
            found.append(f"id '{episode.id}' is not of split '{episode.split}'")
    return found + _object_problems(episode) + _start_problems(episode)


def _object_problems(episode: Episode) -> list[str]:
    found = []
    ids: set[str] = set()
    slots: dict[tuple[str, int], str] = {}
    for thing in episode.objects:
        if thing.id in ids or not _OBJECT_ID.match(thing.id):
            found.append(f"object id '{thing.id}' occurs twice or is not of the form apple_0")
        ids.add(thing.id)
        if thing.category not in CATEGORY_INDEX:
            found.append(f"object {thing.id} has unknown category '{thing.category}'")
        if thing.receptacle not in RECEPTACLE_INDEX:
            found.append(f"object {thing.id} stands on unknown receptacle '{thing.receptacle}'")
        other = slots.setdefault((thing.receptacle, thing.slot), thing.id)
        if not 0 <= thing.slot <= MAX_SLOT or other != thing.id:
            found.append(
                f"object {thing.id} stands at {thing.receptacle}, slot {thing.slot}"
                + (f", as does {other}" if other != thing.id else f"; accepted: 0..{MAX_SLOT}")
            )
        if thing.pose is not None and not _is_pose(thing.pose):
            found.append(
                f"object {thing.id} has an impossible pose; accepted: +-{MAX_MM} mm and a unit "
                "quaternion times 10^6"
            )
        if not 0 <= thing.yaw <= MAX_YAW:
            found.append(f"object {thing.id} has yaw {thing.yaw}; accepted: 0..{MAX_YAW} mrad")
    return found


def _is_pose(pose: Pose) -> bool:
    length = sum(part * part for part in pose.rotation)
    return max(map(abs, pose.position)) <= MAX_MM and 0.98 < length / 10**12 < 1.02


def _start_problems(episode: Episode) -> list[str]:
    found = []
    unknown = [name for name in episode.open if name not in OPENABLE_INDEX]
    if unknown:
        found.append(f"'open' names {unknown}; accepted: {', '.join(OPENABLE_INDEX)}")
    elif list(episode.open) != sorted(set(episode.open), key=OPENABLE_INDEX.__getitem__):
        found.append(f"'open' is {list(episode.open)}; list each once, in vocabulary order")
    if not -MAX_START_YAW <= episode.start.yaw <= MAX_START_YAW:
        found.append(f"start yaw {episode.start.yaw}; accepted: +-{MAX_START_YAW} mrad")
    if max(abs(episode.start.x), abs(episode.start.y)) > MAX_MM:
        found.append(f"start at {episode.start.x}, {episode.start.y}; accepted: +-{MAX_MM} mm")
    wrong = [skill for skill in episode.plan if skill not in SKILL_INDEX]
    if wrong:
        found.append(f"the plan has unknown skill '{wrong[0]}'; skills look like nav(sofa)")
    return found
