"""The rasteriser's promises: right pixels, no gaps, the same bytes on every level and thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from raster_scenes import (
    BACKGROUND,
    FLAT_LIGHT,
    IDENTITY,
    Stage,
    camera,
    jittered_grid,
    soup,
    two_sided,
)

from langrearrange.errors import RenderError
from langrearrange.houses.mesh import Mesh
from langrearrange.sim.embedded.library import MeshLibrary
from langrearrange.sim.embedded.native import levels, native, use_level

BIG_TRIANGLE = np.array([[-9, -9, -2.0], [9, -9, -2.0], [0, 18, -2.0]])


def random_scene(seed: int, num_meshes: int = 6, spread: float = 2.0) -> Stage:
    rng = np.random.default_rng(seed)
    meshes = []
    for _ in range(num_meshes):
        centre = rng.uniform([-spread, -spread, -4], [spread, spread, 0.6])
        corners = centre + rng.uniform(-1.5, 1.5, (12, 3))
        meshes.append(two_sided(soup(corners, rng.uniform(0, 255, (12, 3)))))
    return Stage(*meshes)


def test_a_triangle_shows_its_colour_depth_and_segment_in_every_pixel() -> None:
    colors = np.tile([[12.0, 130.0, 254.0]], (3, 1))
    rgb, depth, segmentation = Stage(soup(BIG_TRIANGLE, colors)).draw(17, 23)
    assert (rgb == [12, 130, 254]).all()
    np.testing.assert_allclose(depth, 2.0, rtol=1e-5)
    assert (segmentation == 0).all()


def test_an_empty_view_is_background_with_depth_0_and_segment_minus_1() -> None:
    behind = BIG_TRIANGLE * [1, 1, -1]
    rgb, depth, segmentation = Stage(soup(behind)).draw(9, 31)
    assert (rgb == BACKGROUND).all()
    assert (depth == 0).all()
    assert (segmentation == -1).all()


def test_back_faces_are_not_seen() -> None:
    _, _, segmentation = Stage(soup(BIG_TRIANGLE[::-1])).draw(8, 8)
    assert (segmentation == -1).all()


def test_colours_are_interpolated_with_perspective() -> None:
    # A floor strip from z = -1 to z = -9 whose red is its distance.
    near, far = -1.0, -9.0
    corners = np.array([[-50, -1, near], [50, -1, near], [50, -1, far],
                        [-50, -1, near], [50, -1, far], [-50, -1, far]])  # fmt: skip
    colors = np.zeros((6, 3))
    colors[:, 0] = -corners[:, 2] * 20
    rgb, depth, segmentation = Stage(soup(corners, colors)).draw(64, 64)
    seen = segmentation == 0
    assert seen.any()
    assert np.abs(rgb[..., 0][seen] - depth[seen] * 20).max() <= 0.51


@settings(max_examples=25, deadline=None)
@given(seed=st.integers(0, 10_000), height=st.integers(1, 40), width=st.integers(1, 40))
def test_every_pixel_shows_what_a_ray_caster_sees(seed: int, height: int, width: int) -> None:
    stage = random_scene(seed)
    _, depth, segmentation = stage.draw(height, width)
    true_depth, owner = stage.cast(height, width)
    differs = segmentation != owner
    # Rays within rounding of an edge may fall on either side of it.
    assert differs.sum() <= max(1, 0.01 * differs.size)
    same = ~differs & (owner >= 0)
    error = np.abs(depth[same] - true_depth[same]) / true_depth[same]
    if error.size:
        assert np.quantile(error, 0.98) < 1e-3


@pytest.mark.parametrize("seed", range(8))
def test_neighbouring_triangles_leave_no_gap(seed: int) -> None:
    rng = np.random.default_rng(seed)
    grid = jittered_grid(rng, 24)
    tilt = rng.uniform(-0.25, 0.25)
    view = np.array([[1, 0, 0, 0], [0, 1, tilt, 0], [0, -tilt, 1, 0]], np.float32)
    view[1:, :3] /= np.sqrt(1 + tilt * tilt)
    _, _, segmentation = Stage(grid).draw(97, 131, camera(view=view))
    assert (segmentation == 0).all()


@pytest.mark.parametrize("seed", range(8))
def test_triangles_cut_by_the_near_plane_leave_no_gap(seed: int) -> None:
    """The eye stands just above a jittered floor that reaches behind it: nothing shines through."""
    rng = np.random.default_rng(seed)
    grid = jittered_grid(rng, 30, z=0.0, half=1.0)
    down = 0.6
    # z up in the house frame; look along +y and down, 6 cm above the floor
    back = np.array([0, -1, down]) / np.sqrt(1 + down * down)
    right = np.array([1.0, 0, 0])
    rotation = np.stack([right, np.cross(back, right), back])
    eye = np.array([0.013, 0.021, 0.06])
    view = np.concatenate([rotation, -(rotation @ eye)[:, None]], axis=1)
    _, depth, segmentation = Stage(grid).draw(120, 120, camera(2.0, 0.055, view))
    rays_y = (1 - (np.arange(120) + 0.5) * 2 / 120) / 2.0
    drop = -(rotation[1, 2] * rays_y - rotation[2, 2])  # metres down per metre of depth
    expected = 0.06 / drop
    beyond_near = (expected > 0.0552) & (expected < 0.5)
    assert (segmentation[beyond_near] == 0).all()
    assert (segmentation[expected < 0.0548] == -1).all()
    np.testing.assert_allclose(
        depth[beyond_near], np.broadcast_to(expected[beyond_near, None], (beyond_near.sum(), 120)),
        rtol=1e-3,
    )  # fmt: skip


def test_hidden_things_are_skipped_without_changing_a_pixel() -> None:
    """Tiles of far depth drop whole instances; a wall that hides half must not hide the rest."""
    wall = soup(np.array([[-9, -9, -2.0], [0, -9, -2.0], [0, 9, -2.0],
                          [-9, -9, -2.0], [0, 9, -2.0], [-9, 9, -2.0]]))  # fmt: skip
    rng = np.random.default_rng(5)
    things = [two_sided(soup(rng.uniform(-0.3, 0.3, (9, 3)) + np.array([x, y, -3])))
              for x in np.linspace(-2, 2, 9) for y in np.linspace(-2, 2, 7)]  # fmt: skip
    stage = Stage(wall, *things)
    _, _, segmentation = stage.draw(64, 64)
    _, owner = stage.cast(64, 64)
    assert (segmentation != owner).sum() <= 4


@pytest.mark.parametrize(("height", "width"), [(256, 256), (33, 70), (1, 1), (7, 300)])
@pytest.mark.parametrize("samples", [1, 2])
def test_every_level_gives_the_same_bytes(height: int, width: int, samples: int) -> None:
    stage = random_scene(3, num_meshes=12)
    look = np.array([0.3, -0.4, 0.86, 0.6, 0.4, 0.1, 1, 2, 3], np.float32)
    frames = {}
    for level in levels():
        before = use_level(level)
        try:
            frames[level] = stage.draw(height, width, samples=samples, look=look)
        finally:
            use_level(before)
    for level in levels():
        for kind in range(3):
            assert frames[level][kind].tobytes() == frames["plain"][kind].tobytes(), level


def test_an_unknown_level_is_refused() -> None:
    with pytest.raises(RenderError, match="does not run 'v9'"):
        use_level("v9")


@pytest.mark.parametrize("threads", [1, 2, 5])
def test_a_batch_gives_the_bytes_of_single_views(threads: int) -> None:
    stage = random_scene(11)
    cameras = [camera(0.8 + 0.1 * i) for i in range(7)]
    singles = [stage.draw(40, 50, cam)[0] for cam in cameras]
    frames = np.zeros((7, 40, 50, 3), np.uint8)
    views = [(stage.ids, stage.poses, cam, rgb, None, None)
             for cam, rgb in zip(cameras, frames, strict=True)]  # fmt: skip
    stage.library.raster.draw(views, FLAT_LIGHT, 1, False, threads)
    assert frames.tobytes() == np.stack(singles).tobytes()


def test_python_threads_may_draw_while_meshes_are_added() -> None:
    stage = random_scene(2)
    expected = stage.draw(64, 64)[0].tobytes()
    with ThreadPoolExecutor(4) as pool:
        frames = [pool.submit(stage.draw, 64, 64) for _ in range(60)]
        for _ in range(200):  # the mesh table moves several times
            stage.library.add(soup(BIG_TRIANGLE), "more")
    assert {frame.result()[0].tobytes() for frame in frames} == {expected}


def test_two_samples_average_four_subpixels() -> None:
    stage = random_scene(4)
    fine = stage.draw(32, 48)[0].astype(int)
    smooth = stage.draw(16, 24, samples=2)[0]
    sums = fine[::2, ::2] + fine[1::2, ::2] + fine[::2, 1::2] + fine[1::2, 1::2]
    assert ((sums + 2) // 4 == smooth).all()


def test_nothing_is_dropped_however_many_triangles_there_are() -> None:
    """200,000 triangles of a few pixels each; the frame's last rows are drawn last."""
    grid = jittered_grid(np.random.default_rng(0), 316)
    _, _, segmentation = Stage(grid).draw(700, 700)
    assert len(grid.faces) > 199_000
    assert (segmentation == 0).all()


