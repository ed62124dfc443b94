"""Reading GLB files of any origin: triangles with normals, colours and textures, in our frame.

Reads what shows: node transforms, triangle lists, strips and fans, base colours. What it leaves out
(skins, animation, other maps, points and lines) it names. Not for writing (see `glb`).
"""

from __future__ import annotations

import io
import json
import struct
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import HouseError
from langrearrange.houses.exchange.frames import from_y_up
from langrearrange.houses.exchange.glb import (
    BINARY_CHUNK,
    JSON_CHUNK,
    MAGIC,
    ColorSpace,
    linear_to_srgb,
)

MAX_TEXTURE_PX: Final = 4096
MAX_BYTES: Final = 512 * 1024 * 1024
_DTYPES: Final[dict[int, Any]] = {
    5120: np.int8, 5121: np.uint8, 5122: np.int16, 5123: np.uint16, 5125: np.uint32,
    5126: np.float32,
}  # fmt: skip
_COLUMNS: Final = {"SCALAR": 1, "VEC2": 2, "VEC3": 3, "VEC4": 4, "MAT4": 16}
_REMEDY: Final = "export it again as plain glTF 2.0 binary, without compression"
_UNDERSTOOD: Final = ("KHR_mesh_quantization", "KHR_materials_unlit", "KHR_materials_specular")


@dataclass(frozen=True, slots=True, eq=False)
class Primitive:
    """One piece of a GLB file, where its nodes put it, in our frame.

    Attributes:
        name: of the node.
        positions: (n, 3) float32, metres.
        normals: (n, 3) float32, or None where the file has none.
        colors: (n, 3) float32 in [0, 255] as displayed: vertex colours times the material's.
        faces: (f, 3) int32.
        uv: (n, 2) float32, or None.
        image: (h, w, 3) uint8 that multiplies the colours, or None.
    """

    name: str
    positions: NDArray[np.float32]
    normals: NDArray[np.float32] | None
    colors: NDArray[np.float32]
    faces: NDArray[np.int32]
    uv: NDArray[np.float32] | None
    image: NDArray[np.uint8] | None


@dataclass(frozen=True, slots=True, eq=False)
class GlbScene:
    """What a GLB file shows, and what of it was left out."""

    primitives: tuple[Primitive, ...]
    left_out: tuple[str, ...]


def read_glb(path: Path, colors: ColorSpace = "linear") -> GlbScene:
    """Read a GLB file.

    Args:
        path: the file.
        colors: what COLOR_0 holds; `display` for files written so by `write_glb`.

    Raises:
        HouseError: it is no GLB file, damaged, compressed, or a texture is too large.
    """
    if not path.is_file():
        raise HouseError(f"{path}: there is no such file; give the path of a .glb file")
    if path.stat().st_size > MAX_BYTES:
        raise HouseError(f"{path}: larger than {MAX_BYTES >> 20} MB; simplify it first")
    return parse_glb(path.read_bytes(), str(path), colors)


def parse_glb(data: bytes, name: str, colors: ColorSpace = "linear") -> GlbScene:
    """Read the bytes of a GLB file; see `read_glb`. `name` is for messages."""
    reader = _Reader(*_chunks(data, name), name, colors)
    try:
        return reader.scene()
    except HouseError:
        raise
    except (KeyError, IndexError, ValueError, TypeError, AttributeError, RecursionError) as error:
        raise HouseError(
            f"{name}: damaged: its description does not fit its data "
            f"({type(error).__name__}: {error}); {_REMEDY}"
        ) from None


def _chunks(data: bytes, name: str) -> tuple[dict[str, Any], bytes]:
    if data[:4] != MAGIC:
        raise HouseError(f"{name}: not a GLB file (it does not begin with 'glTF'); {_REMEDY}")
    if len(data) < 20 or struct.unpack_from("<I", data, 4)[0] != 2:
        raise HouseError(f"{name}: not version 2 of GLB; {_REMEDY}")
    if struct.unpack_from("<I", data, 8)[0] != len(data):
        raise HouseError(f"{name}: damaged: its length is not what its header says; copy it again")
    found: dict[int, bytes] = {}
    at = 12
    while at + 8 <= len(data):
        length, kind = struct.unpack_from("<II", data, at)
        if at + 8 + length > len(data):
            raise HouseError(f"{name}: damaged: a chunk reaches past its end; copy it again")
        found.setdefault(kind, data[at + 8 : at + 8 + length])
        at += 8 + length
    try:
        content = json.loads(found[JSON_CHUNK])
    except (KeyError, ValueError):
        raise HouseError(f"{name}: damaged: its JSON cannot be read; copy it again") from None
    if not isinstance(content, dict):
        raise HouseError(f"{name}: damaged: its JSON is no object; copy it again")
    return content, found.get(BINARY_CHUNK, b"")


