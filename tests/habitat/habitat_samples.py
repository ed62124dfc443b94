"""A small data folder of our own in the form of ReplicaCAD and YCB, their quirks included."""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any

from langrearrange.dataset.official.names import CATEGORY_OF_ASSET
from langrearrange.habitat.export.glb import write_glb
from langrearrange.houses.shapes import box

SCENE = "v3_sc4_staging_03"
ROOM = ((0.0, 0.0), (6.0, 0.0), (6.0, 5.0), (0.0, 5.0))
"""Corners (x, z) of where one can stand; furniture stands around it."""
_TURNED = [0.7071068, 0.0, 0.7071068, 0.0]
FURNITURE: dict[str, tuple[list[float], list[float], dict[str, Any]]] = {
    "frl_apartment_chair_01": ([1.0, 0.4, -0.6], [1, 0, 0, 0], {
        "receptacle_aabb_Chr1_Top1_frl_apartment_chair_01": ([0, 0.1, 0], [0.23, 0.1, 0.22]),
    }),
    "frl_apartment_table_01": ([3.0, 0.4, -0.6], [1, 0, 0, 0], {
        "receptacle_aabb_Tbl1_Top1_frl_apartment_table_01": ([0, 0.5, 0], [-0.5, -0.1, -0.3]),
    }),
    "frl_apartment_table_02": ([5.0, 0.5, -0.6], [1, 0, 0, 0], {
        "receptacle_aabb_Tbl2_Top1_frl_apartment_table_02": ([0, 0.5, 0], [0.4, 0.1, 0.4]),
    }),
    "frl_apartment_tvstand": ([6.6, 0.3, 2.0], _TURNED, {
        "receptacle_aabb_TvStnd1_Top1_frl_apartment_tvstand": ([0, 0.4, 0], [0.8, 0.1, 0.2]),
    }),
    "frl_apartment_sofa": ([3.0, 0.2, 5.6], [1, 0, 0, 0], {
        "receptacle_aabb_Sofa_frl_apartment_sofa": ([0, 0.3, 0], [0.9, 0.1, 0.3]),
        "receptacle_aabb_back_frl_apartment_sofa": ([0, 0.8, 0.4], [0.9, 0.1, 0.1]),
    }),
}  # fmt: skip
"""Object -> where it stands (y up), how it is turned, its receptacles (middle, half extents)."""
_COUNTER = {
    "receptacle_aabb_counter_left_kitchen_counter": ("body", [-0.2, 1.0, 1.2], [0.3, 0.2, 0.4]),
    "receptacle_aabb_counter_right_kitchen_counter": ("body", [-0.2, 1.0, -0.8], [0.3, 0.2, 0.7]),
    "receptacle_aabb_sink_kitchen_counter": ("body", [-0.2, 0.8, 0.3], [0.11, 0.1, 0.18]),
    "receptacle_aabb_drawer_left_top_frl_apartment_kitchen_counter":
        ("drawer1_top", [0.0, 0.05, 0.0], [-0.25, -0.14, -0.3]),
    "receptacle_aabb_drawer_right_top_frl_apartment_kitchen_counter":
        ("drawer3", [0.0, 0.05, 0.0], [0.25, 0.14, 0.3]),
}  # fmt: skip
_FRIDGE = {
    "receptacle_aabb_middle_topfrl_apartment_refrigerator":
        ("body", [0.0, 0.0, -0.3], [0.27, 0.29, 0.12]),
}  # fmt: skip
COUNTER_AT = [-0.4, 0.0, 2.5]
FRIDGE_AT = [-0.4, 0.95, 4.6]
DRAWERS = {
    "drawer1_top": (0.7, 1.2), "drawer2_top": (0.7, 0.3), "drawer3": (0.7, -0.8),
    "drawer4": (0.3, 0.3),
}  # fmt: skip
"""Link -> height and z of its joint in the counter's frame; all slide along x."""


