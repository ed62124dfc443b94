"""Meshes that users own, from GLB: resting on their base, decimated, cached; with a report.

The result is a `Mesh` like our own models': origin at the base's centre, z up, metres, vertex
colours. What does not fit in that is named in the report. Not for scenes with moving parts.
"""

from __future__ import annotations

import hashlib
import os
import zipfile
import zlib
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Final

import msgspec
import numpy as np
from numpy.typing import NDArray

from langrearrange.errors import HouseError
from langrearrange.houses.exchange.decimate import decimated
from langrearrange.houses.exchange.facing import Corners, mesh_of_corners
from langrearrange.houses.exchange.glb import ColorSpace
from langrearrange.houses.exchange.glb_read import MAX_BYTES, GlbScene, Primitive, parse_glb
from langrearrange.houses.mesh import Mesh, merged
from langrearrange.houses.shapes import rested

MAX_TRIANGLES: Final = 2000
_VERSION: Final = 1
"""Enters the cache's key: a change of what comes out must not meet old files."""
_SMALLEST_M, _LARGEST_M = 0.002, 20.0
_DAMAGED: Final = (
    OSError, ValueError, KeyError, EOFError, zipfile.BadZipFile, zlib.error, msgspec.MsgspecError,
)  # fmt: skip
"""What reading a torn or foreign cache file can raise; a HouseError is a ValueError."""


@dataclass(frozen=True, slots=True)
class ImportReport:
    """What became of a file.

    Attributes:
        triangles_read: in the file.
        triangles_kept: in the mesh.
        mean_error_mm: how far vertices of the file lie from the new surface, on average.
        largest_error_mm: the farthest.
        size_mm: extent in x, y, z.
        textures_sampled: textures that are now colours of vertices, details between them lost.
        left_out: what else of the file is not in the mesh.
    """

    triangles_read: int
    triangles_kept: int
    mean_error_mm: float
    largest_error_mm: float
    size_mm: tuple[int, int, int]
    textures_sampled: int
    left_out: tuple[str, ...]

    def __str__(self) -> str:
        """Return the report in a sentence or three."""
        text = f"{self.triangles_read} triangles read, {self.triangles_kept} kept"
        if self.triangles_kept < self.triangles_read:
            text += (
                f"; the surface is off by {self.mean_error_mm:.2f} mm on average, at most "
                f"{self.largest_error_mm:.2f} mm"
            )
        text += ". Size {} x {} x {} mm.".format(*self.size_mm)
        if self.textures_sampled:
            text += f" {self.textures_sampled} texture(s) became colours of vertices."
        if self.left_out:
            text += f" Left out: {', '.join(self.left_out)}."
        return text


@dataclass(frozen=True, slots=True, eq=False)
class ImportedMesh:
    """A mesh ready to use, and what was lost on the way."""

    mesh: Mesh
    report: ImportReport


