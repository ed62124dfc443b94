"""Small scenes for the rasteriser's tests, and a slow ray caster that says what must be seen."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from langrearrange.houses.mesh import Mesh
from langrearrange.sim.embedded.library import MeshLibrary

IDENTITY = np.eye(4, dtype=np.float32)[:3].copy()
FLAT_LIGHT = np.array([0, 0, 1, 1, 0, 0, 10, 20, 30], np.float32)
"""Ambient 1 and nothing else: a vertex's colour is what is seen. Background (10, 20, 30)."""
BACKGROUND = (10, 20, 30)


def soup(vertices: NDArray[np.float64], colors: NDArray[np.float64] | None = None) -> Mesh:
    """Return a mesh of separate triangles from corners of shape (3 * n, 3)."""
    count = len(vertices)
    if colors is None:
        colors = np.full((count, 3), 200.0)
    normals = np.tile(np.array([0, 0, 1], np.float32), (count, 1))
    faces = np.arange(count, dtype=np.int32).reshape(-1, 3)
    return Mesh(vertices.astype(np.float32), normals, colors.astype(np.float32), faces)


def two_sided(mesh: Mesh) -> Mesh:
    """Return the mesh with every face seen from both sides."""
    faces = np.concatenate([mesh.faces, mesh.faces[:, ::-1]])
    return Mesh(mesh.positions, mesh.normals, mesh.colors, np.ascontiguousarray(faces))


def jittered_grid(rng: np.random.Generator, n: int, z: float = -1.0, half: float = 3.0) -> Mesh:
    """Return an n x n grid at height z whose inner vertices are moved: triangles of all shapes."""
    axis = np.linspace(-half, half, n + 1)
    x, y = np.meshgrid(axis, axis, indexing="ij")
    jitter = 0.4 * 2 * half / n
    x[1:-1, 1:-1] += rng.uniform(-jitter, jitter, (n - 1, n - 1))
    y[1:-1, 1:-1] += rng.uniform(-jitter, jitter, (n - 1, n - 1))
    positions = np.stack([x, y, np.full_like(x, z)], axis=-1).reshape(-1, 3)
    i, j = np.meshgrid(np.arange(n), np.arange(n), indexing="ij")
    a = (i * (n + 1) + j).reshape(-1)
    b, c, d = a + n + 1, a + n + 2, a + 1
    faces = np.concatenate([np.stack([a, b, c], 1), np.stack([a, c, d], 1)]).astype(np.int32)
    count = len(positions)
    normals = np.tile(np.array([0, 0, 1], np.float32), (count, 1))
    colors = rng.uniform(40, 250, (count, 3)).astype(np.float32)
    return Mesh(positions.astype(np.float32), normals, colors, faces)


def camera(
    focal: float = 1.0, near: float = 0.05, view: NDArray[np.float32] = IDENTITY
) -> NDArray[np.float32]:
    """Return the 14 numbers of a camera; the default looks along -z, y up."""
    return np.array([*np.asarray(view, np.float32).reshape(-1), focal, near], np.float32)


class Stage:
    """Meshes at poses, drawn without the layers above the rasteriser."""

    def __init__(self, *meshes: Mesh, poses: NDArray[np.float32] | None = None) -> None:
        self.library = MeshLibrary()
        indices = [self.library.add(mesh, f"mesh {i}") for i, mesh in enumerate(meshes)]
        self.meshes = meshes
        self.ids = np.array([[index, i, 0] for i, index in enumerate(indices)], np.int32)
        if poses is None:
            poses = np.tile(IDENTITY, (len(meshes), 1, 1))
        self.poses = np.ascontiguousarray(poses, np.float32)

    def draw(
        self,
        height: int,
        width: int,
        cam: NDArray[np.float32] | None = None,
        samples: int = 1,
        look: NDArray[np.float32] = FLAT_LIGHT,
    ) -> tuple[NDArray[np.uint8], NDArray[np.float32], NDArray[np.int32]]:
        rgb = np.full((height, width, 3), 77, np.uint8)
        depth = np.full((height, width), np.nan, np.float32)
        segmentation = np.full((height, width), -77, np.int32)
        view = (self.ids, self.poses, camera() if cam is None else cam, rgb, depth, segmentation)
        self.library.raster.draw([view], look, samples, False, 1)
        return rgb, depth, segmentation

    def cast(
        self, height: int, width: int, focal: float = 1.0, near: float = 0.05
    ) -> tuple[NDArray[np.float64], NDArray[np.int32]]:
        """Return depth and segmentation by testing every ray against every front face."""
        x = ((np.arange(width) + 0.5) * 2 / width - 1) / focal
        y = (1 - (np.arange(height) + 0.5) * 2 / height) * height / width / focal
        rays = np.stack([*np.meshgrid(x, y), np.full((height, width), -1.0)], -1).reshape(-1, 3)
        depth = np.full(len(rays), np.inf)
        owner = np.full(len(rays), -1, np.int32)
        for index, (mesh, pose) in enumerate(zip(self.meshes, self.poses, strict=True)):
            points = mesh.positions.astype(float) @ pose[:, :3].T.astype(float) + pose[:, 3]
            for a, b, c in points[mesh.faces]:
                t = _hit(rays, a, b, c)
                nearer = (t > near) & (t < depth)
                depth[nearer], owner[nearer] = t[nearer], index
        shape = (height, width)
        return np.where(np.isinf(depth), 0, depth).reshape(shape), owner.reshape(shape)


def _hit(
    rays: NDArray[np.float64],
    a: NDArray[np.float64],
    b: NDArray[np.float64],
    c: NDArray[np.float64],
) -> NDArray[np.float64]:
    """Return where rays from the origin meet a triangle seen from its front, else infinity."""
    matrix = np.stack([a, b, c], axis=1)
    if abs(np.linalg.det(matrix)) < 1e-12:
        return np.full(len(rays), np.inf)
    weight = rays @ np.linalg.inv(matrix).T  # corner weights over depth
    front = np.dot(np.cross(b - a, c - a), a) < 0
    inside = (weight >= 0).all(axis=1) & front
    return np.where(inside, 1 / np.maximum(weight.sum(axis=1), 1e-12), np.inf)