def test_an_instance_with_mesh_minus_1_is_not_drawn() -> None:
    stage = Stage(soup(BIG_TRIANGLE))
    stage.ids[0, 0] = -1
    assert (stage.draw(4, 4)[2] == -1).all()


@pytest.mark.parametrize("place", ["positions", "normals", "colors"])
@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf, 1e30])
def test_a_mesh_with_wild_numbers_is_refused_by_name(place: str, value: float) -> None:
    mesh = soup(BIG_TRIANGLE)
    getattr(mesh, place)[1, 2] = value
    with pytest.raises(RenderError, match=f"mesh 'wild': {place}: .*not finite"):
        MeshLibrary().add(mesh, "wild")


def test_a_mesh_without_faces_or_with_stray_indices_is_refused() -> None:
    mesh = soup(BIG_TRIANGLE)
    none = Mesh(mesh.positions, mesh.normals, mesh.colors, np.zeros((0, 3), np.int32))
    with pytest.raises(RenderError, match="3 vertices and 0 faces"):
        MeshLibrary().add(none, "empty")
    with pytest.raises(ValueError, match="names vertex 3"):
        native().Library().add_mesh(
            mesh.positions, mesh.normals, mesh.colors, np.array([[0, 1, 3]], np.int32), None, -1
        )


