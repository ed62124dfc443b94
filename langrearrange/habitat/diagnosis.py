"""What of Habitat is there, for `langrearrange doctor`: module, OpenGL, GPU, data, exported flats.

Every foreign library is asked in a process of its own: a driver that crashes is a row, not the end.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final

from langrearrange.errors import DatasetError, HabitatError
from langrearrange.habitat.data.folders import ASSETS, DATA_VARIABLE, find_habitat_data
from langrearrange.habitat.data.scene_dataset import SceneDataset
from langrearrange.habitat.export.pieces import EXPORT_COMMAND, dataset_config
from langrearrange.habitat.simulator.client import FOREIGN_VARIABLES, Worker
from langrearrange.habitat.simulator.engine import gpu_is_there
from langrearrange.habitat.simulator.places import PYTHON_VARIABLE, find_gpu

Row = dict[str, str]
"""{item, status: ok | optional | broken, detail, next}."""

_TIMEOUT_S: Final = 180.0
_INSTALL: Final = (
    "build habitat_sim v0.3.4 as its BUILD_FROM_SOURCE.md says (langrearrange help habitat), then "
    f"give --habitat-python its Python, or set {PYTHON_VARIABLE}"
)
_EGL: Final = """
import ctypes, ctypes.util, json
name = ctypes.util.find_library("EGL")
egl = ctypes.CDLL(name or "libEGL.so.1")
get = egl.eglGetProcAddress
get.restype = ctypes.c_void_p
def bind(result, *arguments):
    return ctypes.CFUNCTYPE(result, *arguments)
P, I, S = ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p
egl.eglQueryString.restype, egl.eglQueryString.argtypes = S, [P, I]
egl.eglInitialize.argtypes = [P, P, P]
address = get(b"eglGetPlatformDisplayEXT")
shown = bind(P, I, P, P)(address)(0x31DD, None, None) if address else None
found = {"error": "no display without a screen (EGL_MESA_platform_surfaceless)"}
if shown and egl.eglInitialize(shown, None, None):
    found = {"vendor": (egl.eglQueryString(shown, 0x3053) or b"?").decode(), "error": ""}
    egl.eglBindAPI(0x30A2)
    config, count = P(), I()
    egl.eglChooseConfig.argtypes = [P, P, P, I, P]
    wanted = (I * 3)(0x3040, 0x0008, 0x3038)
    egl.eglChooseConfig(shown, wanted, ctypes.byref(config), 1, ctypes.byref(count))
    egl.eglCreateContext.restype, egl.eglCreateContext.argtypes = P, [P, P, P, P]
    context = egl.eglCreateContext(shown, config, None, None)
    egl.eglMakeCurrent.argtypes = [P, P, P, P]
    if context and egl.eglMakeCurrent(shown, None, None, context):
        text = bind(S, I)(get(b"glGetString"))
        found["renderer"] = (text(0x1F01) or b"?").decode()
        found["version"] = (text(0x1F02) or b"?").decode()