class _Reader:
    """Walks one document; holds what it leaves out."""

    def __init__(
        self, content: dict[str, Any], binary: bytes, name: str, colors: ColorSpace
    ) -> None:
        self.content, self.binary, self.name, self.colors = content, binary, name, colors
        self.left_out: dict[str, None] = {}
        self.images: dict[int, NDArray[np.uint8]] = {}

    def scene(self) -> GlbScene:
        """Return everything the default scene shows."""
        content = self.content
        unknown = [e for e in content.get("extensionsRequired", ()) if e not in _UNDERSTOOD]
        if unknown:
            raise HouseError(f"{self.name}: needs {', '.join(map(str, unknown))}; {_REMEDY}")
        for key in ("animations", "skins", "cameras"):
            if content.get(key):
                self.left_out[key] = None
        scenes = content.get("scenes") or [{"nodes": range(len(content.get("nodes", ())))}]
        primitives: list[Primitive] = []
        for node in scenes[content.get("scene", 0)].get("nodes", ()):
            self._visit(node, np.eye(4), primitives, 0)
        return GlbScene(tuple(primitives), tuple(self.left_out))

    def _visit(
        self, index: int, above: NDArray[np.float64], found: list[Primitive], depth: int
    ) -> None:
        if depth > 256:
            raise ValueError("its nodes run in a circle")
        node = self.content["nodes"][index]
        here = above @ _local(node)
        if "mesh" in node:
            mesh = self.content["meshes"][node["mesh"]]
            label = str(node.get("name") or mesh.get("name") or f"node {index}")
            for primitive in mesh["primitives"]:
                piece = self._primitive(primitive, here, label)
                if piece is not None:
                    found.append(piece)
        for child in node.get("children", ()):
            self._visit(child, here, found, depth + 1)

    def _primitive(
        self, primitive: dict[str, Any], pose: NDArray[np.float64], label: str
    ) -> Primitive | None:
        mode = primitive.get("mode", 4)
        if mode not in (4, 5, 6):
            self.left_out["points and lines"] = None
            return None
        if primitive.get("targets"):
            self.left_out["morph targets"] = None
        attributes = primitive["attributes"]
        positions = self._accessor(attributes["POSITION"]).astype(np.float64)
        count = len(positions)
        if positions.shape[1:] != (3,) or not np.isfinite(positions).all():
            raise ValueError("positions are not finite")
        if "indices" in primitive:
            order = self._accessor(primitive["indices"]).reshape(-1).astype(np.int64)
        else:
            order = np.arange(count)
        faces = _triangles(order, mode)
        if faces.size and faces.max() >= count:
            raise ValueError("triangles name vertices that are not there")
        if np.linalg.det(pose[:3, :3]) < 0:
            faces = faces[:, ::-1]  # a mirrored node turns its triangles inside out
        normals = None
        if "NORMAL" in attributes:
            turned = self._accessor(attributes["NORMAL"]) @ np.linalg.pinv(pose[:3, :3])
            length = np.linalg.norm(turned, axis=1, keepdims=True)
            normals = from_y_up((turned / np.maximum(length, 1e-12)).astype(np.float32))
        tint, uv, image = self._material(primitive, attributes, count)
        return Primitive(
            label,
            from_y_up((positions @ pose[:3, :3].T + pose[:3, 3]).astype(np.float32)),
            normals, tint, faces.astype(np.int32), uv, image,
        )  # fmt: skip

    def _material(
        self, primitive: dict[str, Any], attributes: dict[str, int], count: int
    ) -> tuple[NDArray[np.float32], NDArray[np.float32] | None, NDArray[np.uint8] | None]:
        """Return colours as displayed, texture coordinates and texture."""
        material: dict[str, Any] = {}
        if "material" in primitive:
            material = self.content["materials"][primitive["material"]]
        for key in ("normalTexture", "occlusionTexture", "emissiveTexture"):
            if key in material:
                self.left_out["normal, occlusion and emissive maps"] = None
        surface = material.get("pbrMetallicRoughness", {})
        if "metallicRoughnessTexture" in surface:
            self.left_out["metal and roughness maps"] = None
        if material.get("alphaMode", "OPAQUE") != "OPAQUE":
            self.left_out["transparency"] = None
        factor = np.array(surface.get("baseColorFactor", (1, 1, 1, 1))[:3], np.float32)
        tint = np.tile(factor, (count, 1))
        if "COLOR_0" in attributes:
            stored = self._accessor(attributes["COLOR_0"])[:, :3].astype(np.float32)
            tint = tint * stored
        shown = tint if self.colors == "display" else linear_to_srgb(np.clip(tint, 0, 1))
        uv, image = None, None
        if "baseColorTexture" in surface:
            reference = surface["baseColorTexture"]
            channel = f"TEXCOORD_{reference.get('texCoord', 0)}"
            if channel in attributes:
                uv = self._accessor(attributes[channel]).astype(np.float32)
                image = self._image(self.content["textures"][reference["index"]]["source"])
        return np.clip(shown * 255, 0, 255).astype(np.float32), uv, image

    def _accessor(self, index: int) -> NDArray[Any]:
        """Return an accessor's values, (count, columns); normalised integers as float32."""
        accessor = self.content["accessors"][index]
        if "sparse" in accessor:
            raise HouseError(f"{self.name}: uses sparse accessors; {_REMEDY}")
        dtype = np.dtype(_DTYPES[accessor["componentType"]]).newbyteorder("<")
        columns, count = _COLUMNS[accessor["type"]], int(accessor["count"])
        view = self.content["bufferViews"][accessor["bufferView"]]
        if view.get("buffer", 0) != 0 or "uri" in self.content["buffers"][0]:
            raise HouseError(f"{self.name}: keeps data in other files; {_REMEDY}")
        width = columns * dtype.itemsize
        stride = int(view.get("byteStride", width))
        start = int(view.get("byteOffset", 0)) + int(accessor.get("byteOffset", 0))
        if min(count, start) < 0 or stride < width:
            raise ValueError("an accessor has a negative size")
        if count and start + (count - 1) * stride + width > len(self.binary):
            raise ValueError("an accessor reaches past the data")
        values: NDArray[Any] = np.ndarray(
            (count, columns), dtype, self.binary, start, (stride, dtype.itemsize)
        )
        if accessor.get("normalized"):
            low = -1.0 if dtype.kind == "i" else 0.0
            return np.maximum(values / np.float32(np.iinfo(dtype).max), low).astype(np.float32)
        return values

    def _image(self, index: int) -> NDArray[np.uint8]:
        from PIL import Image

        if index in self.images:
            return self.images[index]
        entry = self.content["images"][index]
        if "bufferView" not in entry:
            raise HouseError(f"{self.name}: keeps a texture in another file; {_REMEDY}")
        view = self.content["bufferViews"][entry["bufferView"]]
        start = view.get("byteOffset", 0)
        try:
            with Image.open(io.BytesIO(self.binary[start : start + view["byteLength"]])) as picture:
                if max(picture.size) > MAX_TEXTURE_PX:
                    width, height = picture.size
                    raise HouseError(
                        f"{self.name}: a texture of {width} x {height} pixels is too large; scale "
                        f"it down to at most {MAX_TEXTURE_PX} a side"
                    )
                self.images[index] = np.asarray(picture.convert("RGB")).copy()
        except (OSError, SyntaxError, Image.DecompressionBombError) as error:
            raise HouseError(
                f"{self.name}: damaged: a texture cannot be read ({error}); {_REMEDY}"
            ) from None
        return self.images[index]


