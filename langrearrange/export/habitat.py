"""Flats, models and episodes for Habitat and habitat-lab. Not how they are written (`habitat`)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from langrearrange.dataset import Selection
from langrearrange.export.exporter import Written
from langrearrange.paths import refuse_existing
from langrearrange.progress import progress

if TYPE_CHECKING:
    from langrearrange.habitat.export.rearrange import RearrangeFile


@dataclass(frozen=True, slots=True, kw_only=True)
class HabitatExporter:
    """Flats as a Habitat scene dataset, episodes as rearrange data sets for habitat-lab.

    Flats become stages, furniture, doors and drawers, models and scenes. The first path printed is
    what Habitat takes as `scene_dataset_config_file`; scenes are called as the flats. Splits go
    into `--out/episodes`, whose README.md says how to point habitat-lab at them.

      langrearrange export --format habitat --flats test --out out/habitat
      langrearrange export context out/mini --format habitat --out out/lab
    """

    flats: tuple[str, ...] = ()
    """ids of flats, or train, validation, test, all; left out: those of the episodes, else all"""
    models: bool = True
    """write the models of things too"""

    def write(
        self, selections: Sequence[Selection], out: Path, *, overwrite: bool = False
    ) -> Written:
        """Write flats and models into `out`, episodes below it; see `Exporter.write`."""
        from langrearrange.habitat import export_habitat
        from langrearrange.houses import MODELS
        from langrearrange.houses.flats import flat_ids

        house_ids = flat_ids(self.flats or (() if selections else ("all",)))
        refuse_existing(out, overwrite=overwrite)
        files = self._write_episodes(selections, out) if selections else []
        if not self.flats:
            played_in = [house_id for file in files for house_id in file.house_ids]
            house_ids = flat_ids([*house_ids, *played_in])
        model_ids = tuple(MODELS) if self.models else ()
        total = len(house_ids) + len(model_ids)
        with progress("export to Habitat", total, "flats and models") as advance:
            config = export_habitat(house_ids, out, model_ids, advance)
        summary = f"{len(house_ids)} flats and {len(model_ids)} models"
        if files:
            count, readme = sum(file.num_episodes for file in files), out / "episodes" / "README.md"
            summary += f", {count} episodes; {readme} says how habitat-lab loads them"
        return Written((config, *(file.path for file in files)), summary)

    def _write_episodes(self, selections: Sequence[Selection], out: Path) -> list[RearrangeFile]:
        """Write the episodes, before the flats: which flats are needed is known afterwards."""
        from langrearrange.habitat import export_rearrange
        from langrearrange.habitat.export.pieces import dataset_config
        from langrearrange.habitat.export.rearrange import write_readme

        folder, config = out / "episodes", dataset_config(out)
        with progress("episodes for habitat-lab", sum(map(len, selections))) as advance:
            files = [export_rearrange(chosen, folder, config, advance) for chosen in selections]
        write_readme(folder, config)
        return files
