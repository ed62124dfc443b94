"""ReplicaCAD's homes and YCB's things as the Habitat backend loads and poses them. No drawing.

The data folder is the one that LANGREARRANGE_HABITAT_DATA names (`habitat.homes`).
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from langrearrange.dataset.episode import ObjectPlacement
from langrearrange.habitat.data.assets import AssetShape
from langrearrange.habitat.data.home import HOME
from langrearrange.habitat.data.scene import HabitatScene
from langrearrange.habitat.homes import asset_file, imported_scene, shape_of
from langrearrange.habitat.simulator.assets import Asset, FlatAssets, Piece
from langrearrange.habitat.simulator.frames import y_up
from langrearrange.houses import House, Matrix
from langrearrange.sim.protocol import SEGMENT_PART
from langrearrange.sim.scene import explicit_pose
from langrearrange.world.vocabulary import OPENABLES


class ReplicaCadHome:
    """A home of ReplicaCAD with the things of an episode.

    Attributes:
        flat: walls, furniture, and what opens.
        things: the `.object_config.json` of every thing, in episode order.
    """

    def __init__(self, house: House, objects: Sequence[ObjectPlacement]) -> None:
        """Look everything up; DatasetError names what is missing or damaged."""
        self.flat = _home_assets(house)
        self.things = [asset_file(thing.model) for thing in objects]
        self._shapes: list[AssetShape] = [shape_of(thing.model) for thing in objects]
        self._stored = [explicit_pose(t.pose) if t.pose is not None else None for t in objects]

    def transform(self, index: int, pose: Matrix) -> list[list[float]]:
        """Return Habitat's (4, 4) transformation of a thing.

        Args:
            index: of the thing.
            pose: (3, 4) as `Scene` has it: of the middle of its base, but for a stored pose of the
                release, which is Habitat's own.
        """
        stored = self._stored[index]
        if stored is not None and np.array_equal(stored, pose):
            return y_up(pose)
        rows: list[list[float]] = self._shapes[index].transform(pose).tolist()
        return rows


@lru_cache(maxsize=128)
def _home_assets(house: House) -> FlatAssets:
    scene = imported_scene(house.id)
    numbers = {part.name: SEGMENT_PART + index for index, part in enumerate(house.parts)}
    assets = [
        Asset(placed.path, (numbers[HOME],), placed.transform.tolist())
        for placed in (scene.stage, *scene.rigid)
    ]
    pieces = []
    for placed in scene.articulated:
        travel = _travel(scene, placed.handle)
        segments = {"": numbers[HOME]}
        for link, (openable, _) in travel.items():
            segments[link] = numbers.get(openable, numbers[HOME])
        pieces.append(Piece(placed.path, segments, placed.transform.tolist(), travel))
    return FlatAssets(tuple(assets), tuple(pieces))


def _travel(scene: HabitatScene, handle: str) -> dict[str, tuple[str, float]]:
    """Return link -> (openable, joint position when open) of what opens."""
    found = {}
    for name in OPENABLES:
        openable = scene.openables[name]
        if openable.handle == handle:
            for link, position in zip(openable.links, openable.joints.values(), strict=True):
                found[link] = name, position
    return found
