"""`langrearrange gallery`: contact sheets of flats and of models, as PNG files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from langrearrange.cli.common import refuse_existing

if TYPE_CHECKING:
    from langrearrange.sim.embedded.gallery import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Draw contact sheets: every flat from above and inside, every model of a thing.

    langrearrange gallery --out out/gallery
    langrearrange gallery flats --flats test --out out/gallery
    """

    what: Annotated[Literal["all", "flats", "models"], tyro.conf.Positional] = "all"
    """which sheets"""
    flats: Literal["all", "train", "validation", "test"] = "all"
    """which flats; one sheet a floor plan"""
    size: int = 200
    """height of a picture in pixels"""
    out: Path = Path("out/gallery")
    """folder for the PNG files"""
    force: bool = False
    """replace what lies there"""


def run(args: Args) -> int:
    """Draw the sheets and print the paths."""
    from PIL import Image

    from langrearrange.errors import UsageError
    from langrearrange.progress import progress

    if not 16 <= args.size <= 2048:
        raise UsageError(f"--size {args.size}: accepted are 16 to 2048 pixels")
    refuse_existing(args.out, force=args.force)
    paths: list[Path] = []
    with progress("gallery", None, "sheets") as advance:
        for name, sheet in _sheets(args):
            args.out.mkdir(parents=True, exist_ok=True)
            paths.append(args.out / f"{name}.png")
            Image.fromarray(sheet).save(paths[-1])
            advance(1, name)
    for path in paths:
        print(path)
    return 0


def _sheets(args: Args) -> Iterator[tuple[str, Picture]]:
    from langrearrange.houses import HOUSE_IDS, houses_for
    from langrearrange.sim.embedded.gallery import flats_sheet
    from langrearrange.sim.embedded.portraits import models_sheet

    if args.what in ("all", "flats"):
        ids = HOUSE_IDS if args.flats == "all" else houses_for(args.flats)
        for plan in sorted({house_id[5] for house_id in ids}):
            chosen = [house_id for house_id in ids if house_id[5] == plan]
            yield f"flats_plan_{plan}", flats_sheet(chosen, columns=3, size_px=args.size)
    if args.what in ("all", "models"):
        yield "models", models_sheet(size_px=args.size)
