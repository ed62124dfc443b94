"""How exported flats are cut into Habitat's objects, and what these are called. No files."""

from __future__ import annotations

from pathlib import Path
from typing import Final

from langrearrange.errors import HouseError
from langrearrange.habitat.frames import Joint, joint_between
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


def joint_of(part: Part) -> Joint:
    """Return how a moving part opens; HouseError for one that stands still."""
    if not part.openable:
        raise HouseError(f"'{part.name}' does not move")
    return joint_between(part.closed, part.opened)


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
