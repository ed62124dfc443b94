"""Flats as a Habitat scene dataset: stages, furniture, doors and drawers, things, scenes.

Not for talking to Habitat. The rules of the format that matter are kept here, each with its reason;
everything is y up, metres, and `<name>.scene_dataset_config.json` is written last.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from langrearrange.habitat.export.collision import convex_pieces
from langrearrange.habitat.export.glb import write_collision_glb, write_glb
from langrearrange.habitat.export.paint import carried, lit
from langrearrange.habitat.export.pieces import (
    DATASET,
    PIECES,
    dataset_config,
    furniture_handle,
    joint_name,
    joint_of,
    piece_parts,
)
from langrearrange.habitat.export.receptacles import receptacle_boxes
from langrearrange.habitat.export.urdf import Link, urdf_text
from langrearrange.habitat.frames import inverse, quaternion_y_up, translation_y_up
from langrearrange.houses.geometry import compose, rigid
from langrearrange.houses.homes import get_house
from langrearrange.houses.house import House, Part
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.meshes import part_mesh
from langrearrange.houses.models import MODELS, object_mesh
from langrearrange.world.vocabulary import RECEPTACLES

_UP: Final = [0, 1, 0]
_FRONT: Final = [0, 0, -1]
_THING_KG: Final = 0.2
_FURNITURE_KG: Final = 30.0


def export_habitat(
    house_ids: Sequence[str],
    out: Path,
    model_ids: Sequence[str] = tuple(MODELS),
    advance: Callable[[int, str], None] = lambda steps, note: None,
) -> Path:
    """Write flats and models of things as one Habitat scene dataset.

    Scene `<flat id>` is the flat without things, everything closed; things are templates
    `objects/<model id>`. The scene's `user_defined` holds the stances of the robot.

    Args:
        house_ids: which flats.
        out: the dataset's folder, made if needed.
        model_ids: which models of things.
        advance: called with (1, id) after each flat and each model.

    Returns:
        The path of the `.scene_dataset_config.json` to give to Habitat.

    Raises:
        HouseError: a flat or model does not exist.
    """
    houses = [get_house(house_id) for house_id in house_ids]
    things = {model_id: object_mesh(model_id) for model_id in model_ids}
    for folder in ("stages", "objects", "furniture", "urdf", "lighting", "scenes"):
        (out / folder).mkdir(parents=True, exist_ok=True)
    for model_id, mesh in things.items():
        _write_object(out / "objects", model_id, lit(mesh, rigid(0, 0, 0, 0)), _THING_KG, {})
        advance(1, model_id)
    for house in houses:
        _write_flat(house, out)
        advance(1, house.id)
    _write(out / "lighting" / f"{DATASET}.lighting_config.json", _LIGHTING)
    config = dataset_config(out)
    _write(config, _DATASET_CONFIG)
    return config


_DATASET_CONFIG: Final[dict[str, Any]] = {
    "stages": {"paths": {".json": ["stages"]}},
    "objects": {"paths": {".json": ["objects", "furniture"]}},
    "articulated_objects": {"paths": {".json": ["urdf/*"]}},
    "light_setups": {"paths": {".json": ["lighting"]}},
    "scene_instances": {"paths": {".json": ["scenes"]}},
}
_LIGHTING: Final[dict[str, Any]] = {
    "lights": {
        name: {"type": "directional", "direction": direction, "color": [1, 1, 1], "intensity": i}
        for name, direction, i in (
            ("from above", [-0.36, -0.89, -0.28], 0.6),
            ("fill from -x", [1, -0.2, 0], 0.35),
            ("fill from +x", [-1, -0.2, 0], 0.35),
            ("fill from -z", [0, -0.2, 1], 0.35),
            ("fill from +z", [0, -0.2, -1], 0.35),
            ("from the floor", [0, 1, 0], 0.35),
        )
    }
}
"""For who draws with `phong`: what faces away from all lights would be nearly black. Our own files
ask for `flat`, the light being in their colours, and our scenes for no lights."""


def _write_flat(house: House, out: Path) -> None:
    bodies = {name for names in PIECES.values() for name in names}
    fixed = [part for part in house.parts if not part.openable and part.name not in bodies]
    furniture = [part for part in fixed if part.name in RECEPTACLES]
    _write_stage(house, [part for part in fixed if part.name not in RECEPTACLES], out / "stages")
    scene: dict[str, Any] = {
        "stage_instance": {"template_name": f"stages/{house.id}"},
        "object_instances": [],
        "articulated_object_instances": [],
        # Habitat's key for none: among lights it shows flat colours at 40 % of their brightness.
        "default_lighting": "no_lights",
        "user_defined": {DATASET: {"house": house.id, "stances": dict(_stances(house))}},
    }
    for part in furniture:
        name = furniture_handle(house, part.name)
        boxes = receptacle_boxes(house, [part], "")
        mesh = lit(part_mesh(part.mesh), part.closed)
        _write_object(out / "furniture", name, mesh, _FURNITURE_KG, boxes)
        scene["object_instances"].append(
            {
                "template_name": f"furniture/{name}",
                "translation": translation_y_up(part.closed),
                "rotation": quaternion_y_up(part.closed),
                "translation_origin": "asset_local",
                "motion_type": "STATIC",
            }
        )
    for piece in PIECES:
        scene["articulated_object_instances"].append(_write_piece(house, piece, out / "urdf"))
    _write(out / "scenes" / f"{house.id}.scene_instance.json", scene)


def _write_stage(house: House, parts: Sequence[Part], folder: Path) -> None:
    meshes = [(p.name, carried(lit(part_mesh(p.mesh), p.closed), p.closed)) for p in parts]
    write_glb(folder / f"{house.id}.glb", meshes)
    config = {
        "render_asset": f"{house.id}.glb",
        "collision_asset": f"{house.id}.glb",
        "margin": 0.0,
        # Without both, Habitat takes a .glb stage to be z up.
        "up": _UP,
        "front": _FRONT,
        "units_to_meters": 1.0,
        "shader_type": "flat",
    }
    _write(folder / f"{house.id}.stage_config.json", config)


def _write_object(folder: Path, name: str, mesh: Mesh, mass: float, user: dict[str, Any]) -> None:
    write_glb(folder / f"{name}.glb", [(name, mesh)])
    config: dict[str, Any] = {
        "render_asset": f"{name}.glb",
        "up": _UP,
        "front": _FRONT,
        # Without it Habitat moves the origin to the middle of the bounding box.
        "COM": [0, 0, 0],
        # Habitat's 4 cm would keep things as far off the surfaces that they stand on.
        "margin": 0.0,
        "mass": mass,
        "units_to_meters": 1.0,
        "shader_type": "flat",
    }
    if user:
        config["user_defined"] = user
        # Of furniture every convex piece; of a thing, the convex hull of what is seen.
        config["collision_asset"] = f"{name}_collision.glb"
        config["join_collision_meshes"] = False
        write_collision_glb(folder / config["collision_asset"], convex_pieces(mesh))
    _write(folder / f"{name}.object_config.json", config)


def _write_piece(house: House, piece: str, folder: Path) -> dict[str, Any]:
    """Write what opens as URDF with its meshes; returns its instance in the scene."""
    name = f"{house.id}_{piece}"
    parts = piece_parts(house, piece)
    base = parts[0].closed
    (folder / name).mkdir(exist_ok=True)
    links = []
    for part in parts:
        mesh = part_mesh(part.mesh)
        joint = joint_of(part) if part.openable else None
        links.append(Link(part.name, compose(inverse(base), part.closed), mesh.bounds, joint))
        write_glb(folder / name / f"{part.name}.glb", [(part.name, lit(mesh, part.closed))])
        write_collision_glb(folder / name / f"{part.name}_collision.glb", convex_pieces(mesh))
    (folder / name / f"{name}.urdf").write_text(urdf_text(name, links))
    config = {
        "urdf_filepath": f"{name}.urdf",
        "base_type": "fixed",
        "render_mode": "link_visuals",
        "shader_type": "flat",
        "user_defined": receptacle_boxes(house, parts, "parent_link"),
    }
    _write(folder / name / f"{name}.ao_config.json", config)
    return {
        "template_name": name,
        "translation": translation_y_up(base),
        "rotation": quaternion_y_up(base),
        "fixed_base": True,
        # Kinematic ones are left out of a navigation mesh; joints can be set all the same.
        "motion_type": "STATIC",
        "initial_joint_pose": {joint_name(link.name): 0.0 for link in links if link.joint},
    }


def _stances(house: House) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield where the robot stands for each nav target: y up, yaw about y, 0 = facing +x."""
    for target, stance in house.stances.items():
        x, y, z = (value / 1000 for value in house.gazes[target])
        yield (
            target,
            {
                "position": translation_y_up(stance.matrix()),
                "yaw": stance.yaw_mrad / 1000,
                "gaze": [x, z, -y],
            },
        )


def _write(path: Path, content: dict[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
