"""What of an exported flat goes into a scene of Habitat, under which numbers. No habitat_sim here.

The files are those of `langrearrange export --format habitat`: in a folder of the user's, or
written into the cache when a flat is first played.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from langrearrange import houses
from langrearrange.errors import HabitatError
from langrearrange.habitat import export, frames
from langrearrange.habitat.data.reading import glb_description
from langrearrange.habitat.export.flats import export_habitat
from langrearrange.habitat.export.glb import write_glb
from langrearrange.habitat.export.paint import lit
from langrearrange.habitat.export.pieces import (
    DATASET,
    EXPORT_COMMAND,
    PIECES,
    furniture_handle,
    joint_of,
    piece_parts,
)
from langrearrange.habitat.simulator.frames import y_up
from langrearrange.houses.geometry import rigid
from langrearrange.houses.house import House, Part
from langrearrange.paths import cache_path
from langrearrange.sim import robot
from langrearrange.sim.protocol import SEGMENT_PART
from langrearrange.sim.robot import link_mesh
from langrearrange.world.vocabulary import RECEPTACLES

CONFIG: Final = f"{DATASET}.scene_dataset_config.json"


def semantic_id(segment: int) -> int:
    """Return what Habitat's semantic sensor shows for a segment: 0 means nothing there."""
    return segment + 1


@dataclass(frozen=True, slots=True)
class Asset:
    """A rigid thing of a flat that never moves.

    Attributes:
        path: of its `.object_config.json`, or of a bare `.glb`.
        segments: one for all of it, or one per mesh of the file.
        pose: (4, 4), y up.
    """

    path: Path
    segments: tuple[int, ...]
    pose: list[list[float]]


@dataclass(frozen=True, slots=True)
class Piece:
    """Furniture that opens.

    Attributes:
        path: of its `.ao_config.json`.
        segments: link name -> segment.
        pose: (4, 4) of its base, y up.
        travel: link name -> (openable, joint position when open).
    """

    path: Path
    segments: Mapping[str, int]
    pose: list[list[float]]
    travel: Mapping[str, tuple[str, float]]


@dataclass(frozen=True, slots=True)
class FlatAssets:
    """All that a flat is made of, without things and robot."""

    assets: tuple[Asset, ...]
    pieces: tuple[Piece, ...]


class Library:
    """Finds, or writes, the files of flats, things and the robot's arm.

    Args:
        folder: an exported data set; None: the cache, filled as needed.

    Raises:
        HabitatError: the folder holds no exported data set.
    """

    def __init__(self, folder: Path | None = None) -> None:
        self._given = folder is not None
        self._folder = folder or cache_path() / "habitat" / _fingerprint()
        if folder is not None and not (folder / CONFIG).is_file():
            raise HabitatError(
                f"{folder} holds no {CONFIG}; write it with: {EXPORT_COMMAND} "
                f"--flats all --out {folder}"
            )

    def ensure(self, house: House, model_ids: Sequence[str]) -> None:
        """Make sure that a flat and models of things are there, by exporting into the cache.

        Raises:
            HabitatError: they are missing in the user's folder.
        """
        missing = self._missing(house, model_ids)
        if not missing:
            return
        if self._given:
            raise HabitatError(
                f"{missing[0]} is missing; export the flat again: {EXPORT_COMMAND} "
                f"--flats {house.id} --out {self._folder} --force"
            )
        with _alone_in(self._folder):
            if not self._scene(house).is_file():
                export_habitat([house.id], self._folder, [])
            models = [name for name in model_ids if not self.model(name).is_file()]
            if models:
                export_habitat([], self._folder, models)

    def flat(self, house: House) -> FlatAssets:
        """Return what a flat is made of; HabitatError when a file of it is missing."""
        return _flat_assets(house, self._folder)

    def model(self, model_id: str) -> Path:
        """Return the path of a model's template."""
        return self._folder / "objects" / f"{model_id}.object_config.json"

    def link(self, name: str) -> Path:
        """Return the path of a mesh of the robot's arm; always of the cache."""
        folder = cache_path() / "habitat" / _fingerprint() / "robot"
        path = folder / f"{name}.glb"
        if not path.is_file():
            with _alone_in(folder):
                write_glb(path, [(name, lit(link_mesh(name), rigid(0, 0, 0, 0)))])
        return path

    def _scene(self, house: House) -> Path:
        return self._folder / "scenes" / f"{house.id}.scene_instance.json"

    def _missing(self, house: House, model_ids: Sequence[str]) -> list[Path]:
        wanted = [self._scene(house), *map(self.model, model_ids)]
        if self._given:
            wanted += [self.model(name).parent / f"{name}.glb" for name in model_ids]
        return [path for path in wanted if not path.is_file()]


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, so that processes do not export into it at once."""
    folder.mkdir(parents=True, exist_ok=True)
    with (folder / ".lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@cache
def _fingerprint() -> str:
    """Return a name for what our flats look like: the hash of the code that makes them."""
    digest = hashlib.sha256()
    folders = [Path(module.__file__ or "").parent for module in (houses, export)]
    files = [path for folder in folders for path in sorted(folder.rglob("*.py"))]
    for path in (*files, Path(frames.__file__), Path(robot.__file__)):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:16]


@lru_cache(maxsize=128)
def _flat_assets(house: House, folder: Path) -> FlatAssets:
    numbers = {part.name: SEGMENT_PART + index for index, part in enumerate(house.parts)}
    stage = folder / "stages" / f"{house.id}.glb"
    names = [node["name"] for node in glb_description(_there(stage))["nodes"] if "mesh" in node]
    assets = [Asset(stage, tuple(numbers[name] for name in names), y_up(rigid(0, 0, 0, 0)))]
    bodies = {name for body in PIECES.values() for name in body}
    for part in house.parts:
        if part.name in RECEPTACLES and part.name not in bodies and not part.openable:
            name = furniture_handle(house, part.name)
            _there(folder / "furniture" / f"{name}.glb")
            path = _there(folder / "furniture" / f"{name}.object_config.json")
            assets.append(Asset(path, (numbers[part.name],), y_up(part.closed)))
    pieces = tuple(_piece(house, name, folder, numbers) for name in PIECES)
    return FlatAssets(tuple(assets), pieces)


def _piece(house: House, name: str, folder: Path, numbers: Mapping[str, int]) -> Piece:
    parts: list[Part] = piece_parts(house, name)
    handle = f"{house.id}_{name}"
    place = folder / "urdf" / handle
    for part in parts:
        _there(place / f"{part.name}.glb")
    _there(place / f"{handle}.urdf")
    return Piece(
        _there(place / f"{handle}.ao_config.json"),
        {part.name: numbers[part.name] for part in parts},
        y_up(parts[0].closed),
        {p.name: (p.openable, joint_of(p).travel) for p in parts if p.openable},
    )


def _there(path: Path) -> Path:
    if not path.is_file():
        raise HabitatError(
            f"{path} is missing; write the flat again with: {EXPORT_COMMAND} --force, "
            "or delete that folder if it is the cache's"
        )
    return path
