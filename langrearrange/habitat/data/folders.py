"""Habitat's data sets in a folder, what is missing, and the command that fetches it.

Not for what the data sets hold (`scene_dataset`).
"""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from langrearrange.errors import DatasetError
from langrearrange.habitat.data.reading import LFS_POINTER, LFS_REMEDY

DATA_VARIABLE: Final = "LANGREARRANGE_HABITAT_DATA"
"""Environment variable that names the data folder where no option does."""
DATA_LICENCES: Final = "ReplicaCAD and YCB come with licences of their own"


@dataclass(frozen=True, slots=True)
class HabitatAsset:
    """A download of Habitat's, by its uid.

    Attributes:
        uid: what `habitat_sim.utils.datasets_download` calls it.
        folder: its path below the data folder.
        entry: a file or folder in it that is there when it is complete.
        purpose: what needs it.
    """

    uid: str
    folder: str
    entry: str
    purpose: str


ASSETS: Final = (
    HabitatAsset(
        "replica_cad_dataset",
        "replica_cad",
        "replicaCAD.scene_dataset_config.json",
        "the homes of the official release",
    ),
    HabitatAsset("ycb", "objects/ycb", "configs", "its things"),
    HabitatAsset(
        "hab_fetch", "robots/hab_fetch", "robots/hab_fetch.urdf", "the robot's body in pictures"
    ),
)


@dataclass(frozen=True, slots=True)
class AssetReport:
    """Whether an asset is there.

    Attributes:
        asset: which.
        path: where it was looked for.
        problem: "" when it is there, else what is wrong, without the path.
        remedy: the next command; "" when it is there.
    """

    asset: HabitatAsset
    path: Path
    problem: str
    remedy: str


@dataclass(frozen=True, slots=True)
class HabitatData:
    """A folder of Habitat data sets, laid out as Habitat's downloader does.

    Attributes:
        root: the folder, usually called `data`.
        reports: one for each of `ASSETS`.
    """

    root: Path
    reports: tuple[AssetReport, ...]

    def path(self, uid: str) -> Path:
        """Return an asset's folder; DatasetError with the download command if it is not there."""
        for report in self.reports:
            if report.asset.uid == uid:
                if report.problem:
                    raise DatasetError(f"{report.path}: {report.problem}; {report.remedy}")
                return report.path
        raise DatasetError(f"no download is called '{uid}'; {', '.join(a.uid for a in ASSETS)}")

    @property
    def replica_cad(self) -> Path:
        """The `.scene_dataset_config.json` of ReplicaCAD; DatasetError if it is not there."""
        return self.path("replica_cad_dataset") / ASSETS[0].entry

    @property
    def ycb(self) -> Path:
        """The folder of YCB's object configs; DatasetError if it is not there."""
        return self.path("ycb") / ASSETS[1].entry


def download_command(uids: list[str], root: Path | str) -> str:
    """Return Habitat's own command that downloads data sets into a folder."""
    return (
        f"python -m habitat_sim.utils.datasets_download --uids {' '.join(uids)} --data-path {root}"
    )


def find_habitat_data(root: str | Path | None = None) -> HabitatData:
    """Look for ReplicaCAD, YCB and the Fetch robot in a folder.

    Args:
        root: the folder given to Habitat's downloader as `--data-path`, or the one above it;
            None: what LANGREARRANGE_HABITAT_DATA names, else `data`.

    Raises:
        DatasetError: there is no such folder; the message names the command that makes one.
    """
    named = Path(root if root is not None else os.environ.get(DATA_VARIABLE) or "data")
    uids = [asset.uid for asset in ASSETS]
    if not named.is_dir():
        raise DatasetError(
            f"{named}: there is no such folder of Habitat data; make it in your Habitat "
            f"environment: {download_command(uids, named)} ({DATA_LICENCES})"
        )
    below = named / "data"
    chosen = below if not _any_asset(named) and _any_asset(below) else named
    return HabitatData(chosen, tuple(_report(asset, chosen) for asset in ASSETS))


def _any_asset(root: Path) -> bool:
    return any((root / asset.folder).exists() for asset in ASSETS)


def _report(asset: HabitatAsset, root: Path) -> AssetReport:
    path = root / asset.folder
    fetch = f"in your Habitat environment: {download_command([asset.uid], root)}"
    if not path.is_dir():
        return AssetReport(asset, path, f"'{asset.uid}' is not there", fetch)
    entry = path / asset.entry
    if not entry.exists():
        return AssetReport(asset, path, f"incomplete: it lacks {asset.entry}", fetch)
    sample = entry if entry.is_file() else next(iter(sorted(path.rglob("*.glb"))), None)
    if sample is not None and _is_pointer(sample):
        problem = f"{sample.relative_to(path)} is only a git-lfs pointer"
        return AssetReport(asset, path, problem, LFS_REMEDY)
    return AssetReport(asset, path, "", "")


def _is_pointer(path: Path) -> bool:
    with path.open("rb") as file:
        return file.read(len(LFS_POINTER)) == LFS_POINTER
