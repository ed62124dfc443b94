"""`langrearrange import-mesh`: what becomes of a GLB mesh of yours, with a picture."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from langrearrange.cli.common import refuse_existing

if TYPE_CHECKING:
    from langrearrange.houses import Mesh
    from langrearrange.houses.exchange import ImportReport


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Read GLB files as meshes for this renderer and say what was kept and what was lost.

    Each rests on its base, has few triangles and is kept in the user's cache folder
    (LANGREARRANGE_CACHE), so that `houses.exchange.import_mesh` returns it at once.

      langrearrange import-mesh teapot.glb --out out/teapot.png
    """

    files: Annotated[tuple[Path, ...], tyro.conf.Positional]
    """GLB files (plain glTF 2.0)"""
    max_triangles: int = 2000
    """decimate to at most so many"""
    scale: float = 1.0
    """multiplies sizes: 0.001 for a file in millimetres"""
    colors: Literal["linear", "display"] = "linear"
    """what vertex colours are; try display where they come out too pale"""
    out: Path | None = None
    """picture (PNG) to write: each mesh from three sides"""
    size: int = 192
    """height of a view in pixels"""
    json: bool = False
    """print the reports as JSON"""
    force: bool = False
    """replace the picture"""


def run(args: Args) -> int:
    """Import; one report a file on stdout."""
    from langrearrange.errors import UsageError
    from langrearrange.houses.exchange import import_mesh

    if not 16 <= args.size <= 2048:
        raise UsageError(f"--size {args.size}: accepted are 16 to 2048 pixels")
    if args.out is not None:
        refuse_existing(args.out, force=args.force)
    found = [import_mesh(path, args.max_triangles, args.scale, args.colors) for path in args.files]
    reports = dict(zip(map(str, args.files), (each.report for each in found), strict=True))
    if args.out is not None:
        _draw([each.mesh for each in found], [path.name for path in args.files], args)
    _print(reports, as_json=args.json)
    return 0


def _print(reports: dict[str, ImportReport], *, as_json: bool) -> None:
    if as_json:
        print(json.dumps({name: asdict(report) for name, report in reports.items()}, indent=2))
        return
    for name, report in reports.items():
        print(f"{name}: {report}")


def _draw(meshes: list[Mesh], names: list[str], args: Args) -> None:
    import numpy as np
    from PIL import Image

    from langrearrange.sim.embedded.gallery import contact_sheet
    from langrearrange.sim.embedded.portraits import mesh_portrait

    assert args.out is not None
    views = ((-60.0, 30.0), (120.0, 30.0), (-90.0, 75.0))
    pictures = [
        np.concatenate([mesh_portrait(mesh, args.size, *view) for view in views], axis=1)
        for mesh in meshes
    ]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(contact_sheet(pictures, names, columns=1)).save(args.out, "PNG")
