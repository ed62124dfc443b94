"""Homes and things of the user's ReplicaCAD and YCB by id, for whoever asks for flats and models.

Which folder is asked of the environment variable, so that worker processes find it as well.
"""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Final

from langrearrange.dataset.official.names import CATEGORY_OF_ASSET, PREFIX
from langrearrange.errors import HouseError
from langrearrange.habitat.data.assets import AssetShape, asset_shape
from langrearrange.habitat.data.folders import DATA_VARIABLE, find_habitat_data
from langrearrange.habitat.data.home import habitat_home
from langrearrange.habitat.data.scene import HabitatScene, read_scene
from langrearrange.habitat.data.scene_dataset import SceneDataset
from langrearrange.houses.homes import HomeSource
from langrearrange.houses.house import House
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.models import ObjectModel
from langrearrange.world.vocabulary import CATEGORIES

_SCENES: Final = {"train": (0, 1, 2), "validation": (3,), "test": (4,)}
"""Role -> ReplicaCAD's macro scenes, as the official release splits them (paper B.5)."""
_NUM_STAGINGS: Final = 21


class ReplicaCadSource(HomeSource):
    """ReplicaCAD's homes with the release's things, read from the user's folder.

    Only Habitat can draw them.
    """

    def roles(self) -> Mapping[str, Sequence[str]]:
        """Return `replica_cad_train` (63), `replica_cad_validation` and `replica_cad_test` (21)."""
        return {
            f"replica_cad_{role}": [
                f"{PREFIX}v3_sc{scene}_staging_{number:02d}"
                for scene in scenes
                for number in range(_NUM_STAGINGS)
            ]
            for role, scenes in _SCENES.items()
        }

    def house(self, name: str) -> House:
        """Return a home.

        Raises:
            HouseError: no data folder is named.
            DatasetError: the data, the scene or a file of it is missing or damaged.
        """
        if not os.environ.get(DATA_VARIABLE):
            raise _not_here(name)
        return habitat_home(imported_scene(name))

    def part_mesh(self, key: str) -> Mesh:
        """Raise HouseError: nothing of them is drawn outside Habitat."""
        raise _not_here(key.partition("/")[0])

    def models_of(self, category: str) -> Sequence[ObjectModel]:
        """Return the assets of a category in the release's order; errors as `shape_of`."""
        if category not in CATEGORIES:
            accepted = ", ".join(CATEGORIES)
            raise HouseError(f"no category '{category}'; the categories are {accepted}")
        return [self.model(asset) for asset, own in CATEGORY_OF_ASSET.items() if own == category]

    def model(self, model_id: str) -> ObjectModel:
        """Return an asset as a model: its id, category and size; errors as `shape_of`."""
        return shape_of(model_id).model

    def model_mesh(self, model_id: str) -> Mesh:
        """Raise HouseError, as `part_mesh` does."""
        raise _not_here(model_id)


def _not_here(name: str) -> HouseError:
    return HouseError(
        f"'{name}' belongs to another simulator and cannot be drawn here; play its episodes with "
        "observation='state' or 'text', or in Habitat with its assets (their folder is named by "
        f"{DATA_VARIABLE})"
    )


def imported_scene(house_id: str) -> HabitatScene:
    """Return the scene of a home of ReplicaCAD.

    Raises:
        DatasetError: the data, the scene or a file of it is missing or damaged.
    """
    return read_scene(_dataset(), house_id.removeprefix(PREFIX))


def asset_file(asset: str) -> Path:
    """Return an asset's `.object_config.json`, whose mesh is there; errors as `shape_of`."""
    shape_of(asset)
    return _dataset().object(asset).path


def shape_of(asset: str) -> AssetShape:
    """Return an asset's size and base.

    Raises:
        HouseError: it is none of the release's.
        DatasetError: the data, the asset or its mesh is missing or damaged.
    """
    if asset not in CATEGORY_OF_ASSET:
        raise HouseError(
            f"unknown asset '{asset}'; the official release has {len(CATEGORY_OF_ASSET)}"
        )
    return _shape(_dataset(), asset)


def _dataset() -> SceneDataset:
    return _dataset_in(os.environ.get(DATA_VARIABLE) or "data")


@lru_cache(maxsize=4)
def _dataset_in(folder: str) -> SceneDataset:
    found = find_habitat_data(folder)
    return SceneDataset(found.replica_cad, (found.ycb,))


@lru_cache(maxsize=256)
def _shape(dataset: SceneDataset, asset: str) -> AssetShape:
    return asset_shape(dataset, asset)
