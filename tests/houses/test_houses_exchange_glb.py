"""GLB files come back as they went, are read alike by trimesh, and damage is named."""

from __future__ import annotations

import io
import json
import struct
from pathlib import Path

import numpy as np
import pytest
import trimesh
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from langrearrange.errors import HouseError
from langrearrange.houses import MODELS, get_house, object_mesh, part_mesh, texture
from langrearrange.houses.exchange import read_glb, write_glb
from langrearrange.houses.exchange.glb import linear_to_srgb, srgb_to_linear
from langrearrange.houses.exchange.glb_read import MAX_TEXTURE_PX, parse_glb
from langrearrange.houses.mesh import Mesh


def glb(content: dict, binary: bytes = b"") -> bytes:
    """Return a GLB file around a description: what other programs might write."""
    text = json.dumps(content).encode()
    text += b" " * (-len(text) % 4)
    binary += bytes(-len(binary) % 4)
    chunks = struct.pack("<II", len(text), 0x4E4F534A) + text
    chunks += struct.pack("<II", len(binary), 0x004E4942) + binary
    return b"glTF" + struct.pack("<II", 2, 12 + len(chunks)) + chunks


def triangle_file(**changes: object) -> bytes:
    """Return a file of one triangle, (0,0,0) (1,0,0) (0,1,0) in its own y-up frame."""
    binary = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0]], np.float32).tobytes()
    primitive: dict = {"attributes": {"POSITION": 0}}
    content: dict = {
        "asset": {"version": "2.0"},
        "scenes": [{"nodes": [0]}],
        "nodes": [{"mesh": 0, "name": "piece"}],
        "meshes": [{"primitives": [primitive]}],
        "accessors": [{"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"}],
        "bufferViews": [{"buffer": 0, "byteOffset": 0, "byteLength": 36}],
        "buffers": [{"byteLength": 36}],
    }
    primitive.update(changes.pop("primitive", {}))  # type: ignore[call-overload]
    extra = changes.pop("binary", b"")
    content.update(changes)
    return glb(content, binary + extra)  # type: ignore[operator]


@pytest.mark.parametrize("colors", ["linear", "display"])
def test_a_model_comes_back_as_it_went(tmp_path: Path, colors: str) -> None:
    path = tmp_path / "thing.glb"
    for model_id in list(MODELS)[::9]:
        mesh = object_mesh(model_id)
        size = write_glb(path, [(model_id, mesh)], colors)
        assert size == path.stat().st_size
        scene = read_glb(path, colors)
        (piece,) = scene.primitives
        assert scene.left_out == ()
        assert piece.name == model_id
        assert np.array_equal(piece.positions, mesh.positions)
        assert np.array_equal(piece.faces, mesh.faces)
        assert np.abs(piece.normals - mesh.normals).max() < 2e-3  # unit length is restored
        assert np.abs(piece.colors - np.clip(mesh.colors, 0, 255)).max() < 0.51


@given(st.floats(0, 1, width=32))
def test_display_values_survive_the_way_to_light_and_back(value: float) -> None:
    light = srgb_to_linear(np.array([value], np.float32))
    assert linear_to_srgb(light)[0] == pytest.approx(value, abs=1e-5)


def test_a_texture_times_its_colours_is_what_we_draw(tmp_path: Path) -> None:
    house = get_house("flat_0_00")
    path = tmp_path / "floor.glb"
    for part in house.parts:
        mesh = part_mesh(part.mesh)
        if not mesh.texture:
            continue
        write_glb(path, [(part.name, mesh)], "display")
        (piece,) = read_glb(path, "display").primitives
        assert np.array_equal(piece.uv, mesh.uv)
        vertex = int(mesh.colors.max(axis=1).argmin())
        drawn = np.clip(texture(mesh.texture) / 128 * mesh.colors[vertex], 0, 255)
        shown = piece.image / 255 * piece.colors[vertex]
        assert np.abs(shown - drawn).mean() < 1.5, part.name
        assert abs((shown - drawn).mean()) < 1.0, part.name


