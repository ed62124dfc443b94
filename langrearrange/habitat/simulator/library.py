"""The files of exported flats, of things and of the robot's arm: found, or written when needed.

They are those of `langrearrange export --format habitat`: in a folder of the user's, or
written into the cache when a flat is first played.
"""

from __future__ import annotations

import fcntl
import hashlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, lru_cache
from pathlib import Path
from typing import Final

from langrearrange import houses
from langrearrange.errors import DatasetError, HabitatError
from langrearrange.habitat import export, frames
from langrearrange.habitat.data.scene import HabitatScene, read_scene
from langrearrange.habitat.data.scene_dataset import SceneDataset
from langrearrange.habitat.export.flats import export_habitat
from langrearrange.habitat.export.glb import write_glb
from langrearrange.habitat.export.paint import lit
from langrearrange.habitat.export.pieces import DATASET, EXPORT_COMMAND
from langrearrange.houses.geometry import rigid
from langrearrange.houses.house import House
from langrearrange.paths import cache_path
from langrearrange.sim import robot
from langrearrange.sim.robot import link_mesh

CONFIG: Final = f"{DATASET}.scene_dataset_config.json"


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

    def scene(self, house: House, model_ids: Sequence[str]) -> HabitatScene:
        """Return a flat as exported, with the models of things; into the cache if need be.

        Raises:
            HabitatError: something is missing in the user's folder, or the flat is damaged.
        """
        missing = self._missing(house, model_ids)
        if missing and self._given:
            raise HabitatError(
                f"{missing[0]} is missing; export the flat again: {EXPORT_COMMAND} "
                f"--flats {house.id} --out {self._folder} --force"
            )
        if missing:
            with _alone_in(self._folder):
                flats = [] if self._scene(house).is_file() else [house.id]
                models = [name for name in model_ids if not self.model(name).is_file()]
                export_habitat(flats, self._folder, models)
        return _exported_scene(self._folder, house.id)

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
def _exported_scene(folder: Path, house_id: str) -> HabitatScene:
    try:
        scene = read_scene(SceneDataset(folder / CONFIG), house_id)
        for mesh in scene.meshes:
            if not mesh.is_file():
                raise DatasetError(f"{mesh} is missing")
    except DatasetError as error:
        raise HabitatError(
            f"{error}; write the flat again with: {EXPORT_COMMAND} --force, or delete {folder} if "
            "it is the cache's"
        ) from None
    return scene
