"""A Habitat scene dataset as files by name: scenes, objects, what opens. Not where things stand."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any, Final

from langrearrange.errors import DatasetError
from langrearrange.habitat.data.reading import read_json

CONFIG_ENDING: Final = ".scene_dataset_config.json"
_OBJECT, _STAGE = ".object_config.json", ".stage_config.json"
_SCENE: Final = ".scene_instance.json"
_AO, _URDF = ".ao_config.json", ".urdf"


@dataclass(frozen=True, slots=True)
class Template:
    """A config file with what it says.

    Attributes:
        name: the file's name without its ending.
        path: the file.
        content: its JSON.
    """

    name: str
    path: Path
    content: Mapping[str, Any]

    def file(self, key: str, what: str) -> Path:
        """Return the file that a key names, relative to this; DatasetError if it is not there."""
        name = self.content.get(key)
        if not isinstance(name, str):
            raise DatasetError(f"{self.path}: damaged: '{key}' names no file")
        path = self.path.parent / name
        if not path.is_file():
            raise DatasetError(f"{self.path}: names {what} '{name}', which is missing")
        return path

    @property
    def user_defined(self) -> Mapping[str, Any]:
        """What `user_defined` holds; empty if there is none."""
        found = self.content.get("user_defined", {})
        return found if isinstance(found, dict) else {}


class SceneDataset:
    """What a `.scene_dataset_config.json` names, read when asked for."""

    def __init__(self, config: Path, extra_objects: Iterable[Path] = ()) -> None:
        """Open a dataset.

        Args:
            config: the `.scene_dataset_config.json`.
            extra_objects: further folders of object configs, such as YCB's.

        Raises:
            DatasetError: missing, damaged, or without scenes.
        """
        if not config.name.endswith(CONFIG_ENDING):
            raise DatasetError(
                f"{config}: not a scene dataset; give the path of a file that ends in "
                f"{CONFIG_ENDING}"
            )
        self.config = config
        self.extra_objects = tuple(extra_objects)
        self._content = read_json(config, "a Habitat scene dataset")
        self._scenes = self._named("scene_instances", _SCENE)
        if not self._scenes:
            raise DatasetError(f"{config}: this scene dataset names no scenes")

    @property
    def scene_names(self) -> tuple[str, ...]:
        """Names of the scenes, sorted."""
        return tuple(sorted(self._scenes))

    def scene(self, name: str) -> Template:
        """Return a scene instance; DatasetError if there is none of that name."""
        return self._template(self._scenes, name, _SCENE, "scene")

    def object(self, name: str) -> Template:
        """Return an object config by its name, folders before it ignored; DatasetError if none."""
        return self._template(self._objects, name, _OBJECT, "object")

    def stage(self, name: str) -> Template:
        """Return a stage config by its name; DatasetError if there is none."""
        return self._template(self._named("stages", _STAGE), name, _STAGE, "stage")

    def articulated(self, name: str) -> tuple[Template, Path]:
        """Return the config of what opens (empty if it has none) and its URDF; DatasetError."""
        short = _short(name)
        config = self._articulated.get(short)
        if config is not None:
            template = Template(short, config, read_json(config, "an articulated object"))
            if "urdf_filepath" in template.content:
                return template, template.file("urdf_filepath", "the robot description")
        urdf = self._urdfs.get(short)
        if urdf is None:
            raise DatasetError(
                f"{self.config}: nothing that opens is called '{name}'; known: "
                f"{', '.join(sorted({*self._urdfs, *self._articulated})) or 'none'}"
            )
        beside = urdf.with_name(short + _AO)
        path = config or beside
        content = read_json(path, "an articulated object") if path.is_file() else {}
        return Template(short, path, content), urdf

    def navmesh(self, name: str) -> Path | None:
        """Return the file of a navigation mesh; None if the dataset knows none of that name."""
        named = self._content.get("navmesh_instances", {})
        found = named.get(name) if isinstance(named, dict) else None
        return self.config.parent / found if isinstance(found, str) else None

    @cached_property
    def _objects(self) -> dict[str, Path]:
        found = self._named("objects", _OBJECT)
        for folder in self.extra_objects:
            for path in sorted(folder.glob("*" + _OBJECT)):
                found.setdefault(path.name.removesuffix(_OBJECT), path)
        return found

    @cached_property
    def _articulated(self) -> dict[str, Path]:
        return self._named("articulated_objects", _AO)

    @cached_property
    def _urdfs(self) -> dict[str, Path]:
        return self._named("articulated_objects", _URDF)

    def _named(self, section: str, ending: str) -> dict[str, Path]:
        """Return name -> file of a section: its paths are files, folders or patterns of either."""
        block = self._content.get(section, {})
        groups = block.get("paths", {}) if isinstance(block, dict) else {}
        patterns = [p for group in groups.values() for p in group if isinstance(p, str)]
        found: dict[str, Path] = {}
        for pattern in patterns:
            for place in sorted(self._places(pattern)):
                files = place.glob("*" + ending) if place.is_dir() else [place]
                for path in sorted(files):
                    if path.name.endswith(ending):
                        found.setdefault(path.name.removesuffix(ending), path)
        return found

    def _places(self, pattern: str) -> Iterable[Path]:
        folder = self.config.parent
        try:
            return [folder / pattern] if (folder / pattern).exists() else folder.glob(pattern)
        except (ValueError, NotImplementedError):
            raise DatasetError(f"{self.config}: damaged: invalid path {pattern[:60]!a}") from None

    def _template(self, files: Mapping[str, Path], name: str, ending: str, what: str) -> Template:
        short = _short(name)
        if short not in files:
            some = ", ".join(sorted(files)[:5])
            raise DatasetError(
                f"{self.config}: no {what} is called '{short}'; there are {len(files)}, such as "
                f"{some or 'none'}; download the data again if it should be there"
            )
        path = files[short]
        return Template(short, path, read_json(path, f"a {what} config ({ending})"))


def _short(name: str) -> str:
    """Return a template's name without folders and ending: Habitat finds handles by such parts."""
    return name.split("/")[-1].split(".")[0]