def write_data(root: Path) -> Path:
    """Write ReplicaCAD, YCB and the robot; returns the data folder."""
    write_replica_cad(root / "replica_cad")
    write_ycb(root / "objects/ycb")
    _write(root / "robots/hab_fetch/robots/hab_fetch.urdf", "<robot name='fetch'/>")
    return root


def write_replica_cad(folder: Path) -> None:
    config = {
        "stages": {"paths": {".json": ["configs/stages"]}},
        "objects": {"paths": {".json": ["configs/objects"]}},
        "articulated_objects": {"paths": {".urdf": ["urdf/*"]}},
        "scene_instances": {"paths": {".json": ["configs/scenes"]}},
        "navmesh_instances": {SCENE: f"navmeshes/{SCENE}.navmesh"},
    }
    _write(folder / "replicaCAD.scene_dataset_config.json", config)
    _write(
        folder / "configs/stages/Stage_v3_sc4_staging.stage_config.json",
        {"render_asset": "../../stages/stage.glb", "up": [0, 1, 0], "front": [0, 0, -1]},
    )
    mesh(folder / "stages/stage.glb", 9, 9, 2.5)
    for name, (_, _, receptacles) in FURNITURE.items():
        write_object(folder, name, receptacles)
    for name in (n for n in CATEGORY_OF_ASSET if n.startswith("frl_")):
        write_object(folder, name, {})
    _write(folder / "urdf/fridge/fridge.urdf", _fridge_urdf())
    _write(folder / "urdf/fridge/fridge.ao_config.json", _ao(_FRIDGE, [0, 0, -1.0]))
    _write(folder / "urdf/kitchen_counter/kitchen_counter.urdf", _counter_urdf())
    _write(folder / "urdf/kitchen_counter/kitchen_counter.ao_config.json", _ao(_COUNTER))
    write_scene(folder, SCENE)
    write_navmesh(folder / f"navmeshes/{SCENE}.navmesh", room_polygons())


def write_object(folder: Path, name: str, receptacles: dict[str, Any]) -> None:
    mesh(folder / f"objects/{name}.glb", 0.12, 0.1, 0.08)
    user = {
        key: {"name": key, "parent_object": name, "position": middle, "scale": half}
        for key, (middle, half) in receptacles.items()
    }
    config: dict[str, Any] = {"render_asset": f"../../objects/{name}.glb", "COM": [0, 0, 0]}
    if user:
        config["user_defined"] = user
    _write(folder / f"configs/objects/{name}.object_config.json", config)


def write_scene(folder: Path, name: str, navmesh: str = "") -> None:
    scene = {
        "stage_instance": {"template_name": "stages/Stage_v3_sc4_staging"},
        "default_lighting": "",
        "object_instances": [
            {"template_name": f"objects/{key}", "translation": place, "rotation": turn,
             "motion_type": "STATIC"}
            for key, (place, turn, _) in FURNITURE.items()
        ],
        "articulated_object_instances": [
            {"template_name": key, "translation_origin": "COM", "fixed_base": True,
             "translation": place, "rotation": [1, 0, 0, 0], "motion_type": "DYNAMIC"}
            for key, place in (("fridge", FRIDGE_AT), ("kitchen_counter", COUNTER_AT))
        ],
        "navmesh_instance": navmesh or name,
    }  # fmt: skip
    _write(folder / f"configs/scenes/{name}.scene_instance.json", scene)


def write_ycb(folder: Path) -> None:
    """Write YCB's objects: z up in their files, no centre of mass given."""
    for name in (n for n in CATEGORY_OF_ASSET if not n.startswith("frl_")):
        mesh(folder / f"meshes/{name}/google_16k/textured.glb", 0.06, 0.08, 0.1)
        config = {
            "render_asset": f"../meshes/{name}/google_16k/textured.glb",
            "up": [0, 0, 1],
            "front": [0, 1, 0],
        }
        _write(folder / f"configs/{name}.object_config.json", config)