def test_textures_are_stored_once(tmp_path: Path) -> None:
    rooms = [p for p in get_house("flat_0_00").parts if p.name.startswith("walls_")]
    one, many = tmp_path / "one.glb", tmp_path / "many.glb"
    meshes = [(p.name, part_mesh(p.mesh)) for p in rooms]
    write_glb(one, meshes[:1])
    write_glb(many, meshes)
    assert many.stat().st_size < one.stat().st_size + 50_000
    images = {id(piece.image) for piece in read_glb(many).primitives}
    assert len(images) == 1


def test_trimesh_reads_the_same_triangles_normals_and_colours(tmp_path: Path) -> None:
    path = tmp_path / "thing.glb"
    mesh = object_mesh(next(iter(MODELS)))
    write_glb(path, [("thing", mesh)], "display")
    (theirs,) = trimesh.load_scene(path, process=False).geometry.values()
    assert np.array_equal(theirs.faces, mesh.faces)
    x, y, z = mesh.positions.T
    assert np.array_equal(theirs.vertices, np.stack([x, z, -y], axis=1))
    shown = theirs.visual.vertex_attributes["color"][:, :3]
    assert np.abs(shown - mesh.colors).max() <= 0.51


def test_nodes_carry_turn_stretch_and_mirror_their_meshes() -> None:
    half = 0.5**0.5
    nodes = [
        {"children": [1], "translation": [1, 2, 3]},
        {"mesh": 0, "rotation": [0, half, 0, half], "scale": [2, 2, 2]},
    ]
    (piece,) = parse_glb(triangle_file(nodes=nodes), "x").primitives
    # y up: turned a quarter about y, (1, 0, 0) becomes (0, 0, -1); z up: (0, 1, 0).
    assert piece.positions == pytest.approx(
        np.array([[1, -3, 2], [1, -1, 2], [1, -3, 4]]), abs=1e-6
    )
    (mirrored,) = parse_glb(triangle_file(nodes=[{"mesh": 0, "scale": [-1, 1, 1]}]), "x").primitives
    assert mirrored.faces.tolist() == [[2, 1, 0]]


def test_strips_and_fans_become_triangles_that_face_one_way() -> None:
    square = np.array([[0, 0, 0], [1, 0, 0], [0, 1, 0], [1, 1, 0]], np.float32).tobytes()
    for mode, order in ((5, [0, 1, 2, 3]), (6, [0, 1, 3, 2])):
        data = triangle_file(
            binary=square + np.array(order, np.uint16).tobytes(),
            primitive={"mode": mode, "indices": 1},
            accessors=[
                {"bufferView": 0, "componentType": 5126, "count": 4, "type": "VEC3"},
                {"bufferView": 1, "componentType": 5123, "count": 4, "type": "SCALAR"},
            ],
            bufferViews=[
                {"buffer": 0, "byteOffset": 36, "byteLength": 48},
                {"buffer": 0, "byteOffset": 84, "byteLength": 8},
            ],
        )
        (piece,) = parse_glb(data, "x").primitives
        a, b, c = (piece.positions[piece.faces[:, k]] for k in range(3))
        # Half a square each, all towards +z of their frame, which is -y of ours.
        assert np.cross(b - a, c - a).tolist() == [[0, -1, 0], [0, -1, 0]]


def test_what_is_left_out_is_named() -> None:
    material = {"normalTexture": {"index": 0}, "alphaMode": "BLEND"}
    data = triangle_file(
        materials=[material], primitive={"material": 0}, animations=[{}], skins=[{}]
    )
    left_out = parse_glb(data, "x").left_out
    assert set(left_out) == {
        "animations", "skins", "normal, occlusion and emissive maps", "transparency",
    }  # fmt: skip
    points = triangle_file(primitive={"mode": 0})
    assert parse_glb(points, "x").left_out == ("points and lines",)