def cache_folder() -> Path:
    """Return where imported meshes are kept: `LANGREARRANGE_CACHE` or the user's cache folder."""
    chosen = os.environ.get("LANGREARRANGE_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "langrearrange"


def import_mesh(
    path: Path,
    max_triangles: int = MAX_TRIANGLES,
    scale: float = 1.0,
    colors: ColorSpace = "linear",
    cache: bool = True,
) -> ImportedMesh:
    """Read a GLB file as one resting mesh; the second time from the cache.

    Args:
        path: a .glb file, y up and in metres as the standard has it.
        max_triangles: decimate to at most so many.
        scale: multiplies sizes: 0.001 for a file in millimetres.
        colors: what the file's vertex colours are; `display` where they come out too pale, as
            programs write that disregard the standard.
        cache: keep the result, by the file's content, in `cache_folder()`.

    Raises:
        HouseError: no such file, damaged, compressed, a texture too large, nothing to draw, or a
            size no household thing has.
    """
    if max_triangles < 1 or not 0 < scale < float("inf"):
        raise HouseError(
            f"max_triangles {max_triangles}, scale {scale}: both must be positive; leave them out "
            "for the usual"
        )
    if not path.is_file():
        raise HouseError(f"{path}: there is no such file; give the path of a .glb file")
    if path.stat().st_size > MAX_BYTES:
        raise HouseError(f"{path}: larger than {MAX_BYTES >> 20} MB; simplify it first")
    data = path.read_bytes()
    options = f"{_VERSION} {max_triangles} {scale!r} {colors} ".encode()
    kept = cache_folder() / "meshes" / f"{hashlib.sha256(options + data).hexdigest()}.npz"
    if cache and kept.is_file():
        stored = _load(kept)
        if stored is not None:
            return stored
    result = _imported(parse_glb(data, str(path), colors), str(path), max_triangles, scale)
    if cache:
        _store(kept, result)
    return result


def _imported(scene: GlbScene, name: str, max_triangles: int, scale: float) -> ImportedMesh:
    pieces = [p for p in scene.primitives if len(p.faces)]
    if not pieces:
        raise HouseError(f"{name}: shows no triangles; is it an empty scene or points only?")
    whole = merged(*(_painted(piece, scale) for piece in pieces))
    extent = whole.bounds[1] - whole.bounds[0]
    if not _SMALLEST_M <= float(extent.max()) <= _LARGEST_M:
        raise HouseError(
            f"{name}: {float(extent.max()):g} m large; household meshes are {_SMALLEST_M} to "
            f"{_LARGEST_M} m, so give a scale (0.001 for a file in millimetres)"
        )
    fewer = decimated(whole, max_triangles)
    if not len(fewer.mesh.faces):
        raise HouseError(
            f"{name}: nothing of it is left with {max_triangles} triangles; allow more"
        )
    mesh = rested(fewer.mesh)
    width, depth, height = np.round((mesh.bounds[1] - mesh.bounds[0]) * 1000).astype(int).tolist()
    report = ImportReport(
        triangles_read=len(whole.faces),
        triangles_kept=len(mesh.faces),
        mean_error_mm=round(fewer.mean_error * 1000, 3),
        largest_error_mm=round(fewer.largest_error * 1000, 3),
        size_mm=(width, depth, height),
        textures_sampled=len({id(p.image) for p in pieces if p.image is not None}),
        left_out=scene.left_out,
    )
    return ImportedMesh(mesh, report)


def _painted(piece: Primitive, scale: float) -> Mesh:
    """Return a piece with its texture sampled into the colours of its vertices."""
    colors = piece.colors
    if piece.image is not None and piece.uv is not None:
        colors = colors * (_sampled(piece.image, piece.uv) / np.float32(255))
    positions = piece.positions * np.float32(scale)
    if piece.normals is None:
        faces = piece.faces.astype(np.int64)
        return mesh_of_corners(
            Corners(positions.astype(np.float64), faces, colors[faces].astype(np.float64))
        )
    return Mesh(positions, piece.normals, colors.astype(np.float32), piece.faces)


def _sampled(image: NDArray[np.uint8], uv: NDArray[np.float32]) -> NDArray[np.float32]:
    """Return the texels nearest to texture coordinates that repeat, (n, 3) float32."""
    height, width, _ = image.shape
    place = np.nan_to_num(uv.astype(np.float64) % 1.0)
    column = np.minimum((place[:, 0] * width).astype(np.int64), width - 1)
    row = np.minimum((place[:, 1] * height).astype(np.int64), height - 1)
    texels: NDArray[np.float32] = image[row, column].astype(np.float32)
    return texels


def _store(path: Path, result: ImportedMesh) -> None:
    """Write to a temporary name, then rename: a reader never meets half a file."""
    mesh = result.mesh
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.stem}.{os.getpid()}.tmp")
    report = np.frombuffer(msgspec.json.encode(asdict(result.report)), np.uint8)
    with temporary.open("wb") as file:
        np.savez_compressed(
            file, positions=mesh.positions, normals=mesh.normals, colors=mesh.colors,
            faces=mesh.faces, report=report,
        )  # fmt: skip
    temporary.replace(path)


def _load(path: Path) -> ImportedMesh | None:
    """Return a kept mesh, or None when its file is damaged and has to be made again."""
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as kept:
            mesh = Mesh(kept["positions"], kept["normals"], kept["colors"], kept["faces"])
            report = msgspec.json.decode(kept["report"].tobytes(), type=ImportReport)
    except _DAMAGED:
        return None
    return ImportedMesh(mesh, report)
