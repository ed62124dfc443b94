"""Writing meshes as GLB (binary glTF 2.0): normals, vertex colours, embedded PNG textures.

Plain glTF without extensions, compression or animation, so that every reader takes it. Meshes come
in our frame and are written y up. COLOR_0 holds display values, not light as the standard has it:
Habitat's shaders show them without conversion. Not for reading.
"""

from __future__ import annotations

import io
import json
import struct
from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from langrearrange.habitat.export.collision import Piece
from langrearrange.habitat.frames import to_y_up
from langrearrange.houses.mesh import Mesh
from langrearrange.houses.textures import texture

_JSON_CHUNK, _BINARY_CHUNK = 0x4E4F534A, 0x004E4942
_FLOAT, _UNSIGNED_BYTE, _UNSIGNED_SHORT, _UNSIGNED_INT = 5126, 5121, 5123, 5125
_VERTICES, _INDICES = 34962, 34963
_REPEAT, _LINEAR, _MIPMAPPED = 10497, 9729, 9987
_NEUTRAL: Final = 128
"""A texel of ours that leaves the colour beneath as it is."""


@dataclass(slots=True)
class _Document:
    """A glTF document being written: its JSON lists and its binary chunk."""

    buffer: bytearray = field(default_factory=bytearray)
    views: list[dict[str, Any]] = field(default_factory=list)
    accessors: list[dict[str, Any]] = field(default_factory=list)
    images: list[dict[str, Any]] = field(default_factory=list)
    materials: list[dict[str, Any]] = field(default_factory=list)

    def view(self, data: bytes, target: int = 0) -> int:
        """Append bytes, aligned to four, and return the index of their buffer view."""
        self.buffer += bytes(-len(self.buffer) % 4)
        view = {"buffer": 0, "byteOffset": len(self.buffer), "byteLength": len(data)}
        self.buffer += data
        self.views.append(view | ({"target": target} if target else {}))
        return len(self.views) - 1

    def vertices(self, values: NDArray[Any], bounds: bool = False) -> int:
        """Append a vertex attribute; bytes count as normalised. Returns the accessor's index."""
        floats = values.dtype == np.float32
        more: dict[str, Any] = {} if floats else {"normalized": True}
        if bounds:
            more |= {"min": values.min(axis=0).tolist(), "max": values.max(axis=0).tolist()}
        component = _FLOAT if floats else _UNSIGNED_BYTE
        return self._accessor(values, _VERTICES, component, f"VEC{values.shape[1]}", **more)

    def indices(self, faces: NDArray[np.int32], num_vertices: int) -> int:
        """Append triangles and return the accessor's index."""
        if num_vertices <= 65535:
            return self._accessor(faces.ravel().astype(np.uint16), _INDICES, _UNSIGNED_SHORT)
        return self._accessor(faces.ravel().astype(np.uint32), _INDICES, _UNSIGNED_INT)

    def _accessor(
        self, values: NDArray[Any], target: int, component: int, kind: str = "SCALAR", **more: Any
    ) -> int:
        view = self.view(np.ascontiguousarray(values).tobytes(), target)
        fields = {"bufferView": view, "componentType": component, "count": len(values)}
        self.accessors.append({**fields, "type": kind, **more})
        return len(self.accessors) - 1

    def material(self, name: str, texture_index: int | None) -> int:
        """Append a dull material and return its index."""
        surface: dict[str, Any] = {"metallicFactor": 0.0, "roughnessFactor": 1.0}
        if texture_index is not None:
            surface["baseColorTexture"] = {"index": texture_index}
        self.materials.append({"name": name, "pbrMetallicRoughness": surface})
        return len(self.materials) - 1


def write_glb(path: Path, meshes: Sequence[tuple[str, Mesh]]) -> int:
    """Write named meshes as one GLB file, a node each, and return its size in bytes.

    Args:
        path: the file; its folder must exist.
        meshes: (name, mesh) in one common frame, z up, metres.
    """
    document = _Document()
    peaks = _peaks([mesh for _, mesh in meshes])
    materials = {"": document.material("painted", None)} if "" in peaks else {}
    for index, (name, peak) in enumerate((n, p) for n, p in peaks.items() if n):
        document.images.append(
            {"bufferView": document.view(_png(name, peak)), "mimeType": "image/png", "name": name}
        )
        materials[name] = document.material(name, index)
    primitives = []
    for _, mesh in meshes:
        name = _texture_of(mesh)
        primitive = _primitive(document, mesh, peaks[name] / _NEUTRAL)
        primitives.append(primitive | {"material": materials[name]})
    return _write(path, document, [name for name, _ in meshes], primitives)