def room_polygons() -> list[list[tuple[float, float, float]]]:
    """Return the room as two halves that share an edge, and a small island far away."""
    (x0, z0), _, (x1, z1), _ = ROOM
    half = (x0 + x1) / 2
    left = [(x0, 0.1, z0), (half, 0.1, z0), (half, 0.1, z1), (x0, 0.1, z1)]
    right = [(half, 0.1, z0), (x1, 0.1, z0), (x1, 0.1, z1), (half, 0.1, z1)]
    return [left, right, [(20, 0, 20), (21, 0, 20), (21, 0, 21)]]


def write_navmesh(path: Path, polygons: list[list[tuple[float, float, float]]]) -> None:
    """Write polygons as one Recast tile in Habitat's file format, version 2.

    Enough for our reader; Habitat itself needs the links and details that are left out.
    """
    corners: list[tuple[float, float, float]] = []
    records = b""
    for polygon in polygons:
        numbers = [len(corners) + i for i in range(len(polygon))] + [0] * (6 - len(polygon))
        corners += polygon
        records += struct.pack("<I6H6HHBB", 0, *numbers, *[0] * 6, 1, len(polygon), 0)
    counts = [len(polygons), len(corners), 0, 0, 0, 0, 0, 0, 0]
    tile = struct.pack("<4s4iI9i10f", b"VAND", 7, 0, 0, 0, 0, *counts, *[0.0] * 10)
    tile += b"".join(struct.pack("<3f", *corner) for corner in corners) + records
    header = struct.pack("<4s2i5f2i", b"TESM", 2, 1, *[0.0] * 5, 1, 1) + bytes(56)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(header + struct.pack("<Ii", 1, len(tile)) + tile)


def mesh(path: Path, x: float, y: float, z: float) -> None:
    """Write a box that stands on the origin: x, y, z of our frame, so z is its height."""
    path.parent.mkdir(parents=True, exist_ok=True)
    write_glb(path, [(path.stem, box(x, y, z, (200, 80, 60)))])


def _ao(boxes: dict[str, Any], up: list[float] | None = None) -> dict[str, Any]:
    entries = {}
    for key, (link, middle, half) in boxes.items():
        entries[key] = {"name": key, "parent_link": link, "position": middle, "scale": half}
        if up:
            entries[key]["up"] = up
    return {"user_defined": entries}


def _fridge_urdf() -> str:
    """A fridge whose body is z down, as ReplicaCAD's: turned by not quite a quarter."""
    return f"""<?xml version="1.0" ?>
<robot name="fridge">
<link name="root"/>
<joint name="root_rotation" type="fixed">
  <origin rpy="1.565 0 0" xyz="0 0 0"/><parent link="root"/><child link="body"/>
</joint>
{_link("body")}
{_link("top_door")}
<joint name="top_door_hinge" type="revolute">
  <origin rpy="0 0 0" xyz="0.3 0.35 -0.4"/><parent link="body"/><child link="top_door"/>
  <axis xyz="0 0 1"/><limit lower="0" upper="2.3" effort="10" velocity="1"/>
</joint>
</robot>"""


def _counter_urdf() -> str:
    joints = "".join(
        f"""{_link(link)}<joint name="{link}_joint" type="prismatic">
<origin rpy="0 0 0" xyz="0.1 {y} {z}"/><parent link="body"/><child link="{link}"/>
<axis xyz="1 0 0"/><limit lower="0" upper="0.5" effort="10" velocity="1"/></joint>"""
        for link, (y, z) in DRAWERS.items()
    )
    return f"""<robot name="kitchen_counter"><link name="root"/>
<joint name="body_transform" type="fixed"><parent link="root"/><child link="body"/></joint>
{_link("body")}{joints}</robot>"""


def _link(name: str) -> str:
    return f"""<link name="{name}"><inertial><origin rpy="0 0 0" xyz="0 0 0"/><mass value="7"/>
<inertia ixx="1" ixy="0" ixz="0" iyy="1" iyz="0" izz="1"/></inertial>
<collision><origin rpy="0 0 0" xyz="0 0 0"/>
<geometry><box size="0.1 0.1 0.1"/></geometry></collision></link>"""


def _write(path: Path, content: dict[str, Any] | str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(content if isinstance(content, str) else json.dumps(content, indent=1))