def picture(width: int, height: int) -> bytes:
    file = io.BytesIO()
    Image.new("L", (width, height)).save(file, "PNG")
    return file.getvalue()


def textured_file(image: bytes) -> bytes:
    uv = np.zeros((3, 2), np.float32).tobytes()
    return triangle_file(
        binary=uv + image,
        primitive={"attributes": {"POSITION": 0, "TEXCOORD_0": 1}, "material": 0},
        accessors=[
            {"bufferView": 0, "componentType": 5126, "count": 3, "type": "VEC3"},
            {"bufferView": 1, "componentType": 5126, "count": 3, "type": "VEC2"},
        ],
        bufferViews=[
            {"buffer": 0, "byteLength": 36},
            {"buffer": 0, "byteOffset": 36, "byteLength": 24},
            {"buffer": 0, "byteOffset": 60, "byteLength": len(image)},
        ],
        materials=[{"pbrMetallicRoughness": {"baseColorTexture": {"index": 0}}}],
        textures=[{"source": 0}],
        images=[{"bufferView": 2, "mimeType": "image/png"}],
    )


def test_a_texture_too_large_is_refused_with_the_remedy() -> None:
    with pytest.raises(HouseError, match=rf"5000 x 2 pixels is too large.*{MAX_TEXTURE_PX}"):
        parse_glb(textured_file(picture(5000, 2)), "big.glb")
    with pytest.raises(HouseError, match="too large"):  # before it is unpacked
        parse_glb(textured_file(picture(40_000, 2000)), "bomb.glb")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "not a GLB file"),
        (b"solid cube", "not a GLB file"),
        (b"glTF" + struct.pack("<II", 1, 20) + bytes(8), "not version 2"),
        (triangle_file()[:-4], "copy it again"),
        (glb({"scenes": [{"nodes": [7]}]}), "description does not fit"),
        (glb({"scenes": [{"nodes": [0]}], "nodes": [{"children": [0]}]}), "circle"),
        (triangle_file(bufferViews=[{"byteOffset": 40, "byteLength": 36}]), "past the data"),
        (triangle_file(extensionsRequired=["KHR_draco_mesh_compression"]), "KHR_draco.*without"),
        (triangle_file(buffers=[{"uri": "a.bin", "byteLength": 36}]), "in other files"),
        (textured_file(b"not a picture"), "a texture cannot be read"),
        (textured_file(picture(300, 300)[:-60]), "a texture cannot be read"),
    ],
)
def test_a_damaged_file_is_named_in_a_sentence_with_the_remedy(data: bytes, message: str) -> None:
    with pytest.raises(HouseError, match=rf"(?s)bad\.glb: .*{message}"):
        parse_glb(data, "bad.glb")


@settings(max_examples=150, deadline=None)
@given(st.data())
def test_no_flipped_byte_does_worse_than_an_error(data: st.DataObject) -> None:
    good = textured_file(picture(4, 4))
    at = data.draw(st.integers(0, len(good) - 1))
    bad = bytearray(good)
    bad[at] = data.draw(st.integers(0, 255))
    try:
        scene = parse_glb(bytes(bad), "x")
    except HouseError:
        return
    for piece in scene.primitives:
        assert np.isfinite(piece.positions).all()
        assert piece.faces.size == 0 or piece.faces.max() < len(piece.positions)


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(HouseError, match="no such file"):
        read_glb(tmp_path / "none.glb")


def test_meshes_without_uv_ignore_their_texture(tmp_path: Path) -> None:
    base = object_mesh(next(iter(MODELS)))
    odd = Mesh(base.positions, base.normals, base.colors, base.faces, None, "wood")
    write_glb(tmp_path / "x.glb", [("x", odd)])
    (piece,) = read_glb(tmp_path / "x.glb").primitives
    assert piece.image is None
