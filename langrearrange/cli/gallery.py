"""`langrearrange gallery`: contact sheets of flats and of models, as PNG files."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import tyro

from langrearrange.cli.common import Flats, Force
from langrearrange.errors import UsageError
from langrearrange.paths import refuse_existing
from langrearrange.progress import progress

if TYPE_CHECKING:
    from langrearrange.sim.embedded.gallery import Picture


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Draw contact sheets: every flat from above and inside, every object model.

    For example:

      langrearrange gallery --out out/gallery
      langrearrange gallery flats --flats flat_0_07 flat_4_03 --out out/two
      langrearrange gallery models --categories mug bowl --out out/dishes
    """

    what: Annotated[Literal["all", "flats", "models"], tyro.conf.Positional] = "all"
    """which sheets"""
    flats: Flats = ("all",)
    """ids of flats, or train, validation, test, all; one sheet a floor plan"""
    categories: Annotated[tuple[str, ...], tyro.conf.arg(metavar="CATEGORY")] = ()
    """categories of objects; by default all"""
    size: int = 200
    """height of a picture in pixels"""
    out: Path = Path("out/gallery")
    """folder for the PNG files"""
    force: Force = False


def run(args: Args) -> int:
    """Draw the sheets and print the paths."""
    from PIL import Image

    if not 16 <= args.size <= 2048:
        raise UsageError(f"--size {args.size}: accepted are 16 to 2048 pixels")
    refuse_existing(args.out, overwrite=args.force)
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
    from langrearrange.houses import MODELS, models_of
    from langrearrange.houses.flats import flat_ids, parse_house_id
    from langrearrange.sim.embedded.gallery import flats_sheet
    from langrearrange.sim.embedded.portraits import models_sheet

    chosen = [m.id for category in args.categories for m in models_of(category)] or list(MODELS)
    ids = flat_ids(args.flats)
    if args.what in ("all", "flats"):
        for plan in sorted({parse_house_id(house_id)[0] for house_id in ids}):
            of_plan = [house_id for house_id in ids if parse_house_id(house_id)[0] == plan]
            yield f"flats_plan_{plan}", flats_sheet(of_plan, columns=3, size_px=args.size)
    if args.what in ("all", "models"):
        yield "models", models_sheet(chosen, size_px=args.size)