def _view(stage: Stage, **changes: object) -> tuple[Any, ...]:
    parts = {"ids": stage.ids, "poses": stage.poses, "camera": camera(),
             "rgb": np.zeros((8, 8, 3), np.uint8), "depth": None, "segmentation": None}  # fmt: skip
    return tuple((parts | changes).values())


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"rgb": np.zeros((8, 8, 3))}, "rgb: expected uint8 .* got format 'd'"),
        ({"rgb": np.zeros((8, 8), np.uint8)}, "rgb: expected uint8 with 3 dimensions"),
        ({"rgb": np.zeros((8, 8, 4), np.uint8)}, "rgb: .*the last of 4"),
        ({"rgb": np.zeros((8, 16, 3), np.uint8)[:, ::2]}, "rgb: expected a C-contiguous, writable"),
        ({"rgb": b"no array"}, "rgb: expected a C-contiguous, writable"),
        ({"rgb": None}, "a frame without buffers"),
        ({"rgb": np.zeros((0, 8, 3), np.uint8)}, "rgb: a frame of 8 x 0"),
        ({"depth": np.zeros((8, 9), np.float32)}, "depth: 9 x 8, but the frame's first"),
        ({"segmentation": np.zeros((8, 8), np.int64)}, "segmentation: expected int32"),
        ({"ids": np.array([[5, 0, 0]], np.int32)}, "instance 0 has mesh 5; the library has 1"),
        ({"ids": np.zeros((2, 3), np.int32)}, r"poses: shape \(1, 3, 4\) for 2 instances"),
        ({"poses": np.full((1, 3, 4), np.nan, np.float32)}, "poses: .*not finite"),
        ({"camera": camera(focal=0.0)}, "camera: the focal scale"),
        ({"camera": camera(near=-1.0)}, "camera: .*near"),
    ],
)
def test_unfit_buffers_are_refused_in_one_sentence(changes: dict[str, Any], message: str) -> None:
    stage = Stage(soup(BIG_TRIANGLE))
    with pytest.raises(ValueError, match=message):
        stage.library.raster.draw([_view(stage, **changes)], FLAT_LIGHT, 1, False, 1)


def test_a_read_only_frame_is_refused() -> None:
    stage = Stage(soup(BIG_TRIANGLE))
    rgb = np.zeros((8, 8, 3), np.uint8)
    rgb.flags.writeable = False
    with pytest.raises(ValueError, match="writable"):
        stage.library.raster.draw([_view(stage, rgb=rgb)], FLAT_LIGHT, 1, False, 1)


def test_a_stale_or_missing_extension_is_one_sentence_with_the_remedy(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    native.cache_clear()
    try:
        monkeypatch.setattr("langrearrange.sim.embedded.native.INTERFACE", -5)
        with pytest.raises(RenderError, match=r"stale.*pip install"):
            native()
        monkeypatch.setitem(__import__("sys").modules, "_langrearrange_raster", None)
        with pytest.raises(RenderError, match=r"missing.*pip install.*apt install gcc"):
            native()
    finally:
        native.cache_clear()


def test_poses_move_meshes() -> None:
    small = soup(np.array([[-0.1, -0.1, 0], [0.1, -0.1, 0], [0, 0.1, 0]]))
    pose = IDENTITY.copy()
    pose[:, 3] = [0.5, 0.0, -1.0]
    _, _, segmentation = Stage(small, poses=pose[None]).draw(40, 40)
    columns = np.nonzero((segmentation == 0).any(axis=0))[0]
    assert columns.min() >= 27
    assert columns.max() <= 32
