"""The manifest of a written split: what it holds, its hash, how to make it again.

It is written last, so its presence means that the split is complete. Not for the episodes
themselves.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated, Any, Final

import msgspec

from langrearrange.dataset.codec import BAD_JSON, MAX_MEMBER, MEMBER_EPISODES, check_schema
from langrearrange.dataset.episode import SPLIT_NAME
from langrearrange.dataset.order import EpisodeOrder
from langrearrange.errors import DatasetError

MANIFEST: Final = "manifest.json"
MANIFEST_SCHEMA: Final = 2
"""Schema version of manifests; readers refuse others."""
MAX_MANIFEST: Final = 8 << 20
"""Largest manifest that is read, in bytes: 400,000 explicit ids fit."""
_TOO_LARGE: Final = f"the manifest is larger than {MAX_MANIFEST >> 20} MiB"
_Count = Annotated[int, msgspec.Meta(ge=0, le=1_000_000)]
_Size = Annotated[int, msgspec.Meta(ge=1, le=MAX_MEMBER)]
_Name = Annotated[str, msgspec.Meta(pattern=SPLIT_NAME)]
_Digest = Annotated[str, msgspec.Meta(pattern="^[0-9a-f]{64}$")]
_Release = Annotated[str, msgspec.Meta(pattern=r"^[0-9][0-9a-z.+-]{0,31}$")]


class Provenance(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Everything that the episodes of a generated set depend on.

    Attributes:
        spec: the spec, without its key.
        episode_version, house_version: of `langrearrange.seeding`; one of them keys every draw.
        templates_sha256: of the template file and the lexicon.
        models_sha256: of ids, categories and sizes of the object models, in their order.
        houses_sha256: of stances, slots, free cells and relations of the split's flats.
    """

    spec: dict[str, Any]
    episode_version: str
    house_version: str
    templates_sha256: str
    models_sha256: str
    houses_sha256: str


class Manifest(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Facts of a split, known without reading an episode.

    Attributes:
        schema_version: of the manifest.
        split: name of the split.
        id_split: the split in the episode ids; differs for views (`train_mini` holds train's).
        written_by: release of langrearrange that wrote the folder.
        content_sha256: hex sha256 of the uncompressed file, the same wherever it is made.
        num_episodes: how many there are.
        templates: template id -> number of episodes, in file order.
        counts: further counts, e.g. `{"house": {"flat_0_00": 12, ...}}`.
        provenance: what it was generated from; None if it was not generated.
        commitment: hex sha256 that binds key and provenance of a sealed set, "" for public ones.
        ids: the ids by position; None if they are those of `order`.
        file: name of the data file in the same folder.
        num_bytes: its size.
        members: compressed size of each gzip member, 32 episodes each, in order.
    """

    schema_version: int = MANIFEST_SCHEMA
    split: _Name
    id_split: _Name
    written_by: _Release
    content_sha256: _Digest
    num_episodes: Annotated[int, msgspec.Meta(ge=1, le=1_000_000)]
    templates: dict[str, _Count]
    counts: dict[str, dict[str, _Count]] = {}
    provenance: Provenance | None = None
    commitment: Annotated[str, msgspec.Meta(pattern="^([0-9a-f]{64})?$")] = ""
    ids: list[str] | None = None
    file: str
    num_bytes: int
    members: list[_Size]

    @property
    def order(self) -> EpisodeOrder:
        """The split's order in closed form."""
        return EpisodeOrder(self.templates)


class _Peek(msgspec.Struct):
    schema_version: int = MANIFEST_SCHEMA
    written_by: str = ""


def read_manifest(folder: Path) -> Manifest:
    """Read a folder's manifest.

    Raises:
        DatasetError: there is none (the set is unfinished or elsewhere), it is damaged, it
            contradicts itself, or another release wrote it.
    """
    path = folder / MANIFEST
    try:
        with path.open("rb") as file:
            data = file.read(MAX_MANIFEST + 1)
    except (FileNotFoundError, NotADirectoryError):
        raise DatasetError(_missing(folder)) from None
    except (OSError, ValueError) as error:
        raise DatasetError(f"{path}: cannot be read ({error})") from None
    if len(data) > MAX_MANIFEST:
        raise DatasetError(f"{path}: {_TOO_LARGE}; restore the file")
    try:
        peek = msgspec.json.decode(data, type=_Peek)
        check_schema(peek.schema_version, MANIFEST_SCHEMA, str(path), peek.written_by)
        manifest = msgspec.json.decode(data, type=Manifest)
    except BAD_JSON as error:
        raise DatasetError(
            f"{path}: not a manifest ({error}). Restore the file or generate the split again"
        ) from None
    _check(manifest, path)
    return manifest


def write_manifest(folder: Path, manifest: Manifest) -> None:
    """Write the manifest atomically, one field a line; DatasetError if none could read it."""
    fields = msgspec.to_builtins(manifest)
    lines = (f'"{name}": {msgspec.json.encode(value).decode()}' for name, value in fields.items())
    data = ("{\n " + ",\n ".join(lines) + "\n}\n").encode()
    if len(data) > MAX_MANIFEST:
        raise DatasetError(f"{folder}: {_TOO_LARGE}; write fewer episodes, or number them in order")
    replace_file(folder / MANIFEST, data)


def replace_file(path: Path, data: bytes) -> None:
    """Write a whole file atomically: temporary name in the same folder, flush to disk, rename."""
    temporary = path.with_name(path.name + ".tmp")
    with temporary.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    temporary.replace(path)


def _missing(folder: Path) -> str:
    if not folder.exists():
        return f"{folder}: folder not found; give one that `langrearrange generate` wrote"
    if not folder.is_dir():
        return f"{folder}: this is a file; give the folder that holds {MANIFEST}"
    return (
        f"{folder}: no {MANIFEST} here, so this is not a complete data set. If a generate run was "
        "interrupted, run the same command again: it resumes where it stopped"
    )


def _check(manifest: Manifest, path: Path) -> None:
    members = -(-manifest.num_episodes // MEMBER_EPISODES)
    wrong = (
        sum(manifest.templates.values()) != manifest.num_episodes
        or len(manifest.members) != members
        or sum(manifest.members) != manifest.num_bytes
        or (manifest.ids is not None and len(manifest.ids) != manifest.num_episodes)
        or manifest.file != f"{manifest.split}.jsonl.gz"
    )
    if wrong:
        raise DatasetError(
            f"{path}: the manifest contradicts itself ({manifest.num_episodes} episodes, "
            f"{len(manifest.members)} members). Restore the file or generate the split again"
        )
