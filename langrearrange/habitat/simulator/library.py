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
from langrearrange.houses.homes import houses_for
from langrearrange.houses.house import House
from langrearrange.paths import cache_path
from langrearrange.sim import robot
from langrearrange.sim.robot import link_mesh

CONFIG: Final = f"{DATASET}.scene_dataset_config.json"
_NAMED: Final = 8
"""How many missing flats a message names; all of them are then exported again."""


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
        lacking = not self._scene(house.id).is_file()
        models = [name for name in model_ids if not self._has_model(name)]
        if (lacking or models) and self._given:
            raise HabitatError(self._lacks(house.id if lacking else "", models))
        if lacking or models:
            with _alone_in(self._folder):
                export_habitat([house.id] if lacking else [], self._folder, models)
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

    def _scene(self, house_id: str) -> Path:
        return self._folder / "scenes" / f"{house_id}.scene_instance.json"

    def _has_model(self, name: str) -> bool:
        path = self.model(name)
        return path.is_file() and (not self._given or path.with_name(f"{name}.glb").is_file())

    def _lacks(self, flat: str, models: Sequence[str]) -> str:
        """Return what the user's folder lacks, all flats together, and the command that adds it."""
        known = [name for role in ("train", "validation", "test") for name in houses_for(role)]
        absent = [name for name in known if not self._scene(name).is_file()]
        if not flat:
            words, wanted = [], next((name for name in known if name not in absent), "all")
        elif len(absent) > _NAMED:
            words, wanted = [f"{flat} and {len(absent) - 1} other flats"], "all"
        else:
            words, wanted = absent, " ".join(absent)
        words += [f"the object model {name}" for name in models]
        return (
            f"{self._folder} lacks {', '.join(words)}; export into it again: {EXPORT_COMMAND} "
            f"--flats {wanted} --out {self._folder} --force"
        )


@contextmanager
def _alone_in(folder: Path) -> Iterator[None]:
    """Hold a lock on a folder, so that processes do not export into it at once."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield
    except OSError as error:
        raise HabitatError(
            f"flats are exported into {folder}, which cannot be written ({error.strerror}); name a "
            "folder that can be with LANGREARRANGE_CACHE, or exported flats with habitat_data="
        ) from error


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
