"""Things of the official release with their sizes: YCB's and ReplicaCAD's. Not where they are."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.official.names import CATEGORY_OF_ASSET
from langrearrange.habitat.data.reading import glb_box
from langrearrange.habitat.data.scene import asset_turn, centre_of_mass
from langrearrange.habitat.data.scene_dataset import SceneDataset
from langrearrange.habitat.frames import Transform, y_up
from langrearrange.houses.geometry import Matrix
from langrearrange.houses.models import ObjectModel


@dataclass(frozen=True, slots=True, eq=False)
class AssetShape:
    """A thing as large as its box.

    Attributes:
        model: id (the asset's name), category and size in our frame, millimetres.
        base: (3,): the middle of its box's lower face, from the origin of Habitat's object, y up.
    """

    model: ObjectModel
    base: NDArray[np.float64]

    def transform(self, resting: Matrix) -> Transform:
        """Return Habitat's `transformation` of the thing at rest.

        Args:
            resting: (3, 4), our frame: where the middle of its base is (`slot_pose`, turned).
        """
        result = y_up(resting)
        result[:3, 3] -= result[:3, :3] @ self.base
        return result


def asset_shape(dataset: SceneDataset, asset: str) -> AssetShape:
    """Return an asset's size and where its base is.

    Raises:
        DatasetError: the asset or its mesh is missing or damaged.
        KeyError: it is none of the release's 81.
    """
    template = dataset.object(asset)
    turn = asset_turn(template)
    corners = glb_box(template.file("render_asset", "the mesh")) - centre_of_mass(template)
    low, high = np.sort(corners @ turn.T, axis=0)
    x, y, z = (max(1, round(float(side) * 1000)) for side in high - low)
    model = ObjectModel(asset, CATEGORY_OF_ASSET[asset], (x, z, y), (), ())
    base = np.array([(low[0] + high[0]) / 2, low[1], (low[2] + high[2]) / 2])
    return AssetShape(model, base)