def write_collision_glb(path: Path, pieces: Sequence[Piece]) -> int:
    """Write shapes without colours as `write_glb` does, a node each; returns the size in bytes."""
    document = _Document()
    primitives = [
        {
            "attributes": {"POSITION": document.vertices(to_y_up(piece.positions), bounds=True)},
            "indices": document.indices(piece.faces, len(piece.positions)),
        }
        for piece in pieces
    ]
    return _write(path, document, [str(i) for i in range(len(pieces))], primitives)


def _write(
    path: Path, document: _Document, names: Sequence[str], primitives: list[dict[str, Any]]
) -> int:
    data = _packed(document, names, primitives)
    path.write_bytes(data)
    return len(data)


def _texture_of(mesh: Mesh) -> str:
    return mesh.texture if mesh.uv is not None else ""


def _peaks(meshes: Sequence[Mesh]) -> dict[str, int]:
    """Return the texel that becomes white, by texture; "" stands for no texture.

    Our textures brighten as well as darken; glTF's only darken. Texels are stretched so that the
    peak becomes white, and the colours beneath are raised by as much, no farther than they go.
    Whole numbers, so that many files share few pictures.
    """
    brightest: dict[str, float] = {}
    for mesh in meshes:
        name = _texture_of(mesh)
        brightest[name] = max(brightest.get(name, 1.0), float(mesh.colors.max(initial=1.0)))
    return {
        name: min(int(texture(name).max()), int(_NEUTRAL * 255 / value)) if name else _NEUTRAL
        for name, value in brightest.items()
    }


@lru_cache(maxsize=256)
def _png(name: str, peak: int) -> bytes:
    from PIL import Image

    texels = np.minimum(texture(name) * (255 / peak), 255).round().astype(np.uint8)
    file = io.BytesIO()
    Image.fromarray(texels).save(file, "PNG", optimize=True)
    return file.getvalue()


def _primitive(document: _Document, mesh: Mesh, gain: float) -> dict[str, Any]:
    shown = np.clip(mesh.colors * np.float32(gain / 255), 0, 1).astype(np.float32)
    opaque = np.ones((len(shown), 1), np.float32)
    levels = np.round(255 * np.concatenate([shown, opaque], axis=1)).astype(np.uint8)
    attributes = {
        "POSITION": document.vertices(to_y_up(mesh.positions), bounds=True),
        "NORMAL": document.vertices(to_y_up(_unit(mesh.normals))),
        "COLOR_0": document.vertices(levels),
    }
    if mesh.uv is not None:
        attributes["TEXCOORD_0"] = document.vertices(mesh.uv)
    return {"attributes": attributes, "indices": document.indices(mesh.faces, len(mesh.positions))}


def _unit(normals: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return normals of unit length to the last bits, which strict validators ask for."""
    length = np.linalg.norm(normals.astype(np.float64), axis=1, keepdims=True)
    return np.where(length > 0, normals / np.maximum(length, 1e-12), (0, 0, 1)).astype(np.float32)


def _packed(document: _Document, names: Sequence[str], primitives: list[dict[str, Any]]) -> bytes:
    count = len(names)
    content: dict[str, Any] = {
        "asset": {"version": "2.0", "generator": "langrearrange"},
        "scene": 0,
        "scenes": [{"nodes": list(range(count))}],
        "nodes": [{"mesh": i, "name": name} for i, name in enumerate(names)],
        "meshes": [
            {"name": name, "primitives": [primitive]}
            for name, primitive in zip(names, primitives, strict=True)
        ],
        "accessors": document.accessors,
        "bufferViews": document.views,
        "buffers": [{"byteLength": len(document.buffer)}],
    }
    if document.materials:
        content["materials"] = document.materials
    if document.images:
        content["images"] = document.images
        content["samplers"] = [
            {"magFilter": _LINEAR, "minFilter": _MIPMAPPED, "wrapS": _REPEAT, "wrapT": _REPEAT}
        ]
        content["textures"] = [{"source": i, "sampler": 0} for i in range(len(document.images))]
    text = json.dumps(content, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 4)
    binary = bytes(document.buffer) + bytes(-len(document.buffer) % 4)
    total = 12 + 8 + len(text) + 8 + len(binary)
    return b"".join(
        [
            b"glTF", struct.pack("<II", 2, total),
            struct.pack("<II", len(text), _JSON_CHUNK), text,
            struct.pack("<II", len(binary), _BINARY_CHUNK), binary,
        ]
    )  # fmt: skip
