"""Homes and things of the user's ReplicaCAD and YCB by id, for whoever asks for flats and models.

Which folder is asked of the environment variable, so that worker processes find it as well.
"""

from __future__ import annotations

import os
from functools import lru_cache
from pathlib import Path
from typing import Final

from langrearrange.dataset.official.names import CATEGORY_OF_ASSET, PREFIX
from langrearrange.errors import HouseError
from langrearrange.houses.habitat_data.assets import AssetShape, asset_shape
from langrearrange.houses.habitat_data.folders import DATA_VARIABLE, find_habitat_data
from langrearrange.houses.habitat_data.home import habitat_home
from langrearrange.houses.habitat_data.scene import HabitatScene, read_scene
from langrearrange.houses.habitat_data.scene_dataset import SceneDataset
from langrearrange.houses.house import House
from langrearrange.houses.models import ObjectModel
from langrearrange.world.vocabulary import CATEGORIES

MACRO_SCENES: Final = {
    "replica_cad_train": (0, 1, 2), "replica_cad_validation": (3,), "replica_cad_test": (4,),
}  # fmt: skip
"""Role -> ReplicaCAD's macro scenes, as the official release splits them (paper B.5)."""
NUM_STAGINGS: Final = 21


def replica_cad_homes(role: str) -> tuple[str, ...]:
    """Return the ids of ReplicaCAD's homes for a role (63, 21, 21); no file is looked at."""
    return tuple(
        f"{PREFIX}v3_sc{scene}_staging_{number:02d}"
        for scene in MACRO_SCENES[role]
        for number in range(NUM_STAGINGS)
    )


def data_is_named() -> bool:
    """Whether the environment variable names a data folder."""
    return bool(os.environ.get(DATA_VARIABLE))


def imported_home(house_id: str) -> House:
    """Return a home of ReplicaCAD.

    Raises:
        DatasetError: the data, the scene or a file of it is missing or damaged.
    """
    return habitat_home(imported_scene(house_id))


def imported_scene(house_id: str) -> HabitatScene:
    """Return the scene of a home of ReplicaCAD; errors as `imported_home`."""
    return read_scene(_dataset(), house_id.removeprefix(PREFIX))


def asset_file(asset: str) -> Path:
    """Return an asset's `.object_config.json`, whose mesh is there; errors as `shape_of`."""
    shape_of(asset)
    return _dataset().object(asset).path


def imported_model(asset: str) -> ObjectModel:
    """Return an asset as a model: its id, category and size; HouseError if there is none."""
    return shape_of(asset).model


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


def imported_models_of(category: str) -> tuple[ObjectModel, ...]:
    """Return the assets of a category in the release's order; errors as `shape_of`."""
    if category not in CATEGORIES:
        raise HouseError(f"no category '{category}'; the categories are {', '.join(CATEGORIES)}")
    return tuple(imported_model(a) for a, own in CATEGORY_OF_ASSET.items() if own == category)


def _dataset() -> SceneDataset:
    return _dataset_in(os.environ.get(DATA_VARIABLE) or "data")


@lru_cache(maxsize=4)
def _dataset_in(folder: str) -> SceneDataset:
    found = find_habitat_data(folder)
    return SceneDataset(found.replica_cad, (found.ycb,))


@lru_cache(maxsize=256)
def _shape(dataset: SceneDataset, asset: str) -> AssetShape:
    return asset_shape(dataset, asset)
