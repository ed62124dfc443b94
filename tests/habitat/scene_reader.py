"""An independent reader of Habitat scene datasets for tests: trimesh for meshes, numpy for rays.

It shares no code with `habitat.export`: a mistake there cannot cancel out here.
"""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import numpy as np
import trimesh
from numpy.typing import NDArray

Array = NDArray[Any]
Triangles = Array
"""(n, 3, 3) float64, y up, metres."""
UrdfReader = Callable[[Path, Mapping[str, float]], Triangles]


def scene_triangles(
    out: Path, scene: str, joints: Mapping[str, float], read_urdf: UrdfReader
) -> Triangles:
    """Return everything a scene shows, its joints as given (a joint's name -> rad or m)."""
    content = json.loads((out / "scenes" / f"{scene}.scene_instance.json").read_text())
    stage = content["stage_instance"]["template_name"]
    config = json.loads((out / f"{stage}.stage_config.json").read_text())
    found = [glb_triangles(out / Path(stage).parent / config["render_asset"])]
    for instance in content["object_instances"]:
        template = out / instance["template_name"]
        asset = json.loads(Path(f"{template}.object_config.json").read_text())["render_asset"]
        found.append(moved(glb_triangles(template.parent / asset), placed(instance)))
    for instance in content["articulated_object_instances"]:
        name = instance["template_name"]
        folder = out / "urdf" / name
        path = folder / json.loads((folder / f"{name}.ao_config.json").read_text())["urdf_filepath"]
        assert set(instance["initial_joint_pose"].values()) == {0.0}
        mine = {j: v for j, v in joints.items() if j in instance["initial_joint_pose"]}
        found.append(moved(read_urdf(path, mine), placed(instance)))
    return np.concatenate(found)


def placed(instance: Mapping[str, list[float]]) -> Array:
    """Return the (4, 4) pose of an instance: translation and quaternion w, x, y, z."""
    pose: Array = trimesh.transformations.quaternion_matrix(instance["rotation"])
    pose[:3, 3] = instance["translation"]
    return pose


def glb_triangles(path: Path) -> Triangles:
    scene = trimesh.load_scene(path, process=False)
    return np.concatenate(
        [
            moved(np.asarray(scene.geometry[geometry].triangles), scene.graph.get(node)[0])
            for node in scene.graph.nodes_geometry
            for geometry in [scene.graph[node][1]]
        ]
    )


def moved(triangles: Triangles, pose: Array) -> Triangles:
    turned: Triangles = triangles @ pose[:3, :3].T + pose[:3, 3]
    return turned


def attribute(element: ET.Element, name: str, path: str = ".") -> str:
    """Return an attribute of the element at `path` below one; both have to be there."""
    found = element.find(path)
    assert found is not None, f"<{element.tag}> has no {path}"
    return found.attrib[name]


def numbers(element: ET.Element, name: str, path: str = ".") -> list[float]:
    """Return an attribute that holds numbers."""
    return [float(number) for number in attribute(element, name, path).split()]


def read_urdf(path: Path, joints: Mapping[str, float]) -> Triangles:
    """Read a URDF whose links all hang on the root, by the letter of the format."""
    robot = ET.parse(path).getroot()
    meshes = {
        link.attrib["name"]: attribute(link, "filename", "visual/geometry/mesh")
        for link in robot.iter("link")
        if link.find("visual") is not None
    }
    found = []
    for joint in robot.iter("joint"):
        roll, pitch, yaw = numbers(joint, "rpy", "origin")
        pose = trimesh.transformations.euler_matrix(roll, pitch, yaw, "sxyz")
        pose[:3, 3] = numbers(joint, "xyz", "origin")
        value = joints.get(joint.attrib["name"], 0.0)
        if joint.get("type") != "fixed":
            axis = np.array(numbers(joint, "xyz", "axis"))
            (lower,), (upper,) = (numbers(joint, end, "limit") for end in ("lower", "upper"))
            assert lower <= value <= upper + 1e-9
            if joint.get("type") == "revolute":
                pose = pose @ trimesh.transformations.rotation_matrix(value, axis)
            else:
                pose = pose @ trimesh.transformations.translation_matrix(value * axis)
        mesh = path.parent / meshes[attribute(joint, "link", "child")]
        found.append(moved(glb_triangles(mesh), pose))
    return np.concatenate(found)


def limits(out: Path, scene: str) -> dict[str, float]:
    """Return every joint of a scene with its upper limit."""
    found = {}
    for path in (out / "urdf").glob(f"{scene}_*/*.urdf"):
        for joint in ET.parse(path).getroot().iter("joint"):
            if joint.find("limit") is not None:
                (found[joint.attrib["name"]],) = numbers(joint, "upper", "limit")
    return found


def ray_depth(triangles: Triangles, view: Array, hfov_deg: float, width: int, height: int) -> Array:
    """Return (height, width) depth along the axis of a y-up camera; inf where nothing is.

    Back faces are culled, as Habitat culls them. Moller and Trumbore's test, all against all.
    """
    corners = triangles @ view[:, :3].T + view[:, 3]
    focal = 1 / math.tan(math.radians(hfov_deg) / 2)
    x = (2 * (np.arange(width) + 0.5) / width - 1) / focal
    y = (1 - 2 * (np.arange(height) + 0.5) / height) * height / width / focal
    rays = np.stack([*np.broadcast_arrays(x[None], y[:, None]), np.full((height, width), -1.0)], -1)
    a, u, v = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    normal = np.cross(u, v)
    towards = -(normal * a).sum(axis=1)
    seen = (towards > 1e-15) & (corners[:, :, 2].min(axis=1) < -0.05)
    seen &= ~(corners[:, :, 0] > -corners[:, :, 2] / focal).all(axis=1)
    seen &= ~(corners[:, :, 0] < corners[:, :, 2] / focal).all(axis=1)
    a, u, v, normal, towards = a[seen], u[seen], v[seen], normal[seen], towards[seen]
    # Hit at t: t * ray = a + p u + q v, so t = -towards / (ray . normal); p, q by Cramer.
    across_v, across_u = np.cross(a, v), np.cross(u, a)
    depth = np.full(height * width, np.inf)
    for chunk in np.array_split(np.arange(height * width), max(1, height * width // 64)):
        ray = rays.reshape(-1, 3)[chunk]
        facing = -(ray @ normal.T)
        with np.errstate(divide="ignore", invalid="ignore"):
            t = towards / facing
            p = (ray @ across_v.T) / facing
            q = (ray @ across_u.T) / facing
        hit = (facing > 0) & (p >= 0) & (q >= 0) & (p + q <= 1) & (t > 0.05)
        depth[chunk] = np.where(hit, t, np.inf).min(axis=1)
    return depth.reshape(height, width)
