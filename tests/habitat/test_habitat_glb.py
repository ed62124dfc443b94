"""Written GLB files are read by trimesh, which shares no code with ours, as the meshes were."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import trimesh

from langrearrange.habitat.export.glb import write_glb
from langrearrange.houses import MODELS, get_house, object_mesh, part_mesh, texture
from langrearrange.houses.mesh import Mesh


def read(path: Path) -> list[Any]:
    return list(trimesh.load_scene(path, process=False).geometry.values())


def test_models_come_back_as_they_went(tmp_path: Path) -> None:
    path = tmp_path / "thing.glb"
    for model_id in list(MODELS)[::9]:
        mesh = object_mesh(model_id)
        assert write_glb(path, [(model_id, mesh)]) == path.stat().st_size
        (theirs,) = read(path)
        assert np.array_equal(theirs.faces, mesh.faces)
        for ours, found in (
            (mesh.positions, theirs.vertices),
            (mesh.normals, theirs.vertex_normals),
        ):
            x, y, z = ours.T
            assert np.abs(found - np.stack([x, z, -y], axis=1)).max() < 2e-3  # of unit length
        shown = theirs.visual.vertex_attributes["color"][:, :3]
        assert np.abs(shown - np.clip(mesh.colors, 0, 255)).max() <= 0.51


def test_nodes_carry_the_names_of_their_meshes(tmp_path: Path) -> None:
    path = tmp_path / "two.glb"
    names = list(MODELS)[:2]
    write_glb(path, [(name, object_mesh(name)) for name in names])
    graph = trimesh.load_scene(path, process=False).graph
    assert sorted(graph.nodes_geometry) == sorted(names)


def test_a_texture_times_its_colours_is_what_we_draw(tmp_path: Path) -> None:
    path, textured = tmp_path / "floor.glb", 0
    for part in get_house("flat_0_00").parts:
        mesh = part_mesh(part.mesh)
        if not mesh.texture:
            continue
        write_glb(path, [(part.name, mesh)])
        (theirs,) = read(path)
        assert mesh.uv is not None
        assert np.abs(theirs.visual.uv - mesh.uv * (1, -1) - (0, 1)).max() < 1e-6  # from below
        image = np.asarray(theirs.visual.material.baseColorTexture.convert("RGB"))
        vertex = int(mesh.colors.max(axis=1).argmin())
        drawn = np.clip(texture(mesh.texture) / 128 * mesh.colors[vertex], 0, 255)
        shown = image / 255 * theirs.visual.vertex_attributes["color"][vertex, :3]
        assert np.abs(shown - drawn).mean() < 1.5, part.name
        assert abs((shown - drawn).mean()) < 1.0, part.name
        textured += 1
    assert textured > 5


def test_textures_are_stored_once(tmp_path: Path) -> None:
    rooms = [p for p in get_house("flat_0_00").parts if p.name.startswith("walls_")]
    one, many = tmp_path / "one.glb", tmp_path / "many.glb"
    meshes = [(p.name, part_mesh(p.mesh)) for p in rooms]
    write_glb(one, meshes[:1])
    write_glb(many, meshes)
    assert many.stat().st_size < one.stat().st_size + 50_000
    assert len(read(many)) == len(rooms) > 1


def test_meshes_without_uv_ignore_their_texture(tmp_path: Path) -> None:
    base = object_mesh(next(iter(MODELS)))
    odd = Mesh(base.positions, base.normals, base.colors, base.faces, None, "wood")
    write_glb(tmp_path / "x.glb", [("x", odd)])
    (theirs,) = read(tmp_path / "x.glb")
    assert getattr(theirs.visual, "uv", None) is None
