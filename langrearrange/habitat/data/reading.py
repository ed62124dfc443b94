"""Reading files of a Habitat data folder: JSON, XML, GLB boxes. What they mean is said elsewhere.

Nothing of a file is run, and every damaged one gives one sentence with its path.
"""

from __future__ import annotations

import json
import struct
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import DatasetError
from langrearrange.habitat.frames import Transform

_MAX_TEXT: Final = 16 * 1024 * 1024
_FULL: Final = {5120: 127.0, 5121: 255.0, 5122: 32767.0, 5123: 65535.0}
"""Component type of a quantised mesh -> what stands for 1."""
LFS_POINTER: Final = b"version https://git-lfs"
LFS_REMEDY: Final = "run 'git lfs pull' in its folder, or download the data again"


def read_bytes(path: Path, what: str, limit: int = _MAX_TEXT) -> bytes:
    """Return a file's first `limit` bytes.

    Raises:
        DatasetError: it is missing, larger, or a git-lfs pointer; `what` says what it should be.
    """
    try:
        with path.open("rb") as file:
            data = file.read(limit + 1)
    except OSError:
        raise DatasetError(f"{path}: {what} is missing or cannot be read") from None
    if len(data) > limit:
        raise DatasetError(f"{path}: larger than {limit} bytes; {what} is expected here")
    if data.startswith(LFS_POINTER):
        raise DatasetError(f"{path}: only a git-lfs pointer; {LFS_REMEDY}")
    return data


def read_json(path: Path, what: str) -> dict[str, Any]:
    """Return the JSON object that a file holds; DatasetError if it holds none."""
    data = read_bytes(path, what)
    try:
        content = json.loads(data)
    except (ValueError, RecursionError):
        raise DatasetError(f"{path}: damaged: not JSON; {what} is expected here") from None
    if not isinstance(content, dict):
        raise DatasetError(f"{path}: damaged: no JSON object; {what} is expected here")
    return content


def read_xml(path: Path, what: str) -> ET.Element:
    """Return the root of an XML file; DatasetError for a damaged one or one with a DTD."""
    data = read_bytes(path, what)
    if b"<!DOCTYPE" in data or b"<!ENTITY" in data:
        raise DatasetError(f"{path}: refused: it declares entities; {what} needs none")
    try:
        return ET.fromstring(data)
    except ET.ParseError as error:
        raise DatasetError(f"{path}: damaged: not XML ({error}); {what} is expected here") from None


def numbers(value: object, count: int, place: str) -> NDArray[np.float64]:
    """Return a list of finite numbers as an array of shape (count,); DatasetError otherwise."""
    try:
        found = np.array(value, np.float64)
    except (TypeError, ValueError):
        found = np.zeros(0)
    if found.shape != (count,) or not np.isfinite(found).all():
        raise DatasetError(f"{place}: {str(value)[:60]!a} should be {count} numbers")
    return found


def glb_box(path: Path) -> NDArray[np.float64]:
    """Return (2, 3): the corners of what a GLB file shows, in its own frame, metres.

    Only its description is read (bounds of positions, which the format demands), so compressed
    meshes serve as well. A box of turned boxes may be larger than the thing.

    Raises:
        DatasetError: missing, a git-lfs pointer, or no GLB file.
    """
    content = glb_description(path)
    try:
        corners = [
            corner
            for node in content["scenes"][content.get("scene", 0)]["nodes"]
            for corner in _corners(content, node, np.eye(4), 0)
        ]
        stacked = np.concatenate(corners)
    except DatasetError:
        raise
    except (ValueError, KeyError, IndexError, TypeError, AttributeError) as error:
        raise DatasetError(f"{path}: damaged: no readable GLB mesh ({error})") from None
    return np.stack([stacked.min(axis=0), stacked.max(axis=0)])


def glb_description(path: Path) -> dict[str, Any]:
    """Return the JSON that describes a GLB file (binary glTF 2.0); errors as `glb_box`."""
    try:
        with path.open("rb") as file:
            head = file.read(20)
            if LFS_POINTER.startswith(head):
                read_bytes(path, "a mesh (.glb)")
            magic, version, _, length, kind = struct.unpack("<4sIIII", head)
            if (magic, version, kind) != (b"glTF", 2, 0x4E4F534A) or length > _MAX_TEXT:
                raise ValueError("no GLB header")
            content = json.loads(file.read(length))
    except DatasetError:
        raise
    except OSError:
        raise DatasetError(f"{path}: a mesh (.glb) is missing or cannot be read") from None
    except (struct.error, ValueError, RecursionError) as error:
        raise DatasetError(f"{path}: damaged: no readable GLB mesh ({error})") from None
    if not isinstance(content, dict):
        raise DatasetError(f"{path}: damaged: no readable GLB mesh (no JSON object)")
    return content


def _corners(
    content: dict[str, Any], number: int, outer: Transform, depth: int
) -> list[NDArray[np.float64]]:
    if depth > 64:
        raise ValueError("nodes are nested too deep")
    node = content["nodes"][number]
    here = outer @ _node_transform(node)
    found = []
    if "mesh" in node:
        for primitive in content["meshes"][node["mesh"]]["primitives"]:
            accessor = content["accessors"][primitive["attributes"]["POSITION"]]
            full = _FULL[accessor["componentType"]] if accessor.get("normalized") else 1.0
            low, high = (numbers(accessor[key], 3, "accessor") / full for key in ("min", "max"))
            picks = np.array(np.meshgrid([0, 1], [0, 1], [0, 1])).reshape(3, 8).T
            box = np.where(picks == 0, low, high)
            found.append(box @ here[:3, :3].T + here[:3, 3])
    for child in node.get("children", ()):
        found += _corners(content, child, here, depth + 1)
    return found


def _node_transform(node: dict[str, Any]) -> Transform:
    if "matrix" in node:
        return numbers(node["matrix"], 16, "node").reshape(4, 4).T
    x, y, z, w = numbers(node.get("rotation", (0, 0, 0, 1)), 4, "node")
    place = numbers(node.get("translation", (0, 0, 0)), 3, "node")
    transform = posed(place, np.array([w, x, y, z]))
    transform[:3, :3] *= numbers(node.get("scale", (1, 1, 1)), 3, "node")
    return transform


def posed(translation: NDArray[np.float64], rotation: NDArray[np.float64]) -> Transform:
    """Return the transform of a translation and a quaternion (w, x, y, z), which is normalised."""
    norm = float(np.linalg.norm(rotation))
    if norm < 1e-9:
        raise DatasetError(f"invalid rotation {rotation}: its length is 0")
    w, x, y, z = (float(value) / norm for value in rotation)
    result = np.eye(4)
    result[:3, :3] = [
        [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
        [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
        [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
    ]
    result[:3, 3] = translation
    return result


def scaled(frame: Transform, scale: float) -> Transform:
    """Return a frame whose origin is scaled away from its parent's."""
    result = frame.copy()
    result[:3, 3] *= scale
    return result
