"""`langrearrange export-habitat`: flats and models of things as a Habitat scene dataset."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from langrearrange.cli.common import flat_ids, note, refuse_existing


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Write flats as a Habitat scene dataset: stages, furniture, doors and drawers, things, scenes.

    The printed path is what Habitat takes as `scene_dataset_config_file`; scenes are called as the
    flats.

      langrearrange export-habitat --out out/habitat --flats test
      langrearrange export-habitat --out out/one --flats flat_0_07 flat_4_03
    """

    out: Path
    """folder to write"""
    flats: Annotated[tuple[str, ...], tyro.conf.arg(metavar="FLAT")] = ("all",)
    """ids of flats, or train, validation, test, all"""
    models: bool = True
    """write the models of things too"""
    force: bool = False
    """write into a folder that exists"""


def run(args: Args) -> int:
    """Export; the number of flats goes to stderr, the dataset's path to stdout."""
    from langrearrange.houses import MODELS
    from langrearrange.houses.exchange import export_habitat
    from langrearrange.progress import progress

    house_ids = flat_ids(args.flats)
    refuse_existing(args.out, force=args.force)
    model_ids = tuple(MODELS) if args.models else ()
    total = len(house_ids) + len(model_ids)
    with progress("export to Habitat", total, "flats and models") as advance:
        config = export_habitat(house_ids, args.out, model_ids, advance)
    note(f"{len(house_ids)} flats and {len(model_ids)} models")
    print(config)
    return 0
