"""What a mesh is: triangles with normals, vertex colours and optional texture coordinates.

Not for making shapes (see `houses.shapes`) and not for drawing them.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import HouseError


@dataclass(frozen=True, slots=True, eq=False)
class Mesh:
    """A triangle mesh, in metres, z up, front faces counter-clockwise.

    Attributes:
        positions: (num_vertices, 3) float32, metres.
        normals: (num_vertices, 3) float32, unit length.
        colors: (num_vertices, 3) float32, linear-in-display RGB in [0, 255]; ambient occlusion is
            baked in by multiplying.
        faces: (num_faces, 3) int32.
        uv: (num_vertices, 2) float32 texture coordinates (1.0 = one repeat), or None.
        texture: id of the texture (`houses.textures`), "" for vertex colours only.
    """

    positions: NDArray[np.float32]
    normals: NDArray[np.float32]
    colors: NDArray[np.float32]
    faces: NDArray[np.int32]
    uv: NDArray[np.float32] | None = None
    texture: str = ""

    def __post_init__(self) -> None:
        n = len(self.positions)
        for name in ("positions", "normals", "colors"):
            array = getattr(self, name)
            if array.shape != (n, 3) or array.dtype != np.float32:
                raise HouseError(
                    f"mesh: {name} has shape {array.shape} and dtype {array.dtype}; expected "
                    f"({n}, 3) float32"
                )
        if self.faces.ndim != 2 or self.faces.shape[1] != 3 or self.faces.dtype != np.int32:
            raise HouseError(f"mesh: faces need shape (f, 3) int32, got {self.faces.shape}")
        if self.faces.size and not 0 <= self.faces.min() <= self.faces.max() < n:
            raise HouseError(f"mesh: faces name vertices outside 0..{n - 1}")

    @property
    def bounds(self) -> NDArray[np.float32]:
        """(2, 3) float32: lowest and highest corner, metres."""
        return np.stack([self.positions.min(axis=0), self.positions.max(axis=0)])


def merged(*meshes: Mesh) -> Mesh:
    """Return one mesh holding all (textures must agree)."""
    textures = {mesh.texture for mesh in meshes}
    if len(textures) > 1:
        raise HouseError(f"meshes with different textures cannot be merged: {sorted(textures)}")
    offsets = np.cumsum([0, *(len(mesh.positions) for mesh in meshes[:-1])])
    uvs = [mesh.uv for mesh in meshes if mesh.uv is not None]
    if uvs and len(uvs) < len(meshes):
        raise HouseError("meshes with and without texture coordinates cannot be merged")
    return Mesh(
        np.concatenate([mesh.positions for mesh in meshes]),
        np.concatenate([mesh.normals for mesh in meshes]),
        np.concatenate([mesh.colors for mesh in meshes]),
        np.concatenate(
            [mesh.faces + np.int32(o) for mesh, o in zip(meshes, offsets, strict=True)]
        ).astype(np.int32),
        np.concatenate(uvs) if uvs else None,
        textures.pop() if textures else "",
    )
