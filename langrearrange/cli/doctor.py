"""`langrearrange doctor`: check the installation and print what to do next."""

import os
import platform
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from langrearrange.cli.common import Json, make_table, print_json, print_table
from langrearrange.dataset.manifest import read_manifest
from langrearrange.errors import DatasetError, LangRearrangeError
from langrearrange.paths import datasets_path, templates_path

Row = dict[str, str]

PACKAGES: Final = (
    "langrearrange",
    "gymnasium",
    "numpy",
    "msgspec",
    "PyYAML",
    "rich",
    "tyro",
    "Pillow",
)
EXTRAS: Final[dict[str, tuple[str, str]]] = {
    "train": ("torch", "the LLaRP agent and other learners"),
    "video": ("av", "MP4 replays"),
    "plots": ("matplotlib", "plots"),
    "export": ("pyarrow", "parquet and Minari exports"),
    "scale": ("distributed", "Dask clusters"),
    "planning": ("pyperplan", "`check --planner pyperplan`"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Report what is installed, what is missing and what to do. Safe to paste into a bug report."""

    habitat_python: str | None = None
    """Python of your Habitat environment; else what LANGREARRANGE_HABITAT_PYTHON names"""
    habitat_data: str | None = None
    """folder of Habitat data or exported flats; else what LANGREARRANGE_HABITAT_DATA names"""
    json: Json = False


def run(args: Args) -> int:
    """Print the findings; exit code 1 if a required part is broken."""
    rows = findings(args.habitat_python, args.habitat_data)
    if args.json:
        print_json(rows)
    else:
        _print(rows)
    return int(any(row["status"] == "broken" for row in rows))


def findings(habitat_python: str | None = None, habitat_data: str | None = None) -> list[Row]:
    """Return one row per checked item: {item, status: ok | optional | broken, detail, next}."""
    from langrearrange.habitat.diagnosis import habitat_rows

    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return [
        _row("python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)}"),
        _row("processor", "ok", f"{platform.machine()}, {cores} usable cores"),
        *map(_package, PACKAGES),
        _looked_at("renderer", _kernels, "pip install --force-reinstall --no-deps ."),
        _looked_at("templates", _templates, "pip install ."),
        *_datasets(),
        *(_extra(extra, *module) for extra, module in EXTRAS.items()),
        *habitat_rows(habitat_python, habitat_data),
    ]


def _row(item: str, status: str, detail: str, then: str = "") -> Row:
    return {"item": item, "status": status, "detail": detail, "next": then}


def _looked_at(item: str, look: Callable[[], str], then: str = "") -> Row:
    """Return a row with the result of `look`, or with its error."""
    try:
        return _row(item, "ok", look())
    except LangRearrangeError as error:
        return _row(item, "broken", str(error), then)


def _package(name: str) -> Row:
    try:
        return _row(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        if name == "langrearrange":
            return _row(name, "optional", "run from a checkout, not installed", "pip install .")
        return _row(name, "broken", "not installed", f"pip install {name}")


def _kernels() -> str:
    from langrearrange.sim.embedded.native import levels

    return f"kernels {', '.join(levels())}; the last one is used"


def _templates() -> str:
    files = sorted(templates_path().glob("*.yaml"))
    if not files:
        raise DatasetError(f"no template files in {templates_path()}")
    return f"{len(files)} files"


def _datasets() -> list[Row]:
    try:
        manifests = sorted(datasets_path().glob("*/manifest.json"))
    except DatasetError as error:
        return [_row("data sets", "broken", str(error), "pip install .")]
    return [
        _looked_at(f"data set {path.parent.name}", partial(_manifest, path)) for path in manifests
    ]


def _manifest(path: Path) -> str:
    sha256 = read_manifest(path.parent).content_sha256
    shipped = "" if list(path.parent.glob("*.jsonl.gz")) else ", computed on demand"
    return f"sha256 {sha256[:16]}...{shipped}"


def _extra(extra: str, module: str, purpose: str) -> Row:
    item = f"extra [{extra}]"
    if find_spec(module) is None:
        then = f"pip install 'langrearrange[{extra}]'"
        return _row(item, "optional", f"not installed ({purpose})", then)
    return _row(item, "ok", f"{module} is installed ({purpose})")


def _print(rows: list[Row]) -> None:
    from rich.markup import escape

    colours = {"ok": "green", "optional": "yellow", "broken": "red"}
    texts = [
        [f"[{colours[text]}]{text}[/]" if name == "status" else escape(text)
         for name, text in row.items()]
        for row in rows
    ]  # fmt: skip
    columns = ("item", "status", "detail", "next")
    print_table(make_table("langrearrange doctor", columns, texts, left=4))
