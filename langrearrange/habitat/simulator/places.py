"""Where Habitat, its data and exported flats are: options, environment variables, folders."""

from __future__ import annotations

import os
import sys
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Final, NamedTuple

from langrearrange.errors import HabitatError
from langrearrange.habitat.data.folders import DATA_VARIABLE
from langrearrange.habitat.export.pieces import EXPORT_COMMAND
from langrearrange.habitat.simulator.client import Backend, Local, Worker
from langrearrange.habitat.simulator.engine import gpu_is_there
from langrearrange.habitat.simulator.library import CONFIG
from langrearrange.log import get_logger

logger = get_logger(__name__)
PYTHON_VARIABLE: Final = "LANGREARRANGE_HABITAT_PYTHON"
ROBOT: Final = Path("robots/hab_fetch/robots/hab_fetch.urdf")
HOMES: Final = Path("replica_cad")
"""Where Habitat's downloader puts the Fetch and ReplicaCAD below its data folder."""


class Found(NamedTuple):
    """What a data folder holds: a robot's description, exported flats; None: not there."""

    robot: Path | None
    flats: Path | None


def open_backend(python: str | Path | None, gpu_device: int | None) -> Backend:
    """Return Habitat in the given Python, else in this one, else in the environment variable's.

    In this Python the first one runs in this process and those beside it in workers, see `Local`.

    Raises:
        HabitatError: there is no habitat_sim anywhere, or one that does not work.
    """
    if python is None and find_spec("habitat_sim") is not None:
        if not Local.possible():
            return open_worker(sys.executable, gpu_device)
        # A GPU that cannot be used may end the process that tries: let a worker's be first.
        return Local(find_gpu(sys.executable) if gpu_device is None else gpu_device)
    python = python or os.environ.get(PYTHON_VARIABLE)
    if not python:
        raise HabitatError(
            "the Python module 'habitat_sim' is not installed here; give the Python of your "
            f"Habitat environment as habitat_python= or --habitat-python (or set "
            f"{PYTHON_VARIABLE}), or use simulator='embedded', which needs nothing"
        )
    return open_worker(os.path.expanduser(python), gpu_device)


def open_worker(python: str, gpu_device: int | None) -> Worker:
    """Return a worker; None: with GPU 0 where Habitat can use it, else in software."""
    return Worker(python, find_gpu(python) if gpu_device is None else gpu_device)


@cache
def find_gpu(python: str) -> int:
    """Return the GPU that habitat_sim can use in a Python: 0, or -1 for software OpenGL.

    A GPU that is visible may have no EGL, as in many containers: the failure is logged, once.

    Raises:
        HabitatError: habitat_sim does not work in software either.
    """
    if not gpu_is_there():
        return -1
    try:
        Worker(python, 0).close()
    except HabitatError as error:
        Worker(python, -1).close()
        logger.warning("Habitat draws in software, as GPU 0 cannot be used: %s", error)
        return -1
    return 0


def look_into(data: str | Path | None) -> Found:
    """Return the usable parts of a data folder; its ReplicaCAD is used in this process.

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
