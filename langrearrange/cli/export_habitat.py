"""`langrearrange export-habitat`: flats, models and episodes for Habitat and habitat-lab."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import tyro

from langrearrange.cli.common import Flats, NumEpisodes, flat_ids, note, open_source
from langrearrange.paths import refuse_existing

if TYPE_CHECKING:
    from langrearrange.dataset import EpisodeSource
    from langrearrange.habitat.export.rearrange import RearrangeFile


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Write flats as a Habitat scene dataset: stages, furniture, doors and drawers, things, scenes.

    The printed path is what Habitat takes as `scene_dataset_config_file`; scenes are called as the
    flats. With --episodes, splits are written for habitat-lab as well, into `--out/episodes`, whose
    README.md says how to point habitat-lab at them.

      langrearrange export-habitat --out out/habitat --flats test
      langrearrange export-habitat --out out/one --flats flat_0_07 flat_4_03
      langrearrange export-habitat --out out/lab --episodes context out/mini
    """

    out: Path
    """folder to write"""
    flats: Flats = ()
    """ids of flats, or train, validation, test, all; left out: all, or those of --episodes"""
    episodes: Annotated[tuple[str, ...], tyro.conf.arg(metavar="SPLIT")] = ()
    """splits or data set folders to write as rearrange data sets for habitat-lab"""
    num_episodes: NumEpisodes = None
    models: bool = True
    """write the models of things too"""
    force: bool = False
    """write into a folder that exists"""


def run(args: Args) -> int:
    """Export; counts go to stderr, the dataset's path and the episode files to stdout."""
    from langrearrange.habitat import export_habitat
    from langrearrange.houses import MODELS
    from langrearrange.progress import progress

    sources = [open_source(name) for name in args.episodes]
    house_ids = flat_ids(args.flats or (() if sources else ("all",)))
    refuse_existing(args.out, overwrite=args.force)
    model_ids = tuple(MODELS) if args.models else ()
    files = _export_episodes(sources, args.out, args.num_episodes)
    if not args.flats:
        house_ids = flat_ids([*house_ids, *(name for file in files for name in file.house_ids)])
    total = len(house_ids) + len(model_ids)
    with progress("export to Habitat", total, "flats and models") as advance:
        config = export_habitat(house_ids, args.out, model_ids, advance)
    note(f"{len(house_ids)} flats and {len(model_ids)} models")
    print(config)
    for file in files:
        print(file.path)
    return 0


def _export_episodes(
    sources: Sequence[EpisodeSource], out: Path, limit: int | None
) -> list[RearrangeFile]:
    """Write the episodes, before the flats: which flats are needed is known afterwards."""
    from langrearrange.habitat import export_rearrange
    from langrearrange.habitat.export.pieces import dataset_config
    from langrearrange.habitat.export.rearrange import write_readme
    from langrearrange.progress import progress

    if not sources:
        return []
    folder, config = out / "episodes", dataset_config(out)
    total = sum(len(source) if limit is None else min(limit, len(source)) for source in sources)
    with progress("episodes for habitat-lab", total) as advance:
        files = [export_rearrange(source, folder, config, limit, advance) for source in sources]
    note(f"{total} episodes; {write_readme(folder, config)} says how habitat-lab loads them")
    return files
