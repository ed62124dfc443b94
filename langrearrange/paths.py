"""Paths of templates, shipped data sets, documentation and cache; checks of output paths."""

from __future__ import annotations

import hashlib
import os
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from langrearrange.errors import DatasetError, UsageError


def _folder(name: str, *, installed: bool = False) -> Path:
    variable = f"LANGREARRANGE_{name.upper()}"
    override = "" if installed else os.environ.get(variable)
    tried: list[Path] = []
    if override:
        tried.append(Path(override))
    else:
        spec = find_spec(f"langrearrange_{name}")
        # `datasets` has no __init__.py, so that a checkout does not hide Hugging Face's library;
        # pip leaves such folders behind, empty, when it uninstalls.
        places = map(Path, (spec and spec.submodule_search_locations) or ())
        tried += [place for place in places if any(place.glob("*"))]
        tried.append(Path(__file__).resolve().parent.parent / name)
    for path in tried:
        if path.is_dir():
            return path
    where = ", ".join(map(str, tried))
    raise DatasetError(
        f"the folder '{name}' was not found (looked in: {where}). Reinstall the package or set "
        f"{variable} to the folder."
    )


def templates_path() -> Path:
    """Return the folder of template files; `LANGREARRANGE_TEMPLATES` overrides it."""
    return _folder("templates")


def datasets_path(*, installed: bool = False) -> Path:
    """Return the folder of shipped data sets; `LANGREARRANGE_DATASETS` overrides it.

    Args:
        installed: the package's own folder, whatever the variable says.
    """
    return _folder("datasets", installed=installed)


def docs_path() -> Path:
    """Return the folder of documentation pages; `LANGREARRANGE_DOCS` overrides it."""
    return _folder("docs")


def cache_path() -> Path:
    """Return the folder for files made on first use; `LANGREARRANGE_CACHE` overrides it."""
    chosen = os.environ.get("LANGREARRANGE_CACHE")
    if chosen:
        return Path(chosen)
    base = os.environ.get("XDG_CACHE_HOME")
    return (Path(base) if base else Path.home() / ".cache") / "langrearrange"


@cache
def source_sha256() -> str:
    """Return the hash of this package's Python source as it is installed: names and contents."""
    home = Path(__file__).resolve().parent
    hasher = hashlib.sha256()
    for path in sorted(home.rglob("*.py"), key=lambda path: path.relative_to(home).as_posix()):
        data = path.read_bytes()
        hasher.update(f"{path.relative_to(home).as_posix()}:{len(data)}:".encode() + data)
    return hasher.hexdigest()


def refuse_existing(path: Path, *, overwrite: bool) -> None:
    """Raise UsageError if `path` exists and may not be replaced."""
    if path.exists() and not overwrite:
        raise UsageError(f"{path} exists; choose another --out or add --force to replace it")
