"""Meshes and textures in the rasteriser: each packed once per process, shared by all simulators."""

import threading
from functools import cache
from typing import Any

import numpy as np

from langrearrange.errors import RenderError
from langrearrange.houses.homes import home_source
from langrearrange.houses.mesh import Mesh
from langrearrange.sim.embedded.native import native
from langrearrange.sim.robot import link_mesh
from langrearrange.sim.scene import MeshKey


class MeshLibrary:
    """Hands out indices of packed meshes; they stay valid as long as the library lives."""

    def __init__(self) -> None:
        self.raster: Any = native().Library()
        self._indices: dict[MeshKey, int] = {}
        self._textures: dict[str, int] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """Return how many meshes are packed."""
        return len(self._indices)

    def index(self, key: MeshKey) -> int:
        """Return the index of a mesh; the first call for a key builds and packs it.

        Raises:
            HouseError: no mesh has this name.
            RenderError: the mesh holds numbers that cannot be drawn.
        """
        index = self._indices.get(key)
        if index is None:
            with self._lock:
                index = self._indices.get(key)
                if index is None:
                    index = self._indices[key] = self.add(build_mesh(key), str(key.name))
        return index

    def add(self, mesh: Mesh, name: str) -> int:
        """Pack a mesh that has no key; RenderError names it should it be unfit to draw."""
        texture = self._texture(mesh.texture) if mesh.texture and mesh.uv is not None else -1
        try:
            index: int = self.raster.add_mesh(
                np.ascontiguousarray(mesh.positions, np.float32),
                np.ascontiguousarray(mesh.normals, np.float32),
                np.ascontiguousarray(mesh.colors, np.float32),
                np.ascontiguousarray(mesh.faces, np.int32),
                None if mesh.uv is None else np.ascontiguousarray(mesh.uv, np.float32),
                texture,
            )
        except ValueError as error:
            raise RenderError(f"mesh '{name}': {error}") from None
        return index

    def _texture(self, name: str) -> int:
        if name not in self._textures:
            from langrearrange.houses.textures import texture

            try:
                self._textures[name] = self.raster.add_texture(texture(name))
            except ValueError as error:
                raise RenderError(f"texture '{name}': {error}") from None
        return self._textures[name]


@cache
def mesh_library() -> MeshLibrary:
    """Return the library of this process; RenderError when the rasteriser is missing or stale."""
    return MeshLibrary()


def build_mesh(key: MeshKey) -> Mesh:
    """Return the mesh a key names."""
    if key.kind == "link":
        return link_mesh(key.name)
    source = home_source(key.source)
    return source.model_mesh(key.name) if key.kind == "model" else source.part_mesh(key.name)
