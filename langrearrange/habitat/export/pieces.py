"""How exported flats are cut into Habitat's objects, and what these are called. No files."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from langrearrange.errors import HouseError
from langrearrange.habitat.frames import yaw_of
from langrearrange.houses.house import House, Part
from langrearrange.houses.inventory import INVENTORY

DATASET: Final = "langrearrange"
EXPORT_COMMAND: Final = "langrearrange export --format habitat"
"""What writes flats, for messages."""
_DESIGNS: Final = {
    kind.name: [part for part in kind.parts if part.semantic != "decor"]
    for kind in sorted(INVENTORY, key=lambda kind: kind.name)
    if any(part.openable for part in kind.parts)
}
PIECES: Final = {
    name: tuple(part.name for part in parts if not part.openable)
    for name, parts in _DESIGNS.items()
}
"""What opens -> the parts of its body; the fridge's doors and the drawers hang on them."""
_PIECE_OF: Final = {part.name: name for name, parts in _DESIGNS.items() for part in parts}


def dataset_config(out: Path) -> Path:
    """Return the file that names everything of a dataset exported to `out`."""
    return out / f"{DATASET}.scene_dataset_config.json"


def piece_parts(house: House, piece: str) -> list[Part]:
    """Return the parts of what opens: its body, then what moves, in the house's order."""
    body = [house.part(name) for name in PIECES[piece]]
    moving = [part for part in house.parts if part.openable and piece_of(part.name) == piece]
    return [*body, *moving]


def piece_of(part_name: str) -> str:
    """Return what opens that a part belongs to; "" for furniture of its own."""
    return _PIECE_OF.get(part_name, "")


class Joint(NamedTuple):
    """How a part moves from its closed pose: by turning or sliding along an axis.

    Attributes:
        kind: `revolute` or `prismatic`.
        axis: unit vector in the part's own frame, y up; opening is positive.
        travel: how far it opens, rad or m.
    """

    kind: str
    axis: tuple[float, float, float]
    travel: float


def joint_of(part: Part) -> Joint:
    """Return how a moving part opens.

    Raises:
        HouseError: it neither slides along a line nor turns about an upright hinge at its origin.
    """
    back = part.closed[:, :3].astype(np.float64).T
    turn, slide = back @ part.opened[:, :3], back @ (part.opened[:, 3] - part.closed[:, 3])
    angle, distance = yaw_of(turn), float(np.linalg.norm(slide))
    upright = abs(turn[2, 2] - 1) < 1e-5
    if upright and abs(angle) < 1e-6 and distance > 1e-6:
        x, y, z = (round(float(value) / distance, 6) + 0.0 for value in slide)
        return Joint("prismatic", (x, z, round(-y, 6) + 0.0), round(distance, 6))
    if upright and distance < 1e-5 and abs(angle) > 1e-6:
        return Joint("revolute", (0.0, math.copysign(1.0, angle), 0.0), round(abs(angle), 6))
    raise HouseError(f"'{part.name}' neither slides nor turns about an upright hinge")


def joint_name(part_name: str) -> str:
    """Return the name of the joint that a part hangs on."""
    return f"{part_name}_joint"


def link_indices(house: House, piece: str) -> dict[str, int]:
    """Return part name -> the index that Habitat gives its link.

    All links hang on the root (-1); Habitat numbers siblings by the names of their joints.
    """
    names = sorted((part.name for part in piece_parts(house, piece)), key=joint_name)
    return {name: index for index, name in enumerate(names)}


def furniture_handle(house: House, part_name: str) -> str:
    """Return the template name of a piece of furniture that does not open."""
    return f"{house.id}_{part_name}"


def scene_file(scene_dataset_config: Path, house_id: str) -> str:
    """Return the path of a flat's scene within an exported dataset."""
    return (scene_dataset_config.parent / "scenes" / f"{house_id}.scene_instance.json").as_posix()
