"""A Habitat scene read from its metadata: receptacles, what opens, where things may be put.

Y up, metres, as in the files. What a robot does there is said in `home`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.official.names import RECEPTACLE_OF
from langrearrange.errors import DatasetError
from langrearrange.habitat.data.articulated import Articulated
from langrearrange.habitat.data.openables import PlacedOpenable, find_openables
from langrearrange.habitat.data.reading import glb_box, numbers, posed, scaled
from langrearrange.habitat.data.scene_dataset import SceneDataset, Template
from langrearrange.habitat.frames import Transform
from langrearrange.world.vocabulary import OPENABLES, RECEPTACLES

BOX_PREFIX: Final = "receptacle_aabb_"
_OUR_NAMES: Final = {BOX_PREFIX + name: name for name in RECEPTACLES}
RECEPTACLE_NAMES: Final = {**RECEPTACLE_OF, **_OUR_NAMES}
"""Name of a receptacle box, in ReplicaCAD or in our exports -> our receptacle."""


@dataclass(frozen=True, slots=True, eq=False)
class PlacedBox:
    """A receptacle in a scene.

    Attributes:
        name: what the metadata calls it.
        handle: Habitat's instance handle of what bears it; "" for the stage.
        link: name of its link, "" where its bearer has none.
        frame: (4, 4), the box's frame in the scene with everything closed.
        middle: (3,) in its frame.
        half: (3,) half extents in its frame, positive.
        up: (3,) unit vector in its frame.
    """

    name: str
    handle: str
    link: str
    frame: Transform
    middle: NDArray[np.float64]
    half: NDArray[np.float64]
    up: NDArray[np.float64]

    @property
    def unique_name(self) -> str:
        """What habitat-lab calls it: `<instance>|<name>`."""
        return f"{self.handle or 'stage'}|{self.name}"

    @property
    def centre(self) -> NDArray[np.float64]:
        """(3,): its middle in the scene."""
        placed: NDArray[np.float64] = self.frame[:3, :3] @ self.middle + self.frame[:3, 3]
        return placed


@dataclass(frozen=True, slots=True, eq=False)
class PlacedAsset:
    """Something that a scene is made of.

    Attributes:
        handle: Habitat's instance handle, `frl_apartment_sofa_:0000`; "" for the stage.
        path: what Habitat loads: an object or articulated object config, a URDF, the stage's mesh.
        transform: (4, 4): the simulator object's `transformation`.
        meshes: the files that show it; not looked at.
        links: names of the links of what has joints.
    """

    handle: str
    path: Path
    transform: Transform
    meshes: tuple[Path, ...]
    links: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class HabitatScene:
    """A scene with what our world needs of it.

    Attributes:
        name: of the scene instance.
        config: the scene dataset it belongs to.
        stage: walls and floor.
        rigid: objects that do not open, in the scene's order.
        articulated: what opens, and doors.
        boxes: our receptacle -> its box; receptacles that the scene lacks are missing.
        openables: our openable -> how it opens.
        others: boxes that are none of our receptacles.
        navmesh: the file of its navigation mesh, None if it names none.
        user_defined: the scene's own.
    """

    name: str
    config: Path
    stage: PlacedAsset
    rigid: tuple[PlacedAsset, ...]
    articulated: tuple[PlacedAsset, ...]
    boxes: Mapping[str, PlacedBox]
    openables: Mapping[str, PlacedOpenable]
    others: tuple[PlacedBox, ...]
    navmesh: Path | None
    user_defined: Mapping[str, Any]

    @property
    def meshes(self) -> Iterator[Path]:
        """All files that show something."""
        for placed in (self.stage, *self.rigid, *self.articulated):
            yield from placed.meshes

    @property
    def lacking(self) -> tuple[str, ...]:
        """Receptacles and openables of ours that this scene has not."""
        missing = [name for name in RECEPTACLES if name not in self.boxes]
        return (*missing, *(f"{n} (opens)" for n in OPENABLES if n not in self.openables))


def read_scene(dataset: SceneDataset, name: str) -> HabitatScene:
    """Read a scene's metadata; no mesh is loaded.

    Raises:
        DatasetError: a file is missing or damaged; the message names it.
    """
    scene = dataset.scene(name)
    boxes: dict[str, PlacedBox] = {}
    others: list[PlacedBox] = []
    openables: dict[str, PlacedOpenable] = {}
    counts: dict[str, int] = {}
    rigid: list[PlacedAsset] = []
    articulated: list[PlacedAsset] = []
    for instance in _instances(scene, "object_instances"):
        template = dataset.object(_name_of(instance, scene))
        handle = _handle(template.name, counts)
        frame, transform = _object_frames(instance, template, scene)
        mesh = template.path.parent / str(template.content.get("render_asset"))
        rigid.append(PlacedAsset(handle, template.path, transform, (mesh,)))
        _sort(_boxes(template, handle, lambda _, frame=frame: frame), boxes, others)
    for instance in _instances(scene, "articulated_object_instances"):
        template, urdf = dataset.articulated(_name_of(instance, scene))
        handle = _handle(urdf.stem, counts)
        base, scale = _pose(instance, scene), _scale(instance, scene)
        tree = Articulated(urdf)
        path = template.path if "urdf_filepath" in template.content else urdf
        articulated.append(PlacedAsset(handle, path, base, tree.meshes, tree.links))

        def link_frame(
            link: str, tree: Articulated = tree, base: Transform = base, scale: float = scale
        ) -> Transform:
            return base @ scaled(tree.link_frame(link, {}), scale)

        _sort(_boxes(template, handle, link_frame, scale), boxes, others)
        for found in find_openables(tree, handle, base, scale):
            openables.setdefault(found.name, found)
    named = scene.content.get("navmesh_instance") or scene.name
    return HabitatScene(
        scene.name,
        dataset.config,
        _stage(dataset, scene),
        tuple(rigid),
        tuple(articulated),
        boxes,
        openables,
        tuple(others),
        dataset.navmesh(named) if isinstance(named, str) else None,
        scene.user_defined,
    )


def _instances(scene: Template, key: str) -> Iterator[Mapping[str, Any]]:
    for instance in scene.content.get(key, ()):
        if not isinstance(instance, dict):
            raise DatasetError(f"{scene.path}: damaged: '{key}' holds something else than objects")
        yield instance


def _name_of(instance: Mapping[str, Any], scene: Template) -> str:
    name = instance.get("template_name")
    if not isinstance(name, str):
        raise DatasetError(f"{scene.path}: damaged: an instance names no template")
    return name


def _handle(name: str, counts: dict[str, int]) -> str:
    number = counts.setdefault(name, 0)
    counts[name] += 1
    return f"{name}_:{number:04d}"


def _pose(instance: Mapping[str, Any], scene: Template) -> Transform:
    place = str(scene.path)
    return posed(
        numbers(instance.get("translation", (0, 0, 0)), 3, place),
        numbers(instance.get("rotation", (1, 0, 0, 0)), 4, place),
    )


def _scale(instance: Mapping[str, Any], scene: Template) -> float:
    return float(numbers([instance.get("uniform_scale", 1.0)], 1, str(scene.path))[0])


def _object_frames(
    instance: Mapping[str, Any], template: Template, scene: Template
) -> tuple[Transform, Transform]:
    """Return the frame of an object's asset, in which its receptacles are, and its transformation.

    Habitat places an object by its centre of mass unless the scene says `asset_local`; without a
    `COM` that is the middle of its box. Its `up` and `front` turn the asset.
    """
    pose = _pose(instance, scene)
    origin = instance.get("translation_origin", scene.content.get("translation_origin", "COM"))
    frame = pose.copy()
    frame[:3, :3] = pose[:3, :3] @ asset_turn(template) * _scale(instance, scene)
    shift = frame[:3, :3] @ centre_of_mass(template)
    if str(origin).lower() == "asset_local":
        pose[:3, 3] += shift
    else:
        frame[:3, 3] -= shift
    return frame, pose


def _stage(dataset: SceneDataset, scene: Template) -> PlacedAsset:
    instance = scene.content.get("stage_instance")
    if not isinstance(instance, dict):
        raise DatasetError(f"{scene.path}: damaged: it names no stage")
    template = dataset.stage(_name_of(instance, scene))
    transform = _pose(instance, scene)
    transform[:3, :3] = transform[:3, :3] @ asset_turn(template)
    mesh = template.file("render_asset", "the mesh")
    return PlacedAsset("", mesh, transform, (mesh,))


def asset_turn(template: Template) -> NDArray[np.float64]:
    """Return (3, 3): how Habitat turns an object's asset, by the config's `up` and `front`."""
    place = str(template.path)
    up = numbers(template.content.get("up", (0, 1, 0)), 3, place)
    front = numbers(template.content.get("front", (0, 0, -1)), 3, place)
    turn = np.stack([np.cross(front, up), up, -front])
    if np.abs(turn @ turn.T - np.eye(3)).max() > 1e-3:
        raise DatasetError(f"{template.path}: damaged: 'up' and 'front' are not perpendicular")
    return turn


def centre_of_mass(template: Template) -> NDArray[np.float64]:
    """Return (3,): where Habitat puts an object's origin, in its asset's own frame."""
    if "COM" in template.content:
        return numbers(template.content["COM"], 3, str(template.path))
    middle: NDArray[np.float64] = glb_box(template.file("render_asset", "the mesh")).mean(axis=0)
    return middle


def _boxes(
    template: Template, handle: str, frame_of: Any, scale: float = 1.0
) -> Iterator[PlacedBox]:
    place = str(template.path)
    for key, entry in template.user_defined.items():
        if not key.startswith(BOX_PREFIX) or not isinstance(entry, dict):
            continue
        up = numbers(entry.get("up", (0, 1, 0)), 3, place)
        if np.abs(np.sort(np.abs(up)) - (0, 0, 1)).max() > 1e-3:
            raise DatasetError(f"{place}: damaged: 'up' of {key} is along no axis")
        link = entry.get("parent_link", "")
        yield PlacedBox(
            str(entry.get("name", key)),
            handle,
            str(link),
            frame_of(link),
            scale * numbers(entry.get("position"), 3, place),
            np.abs(scale * numbers(entry.get("scale"), 3, place)),  # some are stored negative
            up,
        )


def _sort(found: Iterator[PlacedBox], boxes: dict[str, PlacedBox], others: list[PlacedBox]) -> None:
    for box in found:
        name = RECEPTACLE_NAMES.get(box.name, "")
        if name and name not in boxes:
            boxes[name] = box
        else:
            others.append(box)
