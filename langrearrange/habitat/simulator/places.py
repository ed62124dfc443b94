"""Where Habitat, its data and exported flats are: options, environment variables, folders."""

from __future__ import annotations

import os
import sys
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from langrearrange.errors import HabitatError
from langrearrange.habitat.data.folders import DATA_VARIABLE
from langrearrange.habitat.export.pieces import EXPORT_COMMAND
from langrearrange.habitat.simulator.client import Backend, Local, Worker
from langrearrange.habitat.simulator.library import CONFIG

PYTHON_VARIABLE: Final = "LANGREARRANGE_HABITAT_PYTHON"
ROBOT: Final = Path("robots/hab_fetch/robots/hab_fetch.urdf")
HOMES: Final = Path("replica_cad")
"""Where Habitat's downloader puts the Fetch and ReplicaCAD below its data folder."""


class Found(NamedTuple):
    """What a data folder holds: a robot's description, exported flats; None: not there."""

    robot: Path | None
    flats: Path | None


def open_backend(python: str | None, gpu_device: int | None) -> Backend:
    """Return Habitat in the given Python, else in this one, else in the environment variable's.

    In this Python the first one runs in this process and those beside it in workers, see `Local`.

    Raises:
        HabitatError: there is no habitat_sim anywhere, or one that does not work.
    """
    if python is None and find_spec("habitat_sim") is not None:
        return Local(gpu_device) if Local.possible() else Worker(sys.executable, gpu_device)
    python = python or os.environ.get(PYTHON_VARIABLE)
    if not python:
        raise HabitatError(
            "the Python module 'habitat_sim' is not installed here; pass habitat_python=, the path "
            f"of the Python of your Habitat environment (or set {PYTHON_VARIABLE}), or use "
            "simulator='embedded', which needs nothing"
        )
    return Worker(os.path.expanduser(python), gpu_device)


def look_into(data: str | Path | None) -> Found:
    """Return what of use lies in a data folder; ReplicaCAD there becomes that of this process.

    Raises:
        HabitatError: nothing does, or this process uses another folder's ReplicaCAD.
    """
    if data is None:
        return Found(None, None)
    folder = Path(data).expanduser().absolute()
    found = Found(
        folder / ROBOT if (folder / ROBOT).is_file() else None,
        folder if (folder / CONFIG).is_file() else None,
    )
    if (folder / HOMES).is_dir():
        _name_homes(folder)
    elif found == (None, None):
        raise HabitatError(
            f"habitat_data='{data}' holds neither flats ({EXPORT_COMMAND} --flats all "
            f"--out {data}) nor Habitat's data (python -m habitat_sim.utils.datasets_download "
            f"--uids replica_cad_dataset ycb hab_fetch --data-path {data})"
        )
    return found


def _name_homes(folder: Path) -> None:
    named = os.environ.setdefault(DATA_VARIABLE, str(folder))
    if Path(named).expanduser().absolute() != folder:
        raise HabitatError(
            f"habitat_data='{folder}', but {DATA_VARIABLE} names '{named}', and homes are read "
            "from one folder only; unset the one or leave out the other"
        )
