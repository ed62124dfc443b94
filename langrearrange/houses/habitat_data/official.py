"""An episode in ReplicaCAD as Habitat builds it: scene, asset and pose of each thing. No drawing.

Everything is checked to be there before a simulator is asked for it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import numpy as np

from langrearrange.dataset.episode import Episode, Pose
from langrearrange.dataset.official.names import PREFIX
from langrearrange.errors import DatasetError, HouseError
from langrearrange.houses.flats import is_imported
from langrearrange.houses.geometry import compose, rigid
from langrearrange.houses.habitat_data.assets import AssetShape, asset_shape
from langrearrange.houses.habitat_data.folders import HabitatData, find_habitat_data
from langrearrange.houses.habitat_data.home import habitat_home
from langrearrange.houses.habitat_data.reading import TO_Y_UP, Transform, posed, read_bytes
from langrearrange.houses.habitat_data.scene import HabitatScene, read_scene
from langrearrange.houses.habitat_data.scene_dataset import SceneDataset
from langrearrange.houses.house import House
from langrearrange.houses.slots import slot_pose


@dataclass(frozen=True, slots=True, eq=False)
class AssetPlacement:
    """A thing of an episode in Habitat.

    Attributes:
        object_id: its id in the episode, `apple_0`.
        asset: name of its model, `013_apple`.
        config: the `.object_config.json`; its path is the template's handle in Habitat.
        handle: Habitat's instance handle if things are added in episode order, `013_apple_:0000`.
        transform: (4, 4), y up, metres: the simulator object's `transformation` at t=0.
        shape: its size and base; `shape.transform` says where it goes when it is put down.
    """

    object_id: str
    asset: str
    config: Path
    handle: str
    transform: Transform
    shape: AssetShape


@dataclass(frozen=True, slots=True, eq=False)
class OfficialScene:
    """What Habitat must load for an imported episode.

    Attributes:
        scene: the scene with receptacles and what opens; `scene.config` is the dataset.
        object_folder: folder of object configs to load besides.
        home: stances, gazes and surfaces there.
        things: in episode order.
        joints: instance handle -> joint name -> position, for what is open at t=0.
    """

    scene: HabitatScene
    object_folder: Path
    home: House
    things: tuple[AssetPlacement, ...]
    joints: dict[str, dict[str, float]]


def official_scene(episode: Episode, data: HabitatData | str | Path) -> OfficialScene:
    """Return scene, assets and poses of an imported episode.

    Args:
        episode: imported by `langrearrange import-official`, its poses being kept, or generated
            for ReplicaCAD's homes.
        data: the folder of Habitat data, or what `find_habitat_data` found there.

    Raises:
        HouseError: the episode is not one of the official release's.
        DatasetError: the data, the scene, an asset or a mesh is missing; the message names it and
            what to do.
    """
    if not is_imported(episode.house):
        raise HouseError(
            f"{episode.id} plays in '{episode.house}', one of our flats; it needs no assets: "
            "`langrearrange export-habitat` writes it for Habitat"
        )
    found = data if isinstance(data, HabitatData) else find_habitat_data(data)
    dataset = open_replica_cad(found.replica_cad, found.ycb)
    scene = read_scene(dataset, episode.house.removeprefix(PREFIX))
    home, open_mask = habitat_home(scene), episode.initial_state().open_mask
    counts: dict[str, int] = {}
    things = []
    for thing in episode.objects:
        number = counts.setdefault(thing.model, 0)
        counts[thing.model] += 1
        config = asset_config(dataset, thing.model)
        shape = asset_shape(dataset, thing.model)
        if thing.pose is not None:
            transform = pose_y_up(thing.pose)
        else:
            slot = slot_pose(home, thing.receptacle, thing.slot, open_mask)
            transform = shape.transform(compose(slot, rigid(0, 0, 0, thing.yaw / 1000)))
        handle = f"{thing.model}_:{number:04d}"
        things.append(AssetPlacement(thing.id, thing.model, config, handle, transform, shape))
    joints: dict[str, dict[str, float]] = {}
    for name in episode.open:
        openable = scene.openables.get(name)
        if openable is None:
            raise DatasetError(f"{scene.config}: scene '{scene.name}' has no {name} that opens")
        joints.setdefault(openable.handle, {}).update(openable.joints)
    return OfficialScene(scene, found.ycb, home, tuple(things), joints)


@lru_cache(maxsize=4)
def open_replica_cad(config: Path, objects: Path) -> SceneDataset:
    """Return ReplicaCAD with YCB's objects, indexed once."""
    return SceneDataset(config, (objects,))


def asset_config(dataset: SceneDataset, asset: str) -> Path:
    """Return an asset's object config, whose mesh is there; DatasetError otherwise."""
    if not dataset.has_object(asset):
        raise DatasetError(
            f"asset '{asset}' is neither in {dataset.config.parent} nor in "
            f"{', '.join(map(str, dataset.extra_objects))}; download YCB and ReplicaCAD again"
        )
    template = dataset.object(asset)
    mesh = template.file("render_asset", "the mesh")
    with mesh.open("rb") as file:
        if not file.read(4) == b"glTF":
            read_bytes(mesh, "a mesh (.glb)", 1 << 29)  # says so if it is a git-lfs pointer
            raise DatasetError(f"{mesh}: damaged: no GLB mesh; download it again")
    return template.path


def pose_y_up(pose: Pose) -> Transform:
    """Return an imported pose as Habitat's (4, 4) transform, y up, metres."""
    turned = np.eye(4)
    place = np.array(pose.position, np.float64) / 1000
    here = posed(place, np.array(pose.rotation, np.float64))
    turned[:3, :3] = TO_Y_UP @ here[:3, :3] @ TO_Y_UP.T
    turned[:3, 3] = TO_Y_UP @ here[:3, 3]
    return turned