def _local(node: dict[str, Any]) -> NDArray[np.float64]:
    """Return a node's own transform, (4, 4)."""
    if "matrix" in node:
        return np.array(node["matrix"], np.float64).reshape(4, 4).T
    x, y, z, w = np.array(node.get("rotation", (0, 0, 0, 1)), np.float64)
    result = np.eye(4)
    result[:3, :3] = np.array(
        [
            [1 - 2 * (y * y + z * z), 2 * (x * y - w * z), 2 * (x * z + w * y)],
            [2 * (x * y + w * z), 1 - 2 * (x * x + z * z), 2 * (y * z - w * x)],
            [2 * (x * z - w * y), 2 * (y * z + w * x), 1 - 2 * (x * x + y * y)],
        ]
    ) * np.array(node.get("scale", (1, 1, 1)), np.float64)
    result[:3, 3] = node.get("translation", (0, 0, 0))
    return result


def _triangles(order: NDArray[np.int64], mode: int) -> NDArray[np.int64]:
    """Return (f, 3) corners of a list (4), strip (5) or fan (6) of triangles."""
    if mode == 4:
        return order[: len(order) // 3 * 3].reshape(-1, 3)
    if mode == 6:
        return np.stack([np.full(max(len(order) - 2, 0), order[0]), order[1:-1], order[2:]], axis=1)
    strip = np.stack([order[:-2], order[1:-1], order[2:]], axis=1)
    strip[1::2] = strip[1::2, ::-1]
    return strip