print("\\n" + json.dumps(found))
"""


def habitat_rows(python: str | None, data: str | None) -> list[Row]:
    """Return the rows on Habitat.

    Args:
        python: interpreter of a Habitat environment; None: this one if habitat_sim is here, else
            what LANGREARRANGE_HABITAT_PYTHON names.
        data: folder of Habitat data or of exported flats; None: what LANGREARRANGE_HABITAT_DATA
            names, else `data`.
    """
    return [_module(python), _opengl(), _gpu(), *_data(data), _flats(data)]


def _row(item: str, status: str, detail: str, then: str = "") -> Row:
    return {"item": item, "status": status, "detail": detail, "next": then}


def _module(python: str | None) -> Row:
    own = python is None and find_spec("habitat_sim") is not None
    named = python or (sys.executable if own else os.environ.get(PYTHON_VARIABLE))
    if not named:
        return _row("habitat_sim", "optional", "not in this environment", _INSTALL)
    where = "here" if own else named
    try:
        gpu_device = find_gpu(os.path.expanduser(named))
        worker = Worker(os.path.expanduser(named), gpu_device)
    except HabitatError as error:
        return _row("habitat_sim", "optional", f"{where}: {error}", _INSTALL)
    worker.close()
    facts, drawn_by = worker.facts, "software OpenGL" if gpu_device < 0 else f"GPU {gpu_device}"
    detail = f"{facts['version']}, Python {facts['python']}, draws with {drawn_by} ({where})"
    return _row("habitat_sim", "ok", detail)


def _opengl() -> Row:
    found = _ask([sys.executable, "-c", _EGL])
    if found["error"]:
        then = "apt-get install libegl1 libgl1-mesa-dri (or the vendor's driver); Habitat needs it"
        return _row("OpenGL (EGL)", "optional", found["error"], then)
    drawn_by = found.get("renderer", "no context")
    return _row("OpenGL (EGL)", "ok", f"{drawn_by}, OpenGL {found.get('version', '?')}")


def _gpu() -> Row:
    if not gpu_is_there():
        then = "none needed: software OpenGL draws; a GPU needs its driver and /dev/nvidia*"
        return _row("GPU", "optional", "no NVIDIA GPU visible", then)
    names = _run(["nvidia-smi", "--query-gpu=name,driver_version", "--format=csv,noheader"])
    return _row("GPU", "ok", "; ".join(names.stdout.split("\n")).strip("; ") or "visible")


def _data(data: str | None) -> Iterator[Row]:
    try:
        found = find_habitat_data(data)
    except DatasetError as error:
        told, _, then = str(error).partition("; ")
        then = then.partition(" (")[0]
        named = data or os.environ.get(DATA_VARIABLE)
        detail = told if named else f"no --habitat-data, no {DATA_VARIABLE}, no folder 'data'"
        for asset in ASSETS:
            yield _row(f"Habitat data {asset.uid}", "optional", detail, then)
        return
    for report in found.reports:
        item = f"Habitat data {report.asset.uid}"
        if report.problem:
            detail = f"{report.path}: {report.problem} ({report.asset.purpose})"
            yield _row(item, "optional", detail, report.remedy)
        else:
            yield _row(item, "ok", f"{report.path}{_scenes(report.asset.uid, report.path)}")


def _scenes(uid: str, folder: Path) -> str:
    """Return how many scenes ReplicaCAD has; a damaged one is said by its first use."""
    if uid != ASSETS[0].uid:
        return ""
    try:
        return f", scenes: {len(SceneDataset(folder / ASSETS[0].entry).scene_names)}"
    except DatasetError as error:
        return f", but {error}"


def _flats(data: str | None) -> Row:
    folder = Path(data or os.environ.get(DATA_VARIABLE) or "data").expanduser()
    then = f"{EXPORT_COMMAND} --flats all --out out/habitat"
    if not dataset_config(folder).is_file():
        detail = "none in the data folder; flats are written into the cache when first played"
        return _row("exported flats", "optional", detail, then)
    try:
        scenes = SceneDataset(dataset_config(folder)).scene_names
    except DatasetError as error:
        return _row("exported flats", "optional", str(error), f"{then} --force")
    return _row("exported flats", "ok", f"{folder}, flats: {len(scenes)}")


def _ask(command: list[str]) -> dict[str, Any]:
    """Run a probe; returns the JSON of its last line, with `error` where it gave none."""
    done = _run(command)
    for line in reversed(done.stdout.splitlines()):
        if line.startswith("{"):
            found: dict[str, Any] = json.loads(line)
            return found
    told = done.stderr.strip().splitlines()
    reason = told[-1] if told else f"it ended with status {done.returncode}"
    return {"error": reason[:200]}


def _run(command: list[str]) -> subprocess.CompletedProcess[str]:
    env = {key: value for key, value in os.environ.items() if key not in FOREIGN_VARIABLES}
    try:
        return subprocess.run(
            command, capture_output=True, text=True, errors="replace", env=env,
            timeout=_TIMEOUT_S, stdin=subprocess.DEVNULL, check=False,
        )  # fmt: skip
    except subprocess.TimeoutExpired:
        reason = f"no answer within {_TIMEOUT_S:.0f} s"
    except OSError as error:
        reason = f"cannot be run ({error.strerror})"
    return subprocess.CompletedProcess(command, 127, "", reason)
