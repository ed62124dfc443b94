"""`langrearrange doctor`: what is installed, what is missing, and the next command."""

from __future__ import annotations

import json
import os
import platform
from dataclasses import dataclass
from importlib import metadata
from importlib.util import find_spec
from pathlib import Path
from typing import Final

from langrearrange.cli.common import make_table, print_table

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
    "train": ("torch", "the LLaRP agent and its rivals"),
    "video": ("av", "MP4 replays"),
    "play": ("pygame", "a window for `play`"),
    "plots": ("matplotlib", "plots"),
    "export": ("pyarrow", "parquet and Minari exports"),
    "scale": ("distributed", "Dask clusters"),
    "planning": ("pyperplan", "`check --planner pyperplan`"),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Args:
    """Say what is installed, what is missing and what to do about it. Safe to paste in a report."""

    habitat_python: str | None = None
    """Python of your Habitat environment; else what LANGREARRANGE_HABITAT_PYTHON names"""
    habitat_data: str | None = None
    """folder of Habitat data or exported flats; else what LANGREARRANGE_HABITAT_DATA names"""
    json: bool = False
    """print one JSON object instead of a table"""


def run(args: Args) -> int:
    """Print the findings; exit code 1 when something that every user needs is broken."""
    rows = findings(args.habitat_python, args.habitat_data)
    broken = [row for row in rows if row["status"] == "broken"]
    if args.json:
        print(json.dumps(rows, indent=1))
    else:
        _print_table(rows)
    return 1 if broken else 0


def findings(
    habitat_python: str | None = None, habitat_data: str | None = None
) -> list[dict[str, str]]:
    """Return one row per thing looked at: {item, status: ok | optional | broken, detail, next}."""
    from langrearrange.habitat.diagnosis import habitat_rows

    rows = [
        _row("python", "ok", f"{platform.python_version()} on {platform.platform(terse=True)}"),
        _row("processor", "ok", f"{platform.machine()}, {_cpu_count()} usable cores"),
    ]
    rows += [_package(name) for name in PACKAGES]
    rows.append(_renderer())
    rows += _data()
    for extra, (module, purpose) in EXTRAS.items():
        rows.append(_extra(extra, module, purpose))
    return rows + habitat_rows(habitat_python, habitat_data)


def _row(item: str, status: str, detail: str, then: str = "") -> dict[str, str]:
    return {"item": item, "status": status, "detail": detail, "next": then}


def _cpu_count() -> int:
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _package(name: str) -> dict[str, str]:
    try:
        return _row(name, "ok", metadata.version(name))
    except metadata.PackageNotFoundError:
        if name == "langrearrange":
            return _row(name, "optional", "run from a checkout, not installed", "pip install .")
        return _row(name, "broken", "not installed", f"pip install {name}")


def _renderer() -> dict[str, str]:
    from langrearrange.errors import LangRearrangeError
    from langrearrange.sim.embedded.native import levels

    try:
        return _row("renderer", "ok", f"kernels {', '.join(levels())}; the last one is used")
    except LangRearrangeError as error:
        return _row("renderer", "broken", str(error), "pip install --force-reinstall --no-deps .")


def _data() -> list[dict[str, str]]:
    from langrearrange.errors import DatasetError
    from langrearrange.paths import datasets_path, templates_path

    rows = []
    try:
        files = sorted(templates_path().glob("*.yaml"))
        rows.append(_row("templates", "ok" if files else "broken", f"{len(files)} files"))
    except DatasetError as error:
        rows.append(_row("templates", "broken", str(error), "pip install ."))
    try:
        manifests = sorted(datasets_path().glob("*/manifest.json"))
    except DatasetError as error:
        return [*rows, _row("data sets", "broken", str(error), "pip install .")]
    for manifest in manifests:
        rows.append(_row(f"data set {manifest.parent.name}", *_manifest(manifest)))
    return rows


def _manifest(path: Path) -> tuple[str, str]:
    try:
        manifest = json.loads(path.read_text())
        shipped = "" if list(path.parent.glob("*.jsonl.gz")) else ", computed on demand"
        return "ok", f"sha256 {manifest['content_sha256'][:16]}...{shipped}"
    except (ValueError, KeyError) as error:
        return "broken", f"manifest cannot be read: {error}"


def _extra(extra: str, module: str, purpose: str) -> dict[str, str]:
    item = f"extra [{extra}]"
    if find_spec(module) is None:
        then = f"pip install 'langrearrange[{extra}]'"
        return _row(item, "optional", f"not installed ({purpose})", then)
    return _row(item, "ok", f"{module} is there ({purpose})")


def _print_table(rows: list[dict[str, str]]) -> None:
    from rich.markup import escape

    table = make_table("langrearrange doctor", ("item", "status", "detail", "next"), left=4)
    colours = {"ok": "green", "optional": "yellow", "broken": "red"}
    for row in rows:
        status = f"[{colours[row['status']]}]{row['status']}[/]"
        table.add_row(escape(row["item"]), status, escape(row["detail"]), escape(row["next"]))
    print_table(table)
