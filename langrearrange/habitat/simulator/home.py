"""A home with the things of an episode as Habitat loads and poses them. No habitat_sim here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from langrearrange.dataset.episode import ObjectPlacement
from langrearrange.habitat.data.assets import AssetShape
from langrearrange.habitat.data.home import HOME
from langrearrange.habitat.data.reading import glb_description
from langrearrange.habitat.data.scene import HabitatScene, PlacedAsset
from langrearrange.habitat.frames import Rows, y_up
from langrearrange.habitat.homes import asset_file, imported_scene, shape_of
from langrearrange.habitat.simulator.library import Library
from langrearrange.houses import House
from langrearrange.sim.protocol import SEGMENT_PART
from langrearrange.sim.scene import explicit_pose

Travel = Mapping[str, tuple[str, float]]
"""Link -> (openable, joint position when open)."""


class Fixed(NamedTuple):
    """What of a home is the same in every episode.

    Attributes:
        rigid: requests of `Engine.load`, without `lit`; stage first, then furniture.
        articulated: requests of `Engine.load`, without `lit`.
        travels: how each of them opens.
    """

    rigid: list[dict[str, Any]]
    articulated: list[dict[str, Any]]
    travels: list[Travel]


class EpisodeHome:
    """A home with its things: one of our flats as exported, or one of ReplicaCAD's.

    Attributes:
        fixed: stage and furniture.
        things: the `.object_config.json` of every thing, in episode order.
        lit: whether lights fall on it: the colours of our own files hold their light.
    """

    def __init__(
        self, house: House, objects: Sequence[ObjectPlacement], library: Library | None
    ) -> None:
        """Look everything up.

        Args:
            house: the home.
            objects: of the episode.
            library: the files of our flats; None for a home of ReplicaCAD.

        Raises:
            HabitatError, DatasetError: the message names what is missing or damaged.
        """
        models = [thing.model for thing in objects]
        self.lit = library is None
        self._shapes: list[AssetShape] = []
        self._stored: list[NDArray[np.float32] | None] = []
        if library is None:
            self.fixed = fixed_of(house, imported_scene(house.id))
            self.things: list[Path] = [asset_file(model) for model in models]
            self._shapes = [shape_of(model) for model in models]
            self._stored = [explicit_pose(t.pose) if t.pose is not None else None for t in objects]
        else:
            self.fixed = fixed_of(house, library.scene(house, models))
            self.things = [library.model(model) for model in models]

    def transform(self, index: int, pose: NDArray[np.float32]) -> Rows:
        """Return Habitat's (4, 4) transformation of a thing.

        Args:
            index: of the thing; behind them the links of the arm.
            pose: (3, 4) as `Scene` has it: of the middle of its base, but for a stored pose of the
                release, which is Habitat's own.
        """
        placed = y_up(pose)
        if index < len(self._shapes):
            stored = self._stored[index]
            if stored is None or not np.array_equal(stored, pose):
                placed = self._shapes[index].transform(pose)
        rows: Rows = placed.tolist()
        return rows


@lru_cache(maxsize=128)
def fixed_of(house: House, scene: HabitatScene) -> Fixed:
    """Return a scene as Habitat loads it, under the numbers of the house's parts."""
    numbers = {part.name: SEGMENT_PART + index for index, part in enumerate(house.parts)}
    rest = numbers.get(HOME, -1)
    rigid = []
    for placed in (scene.stage, *scene.rigid):
        name = placed.handle.removeprefix(f"{house.id}_").partition("_:")[0]
        ids = [semantic_id(numbers.get(name, rest))]
        if placed is scene.stage:
            ids = _stage_ids(placed.path, numbers)
        rigid.append(_request(placed, ids))
    articulated, travels = [], []
    for placed in scene.articulated:
        travel = _travel(scene, placed.handle)
        links = {"": semantic_id(rest)} if HOME in numbers else {}
        for link in placed.links:
            name = link if link in numbers else travel.get(link, ("", 0))[0]
            if name in numbers:
                links[link] = semantic_id(numbers[name])
        articulated.append(_request(placed, links))
        travels.append(travel)
    return Fixed(rigid, articulated, travels)


def _request(placed: PlacedAsset, ids: Any) -> dict[str, Any]:
    return {"asset": str(placed.path), "pose": placed.transform.tolist(), "ids": ids}


def semantic_id(segment: int) -> int:
    """Return what Habitat's semantic sensor shows for a segment: 0 means nothing there."""
    return segment + 1


def _stage_ids(path: Path, numbers: Mapping[str, int]) -> list[int]:
    """Return one id for all of a stage, or one for each mesh of its file, in the file's order."""
    if HOME in numbers:
        return [semantic_id(numbers[HOME])]
    nodes = glb_description(path)["nodes"]
    return [semantic_id(numbers[node["name"]]) for node in nodes if "mesh" in node]


def _travel(scene: HabitatScene, handle: str) -> Travel:
    return {
        link: (name, position)
        for name, openable in scene.openables.items()
        if openable.handle == handle
        for link, position in zip(openable.links, openable.joints.values(), strict=True)
    }
