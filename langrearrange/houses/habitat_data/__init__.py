"""Habitat's own data read from files: ReplicaCAD, YCB, scenes. No simulator is needed.

scene = imported_scene("official_v3_sc4_staging_00")  # receptacles and what opens, as placed
home = habitat_home(scene)                            # stances and surfaces there, as a `House`
"""

from langrearrange.houses.habitat_data.assets import AssetShape, asset_shape
from langrearrange.houses.habitat_data.folders import (
    ASSETS,
    DATA_VARIABLE,
    AssetReport,
    HabitatAsset,
    HabitatData,
    download_command,
    find_habitat_data,
)
from langrearrange.houses.habitat_data.home import habitat_home
from langrearrange.houses.habitat_data.homes import (
    ReplicaCadSource,
    asset_file,
    imported_scene,
    shape_of,
)
from langrearrange.houses.habitat_data.navmesh import NavMesh, read_navmesh
from langrearrange.houses.habitat_data.openables import PlacedOpenable
from langrearrange.houses.habitat_data.scene import (
    HabitatScene,
    PlacedAsset,
    PlacedBox,
    read_scene,
)
from langrearrange.houses.habitat_data.scene_dataset import SceneDataset

__all__ = [
    "ASSETS",
    "DATA_VARIABLE",
    "AssetReport",
    "AssetShape",
    "HabitatAsset",
    "HabitatData",
    "HabitatScene",
    "NavMesh",
    "PlacedAsset",
    "PlacedBox",
    "PlacedOpenable",
    "ReplicaCadSource",
    "SceneDataset",
    "asset_file",
    "asset_shape",
    "download_command",
    "find_habitat_data",
    "habitat_home",
    "imported_scene",
    "read_navmesh",
    "read_scene",
    "shape_of",
]
