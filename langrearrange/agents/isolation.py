"""Where an agent's process runs and what it may reach there. `jail` does it.

Not for limits in time (`process`) and not for agents on other machines.
"""

from __future__ import annotations

import glob
import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal

from langrearrange.errors import UsageError
from langrearrange.paths import datasets_path, templates_path

Kind = Literal["process", "user", "sandbox"]
"""A process of the same user, of another user, or in namespaces of its own."""
JAIL: Final = str(Path(__file__).with_name("jail.py"))
SYSTEM: Final = (
    *("/bin", "/etc", "/lib", "/lib32", "/lib64", "/nix/store", "/opt", "/sbin", "/sys", "/usr"),
    "/run/systemd/resolve",
)
"""What programs need to run; it holds no episodes."""
DEVICES: Final = (
    *(f"/dev/{name}" for name in ("null", "zero", "full", "random", "urandom")),
    *("/dev/nvidia*", "/dev/dri", "/dev/kfd"),
)
SECRET: Final = "LANGREARRANGE_KEY"
"""Environment variable that no agent gets: the key of a sealed set."""
KEPT: Final = frozenset((
    *("PATH", "LANG", "LC_ALL", "LC_CTYPE", "TZ", "VIRTUAL_ENV", "PYTHONPATH", "LD_LIBRARY_PATH"),
    *("CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "OMP_NUM_THREADS", "MKL_NUM_THREADS"),
))  # fmt: skip
"""Environment variables that an isolated agent keeps."""
REPLACED: Final = {
    "HOME": "/tmp",
    "TMPDIR": "/tmp",
    "USER": "agent",
    "LANGREARRANGE_DATASETS": "/datasets",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What an isolated agent may reach beside the system and this Python.

    Attributes:
        network: whether it may reach the network.
        files: files and folders it may read; the first is where it runs.
        hidden: files and folders within those that it may not read.
        environment: variables it keeps beside `KEPT`.
    """

    network: bool = False
    files: tuple[str, ...] = (".",)
    hidden: tuple[str, ...] = ()
    environment: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        readable = [Path(path).resolve() for path in self.files]
        for path in readable:
            if not path.exists() or str(path) in ("/", "/proc", "/dev", "/tmp"):
                raise UsageError(
                    f"an isolated agent cannot be given '{path}'; name folders that exist, with "
                    "its code and weights (--agent-files)"
                )
        for path in map(Path, self.hidden):
            if any(path.resolve() in (given, *given.parents) for given in readable):
                raise UsageError(
                    f"the agent's files lie in '{path}', which it must not read; move them, and "
                    "name their folder (--agent-files)"
                )


@cache
def isolation_here() -> Kind:
    """Return the best way to isolate an agent that this machine allows; `process` is none."""
    kinds: tuple[Kind, ...] = ("sandbox", "user") if os.geteuid() == 0 else ("sandbox",)
    return next((kind for kind in kinds if _works(kind)), "process")


def _works(kind: Kind) -> bool:
    data = settings(Sandbox(files=("/usr",)), kind, {"memory_mb": 0, "processes": 0, "cpus": 0})
    try:
        done = subprocess.run(
            in_jail(["true"]), input=data, env={"PATH": os.defpath}, capture_output=True, timeout=20
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0


def in_jail(command: Sequence[str]) -> list[str]:
    """Return the command that starts another one isolated."""
    return [sys.executable, "-I", "-S", JAIL, *command]


def settings(sandbox: Sandbox, kind: Kind, limits: Mapping[str, int]) -> bytes:
    """Return what `jail` reads first: where the agent runs, with `memory_mb` and other limits."""
    files = {*SYSTEM, *_python_files(), *map(os.path.abspath, sandbox.files)}
    files |= set(map(os.path.realpath, files.difference(SYSTEM)))
    files = {path for path in files if files.isdisjoint(map(str, Path(path).parents))}
    hidden = {os.path.realpath(path) for path in sandbox.hidden}
    fields: dict[str, Any] = {
        "kind": kind,
        "network": sandbox.network,
        "files": sorted(files),
        "hidden": [*sorted(hidden), str(datasets_path(installed=True))],
        "devices": [path for pattern in DEVICES for path in glob.glob(pattern)],
        "folder": folder_of(sandbox),
        **limits,
    }
    text = json.dumps(fields).encode()
    return b"%08x" % len(text) + text


def folder_of(sandbox: Sandbox) -> str:
    """Return where the agent runs."""
    first = next(map(os.path.abspath, sandbox.files), "/")
    return first if os.path.isdir(first) else os.path.dirname(first)


def environment_of(sandbox: Sandbox | None) -> dict[str, str]:
    """Return an agent's environment: what is listed; without a sandbox all but `SECRET`."""
    if sandbox is None:
        return {name: value for name, value in os.environ.items() if name != SECRET}
    kept = KEPT.union(sandbox.environment)
    return {name: value for name, value in os.environ.items() if name in kept} | REPLACED


@cache
def _python_files() -> frozenset[str]:
    """Return the folders that this Python and this package are loaded from.

    Not all of `sys.path`: it often holds the working folder, and with it whatever lies there.
    """
    libraries = (path for path in sys.path if path.endswith(("site-packages", "dist-packages")))
    raster = find_spec("_langrearrange_raster")
    paths = {
        *(sys.prefix, sys.base_prefix, sys.exec_prefix, *libraries),
        *(str(Path(__file__).parents[1]), str(templates_path()), raster and raster.origin),
        *os.environ.get("PYTHONPATH", "").split(os.pathsep),
    }
    return frozenset(os.path.abspath(path) for path in paths if path)
