"""Meshes of users rest on their base, get few triangles, come from the cache; losses are told."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st

from langrearrange.errors import HouseError
from langrearrange.houses import models_of, object_mesh
from langrearrange.houses.exchange import import_mesh, meshes_import, write_glb
from langrearrange.houses.exchange.decimate import decimated
from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.shapes import moved, plane

MUG = models_of("mug")[0].id


@pytest.fixture(autouse=True)
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache"


def sphere_file(path: Path, radius: float = 0.05, subdivisions: int = 4) -> Path:
    """Write a sphere of 20 * 4^subdivisions triangles, half red, half white, with trimesh."""
    sphere = trimesh.creation.icosphere(subdivisions=subdivisions, radius=radius)
    colors = np.full((len(sphere.vertices), 4), 255, np.uint8)
    colors[sphere.vertices[:, 1] > 0, 1:3] = 0  # its upper half, y up
    sphere.visual.vertex_colors = colors
    sphere.apply_translation((3, 2, 1))
    path.write_bytes(sphere.export(file_type="glb"))
    return path


def test_our_own_mesh_comes_back_unchanged(tmp_path: Path) -> None:
    mesh = object_mesh(MUG)
    write_glb(tmp_path / "mug.glb", [("mug", moved(mesh, 1, 2, 3))])
    back = import_mesh(tmp_path / "mug.glb")
    assert back.mesh.bounds == pytest.approx(mesh.bounds, abs=2e-5)
    assert back.report.triangles_kept == back.report.triangles_read == len(mesh.faces)
    assert back.report.largest_error_mm == 0
    assert np.abs(back.mesh.colors - mesh.colors).max() < 0.01
    assert back.report.size_mm == models_of("mug")[0].size_mm


def test_a_fine_mesh_is_decimated_and_rests_on_its_base(tmp_path: Path) -> None:
    path = sphere_file(tmp_path / "ball.glb")
    mesh, report = (result := import_mesh(path)).mesh, result.report
    assert report.triangles_read == 5_120
    assert 1_000 < report.triangles_kept == len(mesh.faces) <= 2_000
    assert 0 < report.mean_error_mm < report.largest_error_mm < 1
    assert report.size_mm == pytest.approx((100, 100, 100), abs=3)
    low, high = mesh.bounds
    assert low[2] == pytest.approx(0, abs=1e-6)
    assert low[:2] == pytest.approx(-high[:2], abs=1e-4)
    # Red above, white below; normals look outwards; no holes: every edge has two sides.
    middle = mesh.positions - np.array([0, 0, high[2] / 2], np.float32)
    assert (mesh.colors[middle[:, 2] > 0.01, 1] < 100).all()
    assert (mesh.colors[middle[:, 2] < -0.01, 1] > 150).all()
    outward = (mesh.normals * middle).sum(axis=1) / np.linalg.norm(middle, axis=1)
    assert outward.min() > 0.8
    welded = trimesh.Trimesh(mesh.positions, mesh.faces, process=True)
    assert welded.is_watertight
    assert "5120 triangles read" in str(report)
    assert "mm on average" in str(report)


@settings(max_examples=15, deadline=None)
@given(st.integers(1, 1500))
def test_no_bound_on_triangles_is_passed(bound: int) -> None:
    fewer = decimated(object_mesh(MUG), bound)
    assert len(fewer.mesh.faces) <= bound


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 10**6), st.integers(3, 60), st.integers(1, 200), st.integers(1, 60))
def test_any_soup_of_triangles_comes_out_small_and_finite(
    seed: int, num_points: int, num_faces: int, bound: int
) -> None:
    draw = np.random.default_rng(seed)
    points = draw.integers(0, 5, (num_points, 3)).astype(np.float32)  # many in one place
    faces = draw.integers(0, num_points, (num_faces, 3)).astype(np.int32)
    up = np.tile(np.array([[0, 0, 1]], np.float32), (num_points, 1))
    fewer = decimated(Mesh(points, up, points * 40, faces), bound)
    assert len(fewer.mesh.faces) <= bound
    assert np.isfinite(fewer.mesh.positions).all()
    assert np.isfinite(fewer.mesh.normals).all()
    assert np.isfinite([fewer.mean_error, fewer.largest_error]).all()


def test_the_old_vertices_lie_no_farther_off_than_the_report_says() -> None:
    mesh = object_mesh(MUG)
    fewer = decimated(mesh, len(mesh.faces) // 2)
    corners = fewer.mesh.positions[fewer.mesh.faces]
    for point in mesh.positions:
        points = np.broadcast_to(point, (len(corners), 3))
        nearest = trimesh.triangles.closest_point(corners, points)
        assert np.linalg.norm(nearest - point, axis=1).min() <= fewer.largest_error + 1e-6
    assert fewer.largest_error < 0.002
    assert fewer.mesh.bounds == pytest.approx(mesh.bounds, abs=1e-3)


def test_colours_keep_to_their_side_of_a_seam() -> None:
    """Two sheets that meet at x = 0, one red and one white, become fewer faces of one colour."""
    sheets = [plane(1, 1, color, cells=(12, 12)) for color in ((200, 0, 0), (250, 250, 250))]
    mesh = merged(moved(sheets[0], -1, 0, 0), sheets[1])
    fewer = decimated(mesh, 60).mesh
    corners = fewer.colors[fewer.faces]
    assert len(fewer.faces) <= 60
    assert np.abs(corners - corners[:, :1]).max() < 1
    middle = fewer.positions[fewer.faces].mean(axis=1)
    assert np.array_equal(middle[:, 0] < 0, corners[:, 0, 1] < 100)
    assert fewer.bounds == pytest.approx(mesh.bounds, abs=0.01)


def test_the_second_time_it_comes_from_the_cache(
    tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = sphere_file(tmp_path / "ball.glb")
    first = import_mesh(path)
    (kept,) = cache.rglob("*.npz")
    copy = path.rename(tmp_path / "renamed.glb")  # the content is the key
    monkeypatch.setattr(meshes_import, "parse_glb", None)
    second = import_mesh(copy)
    assert second.report == first.report
    for name in ("positions", "normals", "colors", "faces"):
        assert np.array_equal(getattr(first.mesh, name), getattr(second.mesh, name))
    monkeypatch.undo()
    monkeypatch.setenv("LANGREARRANGE_CACHE", str(cache))
    kept.write_bytes(kept.read_bytes()[:200])  # damaged: made again
    assert import_mesh(copy).report == first.report
    assert len(list(cache.rglob("*"))) == 2
    import_mesh(copy, max_triangles=500)
    assert len(list(cache.rglob("*.npz"))) == 2
    import_mesh(copy, max_triangles=400, cache=False)
    assert len(list(cache.rglob("*.npz"))) == 2


def test_a_texture_becomes_colours_of_vertices_and_the_report_says_so(tmp_path: Path) -> None:
    from langrearrange.houses import get_house, part_mesh

    table = next(p for p in get_house("flat_0_00").parts if p.name == "brown_table")
    mesh = part_mesh(table.mesh)
    write_glb(tmp_path / "table.glb", [("table", mesh)])
    back = import_mesh(tmp_path / "table.glb", cache=False)
    assert back.mesh.texture == ""
    assert back.report.textures_sampled == 1
    assert "1 texture(s) became colours" in str(back.report)
    assert np.abs(back.mesh.colors.mean(axis=0) - mesh.colors.mean(axis=0)).max() < 25


def test_a_mesh_without_normals_gets_some(tmp_path: Path) -> None:
    box = trimesh.creation.box((0.1, 0.2, 0.3))
    path = tmp_path / "box.glb"
    path.write_bytes(box.export(file_type="glb", include_normals=False))
    mesh = import_mesh(path, cache=False).mesh
    assert np.linalg.norm(mesh.normals, axis=1) == pytest.approx(1, abs=1e-5)
    assert np.abs(mesh.normals).max(axis=1).min() > 0.99  # a box has edges
    assert len(mesh.faces) == 12
    assert mesh.bounds[1] == pytest.approx([0.05, 0.15, 0.2])


@pytest.mark.parametrize(
    ("radius", "message"), [(1e-4, "give a scale"), (80.0, "0.001 for a file in millimetres")]
)
def test_sizes_of_no_household_thing_are_refused(
    tmp_path: Path, radius: float, message: str
) -> None:
    path = sphere_file(tmp_path / "odd.glb", radius, subdivisions=1)
    with pytest.raises(HouseError, match=message):
        import_mesh(path)
    import_mesh(path, scale=0.05 / radius, cache=False)


def test_bad_input_is_named_in_a_sentence(tmp_path: Path) -> None:
    with pytest.raises(HouseError, match="no such file"):
        import_mesh(tmp_path / "none.glb")
    (tmp_path / "bad.glb").write_bytes(b"glTF, but not really")
    with pytest.raises(HouseError, match=r"bad\.glb: not version 2"):
        import_mesh(tmp_path / "bad.glb")
    with pytest.raises(HouseError, match="must be positive"):
        import_mesh(tmp_path / "bad.glb", max_triangles=0)
    empty = object_mesh(MUG)
    nothing = Mesh(empty.positions, empty.normals, empty.colors, np.zeros((0, 3), np.int32))
    write_glb(tmp_path / "empty.glb", [("nothing", nothing)])
    with pytest.raises(HouseError, match="shows no triangles"):
        import_mesh(tmp_path / "empty.glb")


def test_an_imported_mesh_can_be_drawn(tmp_path: Path) -> None:
    from langrearrange.sim.embedded.library import mesh_library

    mesh = import_mesh(sphere_file(tmp_path / "ball.glb")).mesh
    assert mesh_library().add(mesh, "a user's ball") >= 0
